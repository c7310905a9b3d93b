import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.domain.hashes import digest, file_digest, group_digest, sampled_digest
from judgeharness.domain.nouns import Message, Prompt, PromptGroup
from tests.helpers import group

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), plain))
def test_a_digest_does_not_depend_on_the_order_of_keys(value):
    assert digest(value) == digest(dict(reversed(list(value.items()))))


def test_a_digest_refuses_what_is_no_json():
    with pytest.raises(ValueError, match="JSON"):
        digest(float("nan"))


def test_a_group_is_known_by_texts_option_orders_and_backend():
    base = group_digest(group(), "b")
    assert group_digest(group(), "b") == base
    changed = [
        group_digest(group(), "c"),
        group_digest(group("i2"), "b"),
        group_digest(group(orders=((0, 2, 1),)), "b"),
        group_digest(PromptGroup("i1", (Prompt((Message("user", "i1 (0, 1, 2)"),), (0, 2, 1)),)), "b"),
        group_digest(PromptGroup("i1", (Prompt((Message("system", "i1 (0, 1, 2)"),), (0, 1, 2)),)), "b"),
    ]
    assert len({base, *changed}) == 6
    renamed = PromptGroup("another", group().prompts)
    assert group_digest(renamed, "b") == base


def test_file_digests(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(bytes(range(256)) * 20_000)
    assert file_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert sampled_digest(path) == file_digest(path)
    sampled = sampled_digest(path, whole_below=1000, samples=4)
    assert sampled != file_digest(path)
    changed = bytearray(path.read_bytes())
    changed[-1] ^= 1
    path.write_bytes(changed)
    assert sampled_digest(path, whole_below=1000, samples=4) != sampled
