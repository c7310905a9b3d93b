"""Stores that are old, altered, damaged or somebody else's."""

import json
import random
import sqlite3
import sys

import numpy as np
import pytest

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import GeneratedTexts, OptionScores
from judgeharness.store.check import problems
from judgeharness.store.database import Store
from judgeharness.store.records import SessionRecord
from judgeharness.store.rescue import _middle_text
from judgeharness.store.rows import insert, register
from judgeharness.store.schema import APPLICATION_ID, COLUMNS, KEYS, MIGRATIONS
from judgeharness.store.upgrading import carry_out
from tests.helpers import judgeharness
from tests.worlds import SMALL, in_world, require_worlds

BASELINES = ("--task", "nli-sample", "--backend", "baseline:uniform", "--backend", "baseline:human")


def key(number):
    return f"{number * 2654435761 % 2**32:08x}{number:056x}"


def fill(path, answers=300):
    with Store.open(path) as store, store.sessions.recorded("s", SessionRecord(command=["judgeharness"])):
        store.answers.add_backend("b", {"backend": "test"})
        random = np.random.default_rng(0)
        for number in range(answers):
            found = OptionScores(f"i{number}", random.normal(size=(24, 3)), "logit")
            store.answers.add(key(number), "b", "s", found)
        store.answers.add(key(answers), "b", "s", GeneratedTexts("i0", ("a text",), (False,)))


@pytest.fixture
def evaluated(tmp_path):
    path = tmp_path / "store.db"
    assert judgeharness("eval", *BASELINES, "--store", path).code == 0
    return path


def rows(path, table):
    connection = sqlite3.connect(path)
    found = connection.execute(f"SELECT {', '.join(COLUMNS[table])} FROM {table} ORDER BY 1, 2").fetchall()
    connection.close()
    return found


def test_columns_and_keys_are_those_of_the_schema(tmp_path):
    Store.open(tmp_path / "s.db").close()
    connection = sqlite3.connect(tmp_path / "s.db")
    for table, columns in COLUMNS.items():
        found = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        assert found == [*columns, "checksum"]
        assert set(KEYS[table]) <= set(columns)
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    # A lease lives no longer than the session that has it.
    assert tables == {*COLUMNS, "leases"}
    connection.close()


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_an_older_store_is_brought_up_to_date_after_a_backup(tmp_path, version):
    path = tmp_path / "store.db"
    connection = sqlite3.connect(path, isolation_level=None)
    register(connection)
    for script in MIGRATIONS[:version]:
        carry_out(connection, script)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    for table, values in {
        "sessions": ("s", "2026", None, "running", "{}"),
        "backends": ("b", "{}"),
        "scores": ("k", "b", "s", "i1", "logit", "[[1.5,2]]", None, None, "2026"),
    }.items():
        if version >= 3:
            insert(connection, table, [dict(zip(COLUMNS[table], values, strict=True))])
        else:
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)
    connection.close()
    result = judgeharness("leaderboard", "--store", path)
    assert result.code == 0, result.err
    copy = tmp_path / f"store.db.version-{version}"
    assert f"as it was, it is in {copy}" in result.err
    with Store.open(path) as store:
        assert store.backup is None
        assert store.answers.scores("k").scores.tolist() == [[1.5, 2.0]]
    assert problems(path) == problems(copy) == []
    old = sqlite3.connect(copy)
    assert old.execute("PRAGMA user_version").fetchone() == (version,)
    assert old.execute("SELECT key FROM scores").fetchall() == [("k",)]
    old.close()
    # A backup that is there is never overwritten.
    for again in (sqlite3.connect(copy), sqlite3.connect(path)):
        again.close()
    path.unlink()
    path.write_bytes(copy.read_bytes())
    assert judgeharness("leaderboard", "--store", path).code == 0
    assert (tmp_path / f"store.db.version-{version}.2").is_file()


def test_no_backup_no_migration(tmp_path):
    require_worlds(tmp_path)
    folder = tmp_path / "disk"
    folder.mkdir()
    script = f"""
import sqlite3, sys
from pathlib import Path
from judgeharness.store.upgrading import carry_out
from judgeharness.store.schema import MIGRATIONS
path = Path(sys.argv[1]) / "store.db"
connection = sqlite3.connect(path, isolation_level=None)
carry_out(connection, MIGRATIONS[0])
connection.execute("PRAGMA application_id = {APPLICATION_ID}")
connection.execute("PRAGMA user_version = 1")
# Of the disk, no more is left than the store takes.
connection.execute("CREATE TABLE mine (a)")
connection.execute("INSERT INTO mine VALUES (zeroblob(100000))")
connection.close()
from judgeharness.cli.program import run
print(run(["leaderboard", "--store", str(path)]))
version = sqlite3.connect(path).execute("PRAGMA user_version").fetchone()
print(version, sorted(each.name for each in path.parent.iterdir()))
"""
    done = in_world(SMALL, folder, [sys.executable, "-c", script, str(folder)])
    code, rest = done.stdout.splitlines()
    assert code == "1"
    assert "store.db.version-1: cannot be written: database or disk is full" in done.stderr
    assert rest == "(1,) ['store.db', 'store.db-shm', 'store.db-wal']"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON scores BEGIN DELETE FROM runs; END", "trigger 't'"),
        ("ALTER TABLE scores ADD COLUMN mine TEXT", "table 'scores'"),
        ("DROP TABLE metrics", "table 'metrics'"),
    ],
)
def test_an_altered_store_is_refused(tmp_path, statement, named):
    path = tmp_path / "store.db"
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
    result = judgeharness("leaderboard", "--store", path)
    assert result.code == 1
    assert f"{named} is not of judgeharness" in result.err


def test_views_and_indexes_of_the_user_are_none_of_our_business(tmp_path):
    path = tmp_path / "store.db"
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("CREATE VIEW mine AS SELECT uid FROM scores")
    connection.execute("CREATE INDEX also_mine ON scores (uid)")
    connection.close()
    assert judgeharness("leaderboard", "--store", path).code == 0


def test_a_changed_digit_is_found_and_never_measured(evaluated):
    before = json.loads(judgeharness("leaderboard", "--format", "json", "--store", evaluated).out)
    connection = sqlite3.connect(evaluated)
    for table, column in (("predictions", "probabilities"), ("items", "human"), ("metrics", "value")):
        connection.execute("BEGIN")
        name, value = connection.execute(f"SELECT {KEYS[table][1]}, {column} FROM {table} LIMIT 1").fetchone()
        other = value + 1e-9 if isinstance(value, float) else value.replace("0.3", "0.2").replace("0.5", "0.6")
        if other == value:
            other = value.replace("0.", "0.1", 1)
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {KEYS[table][1]} = ?", (other, name))
        connection.commit()
        result = judgeharness("leaderboard", "--format", "json", "--store", evaluated)
        assert result.code == 1, table
        assert "the store is damaged" in result.err
        assert result.out == ""
        check = judgeharness("store", "check", "--store", evaluated)
        assert check.code == 1
        assert f"{table}: the content of " in check.out
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {KEYS[table][1]} = ?", (value, name))
        connection.commit()
    connection.close()
    # Rows that share the changed column's key were changed too where they differ; ids of runs tell.
    assert [run["id"] for run in before["runs"]]


@pytest.mark.parametrize("column", ["scores", "kind", "uid"])
def test_changed_scores_are_an_error_in_words(tmp_path, column):
    path = tmp_path / "store.db"
    fill(path, 3)
    connection = sqlite3.connect(path)
    other = {"scores": "[[1, 2, 3]]", "kind": "logprob", "uid": "i9"}[column]
    connection.execute(f"UPDATE scores SET {column} = ? WHERE key = ?", (other, key(1)))
    connection.commit()
    connection.close()
    with Store.open(path) as store:
        assert store.answers.scores(key(0)) is not None
        with pytest.raises(HarnessError, match="damaged"):
            store.answers.scores(key(1))
    assert len(problems(path)) == 1


@pytest.mark.parametrize("seed", range(12))
def test_whatever_bytes_are_damaged_it_is_noticed_and_the_rest_is_rescued(tmp_path, seed):
    """Blocks of random bytes over a random place of the file: no figure changes unnoticed, and most is rescued."""
    path, target = tmp_path / "store.db", tmp_path / "new.db"
    fill(path)
    original = {row[0]: row for row in rows(path, "scores")}
    content = bytearray(path.read_bytes())
    draw = random.Random(seed)
    for _ in range(draw.choice((1, 1, 3))):
        # The first pages say what tables there are, and where they begin: without them nothing can be read.
        start = draw.randrange(4096 * 20, len(content) - 600)
        content[start : start + 600] = draw.randbytes(600)
    path.write_bytes(content)
    noticed = problems(path)
    result = judgeharness("store", "rescue", "--to", target, "--store", path, "--format", "json")
    assert result.code in (0, 1), result.err
    assert "Traceback" not in result.err
    found = {row[0]: row for row in rows(target, "scores")}
    assert len(found) > 250
    # What lies where no row is harms none.
    assert noticed or found == original
    assert all(original[name] == row for name, row in found.items())
    assert problems(target) == []


def test_a_whole_store_is_rescued_whole(evaluated, tmp_path):
    target = tmp_path / "new.db"
    assert judgeharness("store", "rescue", "--to", target, "--store", evaluated).code == 0
    for table in COLUMNS:
        assert sorted(rows(evaluated, table)) == sorted(rows(target, table))
    before, after = (
        judgeharness("leaderboard", "--format", "json", "--store", path).out for path in (evaluated, target)
    )
    assert before == after


def test_a_run_without_all_its_parts_is_not_rescued(evaluated, tmp_path):
    target = tmp_path / "new.db"
    connection = sqlite3.connect(evaluated)
    run = connection.execute("SELECT min(run_id) FROM predictions").fetchone()[0]
    connection.execute("UPDATE predictions SET probabilities = '[1, 0, 0]' WHERE run_id = ? AND uid LIKE '%1'", (run,))
    connection.execute("UPDATE sessions SET record = '{}'")
    connection.execute("UPDATE backends SET description = '{}'")
    connection.commit()
    connection.close()
    result = judgeharness("store", "rescue", "--to", target, "--store", evaluated, "--format", "json")
    assert result.code == 1
    tables = json.loads(result.out)["tables"]
    assert tables["runs"] == {"kept": 1, "damaged": 0, "orphaned": 1}
    assert tables["sessions"]["damaged"] == 1
    board = judgeharness("leaderboard", "--format", "json", "--store", target)
    assert [each["id"] for each in json.loads(board.out)["runs"]] != [run]
    # The same evaluation again makes what was lost.
    assert judgeharness("eval", *BASELINES, "--store", target).code == 0
    assert len(json.loads(judgeharness("leaderboard", "--format", "json", "--store", target).out)["runs"]) == 2
    assert "lost" not in judgeharness("show", run, "--format", "json", "--store", target).out


def test_what_cannot_be_rescued_is_said(tmp_path):
    (tmp_path / "zero.db").write_bytes(b"\0" * 8192)
    result = judgeharness("store", "rescue", "--to", tmp_path / "new.db", "--store", tmp_path / "zero.db")
    assert result.code == 1
    assert "nothing can be read" in result.err
    assert judgeharness("store", "rescue", "--to", tmp_path / "new.db", "--store", tmp_path / "absent.db").code == 2


@pytest.mark.parametrize("seed", range(30))
def test_damage_to_what_says_how_tables_are_made(evaluated, tmp_path, seed):
    """The first pages hold the schema: every command ends with a result or an error in words."""
    with sqlite3.connect(evaluated) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    content = bytearray(evaluated.read_bytes())
    draw = random.Random(seed)
    for _ in range(draw.choice((1, 3, 8))):
        content[draw.randrange(100, 4096 * 2)] = draw.choice((0x00, 0xEA, 0xFF, draw.randrange(256)))
    evaluated.write_bytes(content)
    for words in (
        ("store", "check"),
        ("leaderboard",),
        ("store", "rescue", "--to", tmp_path / "new.db"),
        ("store", "backup", "--to", tmp_path / "copy.db"),
    ):
        result = judgeharness(*words, "--store", evaluated)
        assert result.code in (0, 1, 2)
        assert "Traceback" not in result.err
        assert "\x1b" not in result.out + result.err
    result = judgeharness("merge", evaluated, "--store", tmp_path / "merged.db")
    assert result.code in (0, 1, 2)


def test_backup(evaluated, tmp_path):
    assert judgeharness("store", "backup", "--to", tmp_path / "copy.db", "--store", evaluated).code == 0
    assert problems(tmp_path / "copy.db") == []
    assert rows(tmp_path / "copy.db", "predictions") == rows(evaluated, "predictions")
    again = judgeharness("store", "backup", "--to", tmp_path / "copy.db", "--store", evaluated)
    assert again.code == 2
    assert "is a database" in again.err


def test_between_two_texts():
    draw = random.Random(0)
    for _ in range(500):
        low, high = sorted("".join(draw.choices("ab\U0010fff0é", k=draw.randrange(4))) for _ in range(2))
        half = _middle_text(low, high)
        assert half is None or low < half < high
    assert "a" < _middle_text("a", "b") < "b"
