"""Stores of several machines in one."""

import json
import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from judgeharness.domain.nouns import GeneratedTexts, OptionScores
from judgeharness.store.check import problems
from judgeharness.store.database import Store
from judgeharness.store.records import SessionRecord
from judgeharness.store.rows import register
from judgeharness.store.schema import APPLICATION_ID, COLUMNS, MIGRATIONS
from judgeharness.store.upgrading import carry_out
from tests.helpers import judgeharness

MODEL = ("--task", "nli-sample", "--strategy", "no-explanation", "--backend", "hf:smollm2")


def make(path, answers, session="s", scores=0.5):
    """A store with scores of these keys."""
    with Store.open(path) as store, store.sessions.recorded(session, SessionRecord(command=[path.name])):
        store.answers.add_backend("b", {"backend": "test"})
        for key in answers:
            store.answers.add(key, "b", session, OptionScores(f"i{key}", np.full((2, 3), scores), "logit"))
    return path


def merged(target, *sources, options=()):
    return judgeharness("merge", *sources, "--store", target, "--format", "json", *options)


def dump(path, *tables):
    connection = sqlite3.connect(path)
    found = {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in tables or COLUMNS}
    connection.close()
    return found


def test_what_is_new_is_added_and_what_is_known_counted(tmp_path):
    one, two = make(tmp_path / "1.db", "ab", "s1"), make(tmp_path / "2.db", "bc", "s2")
    before = one.read_bytes(), two.read_bytes()
    result = merged(tmp_path / "all.db", one, two)
    assert result.code == 0, result.err
    tables = json.loads(result.out)["tables"]
    assert tables["scores"] == {"added": 3, "known": 1}
    assert tables["sessions"] == {"added": 2, "known": 0}
    assert [row[0] for row in dump(tmp_path / "all.db")["scores"]] == ["a", "b", "c"]
    assert problems(tmp_path / "all.db") == []
    assert (one.read_bytes(), two.read_bytes()) == before
    # Once more changes nothing.
    again = json.loads(merged(tmp_path / "all.db", one, two).out)["tables"]
    assert all(numbers["added"] == 0 for numbers in again.values())


@pytest.mark.parametrize(
    ("difference", "options", "code"), [(5e-5, (), 0), (0.1, (), 1), (0.1, ("--tolerance", "1"), 0)]
)
def test_the_same_answer_twice_has_to_be_the_same(tmp_path, difference, options, code):
    one, two = make(tmp_path / "1.db", "a", "s1"), make(tmp_path / "2.db", "xyza", "s2", 0.5 + difference)
    before = dump(one)
    result = merged(one, two, options=options)
    assert result.code == code
    if code:
        assert "1 rows of scores are there already and differ: a" in result.err
        assert "nothing was merged" in result.err
        assert dump(one) == before
    else:
        with Store.open(one) as store:
            assert store.answers.scores("a").scores[0, 0] == 0.5


def test_texts_that_differ_in_a_letter(tmp_path):
    paths = []
    for number, text in enumerate(("yes", "yes.")):
        paths.append(make(tmp_path / f"{number}.db", "", f"s{number}"))
        with Store.open(paths[-1]) as store:
            store.answers.add("t", "b", f"s{number}", GeneratedTexts("i", (text,), (False,)))
    result = merged(tmp_path / "all.db", *paths)
    assert result.code == 1
    assert "1 rows of texts" in result.err


def test_a_source_that_is_older_stays_so(tmp_path):
    old = tmp_path / "old.db"
    connection = sqlite3.connect(old, isolation_level=None)
    register(connection)
    carry_out(connection, MIGRATIONS[0])
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    connection.execute("INSERT INTO backends VALUES ('b', '{}')")
    connection.close()
    before = old.read_bytes()
    assert merged(tmp_path / "all.db", old).code == 0
    assert old.read_bytes() == before
    assert len(dump(tmp_path / "all.db")["backends"]) == 1


def test_a_damaged_source_is_refused_and_nothing_merged(tmp_path):
    good, bad = make(tmp_path / "1.db", "a", "s1"), make(tmp_path / "2.db", "b", "s2")
    connection = sqlite3.connect(bad)
    connection.execute("UPDATE scores SET scores = '[[1, 2, 3]]'")
    connection.commit()
    connection.close()
    result = merged(tmp_path / "all.db", good, bad)
    assert result.code == 1
    assert "2.db: 1 rows of scores" in result.err
    assert not (tmp_path / "all.db").exists()


def test_wrong_usage(tmp_path):
    one = make(tmp_path / "1.db", "a")
    (tmp_path / "text.db").write_text("no store " * 1000)
    for words, message in (
        ((one, one), "cannot be merged with itself"),
        ((one, tmp_path / "absent.db"), "no store there"),
        ((tmp_path / "all.db", tmp_path / "text.db"), "cannot be read as a store"),
        ((one, tmp_path), "no store there"),
    ):
        result = merged(*words)
        assert result.code == 2, result.err
        assert message in result.err
    assert judgeharness("merge", "--store", one).code == 2


def test_of_a_run_that_is_there_twice_the_more_complete_stays(tmp_path):
    words = ("eval", "--task", "nli-sample", "--backend", "baseline:uniform", "--limit", "3", "--store")
    one, two = tmp_path / "1.db", tmp_path / "2.db"
    assert judgeharness(*words, one).code == 0
    shutil.copy(one, two)
    connection = sqlite3.connect(two)
    register(connection)
    connection.execute("UPDATE predictions SET probabilities = NULL, failure = 'no network' WHERE uid LIKE '%1'")
    connection.execute("UPDATE runs SET n_failed = 1, created = '2100'")
    for table in ("runs", "predictions"):
        columns = ", ".join(COLUMNS[table])
        connection.execute(f"UPDATE {table} SET checksum = row_checksum({columns})")
    connection.commit()
    connection.close()
    for target, source in ((one, two), (two, one)):
        copy = tmp_path / f"to-{target.name}"
        shutil.copy(target, copy)
        assert merged(copy, source).code == 0
        board = json.loads(judgeharness("leaderboard", "--store", copy, "--format", "json").out)
        assert [run["n_failed"] for run in board["runs"]] == [0]
        assert dump(copy, "predictions") == dump(one, "predictions")


def test_two_shards_make_the_whole(tmp_path):
    """Scored in two parts into two stores, merged, measured without a model: the same as in one go."""
    for shard in ("1/2", "2/2"):
        result = judgeharness("eval", *MODEL, "--limit", "7", "--shard", shard, "--store", tmp_path / f"{shard[0]}.db")
        assert result.code == 0, result.err
        assert f"shard {shard}: {4 if shard == '1/2' else 3} of {4 if shard == '1/2' else 3} items" in result.err
        assert result.out == ""
    assert merged(tmp_path / "all.db", tmp_path / "1.db", tmp_path / "2.db").code == 0
    parts = judgeharness("eval", *MODEL, "--limit", "7", "--store", tmp_path / "all.db", "--format", "json")
    whole = judgeharness("eval", *MODEL, "--limit", "7", "--store", tmp_path / "one.db", "--format", "json")
    for left, right in zip(json.loads(parts.out)["runs"], json.loads(whole.out)["runs"], strict=True):
        assert left["id"] == right["id"]
        assert left["metrics"] == pytest.approx(right["metrics"], abs=3e-4)
    record = json.loads(judgeharness("show", left["id"], "--store", tmp_path / "all.db", "--format", "json").out)
    assert record["record"]["prompts_scored"] == 0


def test_two_processes_share_a_store(tmp_path):
    """Both at the same time: nothing is lost, nothing asked twice, and the whole makes its run of what is there."""
    store = tmp_path / "s.db"
    words = [sys.executable, "-m", "judgeharness", "eval", *MODEL, "--limit", "8", "--store", str(store)]
    both = [subprocess.Popen([*words, "--shard", f"{n}/2"], stderr=subprocess.PIPE, text=True) for n in (1, 2)]
    for process in both:
        assert process.communicate()[1].count("4 of 4 items are answered") == 1
        assert process.returncode == 0
    assert len(dump(store, "scores")["scores"]) == 8
    assert problems(store) == []
    result = judgeharness("eval", *MODEL, "--limit", "8", "--store", store)
    assert result.code == 0
    assert "prompts to do" not in result.err


def test_a_disk_that_is_full_costs_nothing_that_was_there(tmp_path):
    """No file may get larger: what SQLite meets then is what it meets on a full disk."""
    store = tmp_path / "s.db"
    items = [{"uid": str(number), "t": "x", "v": [number, 1500 - number]} for number in range(1500)]
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    (tmp_path / "prompt.jinja").write_text("{{ t }}")
    (tmp_path / "task.toml").write_text(
        'name = "mine"\ntitle = "Mine"\ntemplate = "prompt.jinja"\n'
        'labels = [{name = "yes", text = "Yes"}, {name = "no", text = "No"}]\n'
        'items = {file = "items.jsonl", uid = "uid", votes = "v", fields = {t = "t"}}\n'
    )
    asked = ("eval", "--task", str(tmp_path / "task.toml"), "--store", str(store), "--backend")
    assert judgeharness(*asked, "baseline:uniform").code == 0
    before = dump(store)
    script = (
        "import resource, sys; from judgeharness.cli.program import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000,) * 2); main(sys.argv[1:])"
    )
    words = [sys.executable, "-c", script, *asked, "baseline:human"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1
    assert "s.db: " in done.stderr
    assert "Traceback" not in done.stderr
    assert problems(store) == []
    assert dump(store, "runs", "predictions") == {name: before[name] for name in ("runs", "predictions")}
    assert judgeharness(*asked, "baseline:human").code == 0


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "a/b", "1/0", "-1/2", "1/2/3", "", "1000000000/1000000000"])
def test_what_is_no_shard(tmp_path, text):
    result = judgeharness("eval", *MODEL, "--shard", text, "--store", tmp_path / "s.db")
    assert result.code == 2
    assert f"--shard {text}: is not a part of a whole" in result.err
    assert not (tmp_path / "s.db").exists()


def test_nothing_to_share_out(tmp_path):
    words = ("--task", "nli-sample", "--backend", "baseline:uniform", "--shard", "1/2")
    result = judgeharness("eval", *words, "--store", tmp_path / "s.db")
    assert result.code == 2
    assert "there is nothing to share out" in result.err
