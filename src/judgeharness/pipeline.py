"""The way through: items become prompts, prompts scores, scores distributions, distributions measures.

Pure but for the scorer and the store; `evaluation` decides what goes this way, and the console watches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from judgeharness.backends.contract import Scorer
from judgeharness.content import group_digest
from judgeharness.domain import FloatArray, Item, OptionScores, Prediction, PromptGroup, ScoringFailure
from judgeharness.errors import HarnessError
from judgeharness.executors.contract import Executor
from judgeharness.prefixes import TokenCount, count_tokens
from judgeharness.store.scores import Scores
from judgeharness.strategies.contract import Strategy
from judgeharness.tasks.task import Task
from judgeharness.transforms.contract import Transform, UndefinedTransformError

COUNTED_ITEMS = 16
CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Work:
    """One task asked of one scorer under one strategy.

    keys: of the scores, by uid. prompts: how many each item has. missing: the items whose scores are not stored.
    tokens: of the missing items' prompts; unless `exact`, estimated from a sample of items, or from the characters
    where the scorer does not know the tokens.
    """

    task: Task
    strategy: Strategy
    keys: Mapping[str, str]
    prompts: Mapping[str, int]
    missing: tuple[Item, ...]
    tokens: TokenCount
    exact: bool

    @property
    def n_missing_prompts(self) -> int:
        """Prompts that have yet to be scored."""
        return sum(self.prompts[item.uid] for item in self.missing)


def plan(task: Task, strategy: Strategy, scorer: Scorer, backend_digest: str, stored: Scores) -> Work:
    """What there is to do, and what is in the store already. Raises InputError where the strategy does not fit."""
    strategy.check(task)
    keys: dict[str, str] = {}
    prompts: dict[str, int] = {}
    for item in task.items:
        group = strategy.group(item, task)
        keys[item.uid] = group_digest(group, backend_digest)
        prompts[item.uid] = len(group.prompts)
    known = stored.known(keys.values())
    missing = tuple(item for item in task.items if keys[item.uid] not in known)
    tokens, exact = _count(task, strategy, scorer, missing)
    return Work(task, strategy, keys, prompts, missing, tokens, exact)


def _count(task: Task, strategy: Strategy, scorer: Scorer, missing: Sequence[Item]) -> tuple[TokenCount, bool]:
    """The missing items' tokens, and whether they were counted one by one."""
    if not missing:
        return TokenCount(0, 0), True
    sample = missing[:: max(1, len(missing) // COUNTED_ITEMS)][:COUNTED_ITEMS]
    counted, exact = TokenCount(0, 0), len(sample) == len(missing)
    scale = len(missing) / len(sample)
    for item in sample:
        group = strategy.group(item, task)
        tokens = scorer.encode(group)
        if tokens is None:
            characters = ["".join(message.content for message in prompt.messages) for prompt in group.prompts]
            counted += count_tokens([[*map(ord, text), 0] for text in characters])
        else:
            counted += count_tokens(tokens)
        by_characters = tokens is None
    if by_characters:
        exact, scale = False, scale / CHARACTERS_A_TOKEN
    return TokenCount(round(counted.total * scale), round(counted.unique * scale)), exact


@dataclass(slots=True)
class Scored:
    """What scoring has done so far: prompts done, and the groups that could not be scored with the reason."""

    prompts: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def score(
    work: Work,
    scorer: Scorer,
    executor: Executor,
    keep: Callable[[str, OptionScores], None],
    progress: Callable[[int], None],
) -> Scored:
    """Score the missing groups, each kept under its key as soon as it is done.

    progress: told the number of prompts of each group that is done. Raises HarnessError where a backend breaks its
    contract: a group answered twice, not at all, unasked, or with the wrong shape.
    """
    done = Scored()
    pending = {item.uid for item in work.missing}
    for result in executor.run(scorer, _groups(work)):
        if result.uid not in pending:
            raise HarnessError(f"the backend answered for '{result.uid}', which it was not asked, or asked no more")
        pending.remove(result.uid)
        if isinstance(result, ScoringFailure):
            done.failures[result.uid] = result.reason
        else:
            _require_shape(result, work)
            keep(work.keys[result.uid], result)
        done.prompts += work.prompts[result.uid]
        progress(work.prompts[result.uid])
    if pending:
        raise HarnessError(f"the backend gave no answer for {len(pending)} of {len(work.missing)} items")
    return done


def _groups(work: Work) -> Iterator[PromptGroup]:
    for item in work.missing:
        yield work.strategy.group(item, work.task)


def _require_shape(result: OptionScores, work: Work) -> None:
    expected = (work.prompts[result.uid], len(work.task.labels))
    if result.scores.shape != expected:
        raise HarnessError(
            f"the backend answered for '{result.uid}' in the shape {result.scores.shape}, not {expected}"
        )


class UninformativeError(ValueError):
    """Every score of an item is only a bound."""

    def __init__(self) -> None:
        super().__init__("none of the options was among the tokens that the server returned, for any prompt")


def estimate(scores: OptionScores, transform: Transform) -> FloatArray:
    """The model judgment distribution (labels,): transform each prompt, then average over the informative prompts.

    A censored score stands at its upper bound. Raises UndefinedTransformError where the scores do not allow the
    transform, UninformativeError where no prompt is informative.
    """
    if not scores.informative.any():
        raise UninformativeError
    probabilities = transform(scores)
    require_distributions(probabilities, scores.scores.shape, "the transform")
    result: FloatArray = probabilities[scores.informative].mean(axis=0)
    return result


def require_distributions(rows: FloatArray, shape: tuple[int, ...], who: str) -> None:
    """Raises HarnessError where rows are not probability distributions, or not as many as they should be."""
    if rows.shape != shape or (rows < 0).any() or not np.allclose(rows.sum(axis=1), 1.0, atol=1e-9):
        raise HarnessError(f"{who} did not give {shape[0]} distributions over {shape[1]} labels")


@dataclass(frozen=True, slots=True)
class Predicted:
    """predictions: for each transform, one for each item. undefined: for each transform, why it is for an item.

    mass: the mean probability of the options, where known. options: how many option scores there are, of which
    `censored` are only bounds. left_out: prompts that are not informative.
    """

    predictions: tuple[list[Prediction], ...]
    undefined: tuple[list[str], ...]
    mass: float | None
    options: int
    censored: int
    left_out: int


def predict(work: Work, transforms: Sequence[Transform], stored: Scores, failures: Mapping[str, str]) -> Predicted:
    """Predictions of all items under all transforms, from the stored scores, each read once."""
    found: tuple[list[Prediction], ...] = tuple([] for _ in transforms)
    undefined: tuple[list[str], ...] = tuple([] for _ in transforms)
    masses: list[float] = []
    options = censored = left_out = 0
    for item in work.task.items:
        key = work.keys[item.uid]
        scores = stored.get(key)
        if scores is None:
            for predictions in found:
                predictions.append(Prediction(item.uid, None, failures.get(item.uid, "not scored")))
            continue
        options += scores.scores.size
        censored += 0 if scores.censored is None else int(scores.censored.sum())
        left_out += int((~scores.informative).sum())
        if scores.mass is not None:
            masses.append(float(scores.mass.mean()))
        for transform, predictions, reasons in zip(transforms, found, undefined, strict=True):
            predictions.append(_prediction(item.uid, scores, key, transform, reasons))
    return Predicted(found, undefined, float(np.mean(masses)) if masses else None, options, censored, left_out)


def _prediction(uid: str, scores: OptionScores, key: str, transform: Transform, undefined: list[str]) -> Prediction:
    # Two items with the same texts share their scores, which carry the uid of the first.
    try:
        return Prediction(uid, tuple(estimate(scores, transform).tolist()), None, key)
    except UndefinedTransformError as error:
        undefined.append(str(error))
        return Prediction(uid, None, str(error), key)
    except UninformativeError as error:
        return Prediction(uid, None, str(error), key)
