"""The tokenizer of a server's model, from files at hand: it gives exact token ids, and names the letters' tokens."""

from __future__ import annotations

from datetime import date

from judgeharness.backends.chat import LocalChat
from judgeharness.backends.contract import BackendContext
from judgeharness.backends.source import find_source
from judgeharness.domain.errors import MissingExtraError


def load_chat(name: str, today: date, context: BackendContext) -> LocalChat:
    """Chat template and tokenizer: of a GGUF file through llama.cpp, of a folder or a hub id through transformers.

    today: what the template takes for the current date. Raises InputError and HarnessError as those backends do.
    """
    source = find_source(name, "tokenizer")
    try:
        if source.kind == "gguf" or source.file is not None:
            from judgeharness.backends.llamacpp.backend import LlamaCppBackend
            from judgeharness.backends.llamacpp.options import LlamaCppOptions

            return LlamaCppBackend(name, LlamaCppOptions(date=today), context).chat
        from judgeharness.backends.hf.backend import HuggingFaceBackend
        from judgeharness.backends.hf.options import HuggingFaceOptions

        return HuggingFaceBackend(name, HuggingFaceOptions(date=today), context).chat
    except ImportError as error:
        extra = "llamacpp" if source.kind == "gguf" or source.file is not None else "hf"
        raise MissingExtraError(f"the tokenizer {name}", f"judgeharness[{extra}]", str(error)) from error
