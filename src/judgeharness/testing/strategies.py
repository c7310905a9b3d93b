"""Conformance tests for a strategy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import LETTERS, GeneratedTexts, Item, Prompt, PromptGroup, Reading
from judgeharness.evaluation.conversation import MAX_TURNS
from judgeharness.strategies.contract import Strategy, WritingStrategy
from judgeharness.tasks.task import Task
from judgeharness.testing.common import SAMPLE, SAMPLE_ITEMS, Conformance

OPTION_LINE = re.compile(r"^([A-Z])\. (.+?)\.?\s*$", re.MULTILINE)
SAID = ("", "A", "B. Neutral", "A: 50%\nB: 30%\nC: 20%", "I cannot say.", "x" * 5_000, "\N{SNOWMAN}\x1b[31m")


class StrategyConformance(Conformance):
    """Tests a strategy. Set `name`, `options` if it has any, and `task` if nli-sample does not suit it."""

    task: ClassVar[str] = SAMPLE

    def _task(self) -> Task:
        return self.load(self.task).limited(SAMPLE_ITEMS)

    def _strategy(self) -> Strategy:
        part = self.component(self.registry().strategies).part
        assert isinstance(part, Strategy)
        return part

    def _groups(self) -> Iterator[tuple[Item, Task, PromptGroup]]:
        strategy, task = self._strategy(), self._task()
        strategy.check(task)
        for item in task.items:
            yield item, task, strategy.group(item, task)

    def test_prompts_show_every_option_once(self) -> None:
        """Each prompt has an order of all labels, and only explanations that the item has."""
        for _, _, group in self._groups():
            _require_sound(group.prompts)

    def test_letters_stand_before_their_labels(self) -> None:
        """If prompts list options as `A. Text`, the letters follow the order that the prompt declares."""
        for _, task, group in self._groups():
            texts = {label.text for label in task.labels}
            for prompt in group.prompts:
                shown = [
                    (letter, text) for letter, text in OPTION_LINE.findall(prompt.messages[-1].content) if text in texts
                ]
                expected = [(LETTERS[place], task.labels[label].text) for place, label in enumerate(prompt.options)]
                assert not shown or shown == expected

    def test_many_prompts_do_not_all_begin_with_one_label(self) -> None:
        """Models prefer some letters to others. Different orders even that out."""
        for _, task, group in self._groups():
            firsts = np.bincount([prompt.options[0] for prompt in group.prompts], minlength=len(task.labels))
            if len(group.prompts) >= 4 * len(task.labels):
                assert firsts.max() < len(group.prompts)

    def test_the_same_item_gives_the_same_prompts(self) -> None:
        """This also holds for a new instance of the strategy, and for an item among others."""
        for (item, task, group), (_, _, again) in zip(self._groups(), self._groups(), strict=True):
            assert again == group
            alone = replace(task, items=tuple(each for each in task.items if each.uid == item.uid))
            if len(task.items) == len(alone.items):
                assert self._strategy().group(item, alone) == group

    def test_its_options_can_be_recorded(self) -> None:
        """The store keeps the options as JSON."""
        json.dumps(dict(self.component(self.registry().strategies).options), allow_nan=False)

    def test_a_task_without_explanations_is_asked_or_refused(self) -> None:
        """`check` refuses such a task before a model is loaded, or the prompts are valid."""
        strategy, whole = self._strategy(), self._task()
        bare = replace(whole, items=tuple(replace(item, explanations=()) for item in whole.items))
        try:
            strategy.check(bare)
        except InputError as error:
            assert error.message
            return
        for item in bare.items:
            _require_sound(strategy.group(item, bare).prompts)

    def test_texts_of_any_kind_lead_on(self) -> None:
        """A strategy with generated answers reads any text or asks further, and comes to an end."""
        strategy, task = self._strategy(), self._task()
        for item in task.items:
            group = strategy.group(item, task)
            if group.decoding is None:
                continue
            assert isinstance(strategy, WritingStrategy), (
                "its prompts ask for generated answers, but it has no 'follow'"
            )
            for said in SAID:
                _require_end(strategy, item, task, group, said)

    def test_it_is_measured(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        """The test runs a whole evaluation with a pretend model."""
        from judgeharness.testing.pretend import PretendModel, predictions

        strategy, task = self._strategy(), self._task()
        found = predictions(strategy, task, PretendModel(), tmp_path_factory.mktemp("store") / "store.db")
        assert [each.uid for each in found] == [item.uid for item in task.items]
        for each in found:
            assert each.failure or sum(each.probabilities or ()) == pytest.approx(1)


def _require_sound(prompts: tuple[Prompt, ...]) -> None:
    """Check what an evaluation does not: that prompts make sense to a model."""
    for prompt in prompts:
        assert prompt.messages[-1].role == "user"
        assert all(message.content.strip() for message in prompt.messages)


def _require_end(strategy: WritingStrategy, item: Item, task: Task, group: PromptGroup, said: str) -> None:
    written: list[GeneratedTexts] = []
    while group.decoding is not None:
        count = len(group.prompts)
        written.append(GeneratedTexts(item.uid, (said,) * count, (False,) * count))
        assert len(written) <= MAX_TURNS, "it does not come to an end"
        following, again = (strategy.follow(item, task, written) for _ in range(2))
        if isinstance(following, Reading):
            assert strategy.ends_in == "reading"
            assert isinstance(again, Reading)
            np.testing.assert_array_equal(following.probabilities, again.probabilities)
            return
        assert following == again
        _require_sound(following.prompts)
        group = following
    assert strategy.ends_in == "scores"
