"""Feeds prompt groups to a local model that generates: encodes them, rejects those that are too long, and packs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from judgeharness.backends.contract import PromptError
from judgeharness.backends.local.prefix_tree import Tokens
from judgeharness.domain.nouns import Decoding, GeneratedTexts, PromptGroup, ScoringFailure


@dataclass(frozen=True, slots=True)
class Start:
    """The beginning of a text.

    Attributes:
        tokens: The prompt's token ids.
        decoding: How the text is generated.
        index: The prompt's index in its group, which selects the stream of random numbers.
    """

    tokens: tuple[int, ...]
    decoding: Decoding
    index: int


@dataclass(frozen=True, slots=True)
class Written:
    """A generated text.

    Attributes:
        text: The text.
        cut: Whether `max_tokens` truncated it.
    """

    text: str
    cut: bool


Write = Callable[[Sequence[Start]], Sequence[Written]]
"""Generates a text for each start. All starts have the same limit and temperature."""


class TextPacker:
    """Feeds a model that generates texts.

    Args:
        encode: Returns the token ids of a group's prompts.
        longest: The most tokens of a prompt and its text; None for no limit.
        together: How many texts are worth generating together.
    """

    def __init__(self, encode: Callable[[PromptGroup], Sequence[Tokens]], longest: int | None, together: int) -> None:
        self._encode = encode
        self._longest = longest
        self._together = together

    def run(self, groups: Iterable[PromptGroup], write: Write) -> Iterator[GeneratedTexts | ScoringFailure]:
        """Yield one result for each group."""
        pack: list[tuple[PromptGroup, list[Start]]] = []
        for group in groups:
            decoding = _decoding(group)
            try:
                starts = [Start(tuple(ids), decoding, index) for index, ids in enumerate(self._encode(group))]
            except PromptError as error:
                yield ScoringFailure(group.uid, error.message)
                continue
            failure = self._too_long(group.uid, starts)
            if failure is not None:
                yield failure
                continue
            if pack and (
                _manner(pack[0][1]) != _manner(starts) or sum(len(each) for _, each in pack) >= self._together
            ):
                yield from _written(pack, write)
                pack = []
            pack.append((group, starts))
        if pack:
            yield from _written(pack, write)

    def _too_long(self, uid: str, starts: Sequence[Start]) -> ScoringFailure | None:
        longest = max(len(start.tokens) + start.decoding.max_tokens for start in starts)
        if self._longest is None or longest <= self._longest:
            return None
        return ScoringFailure(
            uid, f"a prompt and its answer of {longest} tokens are longer than the model's {self._longest}"
        )


def _written(
    pack: Sequence[tuple[PromptGroup, Sequence[Start]]], write: Write
) -> Iterator[GeneratedTexts | ScoringFailure]:
    """Generate the texts of a pack. Starts that lead to the same text are generated once."""
    distinct = dict.fromkeys(_shared(start) for _, starts in pack for start in starts)
    found = dict(zip(distinct, write(list(distinct)), strict=True))
    for group, starts in pack:
        texts = [found[_shared(start)] for start in starts]
        yield GeneratedTexts(group.uid, tuple(each.text for each in texts), tuple(each.cut for each in texts))


def _shared(start: Start) -> Start:
    """Drop what does not affect the text: without sampling, neither the seed nor the index does."""
    if start.decoding.temperature > 0:
        return start
    return Start(start.tokens, Decoding(start.decoding.max_tokens), 0)


def _manner(starts: Sequence[Start]) -> tuple[int, float]:
    return starts[0].decoding.max_tokens, starts[0].decoding.temperature


def _decoding(group: PromptGroup) -> Decoding:
    if group.decoding is None:
        raise ValueError(f"the prompts of {group.uid} are to be scored, not written to")
    return group.decoding
