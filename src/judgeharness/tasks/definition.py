"""Tasks as data: what a task's TOML file may contain, checked by pydantic before any data is read."""

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
"""The split of a task that defines none."""


class LabelTable(Table):
    """A table [[labels]]: `text` is what prompts show, and `codes` are other spellings in the data."""

    name: Text
    text: Text
    codes: tuple[str, ...] = ()

    def label(self) -> Label:
        """Return the label as the domain type."""
        return Label(self.name, self.text, self.codes)


class SourceTable(Table):
    """A JSON lines file of a known dataset or beside the TOML file. `member` is its name in a zip archive."""

    file: Text
    member: Text | None = None
    dataset: Name | None = None
    uid: str = "uid"


class ItemsTable(SourceTable):
    """The table [items]: where items are read from.

    Exactly one of `votes`, `human` and `annotations` must be given.

    Attributes:
        fields: The item's texts, each by its path in a record, such as "example.premise".
        votes: Counts: a path to a list in label order or to an object by label, or a table with a path for each label.
        human: Probabilities, given as `votes` are.
        annotations: Labels, one for each annotator: a path to a list of labels, or a list with a path for each
            annotator.
        without_votes: Whether an item without any votes is an error or is dropped.
        cluster: The path of what items share, such as a premise, a dialogue or a source. Intervals and tests treat
            items with the same value as belonging together.
    """

    fields: dict[FieldName, str]
    votes: str | dict[str, str] | None = None
    human: str | dict[str, str] | None = None
    annotations: str | Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    without_votes: Literal["error", "drop"] = "error"
    cluster: str | None = None

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
    """The table [explanations]: a path in the item's record, or a separate file joined by uid.

    Attributes:
        path: The path to the list of explanations; "" if the record holds a list for each label, under the label's
            name.
        reference: The name of a baseline made from the label counts of an item's explanations.
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
    """A table [[splits]]: the items with exactly `explanations` explanations, or a range of the rest in file order.

    Attributes:
        items: How many items the split must have. Any other number means that the data is wrong.
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
    """A table [[turns]]: a message of a conversation. `template` is the wording of its text."""

    role: Literal["system", "user", "assistant"]
    template: Text


class OfficialTable(Table):
    """The table [official]: paths of the labels that ChaosNLI's script counts as right, without and with its votes."""

    old_label: str
    majority_label: str


class TaskDefinition(FileTable):
    """A whole task file. The files that it names are in its folder or below.

    Attributes:
        template: The wording, if the conversation is a single turn of the user.
        turns: The turns of a longer conversation. The last one is the user's.
        ordinal: Whether the labels have a meaningful order, as "bad", "fair", "good" do.
        published: Files with published results, one for each split.
        official: Where ChaosNLI's own script finds labels.
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
        """The names of the splits. The first one is the default."""
        return tuple(split.name for split in self.splits) or (WHOLE,)


def read_definition(path: Path) -> TaskDefinition:
    """Read a task from a TOML file. Raises InputError, which names the file, the key and the fault."""
    return read_toml(path, TaskDefinition, "task")
