"""Conformance tests for a task."""

from __future__ import annotations

import itertools
from typing import ClassVar

import pytest

from judgeharness.domain.nouns import LETTERS
from judgeharness.tasks.task import Task
from judgeharness.testing.common import Conformance

RENDERED_ITEMS = 50
MAX_ORDERS = 24


class TaskConformance(Conformance):
    """Tests a task. Set `name` to the task's name or the path of a TOML file, and `split` if it is not the first."""

    split: ClassVar[str | None] = None

    def _task(self) -> Task:
        return self.load(self.name, self.split)

    def test_items_are_told_apart_and_have_distributions(self) -> None:
        """Uids are unique, and human distributions are over the labels."""
        task = self._task()
        assert 2 <= len(task.labels) <= len(LETTERS)
        assert len({item.uid for item in task.items}) == len(task.items)
        for item in task.items:
            for shares in (item.human, *item.references.values()):
                assert len(shares) == len(task.labels)
                assert sum(shares) == pytest.approx(1)
                assert min(shares) >= 0
            assert item.votes is None or sum(item.votes) > 0

    def test_explanations_are_for_its_labels(self) -> None:
        """Each explanation has a text and the index of a label."""
        task = self._task()
        for item in task.items:
            for explanation in item.explanations:
                assert explanation.text.strip()
                assert 0 <= explanation.label < len(task.labels)

    def test_it_reads_the_same_twice(self) -> None:
        """Otherwise runs on the task could not be compared."""
        one, other = self._task(), self._task()
        assert one.digest == other.digest
        assert one.template.sha256 == other.template.sha256

    def test_every_order_of_the_options_is_worded(self) -> None:
        """Each order of the options gives a different prompt, which contains the letters."""
        task = self._task()
        orders = list(itertools.islice(itertools.permutations(range(len(task.labels))), MAX_ORDERS))
        for item in task.items[:RENDERED_ITEMS]:
            prompts = [task.template.render(item, task.labels, order) for order in orders]
            assert len(set(prompts)) == len(orders), f"{item.uid}: two orders of the options read the same"
            for messages in prompts:
                assert messages[-1].role == "user"
                missing = [letter for letter in LETTERS[: len(task.labels)] if letter not in messages[-1].content]
                assert not missing, f"{item.uid}: the letters {missing} are not in the prompt"

    def test_items_are_worded_apart(self) -> None:
        """No judge can tell apart two items with the same text."""
        task = self._task()
        order = tuple(range(len(task.labels)))
        texts = {task.template.render(item, task.labels, order)[-1].content for item in task.items}
        assert len(texts) > 0.5 * len(task.items), "most items read the same: does the wording name their fields?"

    def test_explanations_and_instructions_reach_the_prompt(self) -> None:
        """The prompt shows explanations with and without labels, if items have any, and how to answer."""
        task = self._task()
        order = tuple(range(len(task.labels)))
        for item in task.items[:RENDERED_ITEMS]:
            asked = task.template.render(item, task.labels, order, (), False, "Answer in verse.")
            assert any("Answer in verse." in message.content for message in asked)
            for explanation in item.explanations[:1]:
                shown = task.template.render(item, task.labels, order, (explanation,))
                explicit = task.template.render(item, task.labels, order, (explanation,), True)
                assert any(explanation.text in message.content for message in shown)
                assert explicit != shown, "the wording does not show an explanation's label where it is asked to"
