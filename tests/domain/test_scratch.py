"""Folders for unfinished work: left by who was killed, removed by who comes next, and never by anybody else."""

import logging
import os
import signal
import subprocess
import sys

import pytest

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.locks import is_held, take
from judgeharness.domain.scratch import PREFIX, UNFINISHED, resumable, scratch, unfinished
from tests.worlds import leftovers

WORKER = """
import sys
from pathlib import Path
from judgeharness.domain.scratch import resumable, scratch
folder = Path(sys.argv[1])
with scratch(folder) as work, resumable(folder / "training-1.part", "this training"):
    (work / "half").write_text("")
    (folder / "training-1.part" / "checkpoint").write_text("")
    print("at work", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def worker(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", WORKER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"at work\n"
    yield process
    process.kill()
    process.communicate()


def test_work_of_the_living_is_left_alone_and_that_of_the_dead_removed(tmp_path, worker):
    with scratch(tmp_path) as work:
        assert len(list(tmp_path.glob(f"{PREFIX}*"))) == 2
        (work / "folder").mkdir()
    assert len(list(tmp_path.glob(f"{PREFIX}*"))) == 1
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    with scratch(tmp_path) as work:
        assert list(tmp_path.glob(f"{PREFIX}*")) == [work]
    assert list(tmp_path.glob(f"{PREFIX}*")) == []


def test_what_is_resumed_stays_until_it_is_done(tmp_path, worker):
    work = tmp_path / f"training-1{UNFINISHED}"
    with (
        pytest.raises(HarnessError, match="another process is at work on this training"),
        resumable(work, "this training"),
    ):
        raise AssertionError
    assert unfinished(tmp_path) == []
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert unfinished(tmp_path) == [work]
    with pytest.raises(ZeroDivisionError), resumable(work, "this training"):
        assert (work / "checkpoint").exists()
        raise ZeroDivisionError
    assert unfinished(tmp_path) == [work]
    with resumable(work, "this training"):
        assert (work / "checkpoint").exists()
    assert not work.exists()


def test_what_only_looks_like_a_leftover_stays(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "data").write_text("")
    (tmp_path / f"{PREFIX}link").symlink_to("mine")
    (tmp_path / f"{PREFIX}file").write_text("")
    if os.geteuid() == 0:
        (tmp_path / f"{PREFIX}theirs").mkdir()
        os.chown(tmp_path / f"{PREFIX}theirs", 12345, 12345)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with scratch(tmp_path):
        pass
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_what_cannot_be_removed_is_named(tmp_path, caplog):
    stuck = tmp_path / f"{PREFIX}stuck"
    stuck.mkdir()
    (stuck / "file").write_text("")
    if subprocess.run(["chattr", "+i", stuck / "file"], capture_output=True).returncode:
        pytest.skip("this file system has no immutable files")
    try:
        with caplog.at_level(logging.WARNING), scratch(tmp_path):
            pass
        (said,) = caplog.messages
        assert said == f"{stuck}: left by a process that ended, cannot be removed: Operation not permitted"
    finally:
        subprocess.run(["chattr", "-i", stuck / "file"], check=True)


def test_a_folder_in_which_nothing_can_be_made(tmp_path):
    for folder in (tmp_path / "absent", tmp_path / "file"):
        (tmp_path / "file").write_text("")
        with pytest.raises(HarnessError, match="cannot be written to"), scratch(folder):
            raise AssertionError
        with pytest.raises(HarnessError, match="cannot be written"), resumable(tmp_path / "file" / "x.part", "x"):
            raise AssertionError


def test_scratch_of_the_system_is_removed_too():
    with scratch() as work:
        (work / "x").write_text("")
    assert not work.exists()


def test_locks_end_with_their_process(tmp_path, worker):
    lock = take(tmp_path / "lock")
    assert is_held(tmp_path / "lock")
    assert take(tmp_path / "lock") is None
    lock.release()
    assert not is_held(tmp_path / "lock")
    (held,) = tmp_path.glob(f"{PREFIX}*/.lock")
    assert is_held(held)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert not is_held(held)
    assert not held.exists()
    # What is no lock, and what cannot be told, is nobody's to remove.
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    assert is_held(tmp_path / "folder")
    assert is_held(tmp_path / "link")
    assert leftovers(tmp_path) != []
