"""Users' TOML files, validated by pydantic before they are used."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from judgeharness.domain.errors import InputError
from judgeharness.domain.files import read_text
from judgeharness.domain.names import NAME

MAX_BYTES = 1 << 20
MAX_PARTS = 32
_DEEP_KEY = re.compile(rf"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{MAX_PARTS}}}""")

Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Table(BaseModel):
    """A table of a TOML file. It is frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FileTable(Table):
    """A whole file that names others.

    Attributes:
        folder: The folder with the file. It is not a key of the file.
    """

    folder: Path


T = TypeVar("T", bound=Table)


def read_toml(path: Path, model: type[T], what: str) -> T:
    """Read a file as a model.

    Args:
        path: The file.
        model: The model.
        what: The kind of file, such as "task", for messages.

    Raises:
        InputError: If the file is not valid. It names the file, the key and the error.
    """
    text = read_text(path, MAX_BYTES, f"{what} file")
    # The parser's time and memory grow with the square of this number.
    if _DEEP_KEY.search(text):
        raise InputError(f"{path}: a key has more than {MAX_PARTS} parts")
    try:
        content: dict[str, Any] = tomllib.loads(text)
    # This includes numbers with more digits than Python reads.
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid TOML: {error}") from error
    if "folder" in content:
        raise InputError(f"{path}: folder: is not set in the file")
    if issubclass(model, FileTable):
        content["folder"] = path.resolve().parent
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise InputError(f"{path}: {key + ': ' if key else ''}{first['msg']}{more}") from error
