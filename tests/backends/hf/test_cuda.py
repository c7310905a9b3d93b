"""The same on a GPU: run where there is one."""

import numpy as np
import pytest
import torch

from judgeharness.backends.contract import BackendContext
from judgeharness.backends.hf.backend import HuggingFaceBackend
from judgeharness.backends.hf.options import HuggingFaceOptions
from judgeharness.backends.hf.plain import PlainScorer
from judgeharness.backends.hf.tree import Sizes, TreeScorer, sizes_for
from tests.backends.hf.test_tree import FITTING, LETTERS, OTHER, PROMPTS, UNFIT, model_of, plainly
from tests.helpers import group

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")


@pytest.mark.parametrize("sizes", [Sizes(16_384, 128, 64), Sizes(7, 3, 2)], ids=str)
@pytest.mark.parametrize("family", FITTING)
def test_the_tree_gives_what_plain_forward_passes_on_the_cpu_give(family, sizes):
    model = model_of(FITTING[family])
    expected = [[plainly(model, prompt)[LETTERS].numpy() for prompt in prompts] for prompts in (PROMPTS, OTHER)]
    found = TreeScorer(model.cuda(), sizes).score([PROMPTS, OTHER], LETTERS)
    for logits, scores in zip(expected, found, strict=True):
        np.testing.assert_allclose(scores.logits, logits, atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize("family", [*FITTING, *UNFIT])
def test_whole_prompts_in_batches_do_too(family):
    model = model_of({**FITTING, **UNFIT}[family])
    expected = [plainly(model, prompt)[LETTERS].numpy() for prompt in PROMPTS]
    (found,) = PlainScorer(model.cuda(), 40).score([PROMPTS], LETTERS)
    np.testing.assert_allclose(found.logits, expected, atol=2e-4, rtol=2e-4)


def test_work_handed_over_early_comes_back_in_order():
    model = model_of(FITTING["llama"]).cuda()
    scorer = TreeScorer(model, Sizes(64, 4, 2))
    parts = [[PROMPTS], [OTHER], [PROMPTS, OTHER], [OTHER, PROMPTS]]
    under_way = [scorer.begin(groups, LETTERS) for groups in parts]
    assert not any(each.ready for each in under_way)
    for groups, each in zip(parts, under_way, strict=True):
        for prompts, scores in zip(groups, each.take(), strict=True):
            (alone,) = scorer.score([prompts], LETTERS)
            np.testing.assert_allclose(scores.logits, alone.logits, atol=1e-5)


def test_memory_that_runs_out_halves_the_chunk():
    model = model_of(FITTING["llama"]).cuda()
    prompts = [[1 + (place * step) % 50 for place in range(3_000)] for step in range(1, 12)]
    (expected,) = TreeScorer(model, Sizes(512, 64, 8)).score([prompts], LETTERS)
    torch.cuda.empty_cache()
    held, whole = torch.cuda.memory_reserved(), torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((held + 64e6) / whole)
    try:
        scorer = TreeScorer(model, Sizes(1 << 16, 64, 1024))
        (found,) = scorer.score([prompts], LETTERS)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert scorer.pack_tokens < 1 << 16
    np.testing.assert_allclose(found.logits, expected.logits, atol=1e-4, rtol=1e-4)


def test_the_backend_takes_the_gpu_and_agrees_with_the_cpu(tmp_path):
    groups = [group(uid=f"item {place}", orders=((0, 1, 2), (2, 1, 0), (1, 0, 2))) for place in range(9)]
    found = {}
    for device, dtype in (("auto", "float32"), ("cpu", "float32"), ("auto", "auto")):
        backend = HuggingFaceBackend(
            "smollm2", HuggingFaceOptions(device=device, dtype=dtype, batch_tokens=150), BackendContext(tmp_path, print)
        )
        backend.open()
        found[device, dtype] = {each.uid: each.scores for each in backend.score(groups)}
        kind = "cpu" if device == "cpu" else "cuda"
        assert backend.describe()["device"] == kind
        assert backend.describe()["dtype"] == ("bfloat16" if dtype == "auto" else "float32")
        backend.close()
    for uid, scores in found["cpu", "float32"].items():
        np.testing.assert_allclose(found["auto", "float32"][uid], scores, atol=2e-3)
        np.testing.assert_allclose(found["auto", "auto"][uid], scores, atol=0.5)


def test_sizes_are_those_of_the_device():
    model = model_of(FITTING["llama"])
    assert sizes_for(model, None) != sizes_for(model.cuda(), None)
