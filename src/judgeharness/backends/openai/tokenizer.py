"""The tokenizer of a server's model, from files at hand: it gives exact token ids, and names the letters' tokens."""

from __future__ import annotations

from judgeharness.backends.chat import Chat
from judgeharness.backends.contract import BackendContext
from judgeharness.backends.source import find_source
from judgeharness.errors import MissingExtraError


def load_chat(name: str, context: BackendContext) -> Chat:
    """Chat template and tokenizer: of a GGUF file through llama.cpp, of a folder or a hub id through transformers.

    Raises InputError and HarnessError as those backends do.
    """
    source = find_source(name, "tokenizer")
    try:
        if source.kind == "gguf" or source.file is not None:
            from judgeharness.backends.llamacpp.backend import LlamaCppBackend
            from judgeharness.backends.llamacpp.options import LlamaCppOptions

            return LlamaCppBackend(name, LlamaCppOptions(), context).chat
        from judgeharness.backends.hf.backend import HuggingFaceBackend
        from judgeharness.backends.hf.options import HuggingFaceOptions

        return HuggingFaceBackend(name, HuggingFaceOptions(), context).chat
    except ImportError as error:
        extra = "llamacpp" if source.kind == "gguf" or source.file is not None else "hf"
        raise MissingExtraError(f"the tokenizer {name}", f"judgeharness[{extra}]", str(error)) from error
