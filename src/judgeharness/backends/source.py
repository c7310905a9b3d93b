"""Resolves a model's name: an alias, a GGUF file, a local folder, or a repository on the hub."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from judgeharness.backends.aliases import HUB_MODELS, PACKAGED_MODELS, packaged_gguf
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.files import MAX_WEIGHTS_BYTES, is_file, is_folder, opened
from judgeharness.domain.hashes import digest

GGUF_MAGIC = b"GGUF"
_BLOCK = 1 << 20
MAX_SMALL_BYTES = 1 << 28
WEIGHTS = "*.safetensors"
FINGERPRINTED = (WEIGHTS, "*.json", "*.jinja", "*.model", "*.txt")
_PART = re.compile(r"(?P<stem>.+)-00001-of-(?P<count>\d{5})\.gguf")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model as the user named it.

    Attributes:
        kind: "hub", "folder" or "gguf".
        name: The repository's id on the hub, or the last part of the path.
        path: The local file or folder; None on the hub.
        file: The GGUF file in a repository on the hub, if one is named.
    """

    kind: Literal["hub", "folder", "gguf"]
    name: str
    path: Path | None = None
    file: str | None = None


def find_source(model: str, scheme: str) -> ModelSource:
    """Return the model for the part after `scheme:`.

    Raises:
        InputError: If the name is empty, or is a path that does not exist.
        HarnessError: If it is an alias whose package is not installed.
    """
    if not model:
        raise InputError(f"{scheme}: names no model", f"for example {scheme}:smollm2 or {scheme}:./model.gguf")
    if model in PACKAGED_MODELS:
        path = packaged_gguf(PACKAGED_MODELS[model])
        return ModelSource("gguf", path.name, path)
    if model in HUB_MODELS:
        return ModelSource("hub", HUB_MODELS[model])
    path = Path(model).expanduser()
    if is_file(path):
        return ModelSource("gguf", path.name, _checked_gguf(path.resolve()))
    if is_folder(path):
        return ModelSource("folder", path.resolve().name, path.resolve())
    parts = model.split("/")
    if model.startswith((".", "/", "~")) or len(parts) > 3 or (len(parts) < 3 and model.endswith(".gguf")):
        raise InputError(f"{scheme}:{model}: no such file or folder")
    if len(parts) == 3:
        return ModelSource("hub", "/".join(parts[:2]), file=parts[2])
    return ModelSource("hub", model)


def fingerprint(source: ModelSource) -> str:
    """Return a hash of a local model's content. Two files or folders with the same hash hold the same model."""
    if source.path is None:
        raise ValueError(f"{source.name} is not local")
    if source.kind == "gguf":
        parts = [source.path.with_name(name) for name in gguf_parts(source.path.name)]
        return sampled_digest(source.path) if len(parts) == 1 else digest([sampled_digest(part) for part in parts])
    paths = sorted(path for pattern in FINGERPRINTED for path in source.path.glob(pattern))
    return digest({path.name: sampled_digest(path) for path in paths})


def cache_name(name: str, fingerprint: str) -> str:
    """Return the name of a folder for files derived from a model. Long names are truncated to fit into 255 bytes."""
    return f"{name[:50]}-{fingerprint[:16]}"


def gguf_parts(name: str) -> list[str]:
    """Return the names of all parts of a split GGUF file, given the first, or only the name if it is not split."""
    split = _PART.fullmatch(name)
    if split is None:
        return [name]
    count = int(split["count"])
    return [f"{split['stem']}-{index:05}-of-{count:05}.gguf" for index in range(1, count + 1)]


def _checked_gguf(path: Path) -> Path:
    with opened(path, MAX_WEIGHTS_BYTES) as stream:
        if stream.read(len(GGUF_MAGIC)) != GGUF_MAGIC:
            raise InputError(f"{path}: not a GGUF file", "give a GGUF file, a folder with safetensors or a hub id")
    for name in gguf_parts(path.name):
        if not path.with_name(name).is_file():
            raise InputError(f"{path}: its part {name} is not beside it")
    return path


def require_safetensors(folder: Path) -> None:
    """Check a folder before transformers loads it.

    transformers opens every file with a name that it looks for. Each must therefore be a regular file, and a
    configuration or tokenizer must not be unreasonably large.

    Raises:
        InputError: If the folder is not a transformers model.
        HarnessError: If its weights are pickled.
    """
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder}: no config.json, so not a model folder of transformers")
    if not any(folder.glob(WEIGHTS)):
        raise HarnessError(
            f"{folder}: no safetensors file", "pickled weights (.bin, .pt) can run code and are not loaded"
        )
    for pattern in FINGERPRINTED:
        for path in sorted(folder.glob(pattern)):
            with opened(path, MAX_WEIGHTS_BYTES if pattern == WEIGHTS else MAX_SMALL_BYTES):
                pass


def sampled_digest(path: Path, whole_below: int = 1 << 28, samples: int = 64) -> str:
    """Return a SHA-256 hex digest of a file's content.

    For files of `whole_below` bytes or more, only the size and `samples` evenly spaced blocks of 1 MiB are hashed. This
    identifies many gigabytes of weights in seconds, since training changes every block.
    """
    with opened(path, MAX_WEIGHTS_BYTES) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size < whole_below:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        running = hashlib.sha256(f"{size}:{samples}".encode())
        for index in range(samples):
            stream.seek((size - _BLOCK) * index // (samples - 1))
            running.update(stream.read(_BLOCK))
    return running.hexdigest()
