"""Which model answered: compares the names in a server's model list and replies with the requested name."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from judgeharness.backends.openai.faults import mapping, words

MAX_ORIGINS = 32
MAX_LISTED = 10_000
MAX_SHOWN = 3
_SNAPSHOT = re.compile(r"[-@:](\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{4}|00\d)")


@dataclass(frozen=True, slots=True)
class Origin:
    """What a reply says about the model that generated it. A field that the reply lacks is None."""

    model: str | None = None
    system_fingerprint: str | None = None

    def __str__(self) -> str:
        name = "a model without a name" if self.model is None else f"'{self.model}'"
        return name if self.system_fingerprint is None else f"{name} (system_fingerprint {self.system_fingerprint})"


UNNAMED = Origin()


def read_origin(reply: Any) -> Origin:
    """Return the origin of a reply."""
    return Origin(*(_word(mapping(reply).get(key)) for key in ("model", "system_fingerprint")))


def fits(name: str, told: str) -> bool:
    """Return whether a server's name for a model matches the requested one: the same name, or a dated snapshot of it.

    The suffix `.gguf` and the tag `latest` are ignored, and so are folders if one of the names has none.

    Args:
        name: The requested name.
        told: The server's name.
    """
    asked, given = _bare(name), _bare(told)
    if "/" not in asked or "/" not in given:
        asked, given = asked.rpartition("/")[2], given.rpartition("/")[2]
    return given == asked or (given.startswith(asked) and _SNAPSHOT.fullmatch(given, len(asked)) is not None)


def listed_instead(listing: Any, name: str) -> str | None:
    """List the models of /v1/models in words. Returns None if the requested one is among them, or if none is listed."""
    entries = mapping(listing).get("data")
    found = [_word(mapping(each).get("id")) for each in entries] if isinstance(entries, list) else []
    names = list(dict.fromkeys(each for each in found[:MAX_LISTED] if each))
    if not names or any(fits(name, each) for each in names):
        return None
    shown = names if len(names) <= MAX_SHOWN else difflib.get_close_matches(name, names, MAX_SHOWN, cutoff=0.0)
    more = [f"{len(names) - len(shown):,} more"] if len(names) > len(shown) else []
    return _listed([*map(_quoted, shown), *more])


class Origins:
    """The origins of a run's replies.

    Args:
        name: The requested model.
        told: The name that the server gave when it was probed, if any.
    """

    def __init__(self, name: str, told: str | None) -> None:
        self._name = name
        self._told = told
        self._counts: Counter[Origin] = Counter()
        self._newest = Origin(told)

    def add(self, origin: Origin) -> str | None:
        """Count a reply. Returns a sentence for the user if the server names the model differently from before."""
        if len(self._counts) >= MAX_ORIGINS and origin not in self._counts:
            # Some servers write a new fingerprint in every reply.
            origin = UNNAMED
        self._counts[origin] += 1
        if self._counts[origin] > 1 or origin == UNNAMED:
            return None
        before, self._newest = self._newest, origin
        if before.model is None:
            return self._misfit(origin.model)
        return None if before == Origin(origin.model) else f"the server now answers as {origin}, before as {before}"

    def record(self) -> list[dict[str, Any]]:
        """Return how many replies came from each origin, as plain JSON data."""
        return [
            {"model": each.model, "system_fingerprint": each.system_fingerprint, "replies": count}
            for each, count in self._counts.most_common()
        ]

    def warnings(self) -> list[str]:
        """Return warnings for readers of the results: the server may have used another model."""
        told = [self._told, *(each.model for each in self._counts)]
        models = list(dict.fromkeys(each for each in told if each is not None))
        found = [sentence for each in models if (sentence := self._misfit(each))]
        if not found and len(models) > 1:
            found = [f"the server answered as {_listed(list(map(_quoted, models)))}"]
        return found

    def _misfit(self, told: str | None) -> str | None:
        if told is None or fits(self._name, told):
            return None
        return f"the server answers as '{told}', not as '{self._name}'"


def _bare(name: str) -> str:
    bare = name.strip().lower().replace("\\", "/")
    for ending in (".gguf", ":latest", "-latest"):
        bare = bare.removesuffix(ending)
    return bare


def _word(value: Any) -> str | None:
    return (words(value) or None) if isinstance(value, str) else None


def _quoted(name: str) -> str:
    return f"'{name}'"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
