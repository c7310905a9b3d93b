"""Which model answered: what servers call it in their listing and replies, compared with the name asked for."""

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
    """What a reply says of the model that it comes from; None for what it does not say."""

    model: str | None = None
    system_fingerprint: str | None = None

    def __str__(self) -> str:
        name = "a model without a name" if self.model is None else f"'{self.model}'"
        return name if self.system_fingerprint is None else f"{name} (system_fingerprint {self.system_fingerprint})"


UNNAMED = Origin()


def read_origin(reply: Any) -> Origin:
    """The origin of a reply."""
    return Origin(*(_word(mapping(reply).get(key)) for key in ("model", "system_fingerprint")))


def fits(name: str, told: str) -> bool:
    """Whether a server's name for a model stands for the one asked for: the same, or a dated snapshot of it.

    Folders, the ending of a GGUF file and the tag `latest` make no difference.
    """
    asked, given = _bare(name), _bare(told)
    if "/" not in asked or "/" not in given:
        asked, given = asked.rpartition("/")[2], given.rpartition("/")[2]
    return given == asked or (given.startswith(asked) and _SNAPSHOT.fullmatch(given, len(asked)) is not None)


def listed_instead(listing: Any, name: str) -> str | None:
    """The models that /v1/models lists, in words; None if the one asked for is among them, or it lists none."""
    entries = mapping(listing).get("data")
    found = [_word(mapping(each).get("id")) for each in entries] if isinstance(entries, list) else []
    names = list(dict.fromkeys(each for each in found[:MAX_LISTED] if each))
    if not names or any(fits(name, each) for each in names):
        return None
    shown = names if len(names) <= MAX_SHOWN else difflib.get_close_matches(name, names, MAX_SHOWN, cutoff=0.0)
    more = [f"{len(names) - len(shown):,} more"] if len(names) > len(shown) else []
    return _listed([*map(_quoted, shown), *more])


class Origins:
    """The origins of a run's replies. told: what the server called the model when it was probed, if it did."""

    def __init__(self, name: str, told: str | None) -> None:
        self._name = name
        self._told = told
        self._counts: Counter[Origin] = Counter()
        self._newest = Origin(told)

    def add(self, origin: Origin) -> str | None:
        """Count a reply. Returns a sentence for the user if the server has not called the model so before."""
        if len(self._counts) >= MAX_ORIGINS and origin not in self._counts:
            # Servers may write another fingerprint in every reply.
            origin = UNNAMED
        self._counts[origin] += 1
        if self._counts[origin] > 1 or origin == UNNAMED:
            return None
        before, self._newest = self._newest, origin
        if before.model is None:
            return self._misfit(origin.model)
        return None if before == Origin(origin.model) else f"the server now answers as {origin}, before as {before}"

    def record(self) -> list[dict[str, Any]]:
        """How many replies came from each origin, as plain JSON data."""
        return [
            {"model": each.model, "system_fingerprint": each.system_fingerprint, "replies": count}
            for each, count in self._counts.most_common()
        ]

    def warnings(self) -> list[str]:
        """Sentences for whoever reads results under the model's name."""
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
