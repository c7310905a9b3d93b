import json

import numpy as np
import pytest
import torch

from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.finetune.classifier import Classifier, head_order, reorder_head
from judgeharness.finetune.recipe import Recipe
from judgeharness.finetune.training import probabilities
from tests.finetune.encoders import encoder

LABELS = ("entailment", "neutral", "contradiction")
TEXTS = [("the bakery sold its last loaf", "there was no bread left"), ("it rained", "the street was wet")]


def test_the_head_stands_in_the_tasks_order(tmp_path):
    """A checkpoint whose head has another order, as those of the hub do, gives the same to the same label."""
    folder = encoder(tmp_path / "nli", ("CONTRADICTION", "Entailment", "neutral"))
    classifier = Classifier(str(folder), Recipe(), LABELS)
    other = Classifier(str(folder), Recipe(), ("neutral", "contradiction", "entailment"))
    assert classifier.describe()["head"] == "the model's"
    encoded = classifier.encode(TEXTS)
    model = classifier.load()
    assert model.config.id2label == dict(enumerate(LABELS))
    rows = probabilities(model, classifier, encoded)
    np.testing.assert_allclose(rows[:, [1, 2, 0]], probabilities(other.load(), other, encoded), atol=1e-12)
    import transformers

    raw = transformers.BertForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        batch = classifier.tokenizer(
            *(list(column) for column in zip(*TEXTS, strict=True)), padding=True, return_tensors="pt"
        )
        expected = torch.softmax(raw(**batch).logits.double(), dim=-1).numpy()
    np.testing.assert_allclose(rows, expected[:, [1, 2, 0]], atol=1e-6)


def test_a_bare_encoder_gets_a_new_head(tmp_path):
    classifier = Classifier(str(encoder(tmp_path / "bare")), Recipe(), ("yes", "no"))
    assert classifier.describe()["head"] == "new"
    assert classifier.load().config.num_labels == 2


def test_a_new_head_where_it_is_asked_for(tmp_path):
    folder = encoder(tmp_path / "five", ("1", "2", "3", "4", "5"))
    with pytest.raises(InputError, match=r"the head of .* is for 1, 2, 3, 4, 5"):
        Classifier(str(folder), Recipe(), LABELS)
    classifier = Classifier(str(folder), Recipe(head="new"), LABELS)
    assert classifier.load().config.num_labels == 3


@pytest.mark.parametrize(
    ("named", "stated", "expected"),
    [
        (("contradiction", "entailment", "neutral"), None, [1, 2, 0]),
        (("LABEL_0", "LABEL_1", "LABEL_2"), "contradiction, neutral, entailment", [2, 1, 0]),
    ],
)
def test_orders_of_heads(named, stated, expected):
    assert head_order("m", named, LABELS, stated) == expected


@pytest.mark.parametrize(
    ("named", "stated", "problem"),
    [
        (("LABEL_0", "LABEL_1", "LABEL_2"), None, "does not name them"),
        (("LABEL_0", "LABEL_1"), None, "is for LABEL_0, LABEL_1"),
        (("entailment", "not_entailment"), None, "is for entailment, not_entailment"),
        (("a", "b", "c"), "entailment,neutral", "names 2 labels"),
        (("a", "b", "c"), "entailment,neutral,neutral", "is for"),
        (("positive", "neutral", "negative"), None, "is for positive"),
    ],
)
def test_heads_for_other_labels(named, stated, problem):
    with pytest.raises(InputError, match=problem):
        head_order("m", named, LABELS, stated)


def test_too_long_texts_are_cut_and_counted(tmp_path):
    classifier = Classifier(str(encoder(tmp_path / "bare")), Recipe(max_length=12), LABELS)
    encoded = classifier.encode([*TEXTS, ("word " * 40, "short")])
    assert [len(row["input_ids"]) for row in encoded.rows] == [12, 9, 12]
    assert encoded.cut == 2
    assert Classifier(str(tmp_path / "bare"), Recipe(), LABELS).encode(TEXTS).cut == 0


def test_what_is_no_encoder(tmp_path):
    with pytest.raises(InputError, match=r"no config\.json"):
        Classifier(str(tmp_path), Recipe(), LABELS)
    with pytest.raises(InputError, match="not a model to fine-tune"):
        Classifier("smollm2", Recipe(), LABELS)
    folder = encoder(tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(HarnessError, match="no safetensors"):
        Classifier(str(folder), Recipe(), LABELS)
    broken = encoder(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(HarnessError, match="cannot be loaded"):
        Classifier(str(broken), Recipe(), LABELS).load()
    config = json.loads((broken / "config.json").read_text())
    (broken / "config.json").write_text(json.dumps({**config, "model_type": "none-such"}))
    with pytest.raises(HarnessError, match="cannot be read"):
        Classifier(str(broken), Recipe(), LABELS)


def test_a_head_without_a_linear_layer():
    with pytest.raises(HarnessError, match="no linear layer"):
        reorder_head(torch.nn.Sequential(torch.nn.Linear(4, 5)), [0, 1, 2])


def test_the_packaged_encoder_is_real():
    classifier = Classifier("minilm", Recipe(), LABELS)
    assert len(classifier.describe()["fingerprint"]) == 64
    rows = probabilities(classifier.load(), classifier, classifier.encode(TEXTS))
    np.testing.assert_allclose(rows.sum(axis=1), 1)
