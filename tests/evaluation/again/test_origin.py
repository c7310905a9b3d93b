"""What a run depends on, and what of it has changed."""

from judgeharness.evaluation.again.origin import Origin, changes, leaves

THEN = Origin({"backend": "hf", "environment": {"device": "cpu"}}, {"items": "a"}, {"template": {"sha256": "1"}}, {})


def test_a_record_is_taken_apart_down_to_single_values():
    assert dict(leaves({"a": {"b": 1, "c": {"d": [2]}}, "e": None})) == {"a.b": 1, "a.c.d": [2], "e": None}


def test_changes_name_what_is_another_one_or_gone():
    now = Origin({"backend": "hf", "environment": {}}, {"items": "b"}, {"template": {"sha256": "1"}}, {"python": "3"})
    found = {each.what: (each.then, each.now) for each in changes(THEN, now)}
    assert found == {
        "backend: environment.device": ("cpu", None),
        "data: items": ("a", "b"),
        "versions: python": (None, "3"),
    }
    assert changes(THEN, THEN) == []
