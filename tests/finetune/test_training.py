"""Training is what it says: the loss and a step by hand; the same for a seed; the same when broken off."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.domain.errors import InputError
from judgeharness.finetune.classifier import Classifier
from judgeharness.finetune.recipe import Recipe
from judgeharness.finetune.training import Lesson, probabilities, soft_cross_entropy, steps, train
from tests.finetune.encoders import encoder

LABELS = ("entailment", "neutral", "contradiction")


@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(2, 6))
def test_the_loss_is_cross_entropy_with_soft_labels(seed, items, labels):
    random = np.random.default_rng(seed)
    logits, soft = random.normal(0, 3, (items, labels)), random.dirichlet([1] * labels, items)
    found = soft_cross_entropy(SimpleNamespace(logits=torch.tensor(logits)), torch.tensor(soft))
    model = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert float(found) == pytest.approx(-(soft * np.log(model)).sum(axis=1).mean(), rel=1e-5)


@pytest.fixture
def lesson(tmp_path):
    def made(recipe, dropout=0.0):
        classifier = Classifier(str(encoder(tmp_path / f"e{dropout}", LABELS, dropout=dropout)), recipe, LABELS)
        words = ["rain fell", "the bakery", "no bread left", "a dog slept", "it is late", "she left", "he sings"]
        encoded = classifier.encode([(word, word[::-1]) for word in words])
        soft = np.random.default_rng(3).dirichlet([1, 1, 1], len(words))
        return classifier, Lesson(encoded, soft, encoded, soft)

    return made


def nothing(steps):
    pass


def test_one_step_by_hand(lesson, tmp_path):
    """One batch of all items: AdamW's first step, written out, with the gradient clipped to a norm of 1."""
    recipe = Recipe(epochs=1, batch_size=7, learning_rate=0.01, weight_decay=0.1)
    classifier, learned = lesson(recipe)
    before = classifier.load()
    trained = train(classifier, learned, recipe, 5, tmp_path / "work", nothing)
    model = copy.deepcopy(before).train()
    batch = classifier.tokenizer.pad([learned.train.row(place) for place in range(7)], return_tensors="pt")
    loss = -(torch.tensor(learned.labels) * torch.log_softmax(model(**batch).logits, dim=-1)).sum(dim=-1).mean()
    loss.backward()
    norm = torch.sqrt(sum((p.grad.double() ** 2).sum() for p in model.parameters() if p.grad is not None))
    scale = min(1.0, 1.0 / (float(norm) + 1e-6))
    # The learning rate of the first of one step is the whole of it, and after one step m / sqrt(v) is g / |g|.
    decayed = {name for name, _ in model.named_parameters() if "bias" not in name and "norm" not in name.lower()}
    for (name, own), (_, after) in zip(model.named_parameters(), trained.named_parameters(), strict=True):
        if own.grad is None:
            continue
        gradient = own.grad * scale
        decay = 0.01 * 0.1 if name in decayed else 0.0
        expected = own.detach() * (1 - decay) - 0.01 * gradient / (gradient.abs() + 1e-8)
        far = gradient.abs() > 1e-5
        torch.testing.assert_close(after.detach().cpu()[far], expected[far], atol=2e-5, rtol=1e-4)


def test_the_learning_rate_falls_to_zero_and_every_item_is_seen(lesson, tmp_path):
    recipe = Recipe(epochs=2, batch_size=2)
    classifier, learned = lesson(recipe)
    told = []
    train(classifier, learned, recipe, 5, tmp_path / "work", told.append)
    assert sum(told) == steps(7, recipe) == 8


def result(made, recipe, seed, folder, dropout=0.1):
    classifier, learned = made(recipe, dropout)
    model = train(classifier, learned, recipe, seed, folder, nothing)
    return probabilities(model, classifier, learned.train)


def test_a_seed_gives_the_same_and_another_does_not(lesson, tmp_path):
    recipe = Recipe(epochs=2, batch_size=2, learning_rate=0.01)
    first, again, other = (
        result(lesson, recipe, seed, tmp_path / name) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-4


class KilledError(Exception):
    pass


@pytest.mark.parametrize("after", [3, 4, 9])
def test_what_was_broken_off_goes_on_to_the_same_end(lesson, tmp_path, after):
    """In the first epoch (from the start), at its end, and in the third: dropout and order of the items included."""
    recipe = Recipe(epochs=4, batch_size=2, learning_rate=0.01)
    whole = result(lesson, recipe, 1, tmp_path / "whole")
    seen = []

    def kill(done):
        seen.append(done)
        if sum(seen) == after:
            raise KilledError

    classifier, learned = lesson(recipe, 0.1)
    with pytest.raises(KilledError):
        train(classifier, learned, recipe, 1, tmp_path / "broken", kill)
    told = []
    model = train(classifier, learned, recipe, 1, tmp_path / "broken", told.append)
    assert sum(told) == steps(7, recipe), "what was done before counts"
    np.testing.assert_array_equal(probabilities(model, classifier, learned.train), whole)


def test_the_best_checkpoint_is_that_of_the_development_split(lesson, tmp_path, monkeypatch):
    """Of four epochs whose macro F1 was best in the second, the second's weights come back."""
    from judgeharness.finetune import training

    scores = iter([0.1, 0.9, 0.3, 0.2])
    monkeypatch.setattr(training, "macro_f1", lambda human, model: next(scores))
    recipe = Recipe(epochs=4, batch_size=2, learning_rate=0.01, checkpoint="best-f1")
    best = result(lesson, recipe, 1, tmp_path / "best")
    seen = []

    def stop(done):
        seen.append(done)
        if sum(seen) == 9:
            raise KilledError

    classifier, learned = lesson(recipe, 0.1)
    scores = iter([0.1, 0.9, 0.3, 0.2])
    with pytest.raises(KilledError):
        train(classifier, learned, recipe, 1, tmp_path / "two", stop)
    import transformers

    second = transformers.BertForSequenceClassification.from_pretrained(tmp_path / "two" / "checkpoint-8")
    np.testing.assert_allclose(probabilities(second, classifier, learned.train), best, atol=1e-6)


def test_a_device_that_is_not_there(lesson, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    recipe = Recipe(device="cuda")
    with pytest.raises(InputError, match="no CUDA device"):
        result(lesson, recipe, 1, tmp_path / "x")
