"""What a plugin registers: small frozen specs that name a component and its location.

A spec's `target` is "module:object". It is imported only when the component is used, so listing components imports no
implementation.
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
"""What only the user may permit: code that runs, an address that is contacted, a secret that is sent, a program."""
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A named component.

    Attributes:
        name: Lower-case letters, digits, '.', '_' and '-'.
        summary: One line for listings.
        target: "module:object". Each kind of spec says what the object must be.
        options: "module:object" of a pydantic model with the component's options, if it has any.
        extra: The extra of the plugin's distribution that installs what the target needs, if any.
    """

    kind: ClassVar[str] = "component"

    name: str
    summary: str
    target: str
    options: str | None = None
    extra: str | None = None

    def problems(self) -> list[str]:
        """Return what is wrong with the spec, in words. The list is empty if the spec is valid."""
        found = []
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            found.append(f"name {self.name!r} is not made of lower-case letters, digits, '.', '_' and '-'")
        if not isinstance(self.summary, str) or not self.summary.strip() or safe_line(self.summary) != self.summary:
            found.append(f"summary of {self.name!r} is not one line that can be shown")
        for field in ("target", "options", "resampled", "squared"):
            value: Any = getattr(self, field, None)
            if value is None and field != "target":
                continue
            if not isinstance(value, str) or not TARGET.fullmatch(value):
                found.append(f"{field} of {self.name!r} is not 'module:object': {value!r}")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAlias:
    """A short name for a model of one backend, such as `hf:llama3`.

    Attributes:
        name: The short name.
        resolves_to: The name that the backend takes, or a sentence that says where the model is.
        size: The size of the download or file for readers, such as "98 MB".
        note: A remark for listings.
    """

    name: str
    resolves_to: str
    size: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSpec(Spec):
    """A backend. Its name is the scheme in `scheme:model`.

    Target: a callable (model: str, options, context: BackendContext) -> Scorer, TextGenerator or Predictor.

    Attributes:
        aliases: Short names for models.
        sensitive: "program" if the model's name is that of a program, "address" if it is an address, or "module:object"
            of a function (model: str) -> Kind | None if that depends on the name. Such a name is never taken from a
            record or a suite unless the user trusts it.
    """

    kind: ClassVar[str] = "backend"

    aliases: tuple[ModelAlias, ...] = ()
    sensitive: str | None = None

    def problems(self) -> list[str]:
        """Return what is wrong with the spec, including `sensitive`."""
        word: Any = self.sensitive
        if word is None or word in KINDS or (isinstance(word, str) and TARGET.fullmatch(word)):
            return Spec.problems(self)
        kinds = ", ".join(KINDS)
        return [*Spec.problems(self), f"sensitive of {self.name!r} is not one of {kinds} or 'module:object': {word!r}"]


class TaskSpec(Spec):
    """A task. Target: a callable () -> TaskDefinition."""

    __slots__ = ()

    kind: ClassVar[str] = "task"


class StrategySpec(Spec):
    """A prompt strategy. Target: a callable (options) -> Strategy."""

    __slots__ = ()

    kind: ClassVar[str] = "strategy"


class TransformSpec(Spec):
    """A transform. Target: a callable (options) -> Transform."""

    __slots__ = ()

    kind: ClassVar[str] = "transform"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec(Spec):
    """A metric. Target: a function (human, model) of two arrays of probabilities (items, labels).

    Intervals and tests treat a mean over items as a mean, and a corpus metric by the jackknife: it is computed without
    each item.

    Attributes:
        label: The column heading, such as "KL".
        direction: Which way is better. "zero" is for values that are best at zero.
        unit: The unit of the value.
        range: The range of the value. None is an open end.
        level: "item" if the function returns an array (items,), whose mean is reported. "corpus" if it returns one
            number.
        source: Where the formula comes from.
        default: Whether the metric is reported by default.
        ordinal: Whether it applies only to ordered labels.
        votes: Whether the functions take votes, counts of shape (items, labels), in place of human probabilities.
        heavy_tailed: Whether single items can have values far above all others, as with KL. Such a metric has no
            interval for fewer than 100 items, because rare items may be missing among them.
        has_interval: Whether intervals and tests make sense. They do not if the bias is as large as the spread.
        resampled: For a corpus metric, "module:object" of a function (human, model, counts) that returns the values
            (samples,) of many samples at once. Item i occurs counts[sample, i] times in a sample. Without it, intervals
            take longer.
        squared: For a corpus metric that is the root of a square with an unbiased estimate, "module:object" of a
            function (human, model) that returns this estimate for all items and then without each: (1 + items,).
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
    votes: bool = False
    heavy_tailed: bool = False
    has_interval: bool = True
    resampled: str | None = None
    squared: str | None = None

    def problems(self) -> list[str]:
        """Return what is wrong with the spec, including what tables and intervals need."""
        found = Spec.problems(self)
        if self.direction not in ("lower", "higher", "zero") or self.level not in ("item", "corpus"):
            found.append(f"direction or level of {self.name!r} is not known: {self.direction!r}, {self.level!r}")
        label, ends = cast(Any, self.label), cast(Any, self.range)
        if not isinstance(label, str) or not isinstance(ends, tuple) or len(ends) != 2:
            found.append(f"label or range of {self.name!r} is not a text and two ends")
        return found

    def distance_from_best(self, value: float) -> float:
        """Return a number that is lower for a better value."""
        return {"lower": value, "higher": -value, "zero": abs(value)}[self.direction]


class ReporterSpec(Spec):
    """A reporter. Its name is a value of `--format`.

    Target: a callable (board: Leaderboard, out: TextIO) -> None.
    """

    __slots__ = ()

    kind: ClassVar[str] = "reporter"


class SectionSpec(Spec):
    """A section of the page that `judgeharness report` writes.

    Target: a callable (report: Report) -> Section or None.
    """

    __slots__ = ()

    kind: ClassVar[str] = "section"


@dataclass(frozen=True, slots=True)
class Flag:
    """A component's option that is also a command's option: `--NAME VALUE` for `-o option=VALUE`.

    Attributes:
        name: The name of the command's option.
        option: The name of the component's option.
        metavar: The placeholder for the value in --help.
        summary: The help text.
    """

    name: str
    option: str
    metavar: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorSpec(Spec):
    """An executor. Target: a callable (options) -> Executor.

    Attributes:
        flags: Options that `judgeharness eval` shows as its own.
    """

    kind: ClassVar[str] = "executor"

    flags: tuple[Flag, ...] = ()

    def problems(self) -> list[str]:
        """Return what is wrong with the spec, including its flags."""
        if not isinstance(self.flags, tuple) or not all(isinstance(flag, Flag) for flag in self.flags):
            return [*Spec.problems(self), f"flags of {self.name!r} are no tuple of Flag"]
        wrong = [flag.name for flag in self.flags if not NAME.fullmatch(flag.name)]
        return [*Spec.problems(self), *(f"flag {name!r} of {self.name!r} is not an option name" for name in wrong)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec(Spec):
    """A command, whose target is a click.Command. `judgeharness --help` shows its summary.

    Attributes:
        section: The heading under which `judgeharness --help` lists the command.
    """

    kind: ClassVar[str] = "command"

    section: str = "Plugins"

    def problems(self) -> list[str]:
        """Return the problems of any spec, and those of the section."""
        found, section = Spec.problems(self), cast(Any, self.section)
        if not isinstance(section, str) or not section.strip() or safe_line(section) != section:
            found.append(f"section of {self.name!r} is not one line that can be shown")
        return found


def described(spec: Spec) -> dict[str, Any]:
    """Return the spec as plain data, for listings in JSON."""
    return {field.name: getattr(spec, field.name) for field in fields(spec) if field.name not in LEFT_OUT}
