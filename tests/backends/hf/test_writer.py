"""Texts written side by side are those that a model writes alone, token by token."""

import numpy as np
import pytest
import torch
import transformers

from judgeharness.backends.hf.plain import PlainScorer
from judgeharness.backends.hf.writer import TextWriter
from judgeharness.backends.local.generating import Start, Written
from judgeharness.backends.local.sampling import Drawer
from judgeharness.domain.nouns import Decoding, GeneratedTexts, Message, Prompt, PromptGroup, ScoringFailure

QUESTIONS = ("Name an animal.", "Why is the sky blue? Answer in one short sentence.", "Say hello.", "Count to three.")


def group(temperature, tokens=12, uid="u", questions=QUESTIONS):
    prompts = tuple(Prompt((Message("user", text),), (0, 1)) for text in questions)
    return PromptGroup(uid, prompts, Decoding(tokens, temperature, 5))


def alone(backend, group):
    """One token after the other with whole forward passes."""
    model, stops = backend._model, backend._stops()
    found = []
    for index, prompt in enumerate(backend.encode(group)):
        drawer, written, cut = Drawer(group.decoding, index), [], True
        for _ in range(group.decoding.max_tokens):
            with torch.inference_mode():
                logits = model(input_ids=torch.tensor([[*prompt, *written]])).logits[0, -1]
            token = drawer.draw(logits.float().numpy())
            if token in stops:
                cut = False
                break
            written.append(token)
        found.append((backend.chat.text(written), cut))
    return found


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_texts_are_those_of_single_forward_passes(smollm2, temperature):
    asked = group(temperature)
    (texts,) = smollm2.generate([asked])
    expected = alone(smollm2, asked)
    assert list(zip(texts.texts, texts.cut, strict=True)) == expected
    assert any(texts.cut)
    assert not all(texts.cut)


def test_what_stands_beside_a_prompt_does_not_matter(smollm2):
    asked = [group(1.0, uid="a"), group(1.0, uid="b", questions=QUESTIONS[:1] * 3)]
    together = {each.uid: each for each in smollm2.generate(asked)}
    for each in asked:
        (single,) = smollm2.generate([each])
        assert single == together[each.uid]
    # The same prompt three times is drawn three times.
    assert len(set(together["b"].texts)) > 1


def test_nothing_special_and_nothing_of_the_prompt_is_in_a_text(smollm2):
    (texts,) = smollm2.generate([group(0.0, questions=("Say hello.",))])
    assert not any(mark in texts.texts[0] for mark in ("<|", "Say hello"))
    assert texts.texts[0].strip()


def test_a_prompt_without_room_for_its_answer_is_a_failure(smollm2):
    first, second = smollm2.generate([group(0.0, tokens=100_000, uid="long"), group(0.0, uid="short")])
    assert isinstance(first, ScoringFailure)
    assert "are longer than the model's" in first.reason
    assert isinstance(second, GeneratedTexts)


def test_equal_prompts_are_written_to_once_where_nothing_is_drawn(smollm2, monkeypatch):
    sizes = []
    original = TextWriter.write
    monkeypatch.setattr(TextWriter, "write", lambda self, starts: sizes.append(len(starts)) or original(self, starts))
    (texts,) = smollm2.generate([group(0.0, questions=QUESTIONS[:1] * 5)])
    assert sizes == [1]
    assert len(set(texts.texts)) == 1
    assert len(texts.texts) == 5


class _Short:
    """Fails for want of memory where more than `most` prompts are continued together."""

    def __init__(self, model, most):
        self._model, self.most, self.seen = model, most, []

    def __getattr__(self, name):
        return getattr(self._model, name)

    def generate(self, input_ids, **more):
        self.seen.append(len(input_ids))
        if len(input_ids) > self.most:
            raise torch.OutOfMemoryError("no")
        return self._model.generate(input_ids=input_ids, **more)


def test_fewer_go_together_where_memory_runs_out(smollm2):
    starts = [Start(tuple(ids), Decoding(4), n) for n, ids in enumerate(smollm2.encode(group(0.0)))]
    plain = PlainScorer(smollm2._model)
    expected = TextWriter(smollm2._model, plain, smollm2._stops(), smollm2.chat.text).write(starts)
    short = _Short(smollm2._model, 1)
    assert TextWriter(short, plain, smollm2._stops(), smollm2.chat.text).write(starts) == expected
    assert max(short.seen) > 1
    assert all(isinstance(each, Written) for each in expected)
    with pytest.raises(torch.OutOfMemoryError):
        TextWriter(_Short(smollm2._model, 0), plain, [], smollm2.chat.text).write(starts[:1])


def test_the_defaults_of_a_model_do_not_change_what_it_writes(smollm2):
    """A repetition penalty, for one, comes with some models."""
    asked = group(0.0, questions=("Say the word banana ten times.",), tokens=30)
    (expected,) = smollm2.generate([asked])
    config = smollm2._model.generation_config
    before = (config.repetition_penalty, config.no_repeat_ngram_size)
    config.repetition_penalty, config.no_repeat_ngram_size = 5.0, 1
    try:
        (found,) = smollm2.generate([asked])
    finally:
        config.repetition_penalty, config.no_repeat_ngram_size = before
    assert found == expected
    assert np.array(found.cut).shape == (1,)


@pytest.mark.parametrize("kind", ["mamba", "gpt_neox", "gemma3_text"])
def test_models_of_other_kinds_write_together_what_they_write_alone(kind):
    """Recurrent ones, for which padding is not exact, and ones with windows: random weights, but all of the code."""
    torch.manual_seed(0)
    config = {
        "mamba": lambda: transformers.MambaConfig(
            vocab_size=97, hidden_size=16, state_size=4, num_hidden_layers=2, pad_token_id=0, bos_token_id=1
        ),
        "gpt_neox": lambda: transformers.GPTNeoXConfig(
            vocab_size=97, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
        ),
        "gemma3_text": lambda: transformers.Gemma3TextConfig(
            vocab_size=97, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, head_dim=8, sliding_window=4, pad_token_id=0,
        ),
    }[kind]()  # fmt: skip
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    prompts = [(5, 6, 7), (8, 9, 10, 11, 12, 13, 14, 15), (3,)]
    for temperature in (0.0, 1.0):
        asked = [Start(tokens, Decoding(10, temperature, 1), n) for n, tokens in enumerate(prompts)]
        together, *alone = (
            TextWriter(model, PlainScorer(model), [2], repr).write(part)
            for part in (asked, *([each] for each in asked))
        )
        assert together == [written for each in alone for written in each]
