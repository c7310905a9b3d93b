"""Scores groups of prompts in a llama.cpp context: as prefix trees where that is exact, else one by one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from judgeharness.backends.letters import LetterScores
from judgeharness.backends.llamacpp.decodes import Decode, decodes, one_by_one, parts
from judgeharness.backends.llamacpp.library import LlamaContext, LlamaModel, most_sequences
from judgeharness.backends.options import ScorerChoice
from judgeharness.errors import HarnessError
from judgeharness.prefixes import Tokens, build_tree

CHECKED_PROMPTS = 2
FLOAT_TOLERANCE = 0.25
QUANTISED_TOLERANCE = 2.0
PACKED_DECODES = 4


class LlamaScorer:
    """Owns the context, and makes a larger one where longer prompts come.

    choice: as of the option `scorer`. notify: takes the line that says that the tree does not fit.
    """

    def __init__(
        self, model: LlamaModel, choice: ScorerChoice, batch_tokens: int, threads: int, notify: Callable[[str], None]
    ) -> None:
        self._model = model
        self._choice = choice
        self._batch = batch_tokens
        self._threads = threads
        self._notify = notify
        self._context: LlamaContext | None = None
        self._follows_tree = choice != "plain"
        self._checked = choice == "plain"
        if self._follows_tree and model.is_recurrent:
            self._refuse(f"{model.architecture} keeps a state besides keys and values")

    @property
    def name(self) -> str:
        """The way in use, "tree" or "plain"."""
        return "tree" if self._follows_tree else "plain"

    @property
    def pack_tokens(self) -> int:
        """Unique tokens that are worth scoring together."""
        return PACKED_DECODES * self._batch

    def score(self, groups: Sequence[Sequence[Tokens]], letters: Sequence[int]) -> list[LetterScores]:
        """Scores of the tokens `letters` after each prompt of each group."""
        if not self._checked:
            self._check(groups[0], letters)
        flat = [prompt for group in groups for prompt in group]
        rows = self._by_tree(flat, letters) if self._follows_tree else self._by_prompt(flat, letters)
        starts = np.cumsum([0, *map(len, groups)])
        return [LetterScores(rows[a:b, :-1], rows[a:b, -1]) for a, b in itertools.pairwise(starts)]

    @property
    def _sequences(self) -> int:
        # llama.cpp asks for at least one token a sequence in a batch.
        return min(most_sequences(), self._batch) if self._follows_tree else 1

    def close(self) -> None:
        """Free the context."""
        if self._context is not None:
            self._context.close()
            self._context = None

    def _by_tree(self, prompts: Sequence[Tokens], letters: Sequence[int]) -> npt.NDArray[np.float64]:
        found = np.empty((len(prompts), len(letters) + 1))
        context = self._roomy(max(map(len, prompts)))
        for indices in parts(prompts, self._sequences):
            tree = build_tree([prompts[index] for index in indices])
            rows = _read(context, decodes(tree, self._batch), letters)
            found[indices] = rows[np.searchsorted(np.unique(tree.leaves), tree.leaves)]
        return found

    def _by_prompt(self, prompts: Sequence[Tokens], letters: Sequence[int]) -> npt.NDArray[np.float64]:
        context = self._roomy(max(map(len, prompts)))
        distinct = list(dict.fromkeys(map(tuple, prompts)))
        rows = [_read(context, steps, letters) for steps in one_by_one(distinct, self._batch)]
        places = {prompt: index for index, prompt in enumerate(distinct)}
        return np.concatenate(rows)[[places[tuple(prompt)] for prompt in prompts]]

    def _roomy(self, longest: int) -> LlamaContext:
        """A context for a path of the longest prompt, and the tokens that are decoded on top of it."""
        needed = longest + self._batch
        if self._context is None or self._context.size < needed:
            self.close()
            self._context = LlamaContext(self._model, needed, self._batch, self._sequences, self._threads)
        return self._context

    def _check(self, prompts: Sequence[Tokens], letters: Sequence[int]) -> None:
        ordered = sorted(prompts, key=len)
        sample = ordered[:: max(1, len(ordered) - 1)][:CHECKED_PROMPTS]
        by_tree, by_prompt = self._by_tree(sample, letters)[:, :-1], self._by_prompt(sample, letters)[:, :-1]
        difference = float(np.abs(by_tree - by_prompt).max())
        tolerance = QUANTISED_TOLERANCE if self._model.is_quantised else FLOAT_TOLERANCE
        if not difference <= tolerance:
            self._refuse(f"its logits differ by {difference:.2g} from those of single prompts")
        self._checked = True

    def _refuse(self, reason: str) -> None:
        line = f"{self._model.architecture} cannot be scored as a prefix tree: {reason}"
        if self._choice == "tree":
            raise HarnessError(line, "use -o scorer=auto or scorer=plain")
        self._notify(f"{line}; its prompts go through one by one")
        self._follows_tree, self._checked = False, True
        self.close()


def _read(context: LlamaContext, steps: Iterator[Decode], letters: Sequence[int]) -> npt.NDArray[np.float64]:
    """The letters' logits and, last, their mass, of each sequence: (sequences, letters + 1)."""
    context.clear()
    rows = []
    for step in steps:
        logits = context.decode(step).astype(np.float64)
        chosen = logits[:, list(letters)]
        mass = np.exp(logsumexp(chosen, axis=1) - logsumexp(logits, axis=1)) if len(chosen) else np.empty(0)
        rows.append(np.column_stack([chosen, mass]))
    return np.concatenate(rows)
