"""JSON in the store is taken for what it should be; a store that somebody forged costs an error in words."""

import json
import shutil
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as some

from judgeharness.store import shapes
from judgeharness.store.rows import checksum, register
from judgeharness.store.schema import CONTENTS
from tests.helpers import judgeharness

JSON = some.recursive(
    some.none() | some.booleans() | some.floats() | some.integers() | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_whatever_json_it_is_there_is_a_value_of_the_kind_or_a_value_error(value):
    text = json.dumps(value)
    for read, kind in ((shapes.numbers, float), (shapes.words, str), (shapes.marks, bool)):
        try:
            found = read(text)
        except ValueError:
            continue
        assert all(type(each) is kind for each in found)
        assert list(found) == value
    try:
        assert json.dumps(shapes.mapping(text)) == text
    except ValueError:
        assert not isinstance(value, dict)


@pytest.mark.parametrize(
    "text", ["[0.5, 0.6]", "[1.5, -0.5]", "[1]", "[1, 0, 0]", "[NaN, 1]", "[true, false]", '["1", 0]', "{}"]
)
def test_what_is_no_distribution_over_two_labels(text):
    with pytest.raises(ValueError):
        shapes.distribution(text, 2)
    assert shapes.distribution("[0.25, 0.75]", 2) == (0.25, 0.75)


@pytest.mark.parametrize(
    "record",
    [{"a": 1}, {"n": "x"}, {"n": True}, {"m": None}, {"m": {"x": "y"}}, {"o": {}}, {"w": ["a", 1]}, {"d": {"a": 1}}],
)
def test_a_value_of_another_kind(record):
    kinds = {
        "a": str,
        "n": shapes.NUMBER,
        "m": {"x": int},
        "o": shapes.Nullable({"x": int}),
        "w": shapes.are_words,
        "d": shapes.are_named_words,
    }
    with pytest.raises(ValueError):
        shapes.mapping(json.dumps(record), kinds)
    assert shapes.mapping('{"o": null, "n": 1.5, "other": []}', kinds)


@given(some.lists(some.none() | some.text() | some.integers(-(2**63), 2**63 - 1) | some.floats(allow_nan=False)))
def test_a_checksum_is_of_the_values_and_minds_each_of_them(values):
    assert checksum(*values) == checksum(*values)
    assert checksum(*values, "x") != checksum(*values, "y")
    assert checksum(1) == checksum(1.0)
    assert checksum(None) != checksum("None")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A store with runs of a baseline and of a model that writes and scores at once."""
    folder = tmp_path_factory.mktemp("forged")
    (folder / "instant_model.py").write_text(
        "import numpy as np\nfrom judgeharness import hookimpl\nfrom judgeharness.plugins.specs import BackendSpec\n"
        "from judgeharness.testing.pretend import PretendModel\n"
        "@hookimpl\ndef judgeharness_backends():\n"
        "    return [BackendSpec(name='instant', summary='at once', target='instant_model:make')]\n"
        "def make(model, options, context): return PretendModel()\n"
    )
    words = ("--plugin", folder / "instant_model.py", "--backend", "instant:x", "--backend", "baseline:human")
    asked = ("eval", "--task", "nli-sample", "--limit", "3", "--strategy", "no-explanation", "--strategy", "sampling")
    done = judgeharness(*asked, *words, "--store", folder / "s.db", "--format", "json")
    assert done.code in (0, 1), done.err
    runs = {run["strategy"]: run["id"] for run in json.loads(done.out)["runs"]}
    return folder, runs


FORGED = [
    ("items", "human", "[0.5, 0.5]"),
    ("items", "human", '["\\u001b[31m", 0, 0]'),
    ("items", "votes", "[1e308, 1e308, 1e308]"),
    ("items", "votes", "{}"),
    ("items", "refs", '{"explanations": [1]}'),
    ("items", "refs", "[]"),
    ("items", "uid", "\x1b[31m"),
    ("items", "position", 7),
    ("tasks", "labels", '["one"]'),
    ("tasks", "labels", "3"),
    ("tasks", "n_items", 1000),
    ("tasks", "record", '{"published": {"items": []}}'),
    ("tasks", "record", '{"notice": 3, "ordinal": "x"}'),
    ("tasks", "name", "\x1b]0;title\x07"),
    ("predictions", "probabilities", "[2, -1, 0]"),
    ("predictions", "probabilities", "[[1, 0, 0]]"),
    ("predictions", "text_keys", "{}"),
    ("predictions", "text_keys", '["absent"]'),
    ("predictions", "score_key", "absent"),
    ("predictions", "uid", "nobody"),
    ("scores", "scores", "[[1, 2]]"),
    ("scores", "scores", "[[1e999, 1, 2]]"),
    ("scores", "scores", '"x"'),
    ("scores", "mass", "[0.5]"),
    ("scores", "censored", "[true]"),
    ("texts", "texts", "[1, 2]"),
    ("texts", "cut", '["no"]'),
    ("runs", "record", "[]"),
    ("runs", "record", '{"strategy": "x", "request": 3}'),
    ("runs", "record", '{"options_mass": "x", "texts": []}'),
    ("runs", "strategy", "no such"),
    ("runs", "backend", "hf:\x1b[31m"),
    ("runs", "n_items", -1),
    ("runs", "temperature", 1e308),
    ("metrics", "value", 1e308),
    ("metrics", "name", "\x1b[31m"),
    ("backends", "description", "[]"),
    ("sessions", "record", '{"packages": []}'),
    ("sessions", "started", "never"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "column", "value"), FORGED, ids=[f"{t}.{c}-{n}" for n, (t, c, _) in enumerate(FORGED)]
)
def test_a_forged_value_costs_an_error_in_words_at_most(sound, tmp_path, table, column, value):
    folder, runs = sound
    store = tmp_path / "s.db"
    shutil.copy(folder / "s.db", store)
    connection = sqlite3.connect(store)
    register(connection)
    key = connection.execute(f"SELECT rowid FROM {table} LIMIT 1").fetchone() if table in ("tasks", "runs") else None
    where = "1" if key is None else f"rowid = {key[0]}"
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (value,))
    except sqlite3.IntegrityError:
        # The keys of several rows: of one of them only.
        connection.execute(
            f"UPDATE {table} SET {column} = ? WHERE {column} = (SELECT min({column}) FROM {table})", (value,)
        )
    connection.execute(f"UPDATE {table} SET checksum = row_checksum({', '.join(CONTENTS[table])})")
    connection.commit()
    connection.close()
    plugin = ("--plugin", folder / "instant_model.py", "--store", store)
    for words in (
        ("leaderboard",),
        ("leaderboard", "--format", "csv"),
        ("leaderboard", "--format", "latex", "--metric", "accuracy"),
        ("show", runs[None]),
        ("show", runs["no-explanation"], "sample-01"),
        ("show", runs["sampling"], "sample-01"),
        ("bias", runs["no-explanation"]),
        ("compare", runs[None], runs["no-explanation"]),
        ("slices", runs["no-explanation"]),
        ("verify", runs["no-explanation"]),
        ("verify", runs["sampling"]),
        ("rerun", runs["no-explanation"]),
        ("store", "check"),
        ("store", "rescue", "--to", tmp_path / "new.db"),
    ):
        result = judgeharness(*words, *(plugin if words[0] != "store" else plugin[2:]))
        assert result.code in (0, 1, 2)
        assert "Traceback" not in result.err
        assert "\x1b" not in result.out + result.err
