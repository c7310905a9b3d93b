"""Catalogs of components by name."""

import pytest

from judgeharness.domain.errors import InputError, UnknownNameError
from judgeharness.plugins.loading import Plugin
from judgeharness.plugins.registry import Registry
from judgeharness.plugins.specs import StrategySpec, TransformSpec

ONE = StrategySpec(name="one", summary="a strategy", target="json:loads")
OTHER = TransformSpec(name="one", summary="a transform", target="json:dumps")


def test_a_catalog_holds_its_own_kind():
    registry = Registry([Plugin("p", "built-in", specs=(ONE, OTHER))])
    assert registry.strategies.names() == registry.transforms.names() == ["one"]
    assert registry.strategies.spec("one") is ONE
    assert "one" in registry.transforms
    assert "one" not in registry.metrics
    assert [(spec, plugin.name) for spec, plugin in registry.strategies] == [(ONE, "p")]


def test_wrong_names_are_answered_with_near_ones():
    registry = Registry([Plugin("p", "built-in", specs=(ONE,))])
    with pytest.raises(UnknownNameError, match="unknown strategy 'on'") as found:
        registry.strategies.load("on")
    assert "one" in "\n".join(found.value.lines())


def test_a_name_that_two_claim_is_an_error_when_it_is_used():
    registry = Registry([Plugin("p", "built-in", specs=(ONE,)), Plugin("q", "installed", specs=(ONE,))])
    assert len(list(registry.strategies)) == 2
    with pytest.raises(InputError, match="provided twice: by "):
        registry.strategies.spec("one")
    assert registry.failures() == []
