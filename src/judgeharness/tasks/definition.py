"""A task as data: what its TOML file may say, checked by pydantic before anything is read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from judgeharness.domain.nouns import LETTERS, Label
from judgeharness.domain.toml import FileTable, Name, Table, Text, read_toml

RESERVED_FIELDS = frozenset(
    {"explanations", "instruction", "labels", "loop", "options"}
    # Names that have a meaning of their own in templates.
    | {"self", "true", "false", "none", "True", "False", "None", "caller", "varargs", "kwargs"}
)

FieldName = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]

WHOLE = "all"
"""The split of a task that has none."""


class LabelTable(Table):
    """[[labels]]: `text` is what prompts show, `codes` are other spellings in the data."""

    name: Text
    text: Text
    codes: tuple[str, ...] = ()

    def label(self) -> Label:
        """As the domain type."""
        return Label(self.name, self.text, self.codes)


class SourceTable(Table):
    """A JSON-lines file: of a known dataset, or beside the TOML file. member: its name in a zip archive."""

    file: Text
    member: Text | None = None
    dataset: Name | None = None
    uid: str = "uid"


class ItemsTable(SourceTable):
    """[items]: where items are read from.

    fields: the item's texts, each by its path in a record ("example.premise"). Of `votes` (counts), `human`
    (probabilities) and `annotations` (labels, one an annotator) one is given. The first two are a path to a list in
    label order or to an object by label, or a table with a path for each label; the last is a path to a list of labels,
    or a list with a path for each annotator. without_votes: whether an item with no votes at all is an error, or left
    out.
    """

    fields: dict[FieldName, str]
    votes: str | dict[str, str] | None = None
    human: str | dict[str, str] | None = None
    annotations: str | Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    without_votes: Literal["error", "drop"] = "error"

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if [self.votes, self.human, self.annotations].count(None) != 2:
            raise ValueError(
                "give one of 'votes' (counts), 'human' (probabilities) and 'annotations' (labels, one an annotator)"
            )
        reserved = RESERVED_FIELDS.intersection(self.fields)
        if reserved:
            raise ValueError(f"these field names are taken: {', '.join(sorted(reserved))}")
        return self


class ExplanationsTable(Table):
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


class SplitTable(Table):
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


class TurnTable(Table):
    """[[turns]]: a message of a conversation. template: of its text, as of a task with one turn."""

    role: Literal["system", "user", "assistant"]
    template: Text


class OfficialTable(Table):
    """[official]: paths of the labels that ChaosNLI's own script counts as right, without and with its votes."""

    old_label: str
    majority_label: str


class TaskDefinition(FileTable):
    """A whole task file. Files are looked for in its folder and below.

    template: the wording, where it is one turn of the user; else `turns`, the last of them the user's.
    ordinal: whether the labels stand in an order that means something, as "bad", "fair", "good" do. published: files
    with printed figures, one for a split. official: where ChaosNLI's own script finds labels.
    """

    name: Name
    title: str
    licence: str = "not stated"
    homepage: str = ""
    citation: str = ""
    notice: str = ""
    template: str | None = None
    turns: tuple[TurnTable, ...] = ()
    labels: Annotated[tuple[LabelTable, ...], Field(min_length=2, max_length=len(LETTERS))]
    ordinal: bool = False
    items: ItemsTable
    references: dict[Name, str] = Field(default_factory=dict)
    explanations: ExplanationsTable | None = None
    splits: tuple[SplitTable, ...] = ()
    published: tuple[str, ...] = ()
    official: OfficialTable | None = None

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        spellings = [
            word for label in self.labels for word in {" ".join(each.split()) for each in label.label().spellings}
        ]
        if len(set(spellings)) < len(spellings):
            raise ValueError("two labels share a name, text or code, or differ only in white space")
        names = [split.name for split in self.splits]
        if len(set(names)) < len(names):
            raise ValueError("two splits share a name")
        if (self.template is None) == (not self.turns):
            raise ValueError("give one of 'template' (one turn) and 'turns'")
        if self.turns and self.turns[-1].role != "user":
            raise ValueError("the last of the turns is not the user's")
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
        return tuple(split.name for split in self.splits) or (WHOLE,)


def read_definition(path: Path) -> TaskDefinition:
    """The task of a TOML file. Raises InputError that names the file, the key and the fault."""
    return read_toml(path, TaskDefinition, "task")
