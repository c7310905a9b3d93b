"""Scores do not depend on what else is in a run: every prompt against a forward pass of its own, on a fresh model."""

import copy

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from judgeharness.backends.hf.positions import context_length, position_limit
from judgeharness.backends.hf.scorer import ModelScorer
from judgeharness.domain.errors import HarnessError
from tests.backends.hf.test_tree import GROUPED, HEADED, LETTERS, model_of, plainly

LIMIT = 16
ROPE = {"rope_theta": 10_000.0}
LONG = {
    **ROPE, "rope_type": "longrope", "short_factor": [1.0] * 4, "long_factor": [40.0] * 4,
    "original_max_position_embeddings": LIMIT,
}  # fmt: skip
FAMILIES = {
    "longrope": transformers.Phi3Config(
        **GROUPED, pad_token_id=0, max_position_embeddings=256, original_max_position_embeddings=LIMIT,
        rope_parameters=LONG,
    ),
    "dynamic": transformers.LlamaConfig(
        **GROUPED, max_position_embeddings=LIMIT, rope_parameters={**ROPE, "rope_type": "dynamic", "factor": 4.0}
    ),
    "yarn": transformers.LlamaConfig(
        **GROUPED, max_position_embeddings=64, rope_parameters={
            **ROPE, "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": LIMIT,
        },
    ),
    "windows": transformers.MistralConfig(**GROUPED, sliding_window=5),
    "softcaps and windows": transformers.Gemma2Config(**HEADED, sliding_window=6),
}  # fmt: skip
MODELS = {family: model_of(config) for family, config in FAMILIES.items()}
PROMPTS = st.lists(st.integers(0, 3), min_size=1, max_size=40)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=8, deadline=None)
@given(
    packs=st.lists(st.lists(st.lists(PROMPTS, min_size=1, max_size=3), min_size=1, max_size=2), min_size=1, max_size=3),
    batch_tokens=st.none() | st.integers(1, 60),
    choice=st.sampled_from(["auto", "plain"]),
)
def test_every_score_is_that_of_a_fresh_forward_pass(family, packs, batch_tokens, choice):
    """packs: groups of prompts that are scored together, one pack after the other, in any order of lengths."""
    fresh = MODELS[family]
    scorer = ModelScorer(copy.deepcopy(fresh), choice, batch_tokens, lambda line: None)
    for groups in packs:
        found = scorer.begin(groups, LETTERS).take()
        for prompts, scores in zip(groups, found, strict=True):
            for prompt, logits in zip(prompts, scores.logits, strict=True):
                expected = plainly(copy.deepcopy(fresh), prompt)[LETTERS]
                np.testing.assert_allclose(logits, expected.numpy(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", ["longrope", "dynamic"])
def test_the_tree_stays_for_prompts_that_are_short_enough(family):
    short, long = [[1, 2, 3], [1, 2, 4]], [[1, 2, *[3] * LIMIT]]
    notes = []
    scorer = ModelScorer(copy.deepcopy(MODELS[family]), "auto", None, notes.append)
    scorer.begin([short], LETTERS).take()
    assert (scorer.name, notes) == ("tree", [])
    scorer.begin([long], LETTERS).take()
    scorer.begin([long], LETTERS).take()
    assert scorer.name == "tree"
    (note,) = notes
    assert f"beyond {LIMIT} tokens" in note
    with pytest.raises(HarnessError, match=f"beyond {LIMIT} tokens"):
        ModelScorer(copy.deepcopy(MODELS[family]), "tree", None, print).begin([long], LETTERS)


def test_lengths_are_read_from_configurations():
    limits = {family: position_limit(config) for family, config in FAMILIES.items()}
    assert limits == {
        "longrope": LIMIT, "dynamic": LIMIT, "yarn": None, "windows": None, "softcaps and windows": None
    }  # fmt: skip
    assert context_length(FAMILIES["dynamic"]) == 4 * LIMIT
    assert context_length(FAMILIES["longrope"]) == 256
    assert context_length(transformers.MambaConfig()) is None


PER_LAYER = transformers.Gemma3TextConfig(
    **HEADED, query_pre_attn_scalar=16, sliding_window=16, max_position_embeddings=LIMIT,
    layer_types=["sliding_attention", "full_attention", "full_attention"], rope_parameters={
        "full_attention": {**ROPE, "rope_type": "dynamic", "factor": 8.0},
        "sliding_attention": {**ROPE, "rope_type": "default"},
    },
)  # fmt: skip


def test_a_state_that_is_made_on_the_way_is_taken_away():
    fresh = model_of(PER_LAYER)
    scorer = ModelScorer(copy.deepcopy(fresh), "auto", None, lambda line: None)
    for length in (LIMIT + 4, LIMIT + 24, LIMIT - 6, LIMIT + 2):
        prompt = [1 + place % 3 for place in range(length)]
        (scores,) = scorer.begin([[prompt]], LETTERS).take()
        expected = plainly(copy.deepcopy(fresh), prompt)[LETTERS].numpy()
        np.testing.assert_allclose(scores.logits[0], expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("batch_tokens", [30, 200])
def test_padding_is_tried_whatever_goes_into_a_batch(batch_tokens):
    """The longest prompt fills a batch of its own, and the shortest stand together: none of these is padded."""
    config = transformers.RwkvConfig(
        vocab_size=60, hidden_size=32, attention_hidden_size=32, num_hidden_layers=2, context_length=512
    )
    model = model_of(config)
    prompts = [
        [1 + place * step % 50 for place in range(length)] for step, length in enumerate((25, 3, 25, 3, 9, 12, 7))
    ]
    scorer = ModelScorer(copy.deepcopy(model), "auto", batch_tokens, lambda line: None)
    for part in (prompts[:4], prompts[4:]):
        (scores,) = scorer.begin([part], LETTERS).take()
        for prompt, logits in zip(part, scores.logits, strict=True):
            expected = plainly(copy.deepcopy(model), prompt)[LETTERS].numpy()
            np.testing.assert_allclose(logits, expected, atol=1e-4, rtol=1e-4)


class Growing(torch.nn.Module):
    """Positions stretched by the longest text so far: a state that no configuration shows, as code of models has it."""

    def __init__(self, embedding):
        super().__init__()
        self.embedding = embedding
        self.longest = 0
        self.register_buffer("scale", torch.ones(()), persistent=False)

    def forward(self, hidden, position_ids):
        if int(position_ids.max()) > self.longest:
            self.longest = int(position_ids.max())
            self.scale = torch.tensor(1 + self.longest / 10)
        return self.embedding(hidden, position_ids / self.scale)


@pytest.mark.parametrize("choice", ["auto", "plain"])
def test_a_state_that_no_configuration_shows_is_found_by_trying(choice):
    def grown():
        model = copy.deepcopy(MODELS["windows"])
        model.model.rotary_emb = Growing(model.model.rotary_emb)
        return model

    scorer = ModelScorer(grown(), choice, None, lambda line: None)
    packs = [[[[1, 2, 3], [1, 2, 4]]], [[[3] * 30], [[1, 2, 3]]], [[[2, 1]], [[1] * 12, [1, 3]]]]
    for groups in packs:
        for prompts, scores in zip(groups, scorer.begin(groups, LETTERS).take(), strict=True):
            for prompt, logits in zip(prompts, scores.logits, strict=True):
                np.testing.assert_allclose(logits, plainly(grown(), prompt)[LETTERS].numpy(), atol=1e-4, rtol=1e-4)
    assert scorer.name.startswith("plain, ")
