"""Scores groups of prompts in llama.cpp contexts: as prefix trees if that is exact, else one by one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from judgeharness.backends.checks import CheckedLengths
from judgeharness.backends.letters import LetterScores
from judgeharness.backends.llamacpp.decodes import Decode, decodes, one_by_one, parts
from judgeharness.backends.llamacpp.library import LlamaContext, LlamaModel, most_sequences
from judgeharness.backends.local.options import ScorerChoice
from judgeharness.backends.local.prefix_tree import Tokens, build_tree
from judgeharness.domain.errors import HarnessError

FLOAT_TOLERANCE = 0.25
QUANTISED_TOLERANCE = 2.0
PACKED_DECODES = 4
MIN_STEP = 32
Way = Literal["tree", "plain", "alone"]


class LlamaScorer:
    """Scores prompts. It owns the contexts, and creates larger ones when longer prompts come.

    The method in use is checked against contexts with a single prompt. The check covers the shortest and the longest
    prompts so far, in a pack that mixes them. It is repeated whenever a shorter or longer prompt comes.

    Args:
        model: The model.
        choice: The value of the option `scorer`.
        batch_tokens: How many tokens are decoded at a time.
        threads: How many CPU threads to use.
        notify: Called with a message if a method does not fit the model.
    """

    def __init__(
        self, model: LlamaModel, choice: ScorerChoice, batch_tokens: int, threads: int, notify: Callable[[str], None]
    ) -> None:
        self._model = model
        self._choice = choice
        self._batch = batch_tokens
        self._threads = threads
        self._notify = notify
        self._limit = model.position_limit
        # One context for prompts up to the limit, and one for longer ones.
        self._contexts: dict[bool, LlamaContext] = {}
        self._checked = CheckedLengths()
        self._way: Way = "plain" if choice == "plain" else "tree"
        if self._way == "tree" and model.is_recurrent:
            self._refuse(f"{model.architecture} keeps a state besides keys and values")

    @property
    def name(self) -> str:
        """The method in use: "tree", "plain", or "alone" if each prompt gets its own context."""
        return self._way

    @property
    def pack_tokens(self) -> int:
        """The number of unique tokens that are worth scoring together."""
        return PACKED_DECODES * self._batch

    def score(self, groups: Sequence[Sequence[Tokens]], letters: Sequence[int]) -> list[LetterScores]:
        """Return the scores of the tokens `letters` after each prompt of each group."""
        flat = [prompt for group in groups for prompt in group]
        rows = self._checked_rows(flat, letters)
        starts = np.cumsum([0, *map(len, groups)])
        return [LetterScores(rows[a:b, :-1], rows[a:b, -1]) for a, b in itertools.pairwise(starts)]

    def close(self) -> None:
        """Free the contexts."""
        for context in self._contexts.values():
            context.close()
        self._contexts.clear()

    @property
    def _sequences(self) -> int:
        # llama.cpp requires a batch of at least one token for each sequence.
        return min(most_sequences(), self._batch) if self._way == "tree" else 1

    def _rows(self, prompts: Sequence[Tokens], letters: Sequence[int]) -> npt.NDArray[np.float64]:
        """Return each prompt's logits of the letters, followed by their mass: (prompts, letters + 1)."""
        found = np.empty((len(prompts), len(letters) + 1))
        for long in (False, True):
            part = [index for index, prompt in enumerate(prompts) if self._is_long(prompt) == long]
            if part:
                score = {"tree": self._by_tree, "plain": self._by_prompt, "alone": self._alone}[self._way]
                found[part] = score([prompts[index] for index in part], letters)
        return found

    def _is_long(self, prompt: Tokens) -> bool:
        return self._limit is not None and len(prompt) > self._limit

    def _by_tree(self, prompts: Sequence[Tokens], letters: Sequence[int]) -> npt.NDArray[np.float64]:
        found = np.empty((len(prompts), len(letters) + 1))
        context = self._roomy(prompts)
        # The context holds the tokens of a step in addition to the path to them.
        step = min(self._batch, context.size - max(map(len, prompts)))
        if step < min(MIN_STEP, self._batch):
            return self._by_prompt(prompts, letters)
        for indices in parts(prompts, self._sequences):
            tree = build_tree([prompts[index] for index in indices])
            rows = _read(context, decodes(tree, step), letters)
            found[indices] = rows[np.searchsorted(np.unique(tree.leaves), tree.leaves)]
        return found

    def _by_prompt(self, prompts: Sequence[Tokens], letters: Sequence[int]) -> npt.NDArray[np.float64]:
        context = self._roomy(prompts)
        distinct = list(dict.fromkeys(map(tuple, prompts)))
        rows = [_read(context, steps, letters) for steps in one_by_one(distinct, self._batch)]
        places = {prompt: index for index, prompt in enumerate(distinct)}
        return np.concatenate(rows)[[places[tuple(prompt)] for prompt in prompts]]

    def _alone(self, prompts: Sequence[Tokens], letters: Sequence[int]) -> npt.NDArray[np.float64]:
        rows = []
        for prompt in prompts:
            context = LlamaContext(self._model, len(prompt), self._batch, 1, self._threads)
            try:
                rows += [_read(context, steps, letters) for steps in one_by_one([prompt], self._batch)]
            finally:
                context.close()
        return np.concatenate(rows)

    def _roomy(self, prompts: Sequence[Tokens]) -> LlamaContext:
        """Return a context for the longest prompt plus one batch, but not above the limit for short prompts."""
        long = self._is_long(prompts[0])
        needed = max(map(len, prompts)) + self._batch
        if self._limit is not None and not long:
            needed = min(needed, self._limit)
        context = self._contexts.get(long)
        if context is None or context.size < needed:
            if context is not None:
                context.close()
            context = LlamaContext(self._model, needed, self._batch, self._sequences, self._threads)
            self._contexts[long] = context
        return context

    def _checked_rows(self, prompts: Sequence[Tokens], letters: Sequence[int]) -> npt.NDArray[np.float64]:
        """Do what `_rows` does, by a method that gives the shortest and longest prompts the same logits as alone."""
        sample = self._checked.sample(prompts) if self._way != "alone" else []
        if not sample:
            return self._rows(prompts, letters)
        every = list(dict.fromkeys([*map(tuple, prompts), *map(tuple, sample)]))
        places = {prompt: place for place, prompt in enumerate(every)}
        alone = self._alone(sample, letters)
        tolerance = QUANTISED_TOLERANCE if self._model.is_quantised else FLOAT_TOLERANCE
        for _ in get_args(Way):
            rows = self._rows(every, letters)
            difference = float(np.abs(rows[[places[tuple(each)] for each in sample]] - alone)[:, :-1].max())
            if difference <= tolerance:
                break
            self._refuse(f"its logits differ by {difference:.2g} from those of single prompts")
        return rows[[places[tuple(prompt)] for prompt in prompts]]

    def _refuse(self, reason: str) -> None:
        if self._way == "plain":
            self._notify(f"{self._model.architecture}: {reason}; each prompt gets a context of its own")
            self._way = "alone"
            return
        line = f"{self._model.architecture} cannot be scored as a prefix tree: {reason}"
        if self._choice == "tree":
            raise HarnessError(line, "use -o scorer=auto or scorer=plain")
        self._notify(f"{line}; its prompts go through one by one")
        self._way = "plain"
        self.close()


def _read(context: LlamaContext, steps: Iterator[Decode], letters: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return each sequence's logits of the letters, followed by their mass: (sequences, letters + 1)."""
    context.clear()
    rows = []
    for step in steps:
        logits = context.decode(step).astype(np.float64)
        chosen = logits[:, list(letters)]
        mass = np.exp(logsumexp(chosen, axis=1) - logsumexp(logits, axis=1)) if len(chosen) else np.empty(0)
        rows.append(np.column_stack([chosen, mass]))
    return np.concatenate(rows)
