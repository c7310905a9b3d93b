"""Texts written side by side in one context are those that are written alone."""

import pytest

from judgeharness.backends.llamacpp import writer
from judgeharness.backends.llamacpp.backend import LlamaCppBackend
from judgeharness.backends.llamacpp.options import LlamaCppOptions
from judgeharness.domain.nouns import Decoding, Message, Prompt, PromptGroup, ScoringFailure

QUESTIONS = ("Name an animal.", "Why is the sky blue? Answer in one short sentence.", "Say hello.", "Count to three.")


def group(temperature, tokens=12, uid="u", questions=QUESTIONS):
    prompts = tuple(Prompt((Message("user", text),), (0, 1)) for text in questions)
    return PromptGroup(uid, prompts, Decoding(tokens, temperature, 5))


@pytest.fixture(scope="module")
def model(context):
    backend = LlamaCppBackend("smollm2", LlamaCppOptions(), context)
    backend.describe()
    backend.open()
    yield backend
    backend.close()


def texts(backend, *groups):
    return {each.uid: each for each in backend.generate(groups)}


def test_a_whole_text_is_the_same_as_scoring_says_token_by_token(model):
    """The most probable first token of the text is the one with the best logit after the prompt, and so on."""
    asked = group(0.0, tokens=6, questions=QUESTIONS[:1])
    written = texts(model, asked)["u"].texts[0]
    (prompt,) = model.encode(asked)
    expected = []
    for _ in range(6):
        context = writer.LlamaContext(model._model, 512, 64, 1, 2)
        from judgeharness.backends.llamacpp.decodes import decodes
        from judgeharness.backends.local.prefix_tree import build_tree

        rows = [row for step in decodes(build_tree([[*prompt, *expected]]), 64) for row in context.decode(step)]
        context.close()
        token = int(rows[-1].argmax())
        if model._model.ends(token):
            break
        expected.append(token)
    assert written == model._model.text(expected)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_texts_that_are_drawn_again_are_the_same(model, temperature):
    assert texts(model, group(temperature)) == texts(model, group(temperature))


def test_equal_prompts_are_drawn_apart(model):
    found = texts(model, group(1.0, questions=QUESTIONS[:1] * 4))["u"]
    assert len(set(found.texts)) > 1


def test_many_texts_go_through_few_tokens_at_a_time(context):
    """Batches smaller than the prompts and fewer than the texts."""
    backend = LlamaCppBackend("smollm2", LlamaCppOptions(batch_tokens=8), context)
    backend.open()
    found = [
        text for each in texts(backend, *(group(0.0, uid=str(n)) for n in range(5))).values() for text in each.texts
    ]
    backend.close()
    assert len(found) == 20
    assert all(text.strip() for text in found)


def test_a_lot_too_large_for_the_cache_goes_in_parts(model, monkeypatch):
    whole = texts(model, group(0.0, tokens=4))
    monkeypatch.setattr(writer, "CACHED_TOKENS", 60)
    assert texts(model, group(0.0, tokens=4)).keys() == whole.keys()


def test_a_prompt_without_room_for_its_answer_is_a_failure(model):
    found = texts(model, group(0.0, tokens=1_000_000))["u"]
    assert isinstance(found, ScoringFailure)


def test_stops_and_limits_are_told_apart(model):
    found = texts(model, group(0.0, tokens=40))["u"]
    assert not all(found.cut)
    one = texts(model, group(0.0, tokens=1))["u"]
    assert all(one.cut)
    assert all(len(text) < 20 for text in one.texts)
