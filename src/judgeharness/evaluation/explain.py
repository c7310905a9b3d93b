"""Have a model generate explanations for given labels, to be used in place of people's explanations.

After Chen et al., "A Rose by Any Other Name: LLM-Generated Explanations Are Good Proxies for Human Explanations to
Collect Label Distributions on NLI" (Findings of ACL 2025).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from judgeharness.backends.closing import close
from judgeharness.backends.contract import Budget, TextGenerator
from judgeharness.domain.errors import InputError, UnknownNameError
from judgeharness.domain.hashes import digest
from judgeharness.domain.nouns import Decoding, GeneratedTexts, Item, Prompt, PromptGroup, Reading
from judgeharness.evaluation.asking import complete
from judgeharness.evaluation.components import OpenBackend
from judgeharness.evaluation.executors.local import Local
from judgeharness.evaluation.plan import Plan, make_plan
from judgeharness.evaluation.progress import Watcher
from judgeharness.plugins.options import NoOptions
from judgeharness.store.answer_store import Account, AnswerStore
from judgeharness.store.answers import Answers
from judgeharness.store.database import Store
from judgeharness.store.records import SessionRecord
from judgeharness.tasks.explanations import ExplanationSet, GivenExplanation
from judgeharness.tasks.task import Task

ALL, VOTED, HUMAN = "all", "voted", "human"
CHOICES = (ALL, VOTED, HUMAN)


@dataclass(frozen=True, slots=True)
class Explaining:
    """A strategy that asks for an explanation of each of an item's chosen labels.

    Attributes:
        labels: Which labels: "all" labels of the task, those that people "voted" for, those of the "human" explanations
            (one for each explanation), or names of labels.
        decoding: How the model generates.
        ends_in: The answer is read from the text.
    """

    labels: tuple[str, ...]
    decoding: Decoding
    ends_in: ClassVar[Literal["scores", "reading"]] = "reading"

    def check(self, task: Task) -> None:
        """Raise InputError if a label is not one of the task's, or if an item has no label to explain."""
        names = [label.name for label in task.labels]
        for name in self.labels:
            if name not in (*CHOICES, *names):
                raise UnknownNameError(f"label of {task.name}", name, [*CHOICES, *names])
        lacking = [item.uid for item in task.items if not self.chosen(item, task)]
        if lacking:
            raise InputError(
                f"{len(lacking)} of {len(task.items)} items of {task.name} have no label to be explained "
                f"(the first: {lacking[0]})",
                "--labels all takes all labels of the task",
            )

    def chosen(self, item: Item, task: Task) -> list[int]:
        """Return the indices of the labels to explain."""
        found: list[int] = []
        for name in self.labels:
            if name == HUMAN:
                found += [each.label for each in item.explanations]
            elif name == VOTED:
                found += [index for index, share in enumerate(item.human) if share > 0]
            elif name == ALL:
                found += range(len(task.labels))
            else:
                found.append([label.name for label in task.labels].index(name))
        return found

    def group(self, item: Item, task: Task) -> PromptGroup:
        """Return one prompt for each label."""
        orders = tuple(range(len(task.labels)))
        prompts = tuple(
            Prompt(
                task.template.render(item, task.labels, orders, (), False, instruction(task.labels[label].text)), orders
            )
            for label in self.chosen(item, task)
        )
        seed = int(digest([self.decoding.seed, item.uid])[:8], 16) >> 1
        return PromptGroup(item.uid, prompts, Decoding(self.decoding.max_tokens, self.decoding.temperature, seed))

    def follow(self, item: Item, task: Task, written: Sequence[GeneratedTexts]) -> Reading:
        """Give each text's label the probability 1. A blank text has no distribution."""
        rows = np.zeros((len(written[0].texts), len(task.labels)))
        for row, label, text in zip(rows, self.chosen(item, task), written[0].texts, strict=True):
            row[label] = bool(text.strip())
        return Reading(rows)


def instruction(label: str) -> str:
    """Return the instruction that replaces the one for answering with a letter."""
    return (
        f"Someone chose the option: {label}. Explain in one or two sentences why that can be right. Write the "
        "explanation and nothing else."
    )


@dataclass(frozen=True, slots=True)
class Collected:
    """The explanations that a model generated.

    Attributes:
        explanations: The explanations as a set.
        blank: How many texts are blank.
        cut: How many texts were truncated at their token limit.
        failed: How many items have no explanation because the backend failed.
    """

    explanations: ExplanationSet
    blank: int
    cut: int
    failed: int


def write_explanations(
    task: Task,
    asked: Explaining,
    backend: OpenBackend,
    store: Store,
    record: SessionRecord,
    watch: Watcher,
    budget: Budget,
) -> Collected:
    """Generate the explanations that are missing, and save all of them in the store as one set.

    Args:
        task: The task.
        asked: The labels to explain, and how to generate.
        backend: The backend.
        store: The store for the texts and the set.
        record: The record of the session.
        watch: Is told about progress.
        budget: What the backend may cost.

    Raises:
        InputError: The backend cannot generate text, or generated no explanation.
        HarnessError: The backend failed.
    """
    model = backend.part
    if not isinstance(model, TextGenerator):
        raise InputError(f"{backend.name} writes no text")
    session = secrets.token_hex(6)
    with store.sessions.recorded(session, record):
        store.answers.add_backend(backend.digest, backend.description)
        kept = AnswerStore(
            store=store,
            backend_digest=backend.digest,
            session_id=session,
            scope=digest(
                [task.name, task.split, backend.digest, "explain", list(asked.labels), asdict(asked.decoding)]
            ),
            account=Account(budget),
        )
        try:
            plan = make_plan(task, asked, model, backend.digest, store.answers)
            done, plan = complete(plan, model, Local(NoOptions()), kept, f"{task.name} · {backend.name}", watch)
        finally:
            close([model])
        found = _collected(plan, asked, store.answers, backend, len(done.failures))
        store.explanations.add(found.explanations, session)
    return found


def _collected(plan: Plan, asked: Explaining, stored: Answers, backend: OpenBackend, failed: int) -> Collected:
    by_uid: dict[str, tuple[GivenExplanation, ...]] = {}
    blank = cut = 0
    for item in plan.task.items:
        shown = []
        for key in plan.items[item.uid].text_keys:
            written = stored.texts(key)
            for label, text in zip(asked.chosen(item, plan.task), written.texts if written else (), strict=False):
                blank += not text.strip()
                if text.strip():
                    shown.append(GivenExplanation(" ".join(text.split()), plan.task.labels[label].name, key))
            cut += sum(written.cut) if written else 0
        by_uid[item.uid] = tuple(shown)
    found = ExplanationSet(backend.name, by_uid, _origin(plan.task, asked, backend))
    if not found.count:
        raise InputError(f"{backend.name} wrote no explanation")
    return Collected(found, blank, cut, failed)


def _origin(task: Task, asked: Explaining, backend: OpenBackend) -> dict[str, Any]:
    return {
        "backend": backend.name,
        "backend_digest": backend.digest,
        "task": task.name,
        "split": task.split,
        "labels": list(asked.labels),
        "template_sha256": task.template.sha256,
        "decoding": asdict(asked.decoding),
    }
