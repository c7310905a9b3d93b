"""Feeds prompt groups to a local model: encodes them, rejects those that are too long, and packs small ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from judgeharness.backends.contract import PromptError
from judgeharness.backends.letters import LetterScores, require_letters
from judgeharness.backends.local.prefix_tree import Tokens, count_tokens
from judgeharness.domain.nouns import OptionScores, PromptGroup, ScoringFailure, in_label_order

Score = Callable[[Sequence[Sequence[Tokens]], Sequence[int]], Sequence[LetterScores]]
"""Takes groups of token sequences and the answer letters' tokens. Returns the letters' scores after each sequence."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """Scores that may still be computed.

    Attributes:
        take: Waits for the scores and returns them.
        ready: Whether they are available without waiting.
    """

    take: Callable[[], Sequence[LetterScores]]
    ready: bool


Begin = Callable[[Sequence[Sequence[Tokens]], Sequence[int]], Scoring]
"""Like `Score`, but returns without waiting for the scores."""


def at_once(score: Score) -> Begin:
    """Turn a `Score` into a `Begin` whose scores are ready when it returns."""

    def begin(groups: Sequence[Sequence[Tokens]], letters: Sequence[int]) -> Scoring:
        scores = score(groups, letters)
        return Scoring(lambda: scores, ready=True)

    return begin


class Packer:
    """Feeds a scorer.

    Args:
        encode: Returns the token ids of a group's prompts.
        letters: The token of each answer letter.
        longest: The most tokens of a prompt; None for no limit.
        pack_tokens: The number of unique tokens that are worth scoring together.
    """

    def __init__(
        self,
        encode: Callable[[PromptGroup], Sequence[Tokens]],
        letters: Mapping[str, int],
        longest: int | None,
        pack_tokens: int,
    ) -> None:
        self._encode = encode
        self._letters = letters
        self._longest = longest
        self._pack_tokens = pack_tokens

    def run(self, groups: Iterable[PromptGroup], begin: Begin) -> Iterator[OptionScores | ScoringFailure]:
        """Yield one result for each group. Raises HarnessError if a letter has no token of its own.

        While one pack is scored, the next is encoded and submitted, so that a GPU does not wait for the CPU.
        """
        under_way: list[tuple[Sequence[_Encoded], Scoring]] = []
        for step in self._packs(groups):
            if isinstance(step, ScoringFailure):
                yield step
                continue
            try:
                letters = require_letters(self._letters, step[0].group.n_options)
                scoring = begin([encoded.tokens for encoded in step], letters)
            except Exception:
                # Yield the packs that were submitted earlier before failing.
                for earlier in under_way:
                    yield from _results(*earlier)
                raise
            under_way.append((step, scoring))
            while under_way and (len(under_way) > 1 or under_way[0][1].ready):
                yield from _results(*under_way.pop(0))
        for pack, scoring in under_way:
            yield from _results(pack, scoring)

    def _packs(self, groups: Iterable[PromptGroup]) -> Iterator[Sequence[_Encoded] | ScoringFailure]:
        pack: list[_Encoded] = []
        for group in groups:
            try:
                encoded = _Encoded(group, self._encode(group))
            except PromptError as error:
                yield ScoringFailure(group.uid, error.message)
                continue
            failure = self._too_long(encoded)
            if failure is not None:
                yield failure
                continue
            if pack and (pack[0].group.n_options != group.n_options or self._full(pack)):
                yield pack
                pack = []
            pack.append(encoded)
        if pack:
            yield pack

    def _full(self, pack: Sequence[_Encoded]) -> bool:
        return sum(encoded.unique for encoded in pack) >= self._pack_tokens

    def _too_long(self, encoded: _Encoded) -> ScoringFailure | None:
        longest = max(map(len, encoded.tokens))
        if self._longest is None or longest <= self._longest:
            return None
        return ScoringFailure(
            encoded.group.uid, f"a prompt of {longest} tokens is longer than the model's {self._longest}"
        )


class _Encoded:
    """A prompt group with its token ids, and the number of unique tokens."""

    def __init__(self, group: PromptGroup, tokens: Sequence[Tokens]) -> None:
        self.group = group
        self.tokens = tokens
        self.unique = count_tokens(tokens).unique


def _results(pack: Sequence[_Encoded], scoring: Scoring) -> Iterator[OptionScores | ScoringFailure]:
    for encoded, scores in zip(pack, scoring.take(), strict=True):
        by_label = in_label_order(scores.logits, encoded.group)
        try:
            yield OptionScores(encoded.group.uid, by_label, "logit", scores.mass)
        except ValueError as error:
            yield ScoringFailure(encoded.group.uid, str(error))
