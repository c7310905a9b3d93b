"""Keys in texts: found in every encoding, and never in an ordinary text."""

import base64
import html
import json
import os
import string
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgeharness.domain import api_keys
from judgeharness.domain.errors import HarnessError

KEY = 'sk-proj-A/b+c"d&e\\f_9~Zq0'
CODES = [ord(char) for char in KEY]
FORMS = {
    "as it is": KEY,
    "upper case": KEY.upper(),
    "URL": urllib.parse.quote(KEY, safe=""),
    "URL, every character": "".join(f"%{code:02x}" for code in CODES),
    "URL, twice": urllib.parse.quote(urllib.parse.quote(KEY, safe=""), safe=""),
    "JSON": json.dumps(KEY),
    "JSON in JSON": json.dumps(json.dumps(KEY)),
    "JSON, every character": "".join(f"\\u{code:04X}" for code in CODES),
    "JSON, with slashes escaped": json.dumps(KEY).replace("/", "\\/"),
    "HTML": html.escape(KEY),
    "HTML, twice": html.escape(html.escape(KEY)),
    "HTML, every character": "".join(f"&#{code};" for code in CODES),
    "HTML, every character in hex": "".join(f"&#x{code:X};" for code in CODES),
    "repr": repr(KEY),
    "repr of bytes": repr(KEY.encode()),
    "Python, every character": "".join(f"\\x{code:02x}" for code in CODES),
    "Python, octal": "".join(f"\\{code:03o}" for code in CODES),
    "quoted-printable": "".join(f"={code:02X}" for code in CODES),
    "hex": KEY.encode().hex(),
    "HEX": KEY.encode().hex().upper(),
    "hex with blanks": KEY.encode().hex(" "),
    "over lines": "\n".join(KEY[at : at + 5] for at in range(0, len(KEY), 5)),
    "over lines, in JSON": json.dumps("\n".join(KEY[at : at + 5] for at in range(0, len(KEY), 5))),
    "with controls between": "\0\x1b".join(KEY),
}
ENDS = [("", ""), ("x", ""), ("xy", "z"), ("xyz", "ab"), ("Bearer ", ""), ("user:", "\n")]
PRINTABLE = st.characters(min_codepoint=33, max_codepoint=126)
USUAL = st.sampled_from(string.ascii_letters + string.digits + "-_.~+/:")


@pytest.fixture(autouse=True)
def _none_known(monkeypatch):
    monkeypatch.setattr(api_keys, "_known", set())


def reveals(text: str, key: str = KEY) -> bool:
    """Whether a stretch of a key is there, once escapes are undone."""
    undone = html.unescape(urllib.parse.unquote(text.replace("=", "%")))
    return any(key[at : at + 6].lower() in each.lower() for each in (text, undone) for at in range(len(key) - 5))


@pytest.mark.parametrize("form", FORMS)
def test_a_key_is_found_in_every_encoding(form):
    api_keys.remember(KEY)
    found = api_keys.scrub(f"before {FORMS[form]} after")
    assert found.startswith("before ")
    assert found.endswith(" after")
    assert api_keys.REPLACEMENT in found
    assert len(found) <= len("before [key] after") + 6
    assert not reveals(found)


@pytest.mark.parametrize(("before", "after"), ENDS)
def test_a_key_is_found_in_base64_wherever_it_begins(before, after):
    api_keys.remember(KEY)
    given_bytes = (before + KEY + after).encode()
    for text in (
        base64.b64encode(given_bytes).decode(),
        base64.urlsafe_b64encode(given_bytes).decode().rstrip("="),
        json.dumps(base64.encodebytes(given_bytes * 3).decode()),
        urllib.parse.quote(base64.b64encode(given_bytes).decode(), safe=""),
    ):
        found = api_keys.scrub(text)
        assert api_keys.REPLACEMENT in found
        rest = found.replace(api_keys.REPLACEMENT, "").replace("\\n", "").strip('"')
        assert len(rest) <= len(text) - len(KEY)


@settings(deadline=None)
@given(st.text(PRINTABLE, min_size=api_keys.MIN_LENGTH, max_size=60))
def test_any_key_is_found(key):
    api_keys._known.clear()
    api_keys.remember(key)
    assert api_keys.scrub(f"<{key}>") == "<[key]>"


@settings(deadline=None)
@given(st.text(USUAL, min_size=api_keys.MIN_LENGTH, max_size=60))
def test_any_usual_key_is_found_in_encodings(key):
    api_keys._known.clear()
    api_keys.remember(key)
    for text in (urllib.parse.quote(key), json.dumps(key), html.escape(key), repr(key), key.encode().hex()):
        assert key not in api_keys.scrub(text)
        assert api_keys.REPLACEMENT in api_keys.scrub(text)
    data = json.loads(api_keys.scrub(json.dumps({"a": f"x {key}\n", key: [key]})))
    assert key not in str(data)


@settings(deadline=None)
@given(st.text(max_size=400))
def test_other_texts_stay_as_they_are(text):
    api_keys._known.clear()
    api_keys.remember(KEY, "hf_abcdefghijklmnop")
    assert api_keys.scrub(text) == text


def test_placeholders_stay_in_ordinary_texts():
    api_keys.remember("EMPTY", "none", "x", "sk-1234")
    assert api_keys.scrub("EMPTY, none, x, sk-1234") == "EMPTY, none, x, sk-1234"


def test_data_is_scrubbed_in_texts_and_in_names():
    api_keys.remember(KEY)
    given = {KEY: [KEY, 1, None, {"a": f"<{KEY}>"}]}
    assert api_keys.scrubbed(given) == {"[key]": ["[key]", 1, None, {"a": "<[key]>"}]}


def test_errors_and_their_causes_are_scrubbed():
    api_keys.remember(KEY)
    inner = ValueError(f"header {KEY!r}")
    outer = RuntimeError(KEY, 3)
    outer.__cause__ = inner
    assert api_keys.scrubbed_error(outer) is outer
    assert (outer.args, inner.args) == (("[key]", 3), ("header '[key]'",))
    assert HarnessError(f"no {KEY}", f"try {KEY}").lines() == ["no [key]", "try [key]"]


@pytest.mark.parametrize("key", ["sk-a\nb", "sk-a b", "sk-\x00", "sk-é", "sk-" + "a" * 5000, "sk-a\r\nX: y"])
def test_a_key_that_cannot_be_sent_is_named_without_a_part_of_it(key):
    fault = api_keys.fault_of(key)
    assert fault is not None
    assert "sk-" not in fault
    assert api_keys.fault_of(KEY) is None


def test_a_token_in_a_pipe_is_left_for_the_library(tmp_path):
    """Reading it would wait for a writer, or take what the library needs."""
    os.mkfifo(tmp_path / "token")
    api_keys.remember_environment({"HF_TOKEN_PATH": str(tmp_path / "token"), "RAY_AUTH_TOKEN_PATH": str(tmp_path)})


def test_keys_of_the_environment_are_known(tmp_path):
    (tmp_path / "token").write_text("hf_" + "f" * 30 + "\n")
    (tmp_path / "ray").write_text("ray-" + "r" * 30)
    api_keys.remember_environment(
        {
            "OPENAI_API_KEY": "sk-" + "o" * 30,
            "HF_TOKEN": "hf_" + "t" * 30,
            "HF_HOME": str(tmp_path),
            "RAY_AUTH_TOKEN_PATH": str(tmp_path / "ray"),
            "https_proxy": "http://me:pass%2Fword9@proxy:3128",
            "OTHER": "not-a-key-at-all",
        }
    )
    assert api_keys._known == {
        "sk-" + "o" * 30, "hf_" + "t" * 30, "hf_" + "f" * 30, "ray-" + "r" * 30, "pass%2Fword9", "pass/word9",
    }  # fmt: skip


def test_keys_of_the_command_line_are_known():
    addresses = ["http://me:password1@host/x", "http://me:a/b+c/d_e@host", "http://host:8000/v1/models@x"]
    api_keys.remember_words(
        [*addresses, "-oapi_key=sk-123456789", "--token=abcdefghij", "x=123456789", "max_tokens=123456789"]
    )
    assert api_keys._known == {"password1", "a/b+c/d_e", "sk-123456789", "abcdefghij"}
