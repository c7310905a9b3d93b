"""Records: types for what is read, and the same JSON when they are written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from judgeharness.store.records import RunRecord, SessionRecord, TaskRecord

OLD = {
    "strategy": {"name": "parallel", "options": {"option_orders": "all"}},
    "transform": None,
    "template": {"name": "builtin:nli", "sha256": "ab"},
    "environment": {"device": "cpu", "warnings": ["slow"]},
    "options_mass": 1,
    "options": 18,
    "seconds_scoring": 0.25,
    "from_the_future": {"x": [1, None]},
}


def test_a_record_is_written_as_it_was():
    record = RunRecord.parse(json.dumps(OLD))
    assert record.document() == OLD
    assert json.loads(record.text()) == OLD
    assert record.text() == json.dumps(OLD, sort_keys=True)
    assert (record.strategy.name, record.transform, record.explanations) == ("parallel", None, None)
    assert (record.edition, record.options, record.options_mass) == (1, 18, 1)


TEXT = some.text(max_size=5)
VALUE = some.none() | some.booleans() | some.integers(-(2**53), 2**53) | TEXT | some.lists(TEXT, max_size=2)
JSON = VALUE | some.dictionaries(some.sampled_from(["name", "options", "task", "x"]), VALUE, max_size=3)


@given(some.dictionaries(some.sampled_from(["strategy", "options", "request", "texts", "other"]), JSON, max_size=3))
def test_whatever_it_is_it_is_kept_or_refused(value):
    try:
        record = RunRecord.parse(json.dumps(value))
    except ValueError:
        return
    assert record.document() == value


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (RunRecord, {"strategy": {"name": 3, "options": {}}}),
        (RunRecord, {"strategy": {"name": "x"}}),
        (RunRecord, {"request": {"task": "t", "limit": "3", "options": {}, "metrics": []}}),
        (RunRecord, {"request": {"task": "t", "limit": None, "options": {"a": 1}, "metrics": []}}),
        (RunRecord, {"options_mass": "much"}),
        (RunRecord, {"texts": True}),
        (RunRecord, {"texts": -1}),
        (TaskRecord, {"notice": 3}),
        (TaskRecord, {"ordinal": "x"}),
        (TaskRecord, {"files": {"a": None}}),
        (SessionRecord, {"command": "rm"}),
        (SessionRecord, {"packages": {"a": 1}}),
    ],
)
def test_another_shape_is_refused(kind, wrong):
    with pytest.raises(ValueError):
        kind.parse(json.dumps(wrong))


@pytest.mark.parametrize("text", ["[1]", '{"a": 1, "a": 2}', '{"options_mass": NaN}', "{"])
def test_other_json_is_refused(text):
    with pytest.raises(ValueError):
        RunRecord.parse(text)
