"""The prefix tree against plain forward passes, over the families of models that people use."""

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from judgeharness.backends.hf.scorer import ModelScorer
from judgeharness.backends.hf.tree import Sizes, TreeScorer, TreeUnfitError
from judgeharness.domain.errors import HarnessError

VOCABULARY = 60
SMALL = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
GROUPED = {**SMALL, "intermediate_size": 48, "num_key_value_heads": 2}
HEADED = {**GROUPED, "head_dim": 16}
FITTING = {
    "llama": transformers.LlamaConfig(**GROUPED),
    "mistral with a window": transformers.MistralConfig(**GROUPED, sliding_window=5),
    "mixtral": transformers.MixtralConfig(**GROUPED, num_local_experts=4, num_experts_per_tok=2),
    "qwen2": transformers.Qwen2Config(**GROUPED),
    "qwen2 with windows in some layers": transformers.Qwen2Config(
        **GROUPED, use_sliding_window=True, sliding_window=4, max_window_layers=1
    ),
    "qwen3": transformers.Qwen3Config(**HEADED),
    "gemma2 with softcap": transformers.Gemma2Config(**HEADED, sliding_window=6),
    "gemma3": transformers.Gemma3TextConfig(**HEADED, sliding_window=6),
    "phi3": transformers.Phi3Config(**GROUPED, pad_token_id=0),
    "gpt-neox": transformers.GPTNeoXConfig(**SMALL, intermediate_size=48),
    "olmo2": transformers.Olmo2Config(**GROUPED),
    "granite": transformers.GraniteConfig(**GROUPED),
    "cohere": transformers.CohereConfig(**GROUPED),
    "gpt2": transformers.GPT2Config(vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4),
}
UNFIT = {
    "bloom": transformers.BloomConfig(vocab_size=VOCABULARY, hidden_size=32, n_layer=2, n_head=4),
    "mamba": transformers.MambaConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2),
    "hybrid": transformers.Lfm2Config(**GROUPED, layer_types=["conv", "full_attention", "conv"], pad_token_id=0),
    "gpt-oss with sinks": transformers.GptOssConfig(**HEADED, num_local_experts=4, num_experts_per_tok=2),
}
LETTERS = [3, 17, 28]
# A trunk, forks at several depths, a prompt inside another, one apart, and one that is there twice.
PROMPTS = [
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18],
    [1, 2, 3, 4, 20, 21, 22, 23],
    [1, 2, 3, 4, 20, 21, 22, 24, 25, 26, 27, 28, 29],
    [1, 2, 3, 4],
    [40, 41, 42],
    [1, 2, 3, 4, 20, 21, 22, 23],
]
OTHER = [[1, 2, 50], [1, 2, 51, 52, 53], [7]]


def model_of(config):
    torch.manual_seed(2)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    # Random weights of the usual size hardly look at the context; larger ones do.
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(3)
    return model


def plainly(model, prompt):
    with torch.no_grad():
        return model(torch.tensor([prompt])).logits[0, -1].double()


@pytest.mark.parametrize("sizes", [Sizes(1024, 64, 8), Sizes(7, 3, 2), Sizes(1, 1, 1)], ids=str)
@pytest.mark.parametrize("family", FITTING)
def test_the_tree_gives_what_plain_forward_passes_give(family, sizes):
    model = model_of(FITTING[family])
    found = TreeScorer(model, sizes).score([PROMPTS, OTHER], LETTERS)
    for prompts, scores in zip((PROMPTS, OTHER), found, strict=True):
        for prompt, logits, mass in zip(prompts, scores.logits, scores.mass, strict=True):
            expected = plainly(model, prompt)
            np.testing.assert_allclose(logits, expected[LETTERS].numpy(), atol=1e-4, rtol=1e-4)
            assert mass == pytest.approx(expected.softmax(0)[LETTERS].sum().item(), abs=1e-4)


@pytest.mark.parametrize("family", FITTING)
def test_fitting_models_use_the_tree_and_leave_the_model_as_it_was(family):
    model = model_of(FITTING[family])
    before = model.config._attn_implementation
    notes = []
    scorer = ModelScorer(model, "auto", None, notes.append)
    scorer.begin([PROMPTS], LETTERS).take()
    assert (scorer.name, notes) == ("tree", [])
    assert model.config._attn_implementation == before


@pytest.mark.parametrize("family", UNFIT)
def test_others_fall_back_with_one_line_and_are_right(family):
    model = model_of(UNFIT[family])
    notes = []
    scorer = ModelScorer(model, "auto", None, notes.append)
    for _ in range(2):
        (scores,) = scorer.begin([PROMPTS], LETTERS).take()
    assert scorer.name.startswith("plain")
    (note,) = notes
    assert "cannot be scored as a prefix tree" in note
    for prompt, logits in zip(PROMPTS, scores.logits, strict=True):
        np.testing.assert_allclose(logits, plainly(model, prompt)[LETTERS].numpy(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", UNFIT)
def test_a_tree_that_was_asked_for_is_an_error_where_it_does_not_fit(family):
    with pytest.raises(HarnessError, match="cannot be scored as a prefix tree"):
        ModelScorer(model_of(UNFIT[family]), "tree", None, print).begin([PROMPTS], LETTERS).take()


def test_plain_does_not_try():
    model = model_of(FITTING["llama"])
    scorer = ModelScorer(model, "plain", None, print)
    assert scorer.name == "plain"
    (plain,) = scorer.begin([PROMPTS], LETTERS).take()
    (tree,) = TreeScorer(model, Sizes(9, 4, 2)).score([PROMPTS], LETTERS)
    np.testing.assert_allclose(plain.logits, tree.logits, atol=1e-4)


def test_a_model_that_mixes_tokens_elsewhere_is_found_out():
    """A change that no configuration shows: the check at the start has to see it, also what padding does to it."""
    model = model_of(FITTING["llama"])
    layer = model.model.layers[1]
    forward = layer.forward

    def mixing(hidden_states, *arguments, **more):
        return forward(hidden_states + hidden_states.mean(dim=1, keepdim=True), *arguments, **more)

    layer.forward = mixing
    notes = []
    scorer = ModelScorer(model, "auto", None, notes.append)
    (scores,) = scorer.begin([PROMPTS], LETTERS).take()
    assert scorer.name == "plain, of one length"
    assert "differ by" in notes[0]
    for prompt, logits in zip(PROMPTS, scores.logits, strict=True):
        np.testing.assert_allclose(logits, plainly(model, prompt)[LETTERS].numpy(), atol=1e-4)


def test_memory_that_runs_out_halves_the_chunk():
    model = model_of(FITTING["llama"])
    expected = TreeScorer(model, Sizes(64, 4, 2)).score([PROMPTS], LETTERS)[0]
    forward, sizes = model.forward, []

    def small_memory(input_ids, **arguments):
        sizes.append(input_ids.shape[1])
        if input_ids.shape[1] > 8:
            raise torch.OutOfMemoryError("no")
        return forward(input_ids, **arguments)

    small_memory.__signature__ = __import__("inspect").signature(forward)
    model.forward = small_memory
    found = TreeScorer(model, Sizes(64, 4, 2)).score([PROMPTS], LETTERS)[0]
    np.testing.assert_allclose(found.logits, expected.logits, atol=1e-5)
    assert sizes[:4] == [31, 31, 16, 8]
    model.forward = _never
    with pytest.raises(torch.OutOfMemoryError):
        TreeScorer(model, Sizes(64, 4, 2)).score([PROMPTS], LETTERS)


def _never(input_ids, logits_to_keep=0, **arguments):
    raise torch.OutOfMemoryError("never")


def test_bfloat16_stays_near():
    config = FITTING["llama"]
    full = TreeScorer(model_of(config), Sizes(16, 4, 2)).score([PROMPTS], LETTERS)[0]
    half = TreeScorer(model_of(config).to(torch.bfloat16), Sizes(16, 4, 2)).score([PROMPTS], LETTERS)[0]
    np.testing.assert_allclose(full.logits, half.logits, atol=0.3, rtol=0.1)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=14), min_size=1, max_size=10),
    st.integers(1, 20), st.integers(1, 6), st.integers(1, 3),
)  # fmt: skip
def test_any_prompts_in_any_sizes(prompts, chunk, run, together):
    found = TreeScorer(MODEL, Sizes(chunk, run, together)).score([prompts], LETTERS)[0]
    for prompt, logits in zip(prompts, found.logits, strict=True):
        np.testing.assert_allclose(logits, plainly(MODEL, prompt)[LETTERS].numpy(), atol=1e-4, rtol=1e-4)


MODEL = model_of(FITTING["mistral with a window"])


def test_the_attention_is_ours_only_inside():
    model = model_of(FITTING["llama"])
    scorer = TreeScorer(model, Sizes(16, 4, 2))
    scorer.score([PROMPTS], LETTERS)
    model.set_attn_implementation("judgeharness_prefix_tree")
    with pytest.raises(TreeUnfitError):
        model(torch.tensor([[1, 2, 3]]))
