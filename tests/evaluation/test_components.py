"""Components by name, with the options that they know."""

import pytest

from judgeharness.backends.contract import BackendContext
from judgeharness.domain.errors import InputError, UnknownNameError
from judgeharness.evaluation.components import (
    choose,
    choose_backend,
    component,
    default_measures,
    open_backend,
    require_known,
    task_definition,
)


def test_a_component_takes_its_own_options_alone(registry):
    values = {"option_orders": "cyclic", "temperature": "3"}
    strategy = component(registry.strategies, "no-explanation", values)
    assert strategy.values == {"option_orders": "cyclic"}
    assert strategy.options["option_orders"] == "cyclic"
    assert component(registry.transforms, "softmax", values).options == {"temperature": 3.0}


def test_options_that_nobody_has_are_refused(registry):
    choices = [choose(registry.transforms, "softmax"), choose_backend(registry, "baseline:uniform")]
    require_known({"temperature": "3"}, choices)
    with pytest.raises(InputError, match="unknown option 'colour'"):
        require_known({"colour": "red"}, choices)


def test_backends_are_named_with_their_model(registry, tmp_path):
    opened = open_backend(registry, "baseline:uniform", {}, BackendContext(tmp_path, print))
    assert opened.name == "baseline:uniform"
    assert len(opened.digest) == 64
    with pytest.raises(InputError, match="names no model"):
        choose_backend(registry, "baseline")
    with pytest.raises(UnknownNameError):
        choose_backend(registry, "nothing:x")


def test_tasks_are_named_or_files(registry, tmp_path):
    assert task_definition(registry, "nli-sample").name == "nli-sample"
    with pytest.raises(InputError, match="no such task file"):
        task_definition(registry, str(tmp_path / "absent.toml"))


def test_metrics_that_are_asked_for_come_after_the_default_ones(registry):
    default = list(default_measures(registry))
    assert list(default_measures(registry, ["jsd", "kl-smoothed"])) == [*default, "kl-smoothed"]
