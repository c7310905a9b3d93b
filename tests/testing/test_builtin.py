"""The built-in components pass the conformance tests that plugins are given."""

import pytest

from judgeharness.plugins.registry import Registry
from judgeharness.testing import (
    BackendConformance,
    MetricConformance,
    StrategyConformance,
    TaskConformance,
    TransformConformance,
)

REGISTRY = Registry.from_environment()


def about(base, name, **more):
    """A class of tests for one component."""
    return type(f"Test_{name}", (base,), {"name": name, **more})


for _name in REGISTRY.metrics.names():
    globals()[f"TestMetric_{_name}"] = about(MetricConformance, _name, perfect=_name not in {"ece", "rms-calibration"})
for _name in REGISTRY.transforms.names():
    globals()[f"TestTransform_{_name}"] = about(TransformConformance, _name)
for _name in REGISTRY.strategies.names():
    globals()[f"TestStrategy_{_name}"] = about(StrategyConformance, _name)


class TestSampling(StrategyConformance):
    name = "sampling"
    options = {"n": "40", "k": "2", "explicit": "true"}  # noqa: RUF012


class TestCotOfTwoOptions(StrategyConformance):
    name = "cot"
    task = "chaosnli-alphanli"

    @pytest.fixture(autouse=True)
    def _data(self, data_dir, monkeypatch):
        monkeypatch.setenv("JUDGEHARNESS_DATA_DIR", str(data_dir))


class TestSample(TaskConformance):
    name = "nli-sample"


class _WithData(TaskConformance):
    @pytest.fixture(autouse=True)
    def _data(self, data_dir, monkeypatch):
        monkeypatch.setenv("JUDGEHARNESS_DATA_DIR", str(data_dir))


class TestChaosNli(_WithData):
    name = "chaosnli"


class TestAlphaNli(_WithData):
    name = "chaosnli-alphanli"


class TestHf(BackendConformance):
    name = "hf:smollm2"


class TestLlamaCpp(BackendConformance):
    name = "llamacpp:smollm2"
    # Quantised activations are rounded by batch.
    tolerance = 0.5


class TestServer(BackendConformance):
    tolerance = 0.5
    # Its requests share one stream of draws.
    draws = False

    @pytest.fixture(autouse=True)
    def _address(self, llama_cpp_server):
        type(self).name = f"openai:smollm2@{llama_cpp_server}"


class TestUniform(BackendConformance):
    name = "baseline:uniform"


class TestFile(BackendConformance):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path):
        lines = [f'{{"uid": "sample-{n:02}", "probabilities": [0.2, 0.3, 0.5]}}\n' for n in range(1, 5)]
        (tmp_path / "own.jsonl").write_text("".join(lines))
        type(self).name = f"file:{tmp_path / 'own.jsonl'}"
