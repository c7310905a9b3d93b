"""The plots in a suite's report, for each task and model: ternary, entropies, bins and biases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from judgeharness.evaluation.again.replay import bias_of
from judgeharness.metrics.measure import Measure
from judgeharness.plugins.registry import Registry
from judgeharness.reports.leaderboard import Leaderboard
from judgeharness.reports.plots import bias, bins, entropy, ternary
from judgeharness.reports.plots.paper import paper, save
from judgeharness.reports.plots.series import judged
from judgeharness.reports.suite.report import Plot
from judgeharness.store.database import Store
from judgeharness.store.runs import Run
from judgeharness.tasks.task import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMS = (".png", ".pdf")
BINS = 4
TERNARY_LABELS = 3


def draw_all(
    folder: Path,
    board: Leaderboard,
    store: Store,
    tasks: Mapping[str, Task],
    measure: Measure,
    registry: Registry,
) -> tuple[Plot, ...]:
    """Draw and save every plot, as PNG and as PDF. `tasks` are by digest. Raises MissingExtraError and HarnessError."""
    found = []
    with paper():
        for each in board.boards:
            own = [run for run in board.runs if run.task_digest == each.task.digest]
            for plot, figure in _figures(own, store, tasks[each.task.digest], measure, registry):
                for form in FORMS:
                    save(figure, folder / f"{plot.stem}{form}")
                found.append(plot)
    return tuple(found)


def _figures(
    runs: Sequence[Run], store: Store, task: Task, measure: Measure, registry: Registry
) -> Iterator[tuple[Plot, Figure]]:
    models = [run for run in runs if run.strategy and run.n_failed < run.n_items]
    for number, backend in enumerate(dict.fromkeys(run.backend for run in models), start=1):
        shown = _one_transform([run for run in models if run.backend == backend], measure)
        found = judged([run.id for run in shown], store.runs)
        about = f"{backend}, {task.name}, {shown[0].transform}"
        stem = f"{task.name}-{number}"
        if len(found.labels) == TERNARY_LABELS:
            yield Plot(f"People and judge: {about}", f"{stem}-ternary"), ternary.draw(found)
        yield Plot(f"Entropies of people and judge: {about}", f"{stem}-entropy"), entropy.draw(found)
        in_bins = bins.bins_of(found, measure, BINS)
        yield Plot(f"{measure.spec.label} by how divided people are: {about}", f"{stem}-bins"), bins.draw(in_bins)
        biases = [(run.name, bias_of(run, task, registry, store)) for run in shown]
        yield Plot(f"Letters and places that the judge prefers: {about}", f"{stem}-bias"), bias.draw(biases)


def _one_transform(runs: Sequence[Run], measure: Measure) -> list[Run]:
    """Return the runs with the transform of the best run. Transforms differ less than strategies."""

    def far(run: Run) -> float:
        value = run.metrics.get(measure.spec.name)
        return float("inf") if value is None else measure.spec.distance_from_best(value)

    best = min(runs, key=far)
    return [run for run in runs if run.transform == best.transform]
