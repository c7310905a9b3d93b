import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.domain.hashes import digest, file_digest

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


def test_file_digests(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(bytes(range(256)) * 20_000)
    assert file_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
