"""Which way a model is scored: as a prefix tree where that is exact, prompt by prompt where it is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from judgeharness.backends.hf.plain import PlainScorer
from judgeharness.backends.hf.scores import tolerance
from judgeharness.backends.hf.tree import TreeScorer, TreeUnfitError, sizes_for
from judgeharness.backends.options import ScorerChoice
from judgeharness.backends.packs import Scoring, at_once
from judgeharness.errors import HarnessError
from judgeharness.prefixes import Tokens

CHECKED_PROMPTS = 4


class ModelScorer:
    """Scores groups of prompts, and checks the prefix tree against plain forward passes on the first of them.

    choice: "auto" falls back on plain batches where the tree does not fit the model, "tree" makes that an error,
    "plain" does not try. notify: takes the line that says so.
    """

    def __init__(
        self, model: Any, choice: ScorerChoice, batch_tokens: int | None, notify: Callable[[str], None]
    ) -> None:
        self._model = model
        self._choice = choice
        self._notify = notify
        self._plain = PlainScorer(model, batch_tokens)
        self._tree: TreeScorer | None = None
        self._checked = False
        if choice != "plain":
            self._try(lambda: self._use_tree(batch_tokens))

    @property
    def name(self) -> str:
        """The way in use, "tree" or "plain"."""
        return "plain" if self._tree is None else "tree"

    @property
    def plain(self) -> PlainScorer:
        """What runs whole prompts."""
        return self._plain

    @property
    def pack_tokens(self) -> int:
        """Unique tokens that are worth scoring together."""
        return (self._tree or self._plain).pack_tokens

    def begin(self, groups: Sequence[Sequence[Tokens]], letters: Sequence[int]) -> Scoring:
        """Scores of the tokens `letters` after each prompt of each group; a GPU is only given its work."""
        if self._tree is not None and not self._checked:
            self._try(lambda: self._check(groups[0], letters))
        begin = at_once(self._plain.score) if self._tree is None else self._tree.begin
        return begin(groups, letters)

    def _use_tree(self, batch_tokens: int | None) -> None:
        self._tree = TreeScorer(self._model, sizes_for(self._model, batch_tokens))

    def _try(self, attempt: Callable[[], None]) -> None:
        try:
            attempt()
        except TreeUnfitError as error:
            reason = f"{self._model.config.model_type} cannot be scored as a prefix tree: {error}"
            if self._choice == "tree":
                raise HarnessError(reason, "use -o scorer=auto or scorer=plain") from error
            self._notify(f"{reason}; its prompts go through one by one")
            self._tree = None

    def _check(self, prompts: Sequence[Tokens], letters: Sequence[int]) -> None:
        if self._tree is None:
            return
        sample = _spread(sorted(prompts, key=len))
        try:
            (by_tree,) = self._tree.score([sample], letters)
        except torch.OutOfMemoryError:
            raise
        # An attention of a shape that ours was not written for.
        except (RuntimeError, ValueError, TypeError, AttributeError) as error:
            raise TreeUnfitError(f"its attention is of another shape ({error})") from error
        (by_plain,) = self._plain.score([sample], letters)
        difference = float(np.abs(by_tree.logits - by_plain.logits).max())
        if not difference <= tolerance(self._model.dtype):
            raise TreeUnfitError(f"its logits differ by {difference:.2g} from those of plain forward passes")
        self._checked = True


def _spread(prompts: Sequence[Tokens]) -> list[Tokens]:
    """A few prompts from the shortest to the longest."""
    places = np.linspace(0, len(prompts) - 1, min(CHECKED_PROMPTS, len(prompts))).round().astype(int)
    return [prompts[place] for place in dict.fromkeys(places.tolist())]
