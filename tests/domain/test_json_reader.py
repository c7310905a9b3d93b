import io

import pytest

from judgeharness.domain.json_reader import JsonError, finite_number, json_lines, read_json, spellings, written


@pytest.mark.parametrize(
    ("text", "key", "place"),
    [
        ('{"a": 1, "a": 1}', "a", "(column 10)"),
        ('[{"a": {"b": 1,\n "b": 2}}]', "b", "(line 2, column 2)"),
        ('{"x": "{\\"a\\": 1", "\\u0061": 1, "a": 2}', "a", "(column 33)"),
        (b'\xef\xbb\xbf{"": 1, "": 1}', "", "(column 9)"),
    ],
)
def test_a_key_that_is_there_twice_is_named_with_its_place(text, key, place):
    with pytest.raises(JsonError) as caught:
        read_json(text)
    assert caught.value.key == key
    assert place in str(caught.value)


@pytest.mark.parametrize("text", [b"\xff", '{"a": 1,}', "[" * 100_000, "9" * 5000, "", "{} {}"])
def test_what_is_no_json_is_an_error_in_words(text):
    with pytest.raises(JsonError, match=r"not UTF-8|not valid JSON"):
        read_json(text)


def test_equal_keys_of_different_objects_pass():
    assert read_json('[{"a": {"a": 1}}, {"a": {"b": {"a": 2}}}]') == [{"a": {"a": 1}}, {"a": {"b": {"a": 2}}}]


def test_lines_end_at_line_feeds_and_a_mark_stands_at_the_start_only():
    content = '\ufeff\r\n{"a": "\u2028\x85"}\r\n\n\ufeff{}\n'.encode()
    lines = json_lines(io.BytesIO(content))
    assert next(lines) == (2, {"a": "\u2028\x85"})
    with pytest.raises(JsonError) as caught:
        next(lines)
    assert caught.value.line == 4


def test_numbers_are_written_in_plain_digits():
    assert [finite_number(each) for each in (3, 0.5, " 1e3 ", "+.5", "5.", "\u00a07")] == [3, 0.5, 1000, 0.5, 5, 7]
    for other in (True, None, "1_0", "\uff11", "nan", "Infinity", "1e999", 10**400, float("inf"), "0x1", "", [1]):
        with pytest.raises(ValueError, match="not a"):
            finite_number(other)


def test_ids_are_texts_or_numbers_and_numbers_have_several_spellings():
    assert [written(each) for each in ("", 1, 1.0, 2.5)] == ["", "1", "1.0", "2.5"]
    assert {written(each) for each in (None, True, [], {}, float("nan"), float("-inf"))} == {None}
    assert spellings(1) & spellings(1.0)
    assert not spellings("1") & spellings("1.0")
    assert not spellings(2**53) & spellings(2**53 + 1)
