"""A task as data: what its TOML file may say, checked by pydantic before anything is read."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from judgeharness.domain import LETTERS, Label
from judgeharness.errors import InputError
from judgeharness.specs import NAME

MAX_TOML_BYTES = 1 << 20
RESERVED_FIELDS = frozenset({"explanations", "options", "labels", "loop"})

Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
FieldName = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LabelTable(_Table):
    """[[labels]]: `text` is what prompts show, `codes` are other spellings in the data."""

    name: Annotated[str, Field(min_length=1)]
    text: Annotated[str, Field(min_length=1)]
    codes: tuple[str, ...] = ()

    def label(self) -> Label:
        """As the domain type."""
        return Label(self.name, self.text, self.codes)


class SourceTable(_Table):
    """A JSON-lines file: of a known dataset, or beside the TOML file."""

    file: Annotated[str, Field(min_length=1)]
    dataset: Name | None = None
    uid: str = "uid"


class ItemsTable(SourceTable):
    """[items]: where items are read from.

    fields: the item's texts, each by its path in a record ("example.premise"). Of `votes` (counts) and `human`
    (probabilities) one is given: a path to a list in label order, or to an object by label.
    """

    fields: dict[FieldName, str]
    votes: str | None = None
    human: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.votes is None) == (self.human is None):
            raise ValueError("give one of 'votes' (counts) and 'human' (probabilities)")
        reserved = RESERVED_FIELDS.intersection(self.fields)
        if reserved:
            raise ValueError(f"these field names are taken: {', '.join(sorted(reserved))}")
        return self


class ExplanationsTable(_Table):
    """[explanations]: a path in the item's record, or a file of its own joined by uid.

    path: to the list of explanations; "" for a record that holds one list a label, under the label's name.
    reference: the name under which the label counts of an item's explanations serve as a baseline.
    """

    path: str = "explanations"
    file: str | None = None
    dataset: Name | None = None
    uid: str = "uid"
    text: str = "text"
    label: str = "label"
    annotator: str | None = "annotator"
    reference: Name | None = None


class SplitTable(_Table):
    """[[splits]]: the items with exactly `explanations` explanations, or a range of the rest in file order.

    items: how many there have to be; anything else means that the data is not what it should be.
    """

    name: Name
    explanations: Annotated[int, Field(ge=0)] | None = None
    rest: tuple[int, int] | None = None
    items: int | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if (self.explanations is None) == (self.rest is None):
            raise ValueError("give one of 'explanations' and 'rest'")
        return self


class TaskDefinition(_Table):
    """A whole task file. `folder` is where it lies: files are looked for there and below.

    ordinal: whether the labels stand in an order that means something, as "bad", "fair", "good" do.
    """

    name: Name
    title: str
    licence: str = "not stated"
    homepage: str = ""
    citation: str = ""
    notice: str = ""
    template: str
    labels: Annotated[tuple[LabelTable, ...], Field(min_length=2, max_length=len(LETTERS))]
    ordinal: bool = False
    items: ItemsTable
    references: dict[Name, str] = {}
    explanations: ExplanationsTable | None = None
    splits: tuple[SplitTable, ...] = ()
    folder: Path

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        spellings = [word for label in self.labels for word in {label.name, label.text, *label.codes}]
        if len(set(spellings)) < len(spellings):
            raise ValueError("two labels share a name, text or code")
        names = [split.name for split in self.splits]
        if len(set(names)) < len(names):
            raise ValueError("two splits share a name")
        if {"uniform", "human"}.intersection(self.reference_names):
            raise ValueError("the reference names 'uniform' and 'human' are taken")
        return self

    @property
    def reference_names(self) -> tuple[str, ...]:
        """The names of the task's other label sources, which serve as baselines."""
        own = tuple(self.references)
        if self.explanations is None or self.explanations.reference is None:
            return own
        return (*own, self.explanations.reference)

    @property
    def split_names(self) -> tuple[str, ...]:
        """The names of the splits; the first is what is evaluated unless another is asked for."""
        return tuple(split.name for split in self.splits) or ("all",)


def read_definition(path: Path) -> TaskDefinition:
    """The task of a TOML file. Raises InputError that names the file, the key and the fault."""
    try:
        if path.stat().st_size > MAX_TOML_BYTES:
            raise InputError(f"{path}: larger than {MAX_TOML_BYTES:,} bytes, which no task file needs")
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such task file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path}: not valid TOML: {error}") from error
    if "folder" in content:
        raise InputError(f"{path}: folder: is not set in the file")
    try:
        return TaskDefinition.model_validate({**content, "folder": path.resolve().parent})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise InputError(f"{path}: {key + ': ' if key else ''}{first['msg']}{more}") from error
