import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.backends.hf.batches import batches
from judgeharness.backends.hf.plain import PlainScorer

VOCABULARY = 40
SMALL = {"vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
FAMILIES = {
    "llama": transformers.LlamaConfig(**SMALL, intermediate_size=32, num_key_value_heads=1),
    "mistral with a window": transformers.MistralConfig(
        **SMALL, intermediate_size=32, num_key_value_heads=1, sliding_window=4
    ),
    "gemma2": transformers.Gemma2Config(**SMALL, intermediate_size=32, num_key_value_heads=1, head_dim=8),
    "qwen3": transformers.Qwen3Config(**SMALL, intermediate_size=32, num_key_value_heads=1, head_dim=8),
    "gpt-neox": transformers.GPTNeoXConfig(**SMALL, intermediate_size=32),
    "gpt2 (learned positions)": transformers.GPT2Config(vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2),
    "bloom (ALiBi)": transformers.BloomConfig(vocab_size=VOCABULARY, hidden_size=16, n_layer=2, n_head=2),
    "mamba (recurrent)": transformers.MambaConfig(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2),
}
PROMPTS = [[5, 6, 7], [5, 6, 7, 8, 9, 10, 11, 12], [5, 6, 7], [20, 21], [30] * 12, [9, 8, 7, 6, 5]]


def model_of(config):
    torch.manual_seed(1)
    return transformers.AutoModelForCausalLM.from_config(config).eval()


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_those_of_plain_forward_passes(family):
    model = model_of(FAMILIES[family])
    letters = [3, 17, 28]
    found = PlainScorer(model, batch_tokens=30).score([PROMPTS], letters)[0]
    for row, mass, prompt in zip(found.logits, found.mass, PROMPTS, strict=True):
        with torch.no_grad():
            last = model(torch.tensor([prompt])).logits[0, -1].double()
        np.testing.assert_allclose(row, last[letters].numpy(), atol=1e-4)
        assert mass == pytest.approx(last.softmax(0)[letters].sum().item(), abs=1e-6)


def test_each_distinct_prompt_goes_through_the_model_once():
    model = model_of(FAMILIES["llama"])
    seen = []
    forward = model.forward

    def counted(input_ids, **arguments):
        seen.append(len(input_ids))
        return forward(input_ids, **arguments)

    counted.__signature__ = __import__("inspect").signature(forward)
    model.forward = counted
    scorer = PlainScorer(model, batch_tokens=1000)
    scorer.score([[[1, 2, 5]]], [5, 6])
    seen.clear()
    scorer.score([[[1, 2, 3]] * 10, [[1, 2, 4]]], [5, 6])
    assert seen == [2]


def test_a_batch_that_does_not_fit_is_halved():
    model = model_of(FAMILIES["llama"])
    forward = model.forward
    sizes = []

    def small_memory(input_ids, **arguments):
        sizes.append(len(input_ids))
        if len(input_ids) > 2:
            raise torch.OutOfMemoryError("no")
        return forward(input_ids, **arguments)

    small_memory.__signature__ = __import__("inspect").signature(forward)
    prompts = [[n, n + 1, n + 2] for n in range(8)]
    expected = PlainScorer(model).score([prompts], [5, 6])[0]
    scorer = PlainScorer(model, batch_tokens=1000)
    scorer.score([prompts[:1]], [5, 6])
    model.forward = small_memory
    found = scorer.score([prompts], [5, 6])[0]
    np.testing.assert_allclose(found.logits, expected.logits, atol=1e-5)
    assert sizes[0] == 8
    model.forward = lambda input_ids, **arguments: (_ for _ in ()).throw(torch.OutOfMemoryError("never"))
    with pytest.raises(torch.OutOfMemoryError):
        PlainScorer(model).score([[[1, 2]]], [5, 6])


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 3)), max_size=30), st.integers(1, 200))
def test_batches_hold_every_sequence_once_within_the_budget(sequences, most):
    lengths, kinds = [length for length, _ in sequences], [kind for _, kind in sequences]
    found = batches(lengths, most, kinds)
    assert sorted(index for batch in found for index in batch) == list(range(len(lengths)))
    for batch in found:
        longest = max(lengths[index] for index in batch)
        assert len(batch) == 1 or longest * len(batch) <= most
        assert len({kinds[index] for index in batch}) == 1
