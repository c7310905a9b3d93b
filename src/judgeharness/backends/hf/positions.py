"""How far a model reads the positions of a prompt the same, whatever the prompt's length.

Two kinds of rotary scaling depend on the length of what goes through the model together: "longrope" (Phi-3 and later,
MiniCPM) takes one of two sets of factors, "dynamic" computes its factors from the length. Both leave lengths up to the
one of pre-training alone. Source: transformers, modeling_rope_utils.py, dynamic_rope_update.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

LONGROPE = frozenset({"longrope", "su"})


def position_limit(config: Any) -> int | None:
    """The most tokens of a prompt whose positions do not depend on its length; None if none depend on it."""
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
    """The most tokens that a model takes; None if its configuration does not say."""
    config = config.get_text_config()
    length = getattr(config, "max_position_embeddings", None)
    if not isinstance(length, int) or length <= 0:
        return None
    factors = [
        float(scaling.get("factor") or 1) for scaling in _scalings(config) if "dynamic" in str(scaling.get("rope_type"))
    ]
    return int(length * max([1.0, *factors]))


def _scalings(config: Any) -> Iterator[Mapping[str, Any]]:
    """The parameters of rotary embeddings: one set, or one for each type of layer."""
    for name in ("rope_parameters", "rope_scaling"):
        given = getattr(config, name, None)
        if isinstance(given, Mapping):
            yield given
            yield from (each for each in given.values() if isinstance(each, Mapping))
