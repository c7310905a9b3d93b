"""Chooses how a model is scored: as a prefix tree if that is exact, else by whole prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch

from judgeharness.backends.checks import CheckedLengths
from judgeharness.backends.hf.plain import PlainScorer
from judgeharness.backends.hf.positions import position_limit
from judgeharness.backends.hf.scores import tolerance
from judgeharness.backends.hf.state import PassState
from judgeharness.backends.hf.tree import TreeScorer, TreeUnfitError, sizes_for
from judgeharness.backends.letters import LetterScores
from judgeharness.backends.local.options import ScorerChoice
from judgeharness.backends.local.packing import Scoring, at_once
from judgeharness.backends.local.prefix_tree import Tokens
from judgeharness.domain.errors import HarnessError

T = TypeVar("T")


class ModelScorer:
    """Scores groups of prompts, and checks the prefix tree against forward passes of single prompts.

    The check covers the shortest and the longest prompts so far, in a pack that mixes them. It is repeated whenever a
    shorter or longer prompt comes. Prompts so long that their positions depend on their length are run whole.

    Args:
        model: The model.
        choice: "auto" falls back on whole prompts if the tree does not fit the model, "tree" raises an error instead,
            and "plain" does not try the tree.
        batch_tokens: The most tokens of a forward pass; None for the device's default.
        notify: Called with a message if the tree does not fit.
    """

    def __init__(
        self, model: Any, choice: ScorerChoice, batch_tokens: int | None, notify: Callable[[str], None]
    ) -> None:
        self._model = model
        self._choice = choice
        self._notify = notify
        self._limit = position_limit(model.config)
        self._state = PassState(model)
        self._plain = PlainScorer(model, batch_tokens, self._limit, self._state)
        self._tree: TreeScorer | None = None
        self._checked = CheckedLengths()
        self._told = False
        if choice != "plain":
            self._try(lambda: self._use_tree(batch_tokens))

    @property
    def name(self) -> str:
        """The method in use: "tree", or the name of the plain scorer's method."""
        return self._plain.name if self._tree is None else "tree"

    @property
    def plain(self) -> PlainScorer:
        """The scorer that runs whole prompts."""
        return self._plain

    @property
    def pack_tokens(self) -> int:
        """The number of unique tokens that are worth scoring together."""
        return (self._tree or self._plain).pack_tokens

    def begin(self, groups: Sequence[Sequence[Tokens]], letters: Sequence[int]) -> Scoring:
        """Start scoring the tokens `letters` after each prompt of each group. A GPU may still be at work on return."""
        prompts = [prompt for group in groups for prompt in group]
        if self._tree is not None and self._limit is not None and max(map(len, prompts)) > self._limit:
            self._tell_limit(self._limit)
            return at_once(self._plain.score)(groups, letters)
        sample = self._checked.sample(prompts) if self._tree is not None else []
        if sample:
            scores = self._try(lambda: self._checked_scores(groups, letters, sample))
            if scores is not None:
                return Scoring(lambda: scores, ready=True)
        begin = at_once(self._plain.score) if self._tree is None else self._tree.begin
        return begin(groups, letters)

    def _use_tree(self, batch_tokens: int | None) -> None:
        self._tree = TreeScorer(self._model, sizes_for(self._model, batch_tokens), self._state)

    def _tell_limit(self, limit: int) -> None:
        if self._choice == "tree":
            raise HarnessError(*self._unfit(f"it reads positions by a prompt's length beyond {limit} tokens"))
        if not self._told:
            self._notify(
                f"{self._model.config.model_type} reads positions by a prompt's length beyond {limit} tokens: longer "
                "prompts go through whole, with those of the same length only"
            )
        self._told = True

    def _try(self, attempt: Callable[[], T]) -> T | None:
        """Return the attempt's result. If the tree does not fit, report it, drop the tree and return None."""
        try:
            return attempt()
        except TreeUnfitError as error:
            reason, hint = self._unfit(str(error))
            if self._choice == "tree":
                raise HarnessError(reason, hint) from error
            self._notify(f"{reason}; its prompts go through whole")
            self._tree = None
            return None

    def _unfit(self, reason: str) -> tuple[str, str]:
        line = f"{self._model.config.model_type} cannot be scored as a prefix tree: {reason}"
        return line, "use -o scorer=auto or scorer=plain"

    def _checked_scores(
        self, groups: Sequence[Sequence[Tokens]], letters: Sequence[int], sample: Sequence[Tokens]
    ) -> list[LetterScores]:
        """Return scores by the tree, after checking those of the sample against separate forward passes."""
        if self._tree is None:
            raise RuntimeError("no tree to check")
        there = {tuple(prompt) for group in groups for prompt in group}
        absent = [prompt for prompt in sample if tuple(prompt) not in there]
        pack = [*groups, absent] if absent else groups
        try:
            scores = self._tree.score(pack, letters)
        except torch.OutOfMemoryError:
            raise
        # The attention may have a shape that this one was not written for.
        except (RuntimeError, ValueError, TypeError, AttributeError) as error:
            raise TreeUnfitError(f"its attention is of another shape ({error})") from error
        rows = {
            tuple(prompt): row
            for prompts, each in zip(pack, scores, strict=True)
            for prompt, row in zip(prompts, each.logits, strict=True)
        }
        by_tree = np.array([rows[tuple(prompt)] for prompt in sample])
        difference = float(np.abs(by_tree - self._plain.alone(sample, letters)[:, :-1]).max())
        if not difference <= tolerance(self._model.dtype):
            raise TreeUnfitError(f"its logits differ by {difference:.2g} from those of single forward passes")
        return scores[: len(groups)]
