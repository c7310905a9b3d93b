"""Files of users: what is no regular file is refused, sizes are bounded, and files are written whole or not at all."""

import ast
import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import judgeharness
from judgeharness.domain import files
from judgeharness.domain.errors import HarnessError, InputError
from tests.worlds import SMALL, in_world, leftovers, require_worlds

SOURCE = Path(judgeharness.__file__).parent

REFUSED = {
    "/dev/zero": "is a device",
    "/dev/full": "is a device",
    "pipe": "is a pipe",
    "socket": "is a socket",
    "folder": "is a folder",
    "link": "is a device",
    "circle": "",
    "a\0b": "null byte",
    "n" * 256: "",
    "n" * 5000: "",
}


@pytest.fixture
def world(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "circle").symlink_to("circle")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        yield tmp_path


@pytest.mark.parametrize(("name", "named"), REFUSED.items(), ids=[name[:9].replace("\0", "0") for name in REFUSED])
def test_what_is_no_file_is_neither_read_nor_written(world, name, named):
    before = sorted(world.iterdir())
    for use in (lambda: files.read_bytes(Path(name), 100), lambda: files.write(Path(name), "new")):
        with pytest.raises(InputError) as caught:
            use()
        assert named in caught.value.message
        assert len(caught.value.message) < 400
    assert sorted(world.iterdir()) == before
    assert stat.S_ISFIFO((world / "pipe").stat().st_mode)


def test_sizes_are_bounded(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"x" * 100)
    assert files.read_bytes(path, 100) == b"x" * 100
    with pytest.raises(InputError, match="larger than 99 bytes, the most that a letter may have"):
        files.read_bytes(path, 99, "letter")
    # No byte of it is on the disk.
    os.truncate(path, 1 << 40)
    begun = time.monotonic()
    with pytest.raises(InputError, match="larger than"):
        files.read_bytes(path)
    assert time.monotonic() - begun < 1


def test_a_file_that_gives_an_error_is_named():
    with pytest.raises(InputError, match="/proc/self/mem: cannot be read: Input/output error"):
        files.read_bytes(Path("/proc/self/mem"))


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"x" * 100_000)
    with files.opened(path) as stream:
        assert stream.read(10) == b"x" * 10
        with path.open("ab") as writer:
            writer.write(b"y")
        with pytest.raises(InputError, match="grew while it was read"):
            stream.read()


def test_whatever_grows_without_end_is_left_in_time(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"")
    done = threading.Event()

    def grow():
        with path.open("ab", buffering=0) as writer:
            while not done.is_set():
                writer.write(b"x" * (1 << 16))

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with contextlib.suppress(InputError):
            files.read_bytes(path, 1 << 30)
    finally:
        done.set()
        writer.join()


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"x" * 101])
def test_standard_input_is_read_as_far_as_it_may_be(content):
    script = "from judgeharness.domain.files import *; print(len(read_bytes(Path('/dev/stdin'), 100)))"
    done = subprocess.run([sys.executable, "-c", script], input=content, capture_output=True)
    assert (done.stdout.strip() == str(len(content)).encode()) == (len(content) <= 100)
    assert (b"larger than 100 bytes" in done.stderr) == (len(content) > 100)


def test_links_stay_and_what_they_name_is_written(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old").write_text("old")
    (tmp_path / "link").symlink_to("folder/old")
    (tmp_path / "dangling").symlink_to("folder/new")
    for name in ("link", "dangling"):
        files.write(tmp_path / name, "now")
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / name).read_text() == "now"
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == ["new", "old"]


def test_permissions_are_those_of_the_old_file_or_the_usual_ones(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("old")
    old.chmod(0o604)
    before = os.umask(0o026)
    try:
        files.write(old, "now")
        files.write(new, "now")
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (old, new)] == [0o604, 0o640]


@pytest.mark.parametrize("length", [247, 248, 254, 255])
def test_long_names_are_written(tmp_path, length):
    for name in ("n" * length, "ü" * (length // 2)):
        files.write(tmp_path / name, "text")
        assert (tmp_path / name).read_text() == "text"
    assert leftovers(tmp_path) == []


def test_an_error_on_the_way_leaves_the_old_file(tmp_path):
    path = tmp_path / "f"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), files.replacing(path) as stream:
        stream.write(b"half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert leftovers(tmp_path) == []


def test_a_full_disk_leaves_the_old_file(tmp_path):
    require_worlds(tmp_path)
    folder = tmp_path / "disk"
    folder.mkdir()
    script = """
import sys
from pathlib import Path
from judgeharness.domain import files
path = Path(sys.argv[1])
files.write(path, "old")
try:
    files.write(path, "x" * 1_000_000)
except files.HarnessError as error:
    print(error.message)
print(path.read_text(), [each.name for each in path.parent.iterdir()])
"""
    done = in_world(SMALL, folder, [sys.executable, "-c", script, str(folder / "f")])
    assert done.stdout.splitlines() == [
        f"{folder / 'f'}: cannot be written: No space left on device",
        "old ['f']",
    ], done.stderr


WRITER = """
import sys, time
from pathlib import Path
from judgeharness.domain import files
with files.replacing(Path(sys.argv[1])) as stream:
    stream.write(b"half")
    stream.flush()
    print("half", flush=True)
    sys.stdin.read()
    stream.write(b" and whole")
"""


def test_killed_writers_leave_the_old_file_and_the_next_removes_what_they_left(tmp_path):
    path = tmp_path / "f"
    path.write_text("old")
    killed, living = (
        subprocess.Popen([sys.executable, "-c", WRITER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    )
    for writer in (killed, living):
        assert writer.stdout.readline() == b"half\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert path.read_text() == "old"
    assert len(leftovers(tmp_path)) == 4
    files.write(path, "now")
    assert path.read_text() == "now"
    # The folder and the lock of the one that goes on.
    assert len(leftovers(tmp_path)) == 2
    living.communicate(b"")
    assert living.returncode == 0
    assert path.read_text() == "half and whole"
    assert leftovers(tmp_path) == []


def test_a_folder_for_files_is_made_or_refused(tmp_path):
    files.make_folder(tmp_path / "a" / "b")
    (tmp_path / "f").write_text("")
    for name in ("f", "f/x", "/dev/null/x", "n" * 300):
        with pytest.raises(InputError):
            files.make_folder(tmp_path / name)
    assert files.remember(tmp_path / "f" / "x", "text") == f"{tmp_path / 'f'}: is not a folder"
    with pytest.raises(HarnessError, match="there is no folder"):
        files.write(tmp_path / "absent" / "f", "")


OWN = {"domain/files.py", "domain/locks.py"}
OTHERS = {
    "cli/shared/streams.py": "the stand-in for a stream that is closed",
    "domain/api_keys.py": "the tokens of libraries, at every start and so without importing pathlib",
    "plugins/entrypoints.py": "what pip has installed",
    "tasks/datasets.py": "what ships with judgeharness",
    "reports/page/templates.py": "what ships with judgeharness",
    "plugins/scaffold.py": "what ships with judgeharness",
    "backends/llamacpp/check.py": "what the system says of its processor",
    "backends/llamacpp/library.py": "a model file, into memory as it is used",
}
METHODS = {"read_text", "read_bytes", "write_text", "write_bytes", "touch"}
FUNCTIONS = {"open", "mkstemp", "mkdtemp", "TemporaryDirectory", "TemporaryFile", "NamedTemporaryFile"}
MODULES = {"tempfile", "io", "os"}


def _calls(path):
    """The calls of a module that open files: open(...), path.open(mode), path.read_text() and the like."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            yield node.func.id
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_of_files(node, node.func):
            yield node.func.attr


def _is_of_files(node, called):
    of_module = isinstance(called.value, ast.Name) and called.value.id in MODULES
    # Stores, archives and models are opened too, but in no mode.
    in_mode = bool(node.args) and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    return called.attr in METHODS or (called.attr in FUNCTIONS and (of_module or in_mode))


def test_no_other_module_opens_files_by_itself():
    found = {path.relative_to(SOURCE).as_posix(): sorted(_calls(path)) for path in SOURCE.rglob("*.py")}
    found = {name: calls for name, calls in found.items() if calls and not name.startswith("testing/")}
    assert set(found) == {*OWN, *OTHERS}, found
