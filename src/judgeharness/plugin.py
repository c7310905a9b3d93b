"""Everything that a plugin needs, in one place: hook marker, specs, options, nouns, errors and contracts.

A name is imported when it is first used, so `from judgeharness.plugin import hookimpl, MetricSpec`
costs no more than these two. docs/hooks.md says what each is for. What is not here may change without notice.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from judgeharness.backends.contract import (
        Answering,
        BackendContext,
        Budget,
        Description,
        Ledger,
        Metered,
        Model,
        Predictor,
        PromptError,
        Scorer,
        TextGenerator,
    )
    from judgeharness.domain.errors import HarnessError, InputError, MissingExtraError, UnknownNameError
    from judgeharness.domain.hashes import file_digest
    from judgeharness.domain.nouns import (
        LETTERS,
        Answer,
        Decoding,
        Explanation,
        FloatArray,
        GeneratedTexts,
        Item,
        Label,
        Message,
        OptionScores,
        Prediction,
        Prompt,
        PromptGroup,
        Reading,
        ScoringFailure,
        in_label_order,
    )
    from judgeharness.evaluation.executors.contract import Executor, Placing, Recipe, Spread, WorkerRate
    from judgeharness.evaluation.workspace import Workspace
    from judgeharness.metrics.measure import Measure, Sample
    from judgeharness.plugins.hookspecs import hookimpl
    from judgeharness.plugins.options import Options, Sensitive
    from judgeharness.plugins.specs import (
        BackendSpec,
        CommandSpec,
        ExecutorSpec,
        Flag,
        MetricSpec,
        ModelAlias,
        ReporterSpec,
        SectionSpec,
        StrategySpec,
        TaskSpec,
        TransformSpec,
    )
    from judgeharness.reports.leaderboard import Leaderboard
    from judgeharness.reports.page.report import Judge, Report, Section, Subject
    from judgeharness.reports.text import figure
    from judgeharness.store.database import Store
    from judgeharness.store.runs import Run
    from judgeharness.strategies.contract import Strategy, WritingStrategy
    from judgeharness.strategies.options import OrderOptions
    from judgeharness.strategies.selections import option_orders
    from judgeharness.tasks.definition import TaskDefinition, read_definition
    from judgeharness.tasks.task import Task
    from judgeharness.transforms.contract import Transform, UndefinedTransformError

__all__ = [
    "LETTERS",
    "Answer",
    "Answering",
    "BackendContext",
    "BackendSpec",
    "Budget",
    "CommandSpec",
    "Decoding",
    "Description",
    "Executor",
    "ExecutorSpec",
    "Explanation",
    "Flag",
    "FloatArray",
    "GeneratedTexts",
    "HarnessError",
    "InputError",
    "Item",
    "Judge",
    "Label",
    "Leaderboard",
    "Ledger",
    "Measure",
    "Message",
    "Metered",
    "MetricSpec",
    "MissingExtraError",
    "Model",
    "ModelAlias",
    "OptionScores",
    "Options",
    "OrderOptions",
    "Placing",
    "Prediction",
    "Predictor",
    "Prompt",
    "PromptError",
    "PromptGroup",
    "Reading",
    "Recipe",
    "Report",
    "ReporterSpec",
    "Run",
    "Sample",
    "Scorer",
    "ScoringFailure",
    "Section",
    "SectionSpec",
    "Sensitive",
    "Spread",
    "Store",
    "Strategy",
    "StrategySpec",
    "Subject",
    "Task",
    "TaskDefinition",
    "TaskSpec",
    "TextGenerator",
    "Transform",
    "TransformSpec",
    "UndefinedTransformError",
    "UnknownNameError",
    "WorkerRate",
    "Workspace",
    "WritingStrategy",
    "figure",
    "file_digest",
    "hookimpl",
    "in_label_order",
    "option_orders",
    "read_definition",
]

_PLACES = {
    "backends.contract": (
        "Answering",
        "BackendContext",
        "Budget",
        "Description",
        "Ledger",
        "Metered",
        "Model",
        "Predictor",
        "PromptError",
        "Scorer",
        "TextGenerator",
    ),
    "domain.errors": (
        "HarnessError",
        "InputError",
        "MissingExtraError",
        "UnknownNameError",
    ),
    "domain.hashes": ("file_digest",),
    "domain.nouns": (
        "LETTERS",
        "Answer",
        "Decoding",
        "Explanation",
        "FloatArray",
        "GeneratedTexts",
        "Item",
        "Label",
        "Message",
        "OptionScores",
        "Prediction",
        "Prompt",
        "PromptGroup",
        "Reading",
        "ScoringFailure",
        "in_label_order",
    ),
    "evaluation.executors.contract": (
        "Executor",
        "Placing",
        "Recipe",
        "Spread",
        "WorkerRate",
    ),
    "evaluation.workspace": ("Workspace",),
    "metrics.measure": ("Measure", "Sample"),
    "plugins.hookspecs": ("hookimpl",),
    "plugins.options": (
        "Options",
        "Sensitive",
    ),
    "plugins.specs": (
        "BackendSpec",
        "CommandSpec",
        "ExecutorSpec",
        "Flag",
        "MetricSpec",
        "ModelAlias",
        "ReporterSpec",
        "SectionSpec",
        "StrategySpec",
        "TaskSpec",
        "TransformSpec",
    ),
    "reports.leaderboard": ("Leaderboard",),
    "reports.page.report": (
        "Judge",
        "Report",
        "Section",
        "Subject",
    ),
    "reports.text": ("figure",),
    "store.database": ("Store",),
    "store.runs": ("Run",),
    "strategies.contract": (
        "Strategy",
        "WritingStrategy",
    ),
    "strategies.options": ("OrderOptions",),
    "strategies.selections": ("option_orders",),
    "tasks.definition": (
        "TaskDefinition",
        "read_definition",
    ),
    "tasks.task": ("Task",),
    "transforms.contract": (
        "Transform",
        "UndefinedTransformError",
    ),
}
_MODULES = {name: f"judgeharness.{module}" for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name from where it lives."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
