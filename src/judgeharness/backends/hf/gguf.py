"""GGUF files for transformers: each is dequantized once into the user's cache, completely or not at all."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gguf
import transformers

from judgeharness.backends.hf.device import BYTES, Placement, require_memory
from judgeharness.domain.errors import HarnessError, InputError, first_line
from judgeharness.domain.files import make_folder
from judgeharness.domain.scratch import scratch

WEIGHTS_FILE = "model.safetensors"
CHANGE_CACHE = "set XDG_CACHE_HOME to a folder that can be written to, or use llamacpp: for this file"


def gguf_tokenizer(path: Path, cache: Path) -> Path:
    """Return a folder with the file's tokenizer and chat template. It is created if it does not exist."""
    target = cache / "tokenizer"
    if not target.is_dir():
        with _placed_at(target) as folder, _readable(path):
            _tokenizer(path).save_pretrained(folder)
    return target


def gguf_weights(path: Path, cache: Path, placement: Placement, notify: Callable[[str], None]) -> Path:
    """Return a folder with the file's weights in the run's dtype. It is created if it does not exist.

    Raises HarnessError if the file is damaged, or if the weights do not fit into memory or on the disk.
    """
    target = cache / placement.dtype
    if target.is_dir():
        return target
    size = _parameters(path) * BYTES[placement.dtype]
    require_memory(path.name, size, placement.dtype, Placement("cpu", placement.dtype), "none")
    _require_disk(path, size, cache)
    notify(f"converting {path.name} to {placement.dtype} once, into {target}")
    # transformers draws its own progress bar here, even without a terminal.
    with _placed_at(target) as folder:
        with _readable(path), contextlib.redirect_stderr(io.StringIO()):
            model = transformers.AutoModelForCausalLM.from_pretrained(
                str(path.parent), gguf_file=path.name, dtype=placement.torch_dtype
            )
        _save(model, folder)
    return target


def _parameters(path: Path) -> int:
    """Return the number of weights in a file, from its header."""
    with _readable(path):
        return sum(int(tensor.n_elements) for tensor in gguf.GGUFReader(path).tensors)


def _tokenizer(path: Path) -> Any:
    return transformers.AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)


def _save(model: Any, folder: Path) -> None:
    """Save a model as save_pretrained would, which refuses models loaded from GGUF."""
    from safetensors import SafetensorError
    from safetensors.torch import save_model

    config = model.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    config.architectures = [type(model).__name__]
    try:
        config.save_pretrained(folder)
        save_model(model, str(folder / WEIGHTS_FILE), metadata={"format": "pt"})
    except (OSError, SafetensorError) as error:
        raise HarnessError(f"{folder.parent.parent}: cannot be written: {first_line(error)}", CHANGE_CACHE) from error


@contextlib.contextmanager
def _placed_at(target: Path) -> Iterator[Path]:
    """Yield a folder that replaces the target if everything succeeds."""
    _require_cache(target.parent)
    with scratch(target.parent) as work:
        folder = work / target.name
        folder.mkdir()
        yield folder
        # Another process may have been faster. Its result is the same.
        with contextlib.suppress(OSError):
            folder.replace(target)
        if not target.is_dir():
            raise HarnessError(f"{target}: cannot be written")


def _require_cache(cache: Path) -> None:
    try:
        make_folder(cache)
    except InputError as error:
        raise HarnessError(
            f"a GGUF file is converted for transformers: {error.message}",
            CHANGE_CACHE,
        ) from error


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, MemoryError):
        raise
    # A damaged file can make the reader fail in any way.
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise HarnessError(
            f"{path}: transformers cannot read this GGUF file: {reason}",
            "the file may be damaged or incomplete, or of an architecture that transformers does not convert",
        ) from error


def _require_disk(path: Path, size: int, cache: Path) -> None:
    _require_cache(cache)
    free = shutil.disk_usage(cache).free
    if size > free:
        raise HarnessError(
            f"{path.name} takes {size / 1e9:.1f} GB dequantised, and {cache} has {free / 1e9:.1f} GB free",
            "free some space, or set XDG_CACHE_HOME to a larger disk",
        )
