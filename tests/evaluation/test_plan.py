"""What there is to do: counted by hand, before and after a part of it is in the store."""

import pytest

from judgeharness.backends.contract import PromptError
from judgeharness.evaluation.components import component
from judgeharness.evaluation.plan import CHARACTERS_A_TOKEN, make_plan
from judgeharness.store.records import SessionRecord
from judgeharness.testing.pretend import PretendModel
from tests.helpers import bundled


class Counted(PretendModel):
    """A model with a token for each character, which cannot read one item."""

    unreadable = ""

    def encode(self, group):
        return [[ord(letter) for letter in prompt.messages[-1].content] for prompt in group.prompts]

    def render(self, group):
        if group.uid == self.unreadable:
            raise PromptError("too long")
        return


@pytest.fixture
def task(folders):
    return bundled("nli-sample", folders).limited(3)


def test_prompts_and_tokens_are_counted(registry, task, store):
    strategy = component(registry.strategies, "no-explanation", {}).part
    plan = make_plan(task, strategy, Counted(), "d", store.answers)
    groups = [strategy.group(item, task) for item in task.items]
    assert plan.n_missing_prompts == sum(len(group.prompts) for group in groups)
    assert plan.exact
    letters = sum(len(prompt.messages[-1].content) for group in groups for prompt in group.prompts)
    assert plan.tokens.total == letters
    assert 0 < plan.tokens.unique < letters
    assert (plan.answering, plan.waiting, plan.n_written_tokens) == ("score", 0, 0)
    guessed = make_plan(task, strategy, PretendModel(), "d", store.answers)
    assert not guessed.exact
    assert guessed.tokens.total == pytest.approx(letters / CHARACTERS_A_TOKEN, rel=0.02)


def test_what_is_stored_failed_or_cannot_be_read_is_not_missing(registry, task, store):
    strategy = component(registry.strategies, "no-explanation", {}).part
    first, second, third = task.items
    model = Counted()
    model.unreadable = third.uid
    store.answers.add_backend("d", model.describe())
    (scores,) = model.score([strategy.group(first, task)])
    whole = make_plan(task, strategy, model, "d", store.answers)
    with store.sessions.recorded("s", SessionRecord()):
        store.answers.add(whole.items[first.uid].key, "d", "s", scores)
    plan = make_plan(task, strategy, model, "d", store.answers, failed=[second.uid])
    assert plan.items[first.uid].answered
    assert plan.refused == {third.uid}
    # An item that cannot be read is asked, so that the backend says why.
    assert [item.uid for item in plan.missing] == [third.uid]
    assert make_plan(task, strategy, model, "another", store.answers).n_missing_prompts == whole.n_missing_prompts


def test_texts_come_before_scores(registry, task, store):
    strategy = component(registry.strategies, "cot", {"reasoning_tokens": "7"}).part
    plan = make_plan(task, strategy, PretendModel(), "d", store.answers)
    assert plan.answering == "generate"
    assert plan.n_written_tokens == 7 * plan.n_missing_prompts
