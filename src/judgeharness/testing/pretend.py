"""A pretend model, and an evaluation with it, to test a strategy without weights."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from judgeharness.domain.nouns import (
    LETTERS,
    GeneratedTexts,
    OptionScores,
    Prediction,
    Prompt,
    PromptGroup,
    in_label_order,
)
from judgeharness.evaluation.asking import complete
from judgeharness.evaluation.executors.local import Local
from judgeharness.evaluation.plan import make_plan
from judgeharness.evaluation.predicting import predict
from judgeharness.evaluation.progress import Watcher
from judgeharness.plugins.options import NoOptions
from judgeharness.store.answer_store import AnswerStore
from judgeharness.store.database import Store
from judgeharness.store.records import SessionRecord
from judgeharness.strategies.contract import Strategy, WritingStrategy
from judgeharness.tasks.task import Task
from judgeharness.transforms.softmax import SoftmaxOptions, softmax


class PretendModel:
    """A model that scores and generates by a hash of each prompt. Its answers are always the same and mean nothing."""

    def describe(self) -> Mapping[str, Any]:
        """Return its name."""
        return {"backend": "pretend"}

    def environment(self) -> Mapping[str, Any]:
        """Return nothing."""
        return {}

    def render(self, group: PromptGroup) -> Sequence[str] | None:
        """Return None, since it reads no text."""
        return None

    def encode(self, group: PromptGroup) -> Sequence[Sequence[int]] | None:
        """Return None, since it has no tokens."""
        return None

    def open(self) -> None:
        """Do nothing."""

    def score(self, groups: Iterable[PromptGroup]) -> Iterator[OptionScores]:
        """Yield normally distributed scores."""
        for group in groups:
            rows = np.array([_stream(prompt).normal(size=group.n_options) for prompt in group.prompts])
            yield OptionScores(group.uid, in_label_order(rows, group), "logit")

    def generate(self, groups: Iterable[PromptGroup]) -> Iterator[GeneratedTexts]:
        """Yield texts with letters and percentages, which most readers can read."""
        for group in groups:
            texts = tuple(_said(prompt, group.n_options) for prompt in group.prompts)
            yield GeneratedTexts(group.uid, texts, (False,) * len(texts))

    def close(self) -> None:
        """Do nothing."""


def predictions(strategy: Strategy, task: Task, model: PretendModel, store: Path) -> list[Prediction]:
    """Return the predictions of an evaluation in which answers are stored and read back."""
    reads = isinstance(strategy, WritingStrategy) and strategy.ends_in == "reading"
    with Store.open(store) as opened, opened.sessions.recorded("testing", SessionRecord()):
        opened.answers.add_backend("pretend", model.describe())
        kept = AnswerStore(store=opened, backend_digest="pretend", session_id="testing")
        plan = make_plan(task, strategy, model, kept.backend_digest, opened.answers)
        done, plan = complete(plan, model, Local(NoOptions()), kept, strategy.__class__.__name__, Watcher())
        transform = None if reads else softmax(SoftmaxOptions())
        return predict(plan, [transform], opened.answers, done.failures).predictions[0]


def _stream(prompt: Prompt) -> np.random.Generator:
    text = "\0".join(message.content for message in prompt.messages)
    return np.random.default_rng(list(hashlib.sha256(text.encode("utf-8", "replace")).digest()))


def _said(prompt: Prompt, n_options: int) -> str:
    shares = np.floor(100 * _stream(prompt).dirichlet(np.ones(n_options))).astype(int)
    shares[0] += 100 - shares.sum()
    return "\n".join(f"{letter}: {share}%" for letter, share in zip(LETTERS, shares.tolist(), strict=False))
