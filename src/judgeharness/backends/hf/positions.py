"""The prompt length up to which a model's positions do not depend on that length.

Two kinds of rotary scaling depend on the length of the sequences in a pass: "longrope" (Phi-3 and later, MiniCPM)
chooses one of two sets of factors, and "dynamic" computes its factors from the length. Neither changes anything up to
the length of pre-training. Source: transformers, modeling_rope_utils.py, dynamic_rope_update.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

LONGROPE = frozenset({"longrope", "su"})


def position_limit(config: Any) -> int | None:
    """Return the most tokens of a prompt whose positions do not depend on its length, or None if none ever do."""
    config = config.get_text_config()
    limits = []
    for scaling in _scalings(config):
        kind = str(scaling.get("rope_type") or scaling.get("type"))
        if "dynamic" in kind:
            limits.append(getattr(config, "max_position_embeddings", None))
        if kind in LONGROPE:
            own = getattr(config, "original_max_position_embeddings", None)
            limits.append(scaling.get("original_max_position_embeddings") or own)
    return min((limit for limit in limits if isinstance(limit, int)), default=None)


def context_length(config: Any) -> int | None:
    """Return the most tokens that a model takes, or None if its configuration does not say."""
    config = config.get_text_config()
    length = getattr(config, "max_position_embeddings", None)
    if not isinstance(length, int) or length <= 0:
        return None
    factors = [
        float(scaling.get("factor") or 1) for scaling in _scalings(config) if "dynamic" in str(scaling.get("rope_type"))
    ]
    return int(length * max([1.0, *factors]))


def _scalings(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the parameters of rotary embeddings: one set, or one for each type of layer."""
    for name in ("rope_parameters", "rope_scaling"):
        given = getattr(config, name, None)
        if isinstance(given, Mapping):
            yield given
            yield from (each for each in given.values() if isinstance(each, Mapping))
