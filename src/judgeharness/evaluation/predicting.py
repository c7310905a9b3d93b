"""From stored answers to predictions: pure but for reading the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import GeneratedTexts, Item, OptionScores, Prediction, Reading
from judgeharness.evaluation.plan import ItemPlan, Plan
from judgeharness.evaluation.tally import Tally
from judgeharness.store.answers import Answers
from judgeharness.strategies.contract import WritingStrategy
from judgeharness.transforms.average import UninformativeError, distribution_of
from judgeharness.transforms.contract import Transform, UndefinedTransformError


@dataclass(frozen=True, slots=True)
class Predicted:
    """predictions: for each transform, one for each item. undefined: for each transform, why it is for an item."""

    predictions: tuple[list[Prediction], ...]
    undefined: tuple[list[str], ...]
    tally: Tally


def predict(
    plan: Plan, transforms: Sequence[Transform | None], stored: Answers, failures: Mapping[str, str]
) -> Predicted:
    """Predictions of all items under all transforms, from the stored answers, each read once.

    Of a strategy that reads distributions from texts, the only transform is None.
    """
    found: tuple[list[Prediction], ...] = tuple([] for _ in transforms)
    undefined: tuple[list[str], ...] = tuple([] for _ in transforms)
    tally = Tally()
    for item in plan.task.items:
        entry = plan.items[item.uid]
        written = [texts for key in entry.text_keys if (texts := stored.texts(key)) is not None]
        # An item that was refused has no answer, though an earlier version may have stored one.
        answer = None if item.uid in failures else _answer(plan, item, written, stored)
        if answer is None:
            for predictions in found:
                predictions.append(Prediction(item.uid, None, failures.get(item.uid, "not asked")))
            continue
        tally.count(answer, written)
        for transform, predictions, reasons in zip(transforms, found, undefined, strict=True):
            predictions.append(_prediction(item.uid, answer, entry, transform, reasons))
    return Predicted(found, undefined, tally)


def _answer(
    plan: Plan, item: Item, written: Sequence[GeneratedTexts], stored: Answers
) -> OptionScores | Reading | None:
    entry = plan.items[item.uid]
    if entry.answering == "score":
        return stored.scores(entry.key, (entry.prompts, len(plan.task.labels)))
    if not entry.answered or not isinstance(plan.strategy, WritingStrategy):
        return None
    said = plan.strategy.follow(item, plan.task, written)
    return said if isinstance(said, Reading) else None


def _prediction(
    uid: str, answer: OptionScores | Reading, entry: ItemPlan, transform: Transform | None, undefined: list[str]
) -> Prediction:
    # Two items with the same texts share their scores, which carry the uid of the first.
    key = entry.key if isinstance(answer, OptionScores) else None
    try:
        return Prediction(uid, tuple(distribution_of(answer, transform).tolist()), None, key, entry.text_keys)
    except UndefinedTransformError as error:
        undefined.append(str(error))
        return Prediction(uid, None, str(error), key, entry.text_keys)
    except UninformativeError as error:
        return Prediction(uid, None, str(error), key, entry.text_keys)
    # Of a transform that fails, or gives something else than distributions. Others may do better.
    except HarnessError as error:
        return Prediction(uid, None, error.message, key, entry.text_keys)
