"""Ask several backends the same prompts, for `analysis.parity` to compare."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from judgeharness.analysis.parity import Side
from judgeharness.backends.closing import close
from judgeharness.backends.contract import Scorer
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.nouns import OptionScores, PromptGroup, ScoringFailure
from judgeharness.evaluation.components import choose, choose_backend, require_known
from judgeharness.evaluation.progress import Watcher
from judgeharness.evaluation.workspace import Workspace
from judgeharness.strategies.contract import WritingStrategy
from judgeharness.tasks.task import Task


def ask_all(
    task: Task, strategy_name: str, backends: Sequence[str], values: Mapping[str, str], workspace: Workspace
) -> list[Side]:
    """Ask backends the prompts of a strategy, one backend after the other. No store is used.

    Args:
        task: The task.
        strategy_name: A strategy that asks for option scores.
        backends: Two or more backends, each "scheme:model".
        values: Options of the backends and the strategy.
        workspace: Where the components come from.

    Raises:
        InputError: There are fewer than two backends, an option belongs to no component, the strategy generates text,
            or a backend gives no scores.
        HarnessError: A backend failed.
    """
    if len(backends) < 2:
        raise InputError("parity compares two or more backends", "give --backend twice")
    registry, watcher = workspace.registry, workspace.watcher()
    choices, choice = [choose_backend(registry, name) for name in backends], choose(registry.strategies, strategy_name)
    require_known(values, [*choices, choice])
    strategy = choice.make(values).part
    if isinstance(strategy, WritingStrategy):
        raise InputError(f"strategy {strategy_name} has models write; parity compares option scores")
    strategy.check(task)
    groups = [strategy.group(item, task) for item in task.items]
    opened = [each.open(values, workspace.backend_context(watcher)) for each in choices]
    sides = []
    for backend in opened:
        if not isinstance(backend.part, Scorer):
            raise InputError(f"{backend.name} asks no model, so there is nothing to compare")
        sides.append(ask(backend.name, backend.part, groups, watcher))
    return sides


def ask(name: str, scorer: Scorer, groups: Sequence[PromptGroup], watcher: Watcher) -> Side:
    """Ask a backend all groups, and close it. Raises HarnessError as the backend does."""
    sizes = {group.uid: len(group.prompts) for group in groups}
    watcher.started(name, sum(sizes.values()))
    try:
        texts = [scorer.render(group) for group in groups]
        tokens = [scorer.encode(group) for group in groups]
        scores: dict[str, OptionScores] = {}
        failures: dict[str, str] = {}
        scorer.open()
        begun = time.perf_counter()
        for result in scorer.score(groups):
            if isinstance(result, ScoringFailure):
                failures[result.uid] = result.reason
            else:
                scores[result.uid] = result
            watcher.advanced(sizes.get(result.uid, 0))
        seconds = time.perf_counter() - begun
        otherwise = scorer.environment().get("prompts_counted_otherwise", 0)
    finally:
        watcher.finished()
        close([scorer])
    if sizes.keys() != scores.keys() | failures.keys():
        raise HarnessError(f"{name} did not answer for every item")
    return Side(
        name,
        None if any(each is None for each in texts) else tuple(text for each in texts for text in each or ()),
        None if any(each is None for each in tokens) else tuple(tuple(ids) for each in tokens for ids in each or ()),
        scores,
        failures,
        seconds,
        sum(sizes.values()),
        otherwise if isinstance(otherwise, int) else 0,
    )
