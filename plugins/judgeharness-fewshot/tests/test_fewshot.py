import pytest

from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import LETTERS
from judgeharness.testing import StrategyConformance
from judgeharness_fewshot.fewshot import FewShot, FewShotOptions

pytest_plugins = ["judgeharness.testing.fixtures"]


class TestSure(StrategyConformance):
    name = "few-shot"


class TestAny(StrategyConformance):
    name = "few-shot"
    options = {"shots": "2", "choose": "any", "seed": "4", "option_orders": "cyclic"}  # noqa: RUF012


def test_other_items_come_first_with_the_letter_of_most_people(sample_task):
    item = sample_task.items[0]
    by_text = {each.fields["hypothesis"]: each for each in sample_task.items}
    for prompt in FewShot(FewShotOptions(shots=2)).group(item, sample_task).prompts:
        assert [message.role for message in prompt.messages] == ["user", "assistant"] * 2 + ["user"]
        for question, answer in zip(prompt.messages[:-1:2], prompt.messages[1::2], strict=True):
            (shot,) = [each for text, each in by_text.items() if f"Statement: {text} " in question.content]
            assert shot.uid != item.uid
            label = prompt.options[LETTERS.index(answer.content)]
            assert shot.human[label] == max(shot.human)


def test_the_sure_ones_are_the_surest(sample_task):
    item = sample_task.items[5]
    others = sorted((max(each.human) for each in sample_task.items if each.uid != item.uid), reverse=True)
    content = FewShot(FewShotOptions(shots=4)).group(item, sample_task).prompts[0].messages
    shown = [
        max(each.human)
        for message in content[:-1:2]
        for each in sample_task.items
        if f"Statement: {each.fields['hypothesis']} " in message.content
    ]
    assert shown == others[:4]


def test_a_draw_depends_on_the_seed_and_the_item(sample_task):
    def drawn(seed, index):
        strategy = FewShot(FewShotOptions(choose="any", seed=seed))
        return strategy.group(sample_task.items[index], sample_task).prompts[0].messages[:-1]

    assert drawn(0, 0) == drawn(0, 0)
    assert drawn(0, 0) != drawn(1, 0)
    assert drawn(0, 0) != drawn(0, 1)


def test_too_few_items_are_refused(sample_task):
    with pytest.raises(InputError, match="few-shot takes 3 other items, and nli-sample has 3 in all"):
        FewShot(FewShotOptions()).check(sample_task.limited(3))


def test_a_real_model_is_asked(run_judgeharness, tiny_model):
    words = (
        "--task",
        "nli-sample",
        "--limit",
        "3",
        "--strategy",
        "few-shot",
        "-o",
        "shots=2",
        "-o",
        "option_orders=cyclic",
    )
    said = run_judgeharness("eval", *words, "--backend", tiny_model)
    assert said.code == 0, said.err
    assert "few-shot" in said.out
