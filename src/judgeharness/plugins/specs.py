"""What a plugin hands over: small frozen specs that name a component and say where it lives.

A spec's `target` is "module:object" and is imported only when the component is used, so listing
components costs no import of an implementation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, cast, get_args

from judgeharness.domain.escaping import safe_line
from judgeharness.domain.names import NAME

LEFT_OUT = ("aliases", "flags")
TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")

Kind = Literal["code", "address", "secret", "program"]
"""What only the user may grant: code that runs, an address that is contacted, a secret that is sent, a program."""
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A named component.

    name: lower-case letters, digits, '.', '_' and '-'.
    summary: one line for listings.
    target: "module:object"; what the object has to be is said by each kind of spec.
    options: "module:object" of a pydantic model with the component's options, if it has any.
    extra: the extra of the plugin's distribution that installs what the target needs, if any.
    """

    kind: ClassVar[str] = "component"

    name: str
    summary: str
    target: str
    options: str | None = None
    extra: str | None = None

    def problems(self) -> list[str]:
        """What is wrong with the spec, in words; empty where it is sound."""
        found = []
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            found.append(f"name {self.name!r} is not made of lower-case letters, digits, '.', '_' and '-'")
        if not isinstance(self.summary, str) or not self.summary.strip() or safe_line(self.summary) != self.summary:
            found.append(f"summary of {self.name!r} is not one line that can be shown")
        for field in ("target", "options", "resampled", "interval"):
            value: Any = getattr(self, field, None)
            if value is None and field != "target":
                continue
            if not isinstance(value, str) or not TARGET.fullmatch(value):
                found.append(f"{field} of {self.name!r} is not 'module:object': {value!r}")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAlias:
    """A short name for a model under one backend: `hf:llama3`.

    resolves_to: the name as the backend takes it, or a sentence on where it is found.
    size: download or file size for people, such as "98 MB".
    """

    name: str
    resolves_to: str
    size: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSpec(Spec):
    """Target: a callable (model: str, options, context: BackendContext) -> Scorer or Predictor.

    The spec's name is the scheme in `scheme:model`. sensitive: "program" if the model's name is that of a program,
    "address" if it is an address; "module:object" of a function (model: str) -> Kind | None if that depends on the
    name. Such a name is never taken from a record or a suite unless the user trusts it.
    """

    kind: ClassVar[str] = "backend"

    aliases: tuple[ModelAlias, ...] = ()
    sensitive: str | None = None

    def problems(self) -> list[str]:
        """As of any spec, and of what its models' names may be."""
        word: Any = self.sensitive
        if word is None or word in KINDS or (isinstance(word, str) and TARGET.fullmatch(word)):
            return Spec.problems(self)
        kinds = ", ".join(KINDS)
        return [*Spec.problems(self), f"sensitive of {self.name!r} is none of {kinds} or 'module:object': {word!r}"]


class TaskSpec(Spec):
    """Target: a callable () -> TaskDefinition."""

    __slots__ = ()

    kind: ClassVar[str] = "task"


class StrategySpec(Spec):
    """Target: a callable (options) -> Strategy."""

    __slots__ = ()

    kind: ClassVar[str] = "strategy"


class TransformSpec(Spec):
    """Target: a callable (options) -> Transform."""

    __slots__ = ()

    kind: ClassVar[str] = "transform"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec(Spec):
    """Target: a function (human, model) of two (items, labels) arrays of probabilities.

    level "item": it returns an array (items,), reported as its mean; "corpus": it returns one number.
    label: the column's head, such as "KL". direction: which way is better, "zero" for values that are best at zero.
    unit and range: of the value; None in the range is an open end. source: where the formula comes from.
    default: whether it is reported without being asked for. ordinal: whether it is only for labels with an order.
    resampled: of a corpus metric, "module:object" of a function (human, model, counts) that gives its values (samples,)
    for many samples at once, in which item i stands counts[sample, i] times; without it, intervals take longer.
    interval: "module:object" of a function (human, model, level) that gives both ends of the metric's own confidence
    interval, or None; without it, the items are bootstrapped.
    """

    kind: ClassVar[str] = "metric"

    label: str
    direction: Literal["lower", "higher", "zero"]
    unit: str
    range: tuple[float | None, float | None]
    level: Literal["item", "corpus"]
    source: str
    default: bool = False
    ordinal: bool = False
    resampled: str | None = None
    interval: str | None = None

    def problems(self) -> list[str]:
        """As of any spec, and of what tables and intervals need to know."""
        found = Spec.problems(self)
        if self.direction not in ("lower", "higher", "zero") or self.level not in ("item", "corpus"):
            found.append(f"direction or level of {self.name!r} is not known: {self.direction!r}, {self.level!r}")
        label, ends = cast(Any, self.label), cast(Any, self.range)
        if not isinstance(label, str) or not isinstance(ends, tuple) or len(ends) != 2:
            found.append(f"label or range of {self.name!r} is not a text and two ends")
        return found

    def distance_from_best(self, value: float) -> float:
        """What is lower for a better value."""
        return {"lower": value, "higher": -value, "zero": abs(value)}[self.direction]


class ReporterSpec(Spec):
    """Target: a callable (board: Leaderboard, out: TextIO) -> None. The name is a value of `--format`."""

    __slots__ = ()

    kind: ClassVar[str] = "reporter"


class SectionSpec(Spec):
    """Target: a callable (report: Report) -> Section or None. A part of the page that `judgeharness report` writes."""

    __slots__ = ()

    kind: ClassVar[str] = "section"


@dataclass(frozen=True, slots=True)
class Flag:
    """An option of a component that is a command's option too: `--NAME VALUE` for `-o option=VALUE`."""

    name: str
    option: str
    metavar: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorSpec(Spec):
    """Target: a callable (options) -> Executor. flags: options that `judgeharness eval` shows as its own."""

    kind: ClassVar[str] = "executor"

    flags: tuple[Flag, ...] = ()

    def problems(self) -> list[str]:
        """As of any spec, and of its flags."""
        if not isinstance(self.flags, tuple) or not all(isinstance(flag, Flag) for flag in self.flags):
            return [*Spec.problems(self), f"flags of {self.name!r} are no tuple of Flag"]
        wrong = [flag.name for flag in self.flags if not NAME.fullmatch(flag.name)]
        return [*Spec.problems(self), *(f"flag {name!r} of {self.name!r} is no option's name" for name in wrong)]


class CommandSpec(Spec):
    """Target: a click.Command. The summary is its line in `judgeharness --help`."""

    __slots__ = ()

    kind: ClassVar[str] = "command"


def described(spec: Spec) -> dict[str, Any]:
    """The spec as plain data, for listings in JSON."""
    return {field.name: getattr(spec, field.name) for field in fields(spec) if field.name not in LEFT_OUT}
