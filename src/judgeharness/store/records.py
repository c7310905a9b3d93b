"""Typed records of runs, tasks and sessions, which the store holds as JSON.

Unknown keys are kept, and so is the difference between a key that is missing and one that is null.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from judgeharness.domain.json_reader import read_json
from judgeharness.tasks.published import Published

Count = Annotated[int | float, Field(ge=0)]


class Record(BaseModel):
    """An object in a record."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, allow_inf_nan=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a record from JSON. Raises ValueError if it has another shape."""
        return cls.model_validate(read_json(text))

    def document(self) -> dict[str, Any]:
        """Return the record as plain JSON data, with only the keys that were given."""
        return self.model_dump(mode="json", exclude_unset=True)

    def text(self) -> str:
        """Return the record as JSON with sorted keys."""
        return json.dumps(self.document(), sort_keys=True)


class ComponentRecord(Record):
    """A strategy or transform with its options."""

    name: str
    options: dict[str, Any]


class TemplateRecord(Record):
    """The wording of the prompts."""

    name: str
    sha256: str


class ExplanationsRecord(Record):
    """A set of explanations other than the task's own, by its id in the store."""

    name: str
    set: str


class RequestRecord(Record):
    """What is needed to request a run again, apart from the run's own columns."""

    task: str
    limit: int | None
    options: dict[str, str]
    metrics: list[str]


class TrainingRecord(Record):
    """How a classifier was fine-tuned.

    Attributes:
        group: An id that all seeds of a recipe share.
        seed: The seed.
        labels: The labels that it learned from.
        labels_run: The run that these labels came from, if any.
        label_metrics: The metrics of these labels on the same items.
        stage1: What it learned first, if anything.
        departures: What differs from the recipe in the paper.
    """

    group: str
    seed: int
    labels: str
    labels_run: str | None = None
    label_metrics: dict[str, float | None] = {}
    stage1: str | None = None
    departures: dict[str, Any] = {}


class RunRecord(Record):
    """How a run was done.

    Attributes:
        edition: The edition of the rules for prompts and scores. Runs without one are of the first.
        prompts: How many prompts the run has.
        prompts_scored: How many of them the session that made the run asked itself.
        options: How many option scores there are.
        options_censored: How many of them a server did not list.
        options_mass: The mean probability of all options of a prompt together.
        prompts_left_out: How many prompts have no usable score.
        order_spread: The standard deviation of a label's probability over the prompts of an item, which show options
            and explanations in other orders. It is a mean over labels and items, without a temperature.
        item_spread: The standard deviation of a label's probability over the items, as a mean over labels.
        texts: How many answers were generated.
        texts_cut: How many of them were truncated.
        texts_unread: How many of them name no label.
        requests: How many requests the run took, if its model is paid by the request.
        tokens: How many tokens the run took, if its model is paid by the request.
    """

    strategy: ComponentRecord | None = None
    transform: ComponentRecord | None = None
    template: TemplateRecord | None = None
    environment: dict[str, Any] = {}
    explanations: ExplanationsRecord | None = None
    request: RequestRecord | None = None
    finetune: TrainingRecord | None = None
    edition: int = 1
    prompts: int = 0
    prompts_scored: int = 0
    seconds_scoring: Count = 0
    requests: Count | None = None
    tokens: Count | None = None
    options: Count | None = None
    options_censored: Count | None = None
    options_mass: Count | None = None
    prompts_left_out: Count | None = None
    order_spread: Count | None = None
    item_spread: Count | None = None
    texts: Count | None = None
    texts_cut: Count | None = None
    texts_unread: Count | None = None
    items_with_unexpected_labels: int | None = None


class TaskRecord(Record):
    """What the store records about a task.

    Attributes:
        clusters: The number of each item's cluster, in the order of the items, if the task has clusters.
    """

    title: str = ""
    licence: str = ""
    homepage: str = ""
    citation: str = ""
    notice: str = ""
    ordinal: bool = False
    files: dict[str, str] = {}
    published: dict[str, Any] | None = None
    clusters: list[int] | None = None

    def parsed(self) -> Published | None:
        """Return the published results. Raises ValueError if they have another shape."""
        return None if self.published is None else Published.model_validate(self.published)


class SessionRecord(Record):
    """What a session's scores depend on, apart from its data and models."""

    command: list[str] = []
    judgeharness: str = "?"
    git_commit: str | None = None
    python: str = "?"
    platform: str = "?"
    cpus: int | None = None
    packages: dict[str, str] = {}
    plugins: dict[str, Any] = {}
