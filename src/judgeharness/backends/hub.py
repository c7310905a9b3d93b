"""Models on the Hugging Face hub. Access and size are checked before anything large is downloaded."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import huggingface_hub
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from judgeharness.backends.hub_client import bound_hub
from judgeharness.backends.source import gguf_parts
from judgeharness.domain.api_keys import scrubbed_error
from judgeharness.domain.errors import HarnessError, InputError, first_line

SMALL_FILES = ["*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken"]
CODE_FILES = ["*.py"]
WEIGHTS = "*.safetensors"
NOT_WEIGHTS = ["consolidated*", "original/*", "*/*"]


@dataclass(frozen=True, slots=True)
class HubModel:
    """A repository at one commit.

    Attributes:
        repository: Its id.
        revision: The requested revision; None for the main branch.
        commit: The commit that the revision stood for.
        weight_bytes: The size of its safetensors files; None if the hub is not reachable and the local copy is used.
    """

    repository: str
    revision: str | None
    commit: str
    weight_bytes: int | None


def find_model(repository: str, revision: str | None) -> HubModel:
    """Look up a model on the hub, or use the local copy if the hub cannot be reached.

    Raises:
        InputError: If the name is not valid.
        HarnessError: If the model is gated or missing.
    """
    bound_hub()
    try:
        info = huggingface_hub.model_info(repository, revision=revision, files_metadata=True)
        huggingface_hub.auth_check(repository)
    except HFValidationError as error:
        raise InputError(f"hf:{repository}: neither a file, a folder nor a hub id (owner/name)") from error
    except GatedRepoError as error:
        raise HarnessError(
            f"{repository} is gated: its owner lets only approved accounts download it",
            f"ask at {huggingface_hub.constants.ENDPOINT}/{repository}, then run 'hf auth login' or set HF_TOKEN",
        ) from scrubbed_error(error)
    except RevisionNotFoundError as error:
        raise HarnessError(f"{repository} has no revision '{revision}'") from scrubbed_error(error)
    except RepositoryNotFoundError as error:
        raise HarnessError(
            f"the hub has no model {repository}, or it is private", "check the name, or set HF_TOKEN for a private one"
        ) from scrubbed_error(error)
    # If anything keeps the hub from answering (offline mode, no network, a 5xx), try the local copy. The client passes
    # on the errors of its HTTP library, and which library that is depends on its version.
    except Exception as error:
        return _local(repository, revision, scrubbed_error(error))
    sizes = {
        file.rfilename: file.size or 0
        for file in info.siblings or []
        if file.rfilename.endswith(".safetensors") and "/" not in file.rfilename
    }
    weights = sum(size for name, size in sizes.items() if not name.startswith("consolidated"))
    if info.sha is None:
        raise HarnessError(f"the hub names no commit of {repository}")
    return HubModel(repository, revision, info.sha, weights)


def small_files(model: HubModel, with_code: bool) -> Path:
    """Return the folder with the model's configuration and tokenizer. Missing files are downloaded."""
    patterns = SMALL_FILES + (CODE_FILES if with_code else [])
    # Use the branch first: that is how the local copy is found again without the hub.
    folder = _snapshot(model, patterns, model.revision)
    return folder if folder.name == model.commit else _snapshot(model, patterns, model.commit)


def all_files(model: HubModel, with_code: bool) -> Path:
    """Return the folder with the weights too. Raises HarnessError if there are none or the disk is too small."""
    if model.weight_bytes == 0:
        raise HarnessError(
            f"{model.repository} has no safetensors files",
            "pickled weights (.bin, .pt) can run code and are not loaded",
        )
    patterns = [WEIGHTS, *SMALL_FILES, *(CODE_FILES if with_code else [])]
    folder = small_files(model, with_code)
    if sum(file.stat().st_size for file in folder.glob(WEIGHTS)) < (model.weight_bytes or 1):
        _require_disk(model)
    return _snapshot(model, patterns, model.commit)


def gguf_file(repository: str, file: str, revision: str | None) -> Path:
    """Return a GGUF file from the hub with all its parts, downloading what is missing. Raises HarnessError."""
    bound_hub()
    try:
        parts = [huggingface_hub.hf_hub_download(repository, part, revision=revision) for part in gguf_parts(file)]
        return Path(parts[0])
    # Any error of the client or of its HTTP library, as in find_model.
    except Exception as error:
        raise HarnessError(f"{file} of {repository} cannot be fetched: {first_line(error)}") from scrubbed_error(error)


def _snapshot(model: HubModel, patterns: list[str], revision: str | None) -> Path:
    try:
        folder = huggingface_hub.snapshot_download(
            model.repository,
            revision=revision,
            allow_patterns=patterns,
            ignore_patterns=NOT_WEIGHTS,
            local_files_only=model.weight_bytes is None,
        )
    # Any error of the client or of its HTTP library, as in find_model.
    except Exception as error:
        raise HarnessError(f"{model.repository} cannot be fetched: {first_line(error)}") from scrubbed_error(error)
    return Path(folder)


def _local(repository: str, revision: str | None, cause: Exception) -> HubModel:
    try:
        folder = huggingface_hub.snapshot_download(repository, revision=revision, local_files_only=True)
    except (LocalEntryNotFoundError, OSError, HFValidationError):
        raise HarnessError(
            f"{repository} is not on this machine, and the hub cannot be reached: {first_line(cause)}",
            "check the connection and HF_ENDPOINT, or name a local folder: hf:./folder",
        ) from cause
    return HubModel(repository, revision, Path(folder).name, None)


def _require_disk(model: HubModel) -> None:
    if model.weight_bytes is None:
        raise HarnessError(f"the local copy of {model.repository} is not whole, and the hub cannot be reached")
    cache = Path(huggingface_hub.constants.HF_HUB_CACHE)
    existing = next(folder for folder in (cache, *cache.parents) if folder.is_dir())
    free = shutil.disk_usage(existing).free
    if model.weight_bytes > free:
        raise HarnessError(
            f"{model.repository} takes {model.weight_bytes / 1e9:.0f} GB, and {cache} has {free / 1e9:.0f} GB free",
            "set HF_HOME to a larger disk",
        )
