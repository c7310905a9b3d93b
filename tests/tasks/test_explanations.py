"""Explanations from models and files in place of people's, with a real model."""

import json
from pathlib import Path

import pytest

from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import Decoding, GeneratedTexts
from judgeharness.evaluation.explain import Explaining
from judgeharness.tasks.datasets import DataFolders
from judgeharness.tasks.explanations import explained, read_explanations
from tests.helpers import bundled, judgeharness

MODEL = "llamacpp:smollm2"
WORDS = ("explain", "--task", "nli-sample", "--limit", "2", "--backend", MODEL, "--answer-tokens", "24")


@pytest.fixture
def sample(tmp_path):
    return bundled("nli-sample", DataFolders(None, tmp_path)).limited(2)


@pytest.fixture
def written():
    found = judgeharness(*WORDS, "--labels", "human", "--format", "json", "--out", "own.jsonl")
    assert found.code == 0, found.err
    return json.loads(found.out)


def runs(*words):
    result = judgeharness(
        "eval", "--task", "nli-sample", "--limit", "2", "--backend", MODEL, "--transform", "softmax",
        "--temperature", "1", "--format", "json", *words,
    )  # fmt: skip
    assert result.code == 0, result.err
    return json.loads(result.out)["runs"]


def test_a_model_explains_and_its_explanations_are_shown(written, sample):
    assert written["explanations"] == sum(len(item.explanations) for item in sample.items)
    assert written["origin"]["backend"] == MODEL
    assert written["origin"]["decoding"] == {"max_tokens": 24, "temperature": 0.7, "seed": 0}
    shown = judgeharness(
        "prompts", "--task", "nli-sample", "--limit", "2", "--strategy", "parallel-explicit",
        "--explanations", written["id"], "--format", "jsonl",
    )  # fmt: skip
    assert shown.code == 0, shown.err
    entries = {row["uid"]: row["explanations"] for row in map(json.loads, Path("own.jsonl").read_text().splitlines())}
    first = json.loads(shown.out.splitlines()[0])
    given = entries[first["uid"]][first["explanations"][0]]
    assert f"Comment 1: {given['text']} So I choose {given['label'].capitalize()}." in first["content"]
    assert sample.items[0].explanations[0].text not in shown.out


def test_runs_on_other_explanations_stand_beside_each_other(written):
    strategies = ("--strategy", "parallel", "--strategy", "serial-explicit", "-o", "option_orders=cyclic", "-o", "k=1")
    human, model = runs(*strategies), runs(*strategies, "--explanations", written["id"][:6])
    assert [run["explanations"] for run in human + model] == [None, None, MODEL, MODEL]
    assert len({run["id"] for run in human + model}) == 4
    assert human[0]["metrics"] != model[0]["metrics"]
    board = judgeharness("leaderboard")
    assert f"parallel (explanations: {MODEL})" in " ".join(board.out.split())
    assert judgeharness("leaderboard", "--format", "csv").out.count(f",{MODEL},softmax") == 2
    assert judgeharness("bias", model[0]["id"]).code == 0


def test_the_file_gives_the_same_run_as_the_set(written):
    (by_set,) = runs("--strategy", "parallel", "--explanations", written["id"])
    (by_file,) = runs("--strategy", "parallel", "--explanations", "own.jsonl")
    assert by_file == by_set


def test_the_sets_of_a_store_are_listed(written):
    (entry,) = json.loads(judgeharness("list", "explanations", "--format", "json").out)["explanations"]
    assert (entry["name"], entry["summary"], entry["count"]) == (written["id"], MODEL, written["explanations"])
    assert written["id"] in judgeharness("list", "explanations").out
    assert judgeharness("list", "explanations", "--store", "nowhere.db").code == 2


def test_what_was_written_is_not_written_again(written, monkeypatch):
    from judgeharness.backends.llamacpp.backend import LlamaCppBackend

    monkeypatch.setattr(LlamaCppBackend, "generate", lambda self, groups: pytest.fail("asked again"))
    again = judgeharness(*WORDS, "--labels", "human")
    assert again.code == 0
    assert f"--explanations {written['id']}" in again.out


@pytest.mark.parametrize("labels", [("all",), ("voted",), ("human",), ("neutral",), ("neutral", "entailment")])
def test_the_labels_that_are_explained(labels, sample):
    asked = Explaining(labels, Decoding(8, 0.7))
    asked.check(sample)
    item = sample.items[0]
    names = [sample.labels[index].name for index in asked.chosen(item, sample)]
    expected = {
        "all": [label.name for label in sample.labels],
        "voted": [label.name for label, share in zip(sample.labels, item.human, strict=True) if share],
        "human": [sample.labels[each.label].name for each in item.explanations],
    }.get(labels[0], list(labels))
    assert names == expected
    group = asked.group(item, sample)
    assert len(group.prompts) == len(names)
    for name, prompt in zip(names, group.prompts, strict=True):
        assert f"chose the option: {name.capitalize()}." in prompt.messages[-1].content
    reading = asked.follow(
        item, sample, [GeneratedTexts("u", (" ",) + ("x",) * (len(names) - 1), (False,) * len(names))]
    )
    assert reading.read.tolist() == [False] + [True] * (len(names) - 1)


BAD = {
    "not json": ("{", "line 1: not valid JSON"),
    "no list": ('{"uid": "a", "explanations": "x"}', "line 1: 'explanations' is not a list of objects"),
    "no text": ('{"uid": "a", "explanations": [{"label": "neutral"}]}', "line 1: an explanation has no 'text'"),
    "no label": ('{"uid": "a", "explanations": [{"text": "x"}]}', "line 1: an explanation has no 'label'"),
    "twice": ('{"uid": "a", "explanations": []}\n' * 2, "line 2: the uid 'a' was there before"),
    "nothing": ('{"uid": "a", "explanations": []}', "holds no explanations"),
    "too long": (json.dumps({"uid": "a", "explanations": [{"text": "x" * 30_000, "label": "n"}]}), "1 to 20,000"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_named_with_their_line(name, tmp_path):
    text, message = BAD[name]
    (tmp_path / "bad.jsonl").write_text(text)
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        read_explanations(tmp_path / "bad.jsonl")


def test_explanations_for_other_items_or_labels_are_refused(sample, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"uid": "elsewhere", "explanations": [{"text": "t", "label": "e"}]}')
    with pytest.raises(InputError) as caught:
        explained(sample, read_explanations(path))
    assert caught.value.hint == "the first of theirs is 'elsewhere', the first of the task's 'sample-01'"
    path.write_text('{"uid": "sample-01", "explanations": [{"text": "t", "label": "maybe"}]}')
    with pytest.raises(InputError, match="'maybe' is not one of the labels entailment"):
        explained(sample, read_explanations(path))


def test_a_label_may_be_given_by_code_or_text(sample, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"uid": "sample-01", "explanations": [{"text": "t", "label": "e"}, {"text": "u", "label": "Neutral"}]}'
    )
    first, second = explained(sample, read_explanations(path)).items
    assert [each.label for each in first.explanations] == [0, 1]
    assert second.explanations == ()


WRONG = {
    "an unknown set": (("eval", "--explanations", "zzz", "--strategy", "parallel"), "no explanations 'zzz'"),
    "an unknown label": (("explain", "--labels", "maybee"), "unknown label of nli-sample 'maybee'"),
    "no writer": (("explain", "--backend", "baseline:human"), "baseline:human writes no text"),
    "an unknown option": (("explain", "-o", "k=1"), "unknown option 'k'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage(name, store):
    (command, *words), message = WRONG[name]
    backend = [] if "--backend" in words else ["--backend", MODEL]
    result = judgeharness(command, "--task", "nli-sample", *backend, "--store", "store.db", *words)
    assert result.code == 2
    assert message in result.err
