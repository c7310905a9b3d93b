import pytest

from judgeharness.backends.openai.address import OPENAI, find_address, find_key, sensitive
from judgeharness.domain.errors import HarnessError, InputError


def test_where_the_address_comes_from():
    assert find_address("gpt-4o", None, {}).url == OPENAI
    assert find_address("gpt-4o", None, {}).is_openai
    assert find_address("m", None, {"OPENAI_BASE_URL": "http://a:1/v1/"}).url == "http://a:1/v1"
    assert find_address("m", "http://b:2/v1", {"OPENAI_BASE_URL": "http://a:1/v1"}).url == "http://b:2/v1"
    found = find_address("org/m@http://c:3/v1", "http://b:2/v1", {})
    assert (found.model, found.url, found.root) == ("org/m", "http://c:3/v1", "http://c:3")
    assert find_address("@cf/meta/llama", "http://b/x/v1", {}).model == "@cf/meta/llama"
    assert find_address("@cf/meta/llama@https://d/v1", None, {}).model == "@cf/meta/llama"


@pytest.mark.parametrize(
    "url",
    ["ftp://a/v1", "localhost:8000", "http://", "http://me:secret@a/v1", "http://a/v1?key=secret", "http://a/v1#x"],
)
def test_addresses_that_are_none_or_hold_secrets(url):
    with pytest.raises(InputError) as caught:
        find_address("m", url, {})
    if "secret" in url:
        assert "secret" not in " ".join(caught.value.lines())


def test_a_model_has_to_be_named():
    with pytest.raises(InputError, match="names no model"):
        find_address("@http://a/v1", None, {})
    with pytest.raises(InputError, match="names no model"):
        find_address("", None, {})


def test_keys_come_from_the_environment():
    local = find_address("m", "http://localhost:8000/v1", {})
    assert find_key(local, "OPENAI_API_KEY", {}) == "none"
    assert find_key(local, "MY_KEY", {"MY_KEY": " k "}) == "k"
    with pytest.raises(HarnessError, match="OPENAI_API_KEY is not set"):
        find_key(find_address("gpt-4o", None, {}), "OPENAI_API_KEY", {})


@pytest.mark.parametrize("name", ["m@HTTP://localhost:1/v1", "m@http://localhost:1/v1"])
def test_a_scheme_in_capitals_is_one(name):
    assert sensitive(name) == "address"
    assert find_address(name, None, {}).url.lower() == "http://localhost:1/v1"


@pytest.mark.parametrize("name", ["m@localhost:8000/v1", "m@10.0.0.7:80", "m@ftp://host/v1", "m@localhost"])
def test_what_may_be_meant_as_an_address_does_not_go_to_openai(name):
    with pytest.raises(InputError, match="the address is not one such as"):
        find_address(name, None, {})


@pytest.mark.parametrize("name", ["@cf/meta/llama-3-8b", "claude-3@20240229", "org/model@main"])
def test_names_of_models_may_hold_an_at(name):
    assert find_address(name, None, {}).model == name
