import csv
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgeharness.backends.contract import BackendContext, Predictor
from judgeharness.backends.file import FileOptions, FilePredictions
from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import Item, Label
from tests.helpers import judgeharness

LABELS = (Label("entailment", "E", ("e",)), Label("neutral", "N", ("n",)), Label("contradiction", "C", ("c",)))
ITEMS = [Item(uid, {}, (0.2, 0.3, 0.5)) for uid in ("a", "b")]
ROWS = {"a": [0.7, 0.2, 0.1], "b": [0.1, 0.0, 0.9]}


TASK = """
name = "mine"
title = "Mine"
template = "p.jinja"
labels = [
    {name = "entailment", text = "E", codes = ["e"]},
    {name = "neutral", text = "N", codes = ["n"]},
    {name = "contradiction", text = "C", codes = ["c"]},
]
items = {file = "i.jsonl", votes = "v", fields = {t = "t"}}
official = {old_label = "o", majority_label = "o"}
"""


@pytest.fixture
def read(tmp_path):
    def call(content, suffix, **options):
        path = tmp_path / f"predictions{suffix}"
        path.write_text(content, encoding="utf-8")
        backend = FilePredictions(str(path), FileOptions(**options), BackendContext(tmp_path, print))
        assert isinstance(backend, Predictor)
        return backend.predict(ITEMS, LABELS)

    return call


def chaosnli(rows):
    return {uid: {"uid": uid, "predicted_probabilities": row, "predicted_label": "enc"[int(np.argmax(row))]}
            for uid, row in rows.items()}  # fmt: skip


def lines(rows):
    return "\n".join(json.dumps({"uid": uid, "probabilities": row}) for uid, row in rows)


def test_every_form_gives_the_same(read):
    expected = [ROWS["a"], ROWS["b"]]
    table = "neutral,uid,entailment,contradiction\n" + "".join(
        f"{n},{uid},{e},{c}\n" for uid, (e, n, c) in ROWS.items()
    )
    by_label = [
        {"uid": uid, "probabilities": dict(zip(("e", "neutral", "c"), row, strict=True))} for uid, row in ROWS.items()
    ]
    for content, suffix in (
        (json.dumps(chaosnli(ROWS)), ".json"),
        (json.dumps(dict(reversed(ROWS.items()))), ".json"),
        (lines(ROWS.items()) + "\n\n", ".jsonl"),
        ("\n".join(map(json.dumps, by_label)), ".jsonl"),
        ("\ufeff" + table, ".csv"),
    ):
        np.testing.assert_allclose(read(content, suffix), expected)


def test_a_file_of_several_models_needs_a_name(read):
    content = json.dumps({"bert": chaosnli(ROWS), "roberta": chaosnli({"a": ROWS["b"], "b": ROWS["a"]})})
    np.testing.assert_allclose(read(content, ".json", model="roberta"), [ROWS["b"], ROWS["a"]])
    with pytest.raises(InputError, match="several models; name one with -o model=NAME, of bert, roberta"):
        read(content, ".json")
    with pytest.raises(InputError, match="has no model 'brt': did you mean bert"):
        read(content, ".json", model="brt")


@pytest.mark.parametrize("entries", [chaosnli(ROWS), ROWS], ids=["objects", "lists"])
def test_the_only_model_of_a_file_is_taken(read, entries):
    np.testing.assert_allclose(read(json.dumps({"bert": entries}), ".json"), [ROWS["a"], ROWS["b"]])


@pytest.mark.parametrize("way", [(), ("--official",)])
def test_score_names_its_own_option_for_a_model(tmp_path, way):
    path = tmp_path / "two.json"
    path.write_text(json.dumps({"bert": chaosnli(ROWS), "roberta": chaosnli(ROWS)}))
    task = tmp_path / "task.toml"
    task.write_text(TASK)
    (tmp_path / "p.jinja").write_text("{{ t }}")
    (tmp_path / "i.jsonl").write_text(
        "".join(json.dumps({"uid": u, "t": u, "v": [1, 1, 1], "o": "n"}) + "\n" for u in ROWS)
    )
    failed = judgeharness("score", path, "--task", task, "--store", tmp_path / "s.db", *way)
    assert failed.code == 2
    assert "holds several models; name one with --model NAME, of bert, roberta" in failed.err
    assert judgeharness("score", path, "--task", task, "--store", tmp_path / "s.db", "--model", "bert", *way).code == 0


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([("a", [1, 0, 0])], "b: is missing"),
        ([*ROWS.items(), ("z", [1, 0, 0])], "z: is not an item of the task"),
        ([*ROWS.items(), ("a", [1, 0, 0])], "a: is there twice"),
        ([("a", [1.5, -0.5, 0]), ("b", [1, 0, 0])], "a: a probability is -0.5, below 0"),
        ([("a", [0.5, 0.4, 0]), ("b", [1, 0, 0])], "a: probabilities sum to 0.9, not to 1"),
        ([("a", [float("nan"), 1, 0]), ("b", [1, 0, 0])], "a: a probability is not finite"),
        ([("a", ["1", 0, 0]), ("b", [1, 0, 0])], "a: a probability is not a number"),
        ([("a", [True, 0, 0]), ("b", [1, 0, 0])], "a: a probability is not a number"),
        ([("a", [1, 0]), ("b", [1, 0, 0])], "a: has no list of 3 probabilities"),
        ([("a", None), ("b", [1, 0, 0])], "a: has no list of 3 probabilities"),
        ([("a", {"yes": 1}), ("b", [1, 0, 0])], "a: 'yes' is not a label"),
    ],
)
def test_what_is_wrong_is_listed_and_nothing_is_scored(read, rows, problem):
    with pytest.raises(InputError) as caught:
        read(lines(rows), ".jsonl")
    assert caught.value.lines()[0].endswith("so nothing was scored")
    assert any(line.startswith(problem) for line in caught.value.lines()[1:])


def test_all_that_is_wrong_is_listed_at_once(read):
    with pytest.raises(InputError) as caught:
        read(json.dumps({f"x{n}": [1, 0, 0] for n in range(40)}), ".json")
    shown = caught.value.lines()
    assert "42 problems" in shown[0]
    assert len(shown) == 22
    assert shown[-1] == "and 22 more"
    wrong = chaosnli(ROWS)
    wrong["a"]["predicted_label"], wrong["b"]["predicted_label"] = "n", "maybe"
    with pytest.raises(InputError) as caught:
        read(json.dumps(wrong), ".json")
    assert caught.value.lines()[1:] == [
        "a: predicted_label 'n' is not the most probable one", "b: predicted_label 'maybe' is not a label"
    ]  # fmt: skip


COLUMNS = "uid,entailment,neutral,contradiction"
CONTRADICTIONS = {
    "a uid twice": (
        '{"a": [1, 0, 0],\n "b": [1, 0, 0], "a": [0, 1, 0]}',
        ".json",
        'key "a" is there twice in one object (line 2, column 18)',
    ),
    "a key twice, deep down": (
        '{"a": {"probabilities": {"e": 1, "n": 0, "c": 0, "e": 0}}, "b": [1, 0, 0]}',
        ".json",
        'key "e" is there twice',
    ),
    "a key twice in a line": (
        lines(ROWS.items()) + '\n{"uid": "c", "x": {"y": 1, "y": 1}}',
        ".jsonl",
        'line 3: cannot be read: the key "y"',
    ),
    "two fields": (
        '{"uid": "b", "probabilities": [1, 0, 0], "predicted_probabilities": [0, 1, 0]}',
        ".jsonl",
        "b: predicted_probabilities and probabilities differ (line 1)",
    ),
    "two fields in .json": (
        '{"b": {"probabilities": {"e": 1, "n": 0, "c": 0}, "predicted_probabilities": [0, 1, 0]}}',
        ".json",
        "b: predicted_probabilities and probabilities differ",
    ),
    "a label by name and code": (
        lines([("a", {"e": 0, "entailment": 0.7, "n": 0.2, "c": 0.1}), ("b", [1, 0, 0])]),
        ".jsonl",
        "a: names the label 'entailment' twice (line 1)",
    ),
    "another uid inside": (
        '{"a": {"uid": "b", "probabilities": [1, 0, 0]}, "b": [1, 0, 0]}',
        ".json",
        "a: its own uid is 'b'",
    ),
    "a uid as two numbers": (lines([(1, [1, 0, 0]), (1.0, [1, 0, 0])]), ".jsonl", "1.0: is there twice (line 2)"),
    "a column twice": (COLUMNS + ",neutral\na,1,0,0,1\n", ".csv", "has the column neutral twice"),
    "a cell too many": (COLUMNS + "\na,1,0,0,0\nb,1,0,0\n", ".csv", "a: has 5 cells where the header has 4 (line 2)"),
    "a cell too few": (
        COLUMNS + ",more\na,1,0,0\nb,1,0,0,x\n",
        ".csv",
        "a: has 4 cells where the header has 5 (line 2)",
    ),
    "another label in a table": (
        COLUMNS + ",predicted_label\na,1,0,0,n\nb,1,0,0,\n",
        ".csv",
        "a: predicted_label 'n' is not the most probable one (line 2)",
    ),
    "digits that Python alone reads": (
        COLUMNS + "\na,1_0,0,0\nb,\uff11,0,0\n",
        ".csv",
        "a probability is not a number: '1_0' (line 2)",
    ),
    "an empty uid in a table": (
        COLUMNS + "\n,1,0,0\n",
        ".csv",
        "uid '': is blank, or neither a text nor a number (line 2)",
    ),
    **{
        f"the uid {uid}": (
            f'{{"uid": {uid}, "probabilities": [1, 0, 0]}}',
            ".jsonl",
            "is blank, or neither a text nor a number (line 1)",
        )
        for uid in ("null", "NaN", "Infinity", '["a"]', "{}", "true", '" "')
    },
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_contradictions_are_errors_with_their_place(read, case):
    content, suffix, problem = CONTRADICTIONS[case]
    with pytest.raises(InputError) as caught:
        read(content, suffix)
    assert problem in "\n".join(caught.value.lines())


def test_fields_that_agree_pass(read):
    both = [
        {"uid": uid, "probabilities": row, "predicted_probabilities": dict(zip("enc", row, strict=True))}
        for uid, row in ROWS.items()
    ]
    np.testing.assert_allclose(read("\n".join(map(json.dumps, both)), ".jsonl"), [ROWS["a"], ROWS["b"]])


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85"])
def test_lines_end_at_line_feeds_only(read, character):
    rows = [{"uid": uid, "why": f"one{character}two", "probabilities": row} for uid, row in ROWS.items()]
    content = "\ufeff" + "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    np.testing.assert_allclose(read(content, ".jsonl"), [ROWS["a"], ROWS["b"]])


@pytest.mark.parametrize(
    ("content", "suffix"),
    [("{", ".json"), ("[]", ".json"), ("{}", ".json"), ("3", ".jsonl"), ('{"id": 1}', ".jsonl"),
     ("uid,neutral\n", ".csv"), ("[" * 100_000, ".json"), ("x", ".txt")],
)  # fmt: skip
def test_what_is_no_such_file(read, content, suffix):
    with pytest.raises(InputError):
        read(content, suffix)


@settings(deadline=None)
@given(st.recursive(
    st.none() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["a", "b", "uid", "probabilities"]), inner),
))  # fmt: skip
def test_any_json_is_distributions_or_an_error_in_words(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(content))
    try:
        rows = FilePredictions(str(path), FileOptions(), BackendContext(path.parent, print)).predict(ITEMS, LABELS)
    except InputError:
        return
    np.testing.assert_allclose(rows.sum(axis=1), 1)


def test_predictions_are_scored_kept_and_compared(tmp_path):
    store = tmp_path / "s.db"
    exported = judgeharness("data", "export", "nli-sample").out.splitlines()
    people = {record["uid"]: record["human"] for record in map(json.loads, exported)}
    (tmp_path / "people.json").write_text(json.dumps(people))
    with (tmp_path / "flat.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["uid", "entailment", "neutral", "contradiction"])
        writer.writerows([uid, "0.3333", "0.3333", "0.3334"] for uid in people)
    done = judgeharness(
        "score", tmp_path / "people.json", tmp_path / "flat.csv", "--task", "nli-sample", "--store", store,
        "--format", "json", "--metric", "accuracy",
    )  # fmt: skip
    assert done.code == 0, done.err
    first, second = json.loads(done.out)["runs"]
    assert (first["metrics"]["jsd"], first["metrics"]["accuracy"]) == (pytest.approx(0, abs=1e-9), 1.0)
    uniform = json.loads(
        judgeharness("eval", "--task", "nli-sample", "--backend", "baseline:uniform", "--format", "json").out
    )
    assert second["metrics"]["jsd"] == pytest.approx(uniform["runs"][0]["metrics"]["jsd"], abs=1e-3)
    assert judgeharness("compare", first["id"], second["id"], "--store", store).code == 0
    del people[next(iter(people))]
    (tmp_path / "people.json").write_text(json.dumps(people))
    failed = judgeharness("score", tmp_path / "people.json", "--task", "nli-sample", "--store", store)
    assert failed.code == 2
    assert "1 problems, so nothing was scored" in failed.err
    assert "is missing" in failed.err
    assert judgeharness("score", tmp_path / "none.json", "--task", "nli-sample").code == 2
