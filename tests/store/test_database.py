import contextlib
import sqlite3
import threading
from dataclasses import replace

import numpy as np
import pytest

from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.nouns import OptionScores
from judgeharness.store import database
from judgeharness.store.database import Store, store_path
from judgeharness.store.records import SessionRecord
from judgeharness.store.rows import sealed
from judgeharness.store.schema import APPLICATION_ID, MIGRATIONS
from tests.helpers import bundled, judgeharness


def scores(uid="i1", **more):
    return OptionScores(uid, np.array([[1.5, 2.0, -3.25], [0.1, 0.2, 0.3]]), "logit", **more)


@pytest.fixture
def session(store):
    with store.sessions.recorded("s", SessionRecord(command=["judgeharness"])):
        store.answers.add_backend("b", {"backend": "test"})
        yield "s"


def test_scores_come_back_as_they_were(store, session):
    full = scores(mass=np.array([0.9, 1 / 3]), censored=np.array([[True, False, False]] * 2))
    store.answers.add("full", "b", session, full)
    store.answers.add("bare", "b", session, scores("i2"))
    back = store.answers.scores("full")
    np.testing.assert_array_equal(back.scores, full.scores)
    np.testing.assert_array_equal(back.mass, full.mass)
    np.testing.assert_array_equal(back.censored, full.censored)
    assert (back.uid, back.kind) == ("i1", "logit")
    bare = store.answers.scores("bare")
    assert (bare.mass, bare.censored) == (None, None)
    assert store.answers.scores("absent") is None
    assert store.answers.known(["full", "absent", "bare"]) == {"full", "bare"}
    assert store.answers.description("b") == {"backend": "test"}


def test_what_is_stored_stays(store, session):
    store.answers.add("k", "b", session, scores())
    store.answers.add("k", "b", session, OptionScores("i1", np.zeros((1, 3)), "logit"))
    assert store.answers.scores("k").scores.shape == (2, 3)


def test_scores_need_their_backend_and_session(store, session):
    for backend, owner in (("absent", session), ("b", "absent")):
        with pytest.raises(sqlite3.IntegrityError):
            store.answers.add("k", backend, owner, scores())


def test_every_write_is_there_for_another_reader_at_once(store, session, tmp_path):
    store.answers.add("k", "b", session, scores())
    with Store.open(tmp_path / "store.db") as other:
        assert other.answers.known(["k"]) == {"k"}


@pytest.mark.parametrize(("error", "status"), [(ValueError, "failed"), (KeyboardInterrupt, "interrupted")])
def test_how_a_session_ended_is_kept(store, error, status):
    with pytest.raises(error), store.sessions.recorded("x", SessionRecord()):
        assert store.sessions.find("x").status == "running"
        raise error
    assert store.sessions.find("x").status == status
    with store.sessions.recorded("y", SessionRecord()):
        pass
    assert store.sessions.find("y").status == "done"


def test_many_writers_take_turns(tmp_path):
    path = tmp_path / "shared.db"
    failures = []

    def write(name):
        try:
            with Store.open(path) as own, own.sessions.recorded(name, SessionRecord()):
                own.answers.add_backend("b", {})
                for index in range(20):
                    own.answers.add(f"{name}-{index}", "b", name, scores())
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Store.open(path) as whole:
        assert len(whole.answers.known([f"w{n}-{index}" for n in range(4) for index in range(20)])) == 80


def test_a_store_that_many_make_at_once_is_made_once(tmp_path):
    failures = []
    for number in range(10):
        start = threading.Barrier(6)

        def make(path, start=start):
            start.wait()
            try:
                Store.open(path).close()
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=make, args=(tmp_path / f"{number}.db",)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_the_file_says_what_it_is(tmp_path):
    path = tmp_path / "store.db"
    Store.open(path).close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    connection.close()


def test_a_newer_store_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "store.db"
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(HarnessError, match="written by a newer judgeharness"):
        Store.open(path)
    assert path.read_bytes() == before


def test_files_that_are_no_store_are_refused_and_left_alone(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("my notes " * 200)
    foreign = tmp_path / "other.db"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE mine (a)")
    connection.commit()
    connection.close()
    for path, message in ((text, "not an SQLite file"), (foreign, "of another program"), (tmp_path, "not a place")):
        before = path.read_bytes() if path.is_file() else None
        with pytest.raises(InputError, match=message):
            Store.open(path)
        assert before is None or path.read_bytes() == before
    with pytest.raises(InputError, match="not a place"):
        Store.open(tmp_path / "no" / "folder.db")


def test_commands_that_only_read_make_no_store(tmp_path):
    for command in (["leaderboard"], ["show", "abc"]):
        result = judgeharness(*command, "--store", tmp_path / "absent.db")
        assert result.code == 2
        assert "no store there" in result.err
    assert not (tmp_path / "absent.db").exists()


def test_a_damaged_store_is_an_error_in_words(tmp_path):
    path = tmp_path / "store.db"
    Store.open(path).close()
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\x55" * 3996
    path.write_bytes(content)
    with pytest.raises(HarnessError):
        Store.open(path)


def test_an_old_sqlite_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(database.sqlite3, "sqlite_version_info", (3, 30, 0))
    with pytest.raises(HarnessError, match="too old"):
        Store.open(tmp_path / "store.db")


def test_where_the_store_is(monkeypatch):
    assert str(store_path(None)) == "judgeharness.db"
    monkeypatch.setenv("JUDGEHARNESS_STORE", "elsewhere.db")
    assert str(store_path(None)) == "elsewhere.db"
    assert str(store_path("given.db")) == "given.db"


@pytest.mark.parametrize("name", [":memory:", "file:x.db", "file:x?mode=memory", "a b?c#d%20.db"])
def test_a_name_is_a_file_whatever_sqlite_makes_of_it(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    asked = ("eval", "--task", "nli-sample", "--limit", "2", "--backend", "baseline:uniform", "--store", name)
    assert judgeharness(*asked).code == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert judgeharness("leaderboard", "--store", name).code == 0


@pytest.mark.parametrize("fate", ["removed", "replaced"])
def test_a_store_that_goes_away_is_said(tmp_path, fate):
    path = tmp_path / "s.db"
    with (
        Store.open(path) as store,
        pytest.raises(HarnessError, match="moved, removed or replaced"),
        store.sessions.recorded("x", SessionRecord()),
    ):
        path.unlink()
        if fate == "replaced":
            path.write_bytes(b"")


def test_a_unique_index_of_somebody_else_is_refused(tmp_path):
    path = tmp_path / "s.db"
    Store.open(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE INDEX mine ON sessions (status)")
        Store.open(path).close()
        connection.execute("CREATE UNIQUE INDEX other ON sessions (status)")
    with pytest.raises(HarnessError, match="unique index 'other'"):
        Store.open(path)


def test_numbers_that_no_sum_can_hold_are_damage(tmp_path):
    path = tmp_path / "s.db"
    asked = ("eval", "--task", "nli-sample", "--limit", "2", "--backend", "baseline:uniform", "--store", path)
    assert judgeharness(*asked).code == 0
    with Store.open(path) as store:
        store.connection.execute("UPDATE items SET human = '[1e308, 1e308, 1e308]'")
        store.connection.execute(f"UPDATE items SET checksum = {sealed('items')}")
    result = judgeharness("leaderboard", "--store", path)
    assert result.code == 1
    assert "the store is damaged" in result.err


def test_clusters_are_kept_with_the_task(store, folders):
    task = bundled("nli-sample", folders)
    store.runs.add_task(task)
    assert {item.cluster for item in store.runs.items(task.digest)} == {None}
    names = ["a", "b", "a", *map(str, range(len(task.items) - 3))]
    shared = replace(task, items=tuple(replace(i, cluster=name) for i, name in zip(task.items, names, strict=True)))
    assert shared.digest == task.digest
    store.runs.add_task(shared)
    found = [item.cluster for item in store.runs.items(task.digest)]
    assert found[:3] == ["0", "1", "0"]
    assert len(set(found)) == len(task.items) - 1
