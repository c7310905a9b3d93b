"""The request of an evaluation: what to evaluate, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from judgeharness.backends.contract import Budget
from judgeharness.evaluation.shards import Shard
from judgeharness.tasks.definition import WHOLE
from judgeharness.tasks.explanations import HUMAN

DEFAULT_TRANSFORMS = ("norm", "softmax")


def _of_run(option: str, argument: str) -> dict[str, Any]:
    """Mark a field that is part of a run's record. `argument` is the argument of `judgeharness.evaluate`."""
    return {"of": "run", "options": [option], "arguments": [argument]}


def _of_call(options: str = "", arguments: str = "") -> dict[str, Any]:
    """Mark a field that concerns one call only. Options and arguments are separated by blanks."""
    return {"of": "call", "options": options.split(), "arguments": arguments.split()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to evaluate, by name. Its fields are the only declaration of the options of an evaluation.

    Attributes:
        tasks: Names of tasks, or paths of TOML files.
        backends: Each "scheme:model".
        strategies: Names of strategies; empty for baselines and predictions in files.
        transforms: Names of transforms; empty for the default ones. A default one that is undefined for the scores is
            left out.
        metrics: Metrics in addition to the default ones.
        temperature: The temperature of every transform that has one.
        values: Options of backends, strategies, transforms and the executor, as `-o` gives them.
        limit: How many items to take from the start of each task.
        split: A split of the tasks; None for the first.
        executor: Where prompts are answered.
        shard: The part of the items to ask. A shard makes no runs; the whole request later makes them from the store.
        budget: What models that are paid by the request may cost, including earlier calls for the same runs.
        explanations: "human" for the tasks' own explanations, a file of others, or the id of a set in the store.
        arguments: The command line, for the record.
    """

    tasks: Sequence[str] = field(metadata=_of_run("--task", "task"))
    backends: Sequence[str] = field(metadata=_of_run("--backend", "backend"))
    strategies: Sequence[str] = field(default=(), metadata=_of_run("--strategy", "strategy"))
    transforms: Sequence[str] = field(default=(), metadata=_of_run("--transform", "transform"))
    metrics: Sequence[str] = field(default=(), metadata=_of_run("--metric", "metric"))
    temperature: float | None = field(default=None, metadata=_of_run("--temperature", "temperature"))
    values: Mapping[str, str] = field(metadata=_of_run("-o", "options"))
    limit: int | None = field(default=None, metadata=_of_run("--limit", "limit"))
    split: str | None = field(default=None, metadata=_of_run("--split", "split"))
    explanations: str = field(default=HUMAN, metadata=_of_run("--explanations", "explanations"))
    executor: str = field(default="local", metadata=_of_call("--executor", "executor"))
    shard: Shard | None = field(default=None, metadata=_of_call("--shard"))
    budget: Budget = field(
        default=Budget(), metadata=_of_call("--budget-requests --budget-tokens", "budget_requests budget_tokens")
    )
    arguments: Sequence[str] = field(default=(), metadata=_of_call())

    def words(self) -> list[str]:
        """Return the options of `judgeharness eval` that request the same runs."""
        found = []
        for each in fields(self):
            value = getattr(self, each.name)
            if each.metadata["of"] == "run" and value != each.default and (each.name, value) != ("split", WHOLE):
                (option,) = each.metadata["options"]
                found += [word for given in _listed(value) for word in (option, given)]
        return found


def _listed(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{name}={given}" for name, given in value.items()]
    if isinstance(value, float):
        return [f"{value:g}"]
    return [str(value)] if isinstance(value, str | int) else [str(each) for each in value]
