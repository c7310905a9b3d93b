"""From names to components: what is wrong is found before anything is read."""

import pytest

from judgeharness.domain.errors import InputError
from judgeharness.evaluation.components import component
from judgeharness.evaluation.request import Request
from judgeharness.evaluation.resolving import resolve


def request(**more):
    return Request(**{"tasks": ("nli-sample",), "backends": ("baseline:uniform",), "values": {}, **more})


def test_names_become_components(registry):
    found = resolve(request(strategies=("parallel",), temperature=3.0, values={"option_orders": "cyclic"}), registry)
    assert [each.name for each in found.definitions] == ["nli-sample"]
    assert [each.name for each in found.transforms] == ["norm", "softmax"]
    assert found.transforms[1].options == {"temperature": 3.0}
    assert found.strategies[0].values == {"option_orders": "cyclic"}
    assert found.executor.name == "local"


def test_a_strategy_that_reads_texts_has_no_transform(registry):
    found = resolve(request(), registry)
    assert found.transforms_of(component(registry.strategies, "verbalized", {}).part) == (None,)
    assert found.transforms_of(component(registry.strategies, "cot", {}).part) == found.transforms


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"tasks": ("mars",)}, "mars"),
        ({"backends": ("mars:x",)}, "mars"),
        ({"backends": ("baseline",)}, "names no model"),
        ({"strategies": ("mars",)}, "mars"),
        ({"transforms": ("mars",)}, "mars"),
        ({"metrics": ("mars",)}, "mars"),
        ({"executor": "mars"}, "mars"),
        ({"values": {"mars": "1"}}, "unknown option 'mars'"),
        ({"temperature": 0.0}, "must be greater than 0"),
        ({"temperature": float("inf")}, "must be greater than 0"),
        ({"temperature": float("nan")}, "must be greater than 0"),
        ({"transforms": ("norm",), "temperature": 2.0}, "none of the transforms norm has a temperature"),
    ],
)
def test_what_is_wrong_is_named(registry, more, message):
    with pytest.raises(InputError, match=message):
        resolve(request(**more), registry)
