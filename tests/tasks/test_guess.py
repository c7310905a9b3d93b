"""What is guessed of files of all shapes, and the tasks that are made of them."""

import csv
import json
import os
import pty
import select
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from judgeharness.tasks.draft import Draft, task_toml, wording
from judgeharness.tasks.guess import Guess, GuessedExplanations, field_name, guess
from judgeharness.testing import TaskConformance
from tests.helpers import judgeharness

TEXTS = ["Send it.", "Please send it.", "Would you send it?", "Now."]


def rows(**columns):
    return [{name: make(n) for name, make in columns.items()} for n in range(4)]


SHAPES = {
    "counts by label": (
        rows(id=lambda n: f"r{n}", text=lambda n: TEXTS[n], votes=lambda n: {"rude": n, "polite": 4 - n}),
        Guess("id", "votes", "votes", ("rude", "polite"), {"text": "text"}),
    ),
    "shares by label, inside another field": (
        rows(key=lambda n: n, q=lambda n: {"reply": TEXTS[n]}, people=lambda n: {"dist": {"a": n / 4, "b": 1 - n / 4}}),
        Guess("key", "human", "people.dist", ("a", "b"), {"reply": "q.reply"}),
    ),
    "a label an annotator": (
        rows(uid=lambda n: str(n), text=lambda n: TEXTS[n], labels=lambda n: ["x", "y", "x"][: n + 1] or ["x"]),
        Guess("uid", "annotations", "labels", ("x", "y"), {"text": "text"}),
    ),
    "a list without names": (
        rows(uid=lambda n: str(n), text=lambda n: TEXTS[n], counts=lambda n: [n, 4 - n, 1]),
        Guess("uid", "votes", "counts", ("label-1", "label-2", "label-3"), {"text": "text"}, None, True),
    ),
    "columns of a table, as texts": (
        rows(id=lambda n: str(n), text=lambda n: TEXTS[n], votes_no=lambda n: str(n), votes_yes=lambda n: str(4 - n)),
        Guess("id", "votes", {"no": "votes_no", "yes": "votes_yes"}, ("no", "yes"), {"text": "text"}),
    ),
    "columns of shares": (
        rows(id=lambda n: n, text=lambda n: TEXTS[n], no_prob=lambda n: n / 8, yes_prob=lambda n: 1 - n / 8),
        Guess("id", "human", {"no": "no_prob", "yes": "yes_prob"}, ("no", "yes"), {"text": "text"}),
    ),
    "a column an annotator": (
        rows(
            id=lambda n: n, tweet=lambda n: TEXTS[n], ann1=lambda n: "ab"[n % 2], ann2=lambda n: "ba"[n // 2],
            ann3=lambda n: "" if n else "a",
        ),
        Guess("id", "annotations", ("ann1", "ann2", "ann3"), ("a", "b"), {"tweet": "tweet"}),
    ),
    "explanations": (
        rows(
            id=lambda n: n, text=lambda n: TEXTS[n], votes=lambda n: {"rude": n, "polite": 4 - n},
            why=lambda n: [{"Reason": "short", "answer": "rude", "worker": 7}],
        ),
        Guess(
            "id", "votes", "votes", ("rude", "polite"), {"text": "text"},
            GuessedExplanations("why", "Reason", "answer", "worker"),
        ),
    ),
    "no votes at all": (rows(id=lambda n: n, text=lambda n: TEXTS[n]), Guess("id", fields={"text": "text"})),
    "no uid": (
        rows(text=lambda n: "same", other=lambda n: TEXTS[n % 2], votes=lambda n: {"a": 1, "b": n}),
        Guess(None, "votes", "votes", ("a", "b"), {"other": "other"}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_guessed(name):
    records, expected = SHAPES[name]
    assert guess(records) == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=6), json_values, max_size=5), min_size=1, max_size=5))
def test_no_file_makes_it_fail(records):
    found = guess(records)
    assert len(set(found.fields)) == len(found.fields)
    assert all(name.isidentifier() for name in found.fields)


@given(st.text(max_size=8), st.sets(st.sampled_from(["text", "text_2", "field"])))
def test_names_of_fields_are_new_and_can_be_used(path, taken):
    name = field_name(path, taken)
    assert name.isidentifier()
    assert name not in taken


@given(st.text(min_size=1), st.text(min_size=1), st.text())
def test_what_is_written_is_toml_and_says_the_same(label, path, question):
    known = Guess("uid", "votes", {label: path, label + "x": "b"}, (label, label + "x"), {"text": path})
    try:
        (label + path).encode()
    except UnicodeEncodeError:
        return
    draft = Draft("mine", "Mine", "x.jsonl", "x.jinja", question, known)
    content = tomllib.loads(task_toml(draft))
    assert content["items"]["votes"] == {label: path, label + "x": "b"}
    assert [each["name"] for each in content["labels"]] == [label, label + "x"]


def test_what_python_alone_reads_as_numbers_is_no_vote():
    records = [{"id": n, "text": TEXTS[n], "votes_yes": "1_0", "votes_no": "\uff12"} for n in range(4)]
    assert guess(records).kind != "votes"


@example("\n  ")
@given(st.text(alphabet="{}%# ab\n", max_size=20))
def test_a_question_is_never_a_template(question):
    from judgeharness.tasks.template import Wording

    draft = Draft("m", "M", "x", "x", question, Guess("u", "votes", "v", ("a", "b"), {"t": "t"}))
    options = [{"letter": "A", "text": "a", "name": "a"}]
    shown = Wording.parse("x", wording(draft)).render("u", {"t": "T", "options": options, "instruction": ""})
    assert shown.startswith(question.replace("{%", "{ %"))


def made(name, records, *words):
    Path(name).write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return judgeharness("new-task", name, *words)


@pytest.mark.parametrize("name", [name for name in SHAPES if name not in ("no votes at all", "no uid")])
def test_a_task_of_every_shape_holds(name, tmp_path):
    records, expected = SHAPES[name]
    names = ("--labels", "one,two,three") if expected.unsure else ()
    result = made("mine.jsonl", records, *names)
    assert result.code == 0, result.err
    assert f"mine.toml: 4 items, {len(expected.labels)} labels" in result.out
    case = type("Case", (TaskConformance,), {"name": str(tmp_path / "mine.toml")})()
    for test in [each for each in dir(case) if each.startswith("test_")]:
        getattr(case, test)()


LABELS = {2: ["polite", "rude"], 5: ["terrible", "bad", "fair", "good", "great"]}


@pytest.mark.parametrize("labels", LABELS.values(), ids=["two", "five"])
def test_a_csv_turned_json_lines_is_evaluated_with_explanations_and_without(labels, tmp_path):
    with open("x.csv", "w", newline="") as out:  # noqa: PTH123
        writer = csv.writer(out)
        writer.writerow(["nr", "reply", *(f"n_{label}" for label in labels), "why", "why_label"])
        for n, text in enumerate(TEXTS):
            counts = [(n * 3 + place) % 5 + 1 for place in range(len(labels))]
            writer.writerow([n, text, *counts, f"because {n}", labels[n % len(labels)]])
    records = []
    with open("x.csv", newline="") as source:  # noqa: PTH123
        for row in csv.DictReader(source):
            comment = {"text": row.pop("why"), "label": row.pop("why_label")}
            records.append({**row, "comments": [comment]})
    ordinal = ["--ordinal"] if len(labels) == 5 else []
    result = made("replies.jsonl", records, "--uid", "nr", "--question", "How is this reply?", *ordinal)
    assert result.code == 0, result.err
    assert "4 of them have explanations" in result.out
    words = (
        "eval",
        "--task",
        "replies.toml",
        "--backend",
        "hf:smollm2",
        "-o",
        "option_orders=cyclic",
        "--format",
        "json",
    )
    done = judgeharness(*words, "--strategy", "no-explanation", "--strategy", "parallel-explicit")
    assert done.code == 0, done.err
    found = json.loads(done.out)["runs"]
    assert {(run["strategy"], run["n_items"], run["n_failed"]) for run in found} == {
        ("no-explanation", 4, 0), ("parallel-explicit", 4, 0)
    }  # fmt: skip
    if len(labels) == 5:
        assert "rankcs" in judgeharness("list", "metrics").out
        assert judgeharness(*words, "--strategy", "no-explanation", "--metric", "wasserstein").code == 0


GIVEN = {
    "a field inside another": ("shares by label, inside another field", ("--human", "people.dist", "--uid", "key")),
    "annotators": ("a column an annotator", ("--annotations", "ann1, ann2")),
}


@pytest.mark.parametrize("name", GIVEN)
def test_where_votes_are_may_be_said(name):
    shape, words = GIVEN[name]
    result = made("mine.jsonl", SHAPES[shape][0], *words)
    assert result.code == 0, result.err
    assert "4 items, 2 labels (a, b)" in result.out


REFUSED = {
    "no records": ([], (), "holds no records"),
    "no votes": (SHAPES["no votes at all"][0], (), "no field holds votes: give --votes, --human or --annotations"),
    "no uid": (SHAPES["no uid"][0], (), "no field tells its items apart: give --uid"),
    "no names": (SHAPES["a list without names"][0], (), "the labels have no names: give --labels"),
    "too few names": (SHAPES["a list without names"][0], ("--labels", "a,b"), "2 labels for lists of 3 numbers"),
    "two names alike": (SHAPES["a list without names"][0], ("--labels", "a,b,a"), "two are alike"),
    "no such column": (SHAPES["columns of a table, as texts"][0], ("--labels", "no,maybe"), "maybe, yes has no column"),
    "two sources": (SHAPES["counts by label"][0], ("--votes", "votes", "--human", "votes"), "give one of"),
    "a bad field": (SHAPES["counts by label"][0], ("--field", "a-b=text"), "not of the form NAME=PATH"),
    "no such field": (SHAPES["counts by label"][0], ("--field", "a=nowhere"), "line 1: no field 'nowhere'"),
    "a label that is none": (
        SHAPES["counts by label"][0], ("--labels", "rude,kind"), "is not one of the labels rude, kind"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_a_task_leaves_nothing_behind(name):
    records, words, message = REFUSED[name]
    result = made("mine.jsonl", records, *words)
    assert result.code == 2
    assert message in result.err
    assert [path.name for path in Path().iterdir()] == ["mine.jsonl"]


def test_what_is_there_is_left_alone():
    Path("mine.jinja").write_text("precious")
    result = made("mine.jsonl", SHAPES["counts by label"][0])
    assert result.code == 2
    assert "mine.jinja: already exists" in result.err
    assert Path("mine.jinja").read_text() == "precious"
    assert not Path("mine.toml").exists()


def test_a_person_at_a_terminal_is_asked(tmp_path):
    """A real pseudo-terminal: return takes each guess, and one answer is typed."""
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(each) + "\n" for each in SHAPES["counts by label"][0]))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "judgeharness", "new-task", "mine.jsonl"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, close_fds=True)
    os.close(theirs)
    for answer in ("", "", "", "polite, rude", "", "Is it rude?"):
        os.write(ours, f"{answer}\n".encode())
    said = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        said += part
    assert process.wait(timeout=60) == 0, said.decode()
    os.close(ours)
    content = tomllib.loads((tmp_path / "mine.toml").read_text())
    assert [label["name"] for label in content["labels"]] == ["polite", "rude"]
    assert "Is it rude?" in (tmp_path / "mine.jinja").read_text()
    assert "Which field tells items apart? [id]" in said.decode()
