"""How far an item has come, from the texts that are stored."""

from itertools import pairwise

import pytest

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import GeneratedTexts
from judgeharness.evaluation.components import component
from judgeharness.evaluation.conversation import MAX_TURNS, last_turn, turns
from judgeharness.testing.pretend import PretendModel
from tests.helpers import bundled


@pytest.fixture
def task(folders):
    return bundled("nli-sample", folders).limited(1)


def strategy(registry, name):
    return component(registry.strategies, name, {}).part


def test_scores_take_one_turn(registry, task):
    (turn,) = turns(strategy(registry, "parallel"), task.items[0], task, "d", lambda key: None)
    assert (turn.answering, turn.text_keys, turn.reading) == ("score", (), None)
    other = last_turn(strategy(registry, "parallel"), task.items[0], task, "another model", lambda key: None)
    assert other.key != turn.key


@pytest.mark.parametrize(("name", "ends"), [("verbalized", "generate"), ("cot", "score")])
def test_texts_lead_to_the_next_turn(registry, task, name, ends):
    asked, item = strategy(registry, name), task.items[0]
    (first,) = turns(asked, item, task, "d", lambda key: None)
    assert (first.answering, first.text_keys) == ("generate", ())
    (written,) = PretendModel().generate([first.group])
    found = list(turns(asked, item, task, "d", {first.key: written}.get))
    assert found[-1].answering == ends
    assert found[-1].text_keys[0] == first.key
    assert (found[-1].reading is not None) == (name == "verbalized")
    assert all(one.key != other.key for one, other in pairwise(found))


def test_a_strategy_that_never_ends_is_stopped(registry, task):
    asked = strategy(registry, "verbalized")

    class Endless:
        ends_in = "reading"
        check, group = asked.check, asked.group

        def follow(self, item, task, written):
            return asked.group(item, task)

    def texts(key):
        return GeneratedTexts("u", ("A",) * n, (False,) * n)

    n = len(asked.group(task.items[0], task).prompts)
    with pytest.raises(HarnessError, match=f"asks more than {MAX_TURNS} times"):
        list(turns(Endless(), task.items[0], task, "d", texts))
