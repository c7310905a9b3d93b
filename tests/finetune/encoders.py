"""Tiny encoders, made here: real models of transformers with random weights."""

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from judgeharness.tasks.records import read_records
from judgeharness.tasks.shipped import shipped

SPLITS = """
[[splits]]
name = "train"
rest = [0, 10]

[[splits]]
name = "dev"
rest = [10, 16]

[[splits]]
name = "test"
rest = [16, 24]
"""


def own_task(folder):
    """nli-sample in three splits."""
    folder.mkdir(exist_ok=True)
    source = shipped() / "nli-sample"
    (folder / "items.jsonl").write_bytes((source / "items.jsonl").read_bytes())
    text = (source / "task.toml").read_text(encoding="utf-8")
    (folder / "task.toml").write_text(text.replace('name = "nli-sample"', 'name = "own"', 1) + SPLITS, encoding="utf-8")
    return folder / "task.toml"


def tokenizer():
    words = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3}
    for record in read_records(shipped() / "nli-sample" / "items.jsonl"):
        for field in ("premise", "hypothesis"):
            for word in record.text(field).lower().split():
                words.setdefault(word, len(words))
    made = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )


def encoder(folder, labels=None, seed=0, dropout=0.1):
    """A folder with a tiny BERT: with a head for these labels, or bare."""
    made = tokenizer()
    more = {} if labels is None else {"num_labels": len(labels), "id2label": dict(enumerate(labels))}
    config = transformers.BertConfig(
        vocab_size=len(made), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout,
        pad_token_id=0, **more,
    )  # fmt: skip
    torch.manual_seed(seed)
    kind = transformers.BertModel if labels is None else transformers.BertForSequenceClassification
    kind(config).save_pretrained(folder)
    made.save_pretrained(folder)
    return folder
