"""Conformance tests for a backend."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from judgeharness.backends.contract import BackendContext, Model, Predictor, Scorer, TextGenerator
from judgeharness.domain.nouns import (
    LETTERS,
    Decoding,
    GeneratedTexts,
    Message,
    OptionScores,
    Prompt,
    PromptGroup,
    ScoringFailure,
)
from judgeharness.evaluation.asking import ask
from judgeharness.evaluation.components import OpenBackend, open_backend
from judgeharness.evaluation.executors.local import Local
from judgeharness.evaluation.plan import make_plan
from judgeharness.plugins.options import NoOptions
from judgeharness.store.answer_store import AnswerStore
from judgeharness.store.database import Store
from judgeharness.store.records import SessionRecord
from judgeharness.testing.common import Conformance

QUESTION = "Is water wet? Answer with one letter and nothing else."


def question(uid: str, orders: Sequence[tuple[int, ...]], text: str = QUESTION, varied: bool = True) -> PromptGroup:
    """Return a group with one prompt for each order of the options.

    Args:
        uid: The group's item.
        orders: The orders of the options.
        text: The question.
        varied: Whether the prompts' texts show the orders.
    """
    prompts = []
    for order in orders:
        lines = [
            f"{letter}. Choice {label if varied else letter}" for letter, label in zip(LETTERS, order, strict=False)
        ]
        prompts.append(Prompt((Message("user", "\n".join([text, *lines, "Answer:"])),), order))
    return PromptGroup(uid, tuple(prompts))


class BackendConformance(Conformance):
    """Tests a backend. Set `name` to the backend with a model, as "scheme:model".

    The tests depend on what the backend can do. Results are checked as in an evaluation; the tests also check that they
    make sense.

    Attributes:
        tolerance: How much scores that are computed twice may differ.
        long_words: The number of words of a prompt that is too long for the model. 0 skips that test.
        draws: Whether sampling twice with one seed gives the same answers.
    """

    tolerance: ClassVar[float] = 1e-3
    long_words: ClassVar[int] = 200_000
    draws: ClassVar[bool] = True

    @pytest.fixture
    def opened(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBackend]:
        """The backend, described and open."""
        backend = self._backend(tmp_path_factory.getbasetemp() / "judgeharness-cache")
        if isinstance(backend.part, Model):
            backend.part.open()
        yield backend
        if isinstance(backend.part, Model):
            backend.part.close()

    def _backend(self, cache: Path) -> OpenBackend:
        return open_backend(self.registry(), self.name, self.options, BackendContext(cache, lambda line: None))

    def _scored(self, backend: OpenBackend, groups: Sequence[PromptGroup]) -> dict[str, OptionScores]:
        assert isinstance(backend.part, Scorer)
        found: dict[str, OptionScores] = {}
        for result in backend.part.score(iter(groups)):
            assert isinstance(result, OptionScores), f"{result}"
            found[result.uid] = result
        return found

    def test_it_says_what_it_is(self, opened: OpenBackend, tmp_path: Path) -> None:
        """The description is JSON, and a new instance has the same one, since answers are stored under it."""
        text = json.dumps(dict(opened.description), sort_keys=True, allow_nan=False)
        again = self._backend(tmp_path)
        assert json.dumps(dict(again.description), sort_keys=True) == text
        assert again.digest == opened.digest
        if isinstance(opened.part, Model):
            json.dumps(dict(opened.part.environment()), allow_nan=False)

    def test_scores_have_a_row_a_prompt_and_a_column_a_label(self, opened: OpenBackend) -> None:
        """The test covers two and more options, and groups of different sizes together."""
        if not isinstance(opened.part, Scorer):
            return
        two = question("two", [(0, 1), (1, 0)])
        five = question("five", [(4, 3, 2, 1, 0)])
        three = question("three", list(itertools.permutations(range(3))))
        found = self._scored(opened, [two, five, three])
        assert {uid: each.scores.shape for uid, each in found.items()} == {
            "two": (2, 2),
            "five": (1, 5),
            "three": (6, 3),
        }
        for each in found.values():
            assert each.nonsense is None

    def test_scores_stand_in_label_order(self, opened: OpenBackend) -> None:
        """If the text is the same for every option order, each letter keeps its score, so labels change theirs."""
        if not isinstance(opened.part, Scorer):
            return
        orders = list(itertools.permutations(range(3)))
        scores = self._scored(opened, [question("u", orders, varied=False)])["u"].scores
        by_letter = np.array([row[list(order)] for row, order in zip(scores, orders, strict=True)])
        np.testing.assert_allclose(by_letter, np.tile(by_letter[0], (len(orders), 1)), atol=self.tolerance)

    def test_the_same_again_gives_the_same(self, opened: OpenBackend) -> None:
        """A group has the same scores alone, among others, and in another order."""
        if not isinstance(opened.part, Scorer):
            return
        groups = [
            question(str(n), list(itertools.permutations(range(3)))[: n + 1], f"{QUESTION} {n}") for n in range(4)
        ]
        together = self._scored(opened, groups)
        backwards = self._scored(opened, groups[::-1])
        for group in groups:
            alone = self._scored(opened, [group])[group.uid]
            for other in (together[group.uid], backwards[group.uid]):
                np.testing.assert_allclose(other.scores, alone.scores, atol=self.tolerance)

    def test_what_it_knows_of_prompts_fits_them(self, opened: OpenBackend) -> None:
        """There is a text and a list of token ids for each prompt, or none at all."""
        if not isinstance(opened.part, Model):
            return
        group = question("u", list(itertools.permutations(range(3))))
        texts, tokens = opened.part.render(group), opened.part.encode(group)
        assert texts is None or len(set(texts)) == 6
        assert tokens is None or all(len(each) > 0 for each in tokens)

    def test_a_prompt_that_is_too_long_is_a_failure(self, opened: OpenBackend) -> None:
        """The prompt raises no exception, and the group after it is scored."""
        if not isinstance(opened.part, Scorer) or not self.long_words:
            return
        long, short = question("long", [(0, 1)], "word " * self.long_words), question("short", [(0, 1)])
        found = {each.uid: each for each in opened.part.score(iter([long, short]))}
        assert isinstance(found["short"], OptionScores)
        if isinstance(found["long"], ScoringFailure):
            assert found["long"].reason

    def test_what_was_answered_before_an_interruption_is_kept(self, opened: OpenBackend, tmp_path: Path) -> None:
        """A new instance is only asked for what is missing."""
        if not isinstance(opened.part, Scorer):
            return
        task, strategy = self.sample(), self.registry().strategies.load("no-explanation")
        options = self.registry().strategies.load_options("no-explanation")
        asked = strategy(options(option_orders="cyclic") if options else None)

        def stop(prompts: int) -> None:
            raise KeyboardInterrupt

        with Store.open(tmp_path / "store.db") as store, store.sessions.recorded("testing", SessionRecord()):
            store.answers.add_backend(opened.digest, opened.description)
            kept = AnswerStore(store=store, backend_digest=opened.digest, session_id="testing")
            plan = make_plan(task, asked, opened.part, opened.digest, store.answers)
            with pytest.raises(KeyboardInterrupt):
                ask(plan, opened.part, Local(NoOptions()), kept, stop, stop)
            again = make_plan(task, asked, opened.part, self._backend(tmp_path).digest, store.answers)
            assert len(again.missing) == len(task.items) - 1

    def test_texts_are_written_to_every_prompt(self, opened: OpenBackend) -> None:
        """Texts are the same twice if nothing is sampled, and a limit of one token is accepted."""
        if not isinstance(opened.part, TextGenerator):
            return
        prompts = question("u", [(0, 1), (1, 0)]).prompts
        groups = [PromptGroup("few", prompts, Decoding(1)), PromptGroup("more", prompts[:1], Decoding(16))]
        found = {each.uid: each for group in groups for each in opened.part.generate([group])}
        again = {each.uid: each for group in groups for each in opened.part.generate([group])}
        for each in found.values():
            assert isinstance(each, GeneratedTexts), f"{each}"
        assert found == again
        assert [len(each.texts) for each in found.values() if isinstance(each, GeneratedTexts)] == [2, 1]

    def test_texts_are_drawn_from_the_seed(self, opened: OpenBackend) -> None:
        """A prompt that occurs several times is sampled several times, and the same seed gives the same texts."""
        if not isinstance(opened.part, TextGenerator):
            return
        prompt = Prompt((Message("user", "Write any word that comes to your mind."),), (0, 1))
        group = PromptGroup("u", (prompt,) * 8, Decoding(12, 1.0, 7))
        first, again = (next(iter(opened.part.generate([group]))) for _ in range(2))
        assert isinstance(first, GeneratedTexts), f"{first}"
        assert len(first.texts) == 8
        if self.draws:
            assert first == again

    def test_predictions_are_distributions(self, opened: OpenBackend) -> None:
        """There is a row for each item."""
        if not isinstance(opened.part, Predictor):
            return
        task = self.sample()
        opened.part.predict(task.items, task.labels)

    def test_it_is_closed_without_having_been_opened_and_twice(self, tmp_path: Path) -> None:
        """Callers can therefore always close it."""
        part = self._backend(tmp_path).part
        if isinstance(part, Model):
            part.close()
            part.close()
