import pytest

from judgeharness.domain.errors import InputError
from judgeharness.plugins.options import NoOptions, Options, accepted, build, parse_pairs, require_known


class Model(Options):
    k: int = 1
    fast: bool = False


class Other(Options):
    device: str = "auto"


def test_pairs():
    assert parse_pairs(["k=2", "a = b=c"]) == {"k": "2", "a": "b=c"}
    for pairs in (["k"], ["=2"], ["k=1", "k=2"]):
        with pytest.raises(InputError, match="-o"):
            parse_pairs(pairs)


def test_strings_become_values():
    options = build(Model, {"k": "3", "fast": "yes", "device": "cpu"}, "serial")
    assert (options.k, options.fast) == (3, True)
    assert build(None, {"k": "3"}, "x") == NoOptions()


def test_a_bad_value_names_component_key_and_value():
    with pytest.raises(InputError, match="option k=many of serial") as caught:
        build(Model, {"k": "many"}, "serial")
    assert caught.value.hint == "serial takes k=1, fast=false"


def test_an_unknown_key_lists_what_there_is():
    models = {"serial": Model, "hf": Other, "plain": None}
    require_known({"k": "1", "device": "cpu"}, models)
    with pytest.raises(InputError, match="unknown option 'devise': did you mean device") as caught:
        require_known({"devise": "cpu"}, models)
    assert caught.value.hint == "serial takes k=1, fast=false; hf takes device=auto"
    with pytest.raises(InputError) as caught:
        require_known({"k": "1"}, {"plain": None})
    assert caught.value.hint == "none of the components takes options"


def test_each_component_takes_its_own():
    assert accepted(Model, {"k": "1", "device": "cpu"}) == {"k": "1"}
    assert accepted(None, {"k": "1"}) == {}
