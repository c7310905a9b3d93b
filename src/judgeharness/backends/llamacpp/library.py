"""llama.cpp through its C functions: a model file with its vocabulary, and a context that decodes.

Nothing here checks its input. `check` tries files beforehand, in a separate process.
"""

from __future__ import annotations

import ctypes
import mmap
from collections import deque
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from judgeharness.backends.llamacpp.decodes import Decode
from judgeharness.domain.errors import HarnessError

SPECIAL_TOKENS = {
    "bos_token": llama_cpp.llama_vocab_bos,
    "eos_token": llama_cpp.llama_vocab_eos,
    "pad_token": llama_cpp.llama_vocab_pad,
    "sep_token": llama_cpp.llama_vocab_sep,
    "mask_token": llama_cpp.llama_vocab_mask,
}
_ERROR_LEVEL = 3
_INT_BYTES = 4
_FLOAT_TYPES = (0, 1, 32)
_LONG_FACTORS = b"rope_factors_long.weight"
_MAX_HEADER_BYTES = 1 << 27
CONTEXT_STEP = 256
"""The size of a context is a multiple of this number of tokens."""

_errors: deque[str] = deque(maxlen=8)


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]  # ctypes makes it, without types
def _listen(level: int, text: bytes, data: Any) -> None:
    """Keep llama.cpp's error lines for messages, and keep everything else off the terminal."""
    if level == _ERROR_LEVEL:
        _errors.append(text.decode("utf-8", "replace").strip())


def failure(what: str) -> HarnessError:
    """Return an error with the last line that llama.cpp gave as its reason."""
    reason = next((line for line in reversed(_errors) if line), "llama.cpp gives no reason")
    return HarnessError(f"{what}: {reason}")


def supports_gpu() -> bool:
    """Return whether llama.cpp was built with a GPU backend and found a GPU."""
    return bool(llama_cpp.llama_supports_gpu_offload())


def most_sequences() -> int:
    """Return the most sequences of one context."""
    return int(llama_cpp.llama_max_parallel_sequences())


class LlamaModel:
    """A loaded GGUF file, or only its vocabulary and metadata.

    Args:
        path: The file.
        gpu_layers: How many layers run on the GPU; -1 for all.
        vocabulary_only: Load no weights.
        extra_buffers: Let llama.cpp repack weights for this processor.

    Raises:
        HarnessError: If the file cannot be loaded.
    """

    def __init__(
        self, path: Path, gpu_layers: int = 0, *, vocabulary_only: bool = False, extra_buffers: bool = False
    ) -> None:
        llama_cpp.llama_log_set(_listen, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = gpu_layers
        parameters.vocab_only = vocabulary_only
        parameters.use_extra_bufts = extra_buffers
        _errors.clear()
        self.handle: Any = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        if not self.handle:
            raise failure(f"{path}: llama.cpp cannot load this file")
        self._path = path
        self._vocabulary: Any = llama_cpp.llama_model_get_vocab(self.handle)
        self.n_tokens = int(llama_cpp.llama_vocab_n_tokens(self._vocabulary))

    @property
    def template(self) -> str | None:
        """The chat template in the file, if it has one."""
        found = llama_cpp.llama_model_chat_template(self.handle, None)
        return found.decode("utf-8", "replace") if found else None

    @property
    def architecture(self) -> str:
        """The architecture that the file names, such as "llama"."""
        return self._metadata("general.architecture") or "unknown"

    @cached_property
    def position_limit(self) -> int | None:
        """The largest context that reads positions as every smaller one does; None if the size does not matter.

        Models with two sets of rotary factors, such as Phi-3, keep both in their files. llama.cpp uses the long ones in
        any context with more tokens than the model was first trained on, even for short prompts.
        """
        trained = self._metadata(f"{self.architecture}.rope.scaling.original_context_length")
        if trained is None or not trained.isdigit() or not self._has_long_factors:
            return None
        return int(trained) // CONTEXT_STEP * CONTEXT_STEP

    @property
    def _has_long_factors(self) -> bool:
        with self._path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(_LONG_FACTORS, 0, _MAX_HEADER_BYTES) >= 0

    def _metadata(self, key: str) -> str | None:
        buffer = ctypes.create_string_buffer(128)
        size = llama_cpp.llama_model_meta_val_str(self.handle, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if size > 0 else None

    @property
    def description(self) -> str:
        """The architecture, size and quantization, in llama.cpp's words."""
        buffer = ctypes.create_string_buffer(256)
        llama_cpp.llama_model_desc(self.handle, buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace")

    @property
    def context_length(self) -> int:
        """The longest text that the model was trained on, in tokens."""
        return int(llama_cpp.llama_model_n_ctx_train(self.handle))

    @property
    def is_quantised(self) -> bool:
        """Whether weights have fewer than 16 bits. Activations are then rounded too, batch by batch."""
        return int(llama_cpp.llama_model_ftype(self.handle)) not in _FLOAT_TYPES

    @property
    def is_recurrent(self) -> bool:
        """Whether a token's state depends on more than keys and values. Such a model cannot be scored as a tree."""
        return bool(llama_cpp.llama_model_is_recurrent(self.handle) or llama_cpp.llama_model_is_hybrid(self.handle))

    @property
    def is_causal(self) -> bool:
        """Whether it predicts the next token from the earlier ones."""
        return bool(
            llama_cpp.llama_model_has_decoder(self.handle)
            and not llama_cpp.llama_model_has_encoder(self.handle)
            and not llama_cpp.llama_model_is_diffusion(self.handle)
        )

    def special_tokens(self) -> dict[str, str]:
        """Return the texts of the special tokens in the vocabulary, by name."""
        tokens = {name: int(find(self._vocabulary)) for name, find in SPECIAL_TOKENS.items()}
        return {name: self._text(token) for name, token in tokens.items() if 0 <= token < self.n_tokens}

    def control_tokens(self) -> dict[int, str]:
        """Return the tokens that are not text, and the one for text that is not in the vocabulary."""
        return self._tokens_of(llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN)

    def user_tokens(self) -> dict[int, str]:
        """Return the tokens that were added to the vocabulary and are text."""
        return self._tokens_of(llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED)

    def unknown_token(self) -> int | None:
        """Return the token for text that is not in the vocabulary, if there is one."""
        return next(iter(self._tokens_of(llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN)), None)

    def tokenize(self, text: str, add_special: bool) -> list[int]:
        """Return the token ids of a text. Special tokens in the text are recognized."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        while True:
            buffer = (ctypes.c_int32 * room)()
            size = int(llama_cpp.llama_tokenize(self._vocabulary, data, len(data), buffer, room, add_special, True))
            if size >= 0:
                return list(buffer[:size])
            if -size <= room:
                raise failure("llama.cpp cannot tokenise a text")
            room = -size

    def ends(self, token: int) -> bool:
        """Return whether a token ends an answer."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocabulary, token))

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, without special tokens."""
        return self.detokenize(tokens, special=False) if tokens else ""

    def detokenize(self, tokens: Sequence[int], special: bool = True) -> str:
        """Return the text of tokens, by default with special tokens."""
        given = (ctypes.c_int32 * len(tokens))(*tokens)
        room = 64 + 32 * len(tokens)
        while True:
            buffer = ctypes.create_string_buffer(room)
            size = int(llama_cpp.llama_detokenize(self._vocabulary, given, len(tokens), buffer, room, False, special))
            if size >= 0:
                return buffer.raw[:size].decode("utf-8", "replace")
            room = -size

    def close(self) -> None:
        """Free the model. May be called twice."""
        if self.handle:
            llama_cpp.llama_model_free(self.handle)
            self.handle = None

    def _tokens_of(self, attributes: int) -> dict[int, str]:
        return {token: self._text(token) for token in np.flatnonzero(self._attributes & attributes).tolist()}

    @cached_property
    def _attributes(self) -> npt.NDArray[np.int64]:
        every = range(self.n_tokens)
        return np.array([llama_cpp.llama_vocab_get_attr(self._vocabulary, token) for token in every], dtype=np.int64)

    def _text(self, token: int) -> str:
        return str((llama_cpp.llama_vocab_get_text(self._vocabulary, token) or b"").decode("utf-8", "replace"))


class LlamaContext:
    """A context that decodes tokens.

    Args:
        model: The model.
        size: How many tokens it can hold.
        batch: How many tokens are decoded at a time, at least as many as there are sequences.
        sequences: How many sequences it can hold.
        threads: How many CPU threads to use.

    Raises:
        HarnessError: If llama.cpp has no memory for it.
    """

    def __init__(self, model: LlamaModel, size: int, batch: int, sequences: int, threads: int) -> None:
        self.size = -(-size // CONTEXT_STEP) * CONTEXT_STEP
        self._n_tokens = model.n_tokens
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = self.size
        parameters.n_batch = parameters.n_ubatch = batch
        parameters.n_seq_max = sequences
        parameters.n_outputs_max = sequences
        parameters.n_threads = parameters.n_threads_batch = threads
        # One buffer for all sequences, so that a token can belong to several.
        parameters.kv_unified = True
        # A cache of only the window's size drops tokens by position, but a tree returns to earlier positions.
        parameters.swa_full = True
        parameters.no_perf = True
        _errors.clear()
        self._handle: Any = llama_cpp.llama_init_from_model(model.handle, parameters)
        if not self._handle:
            raise failure(f"llama.cpp cannot make a context of {self.size} tokens")
        self._memory: Any = llama_cpp.llama_get_memory(self._handle)
        self._sequences = np.arange(sequences, dtype=np.int32)

    def clear(self) -> None:
        """Remove everything from memory."""
        llama_cpp.llama_memory_clear(self._memory, False)

    def decode(self, step: Decode) -> npt.NDArray[np.float32]:
        """Run a step, remove the sequences that no later step needs, and return the logits (outputs, vocabulary).

        Raises HarnessError if llama.cpp cannot decode it.
        """
        tokens = step.tokens.astype(np.int32)
        positions = step.positions.astype(np.int32)
        counts = (step.last_sequences - step.first_sequences).astype(np.int32)
        # A token's sequences are consecutive, so each list of sequences is a slice of one array.
        lists = (self._sequences.ctypes.data + _INT_BYTES * step.first_sequences).astype(np.uintp)
        wanted = np.zeros(len(tokens), dtype=np.int8)
        wanted[step.outputs] = 1
        integers = ctypes.POINTER(ctypes.c_int32)
        batch = llama_cpp.llama_batch(
            len(tokens),
            tokens.ctypes.data_as(integers),
            None,
            positions.ctypes.data_as(integers),
            counts.ctypes.data_as(integers),
            lists.ctypes.data_as(ctypes.POINTER(integers)),
            wanted.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )
        _errors.clear()
        code = int(llama_cpp.llama_decode(self._handle, batch))
        if code != 0:
            raise failure(f"llama.cpp cannot decode {len(tokens)} tokens (code {code})")
        found = np.array([self._logits(int(place)) for place in step.outputs], dtype=np.float32)
        for sequence in range(*step.finished):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return found.reshape(len(step.outputs), self._n_tokens)

    def close(self) -> None:
        """Free the context. May be called twice."""
        if self._handle:
            llama_cpp.llama_free(self._handle)
            self._handle = None

    def _logits(self, place: int) -> npt.NDArray[np.float32]:
        pointer = llama_cpp.llama_get_logits_ith(self._handle, place)
        if not pointer:
            raise failure("llama.cpp gives no logits")
        return np.ctypeslib.as_array(pointer, (self._n_tokens,))
