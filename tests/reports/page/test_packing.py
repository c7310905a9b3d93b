"""Numbers and texts go through a page unharmed."""

import base64
import json
import struct
import zlib

from hypothesis import given
from hypothesis import strategies as st

from judgeharness.domain.escaping import safe_data
from judgeharness.reports.page.packing import floats, packed, script_safe

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def read_floats(found):
    """As a page's script reads them."""
    kind, size = ("f", 4) if "f4" in found else ("d", 8)
    raw = base64.b64decode(found.get("f4") or found.get("f8") or "")
    return list(struct.unpack(f"<{len(raw) // size}{kind}", raw))


@given(st.lists(st.floats(allow_nan=False)))
def test_every_number_comes_back_as_it_was(values):
    found = floats(values)
    assert read_floats(found) == values
    assert found["shape"] == [len(values)]


@given(st.lists(st.floats(width=32, allow_nan=False)))
def test_what_a_model_computed_in_float32_takes_half_the_space(values):
    found = floats(values)
    assert "f4" in found
    assert read_floats(found) == values


def test_what_is_missing_stays_missing():
    first, second = read_floats(floats([float("nan"), 0.1]))
    assert first != first
    assert second == 0.1


@given(PLAIN)
def test_packed_data_is_the_data_fit_to_be_shown(value):
    assert json.loads(zlib.decompress(base64.b64decode(packed(value)))) == safe_data(value)


@given(PLAIN)
def test_data_in_a_script_ends_no_script(value):
    text = script_safe(value)
    assert not set("<>&") & set(text)
    assert json.loads(text) == safe_data(value)
