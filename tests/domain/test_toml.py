"""TOML of users: what would take a parser or a check too long is refused or read at once."""

import time

import pytest

from judgeharness.domain.errors import InputError
from judgeharness.domain.toml import MAX_BYTES, MAX_PARTS, FileTable, read_toml

ENDLESS = {
    "letters": "x" * 1_000_000,
    "letters and blanks": "x " * 500_000,
    "letters and dots": ("x" * 1000 + ".\n") * 1000,
    "quotes": '"' * 1_000_000,
    "quotes and letters": '"x' * 500_000,
    "blanks": "x" + " " * 1_000_000,
    "keys with blanks": ("a" + " " * 1000 + ".") * 20 + "a",
    "keys": "a." * (MAX_PARTS + 1) + "a = 1",
    "quoted keys": "'a' . " * (MAX_PARTS + 1) + "'a' = 1",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_no_text_takes_long(tmp_path, name):
    path = tmp_path / "f.toml"
    assert len(ENDLESS[name]) < MAX_BYTES
    path.write_text(ENDLESS[name])
    begun = time.process_time()
    with pytest.raises(InputError):
        read_toml(path, FileTable, "task")
    assert time.process_time() - begun < 5
