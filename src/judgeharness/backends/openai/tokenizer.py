"""The tokenizer of a server's model, from local files or the hub. It gives exact token ids and the letters' tokens."""

from __future__ import annotations

from datetime import date

from judgeharness.backends.chat import LocalChat
from judgeharness.backends.contract import BackendContext
from judgeharness.backends.source import find_source
from judgeharness.domain.errors import MissingExtraError


def load_chat(name: str, today: date, context: BackendContext) -> LocalChat:
    """Load a chat template and a tokenizer.

    A GGUF file is loaded through llama.cpp. A folder or a hub id is loaded through transformers.

    Args:
        name: A GGUF file, a folder, a hub id or an alias such as smollm2.
        today: The date that the template takes for today.
        context: The cache and the notifications of the backend.

    Raises:
        InputError, HarnessError: As the `llamacpp:` and `hf:` backends raise them.
        MissingExtraError: If a package that these backends need is not installed.
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
