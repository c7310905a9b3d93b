"""The Python API: `judgeharness.evaluate` and its results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from judgeharness.analysis.intervals import Interval
from judgeharness.backends.contract import Budget
from judgeharness.evaluation.evaluation import Evaluation
from judgeharness.evaluation.request import Request
from judgeharness.evaluation.workspace import Workspace
from judgeharness.metrics.measure import Measure
from judgeharness.plugins.options import word
from judgeharness.reports.leaderboard import Leaderboard, leaderboard
from judgeharness.store.database import Store
from judgeharness.store.runs import Run

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

    from judgeharness.evaluation.progress import Watcher

WIDTH = 120
Names = str | Sequence[str]


@dataclass(frozen=True, slots=True)
class Result:
    """One judge on one task.

    Attributes:
        id: The id of the run in the store.
        task: The name of the task.
        split: The split of the task.
        backend: The judge, as "scheme:model".
        strategy: The prompt strategy, or None for baselines and predictions in files.
        explanations: The explanations that prompts showed, or None if the run has none.
        transform: The transform from scores to probabilities, or None.
        temperature: The temperature of the transform, or None.
        labels: The labels, in the order of all distributions.
        metrics: Values by the name of the metric; None if a metric is undefined.
        intervals: 95 % intervals over items, by the name of the metric; None for too few items.
        human: The human judgment distribution of each item, by uid.
        predictions: The model judgment distribution of each item, by uid, without the items in `failures`.
        failures: Why an item has no distribution, by uid.
        record: How the run was made.
    """

    id: str
    task: str
    split: str
    backend: str
    strategy: str | None
    explanations: str | None
    transform: str | None
    temperature: float | None
    labels: tuple[str, ...]
    metrics: Mapping[str, float | None]
    intervals: Mapping[str, Interval | None]
    human: Mapping[str, tuple[float, ...]]
    predictions: Mapping[str, tuple[float, ...]]
    failures: Mapping[str, str]
    record: Mapping[str, Any] = field(repr=False)


class Results(Sequence[Result]):
    """The results of an evaluation, in the order of the request. Notebooks and rich show them as a leaderboard."""

    def __init__(self, results: Sequence[Result], board: Leaderboard) -> None:
        self._results = tuple(results)
        self.leaderboard = board

    @overload
    def __getitem__(self, index: int) -> Result: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Result]: ...

    def __getitem__(self, index: int | slice) -> Result | Sequence[Result]:
        """Return a result by its index."""
        return self._results[index]

    def __len__(self) -> int:
        """Return the number of results."""
        return len(self._results)

    def __repr__(self) -> str:
        """Return the leaderboard as plain text."""
        from judgeharness.reports.text import Console

        console = Console(width=WIDTH, color_system=None)
        with console.capture() as captured:
            console.print(self)
        return captured.get().strip("\n")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the leaderboard, for rich."""
        from judgeharness.reports.formats.table import render

        yield render(self.leaderboard, options.max_width)

    def _repr_html_(self) -> str:
        """Return the leaderboard as HTML, for notebooks."""
        import io

        from judgeharness.reports.text import Console

        console = Console(record=True, width=WIDTH, file=io.StringIO(), force_jupyter=False)
        console.print(self)
        form = '<pre style="white-space:pre;overflow-x:auto;font-family:monospace">{code}</pre>'
        return console.export_html(inline_styles=True, code_format=form)


def evaluate(
    task: Names,
    backend: Names,
    strategy: Names = (),
    *,
    transform: Names = (),
    temperature: float | None = None,
    metric: Names = (),
    options: Mapping[str, object] | None = None,
    explanations: str = "human",
    split: str | None = None,
    limit: int | None = None,
    executor: str = "local",
    budget_requests: int | None = None,
    budget_tokens: int | None = None,
    data_dir: str | Path | None = None,
    store: str | Path | None = None,
    plugins: Names = (),
    progress: bool = True,
) -> Results:
    """Evaluate models as judges, like `judgeharness eval`.

    Args:
        task: One or more tasks, each a name or the path of a TOML file.
        backend: One or more judges, each "scheme:model".
        strategy: One or more prompt strategies. Models need one, baselines do not.
        transform: One or more transforms from scores to probabilities. By default norm and softmax, if they apply.
        temperature: The temperature of the softmax transform. The default is 20.
        metric: Metrics to compute besides the default ones.
        options: Options of backends, strategies, transforms and the executor, as for `-o key=value`.
        explanations: "human" for those of the task, the path of a JSON-lines file, or the id of a set in the store.
        split: The split of the task. The default is its first split.
        limit: Use only the first items.
        executor: Where models run.
        budget_requests: The most requests to servers that these runs may use, earlier calls included.
        budget_tokens: The most tokens of prompts and answers that these runs may use, earlier calls included.
        data_dir: The folder with the datasets. The default is JUDGEHARNESS_DATA_DIR or the user's cache.
        store: The SQLite file of the store. The default is JUDGEHARNESS_STORE or ./judgeharness.db.
        plugins: Plugins to load besides the installed ones, each a file or a module.
        progress: Whether to show the plan, progress and notes on standard error.

    Returns:
        A result for each run. Items that failed raise no exception; they are in `Result.failures`.

    Raises:
        judgeharness.domain.errors.InputError: A name, an option or a file is wrong.
        judgeharness.domain.errors.HarnessError: A model, a server or a file fails.
    """
    request = Request(
        tasks=_names(task),
        backends=_names(backend),
        strategies=_names(strategy),
        transforms=_names(transform),
        metrics=_names(metric),
        temperature=temperature,
        values={name: word(value) for name, value in (options or {}).items()},
        limit=limit,
        split=split,
        executor=executor,
        budget=Budget(budget_requests, budget_tokens),
        explanations=explanations,
    )
    workspace = Workspace(_names(plugins), data_dir, store, watch=_console if progress else None)
    evaluation = Evaluation(request, workspace)
    evaluation.prepare()
    with workspace.open_store(create=True) as opened:
        return _results(evaluation.run(opened), opened, evaluation.measures)


def _results(runs: Sequence[Run], store: Store, measures: Mapping[str, Measure]) -> Results:
    board = leaderboard(runs, store.runs, measures)
    intervals = {run_id: found for each in board.boards for run_id, found in each.intervals.items()}
    return Results([_result(run, store, intervals.get(run.id, {})) for run in runs], board)


def _result(run: Run, store: Store, intervals: Mapping[str, Interval | None]) -> Result:
    predictions = store.runs.predictions(run.id)
    return Result(
        id=run.id,
        task=run.task,
        split=run.split,
        backend=run.backend,
        strategy=run.strategy,
        explanations=run.explanations or None,
        transform=run.transform,
        temperature=run.temperature,
        labels=store.runs.task(run.task_digest).labels,
        metrics=run.metrics,
        intervals=intervals,
        human={item.uid: item.human for item in store.runs.items(run.task_digest)},
        predictions={each.uid: each.probabilities for each in predictions if each.probabilities is not None},
        failures={each.uid: each.failure for each in predictions if each.failure is not None},
        record=run.record.document(),
    )


def _names(given: Names) -> tuple[str, ...]:
    return tuple(dict.fromkeys([given] if isinstance(given, str) else given))


def _console(unit: str) -> Watcher:
    from judgeharness.reports.progress import ConsoleWatcher

    return ConsoleWatcher(unit)
