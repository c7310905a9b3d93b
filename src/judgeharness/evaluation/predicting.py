"""Turn stored answers into predictions. Nothing is asked here."""

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
    """The predictions of a task's items.

    Attributes:
        predictions: For each transform, one prediction for each item.
        undefined: For each transform, the reasons for which it is undefined for an item.
        tally: Counts over all answers.
    """

    predictions: tuple[list[Prediction], ...]
    undefined: tuple[list[str], ...]
    tally: Tally


def predict(
    plan: Plan, transforms: Sequence[Transform | None], stored: Answers, failures: Mapping[str, str]
) -> Predicted:
    """Return the predictions of all items under all transforms. Each stored answer is read once.

    If the strategy reads distributions from text, None is the only transform.
    """
    found: tuple[list[Prediction], ...] = tuple([] for _ in transforms)
    undefined: tuple[list[str], ...] = tuple([] for _ in transforms)
    tally = Tally()
    for item in plan.task.items:
        entry = plan.items[item.uid]
        written = [texts for key in entry.text_keys if (texts := stored.texts(key)) is not None]
        # A refused item has no answer, even if an earlier version stored one.
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
    # Two items with the same texts share one answer, which carries the uid of the first.
    key = entry.key if isinstance(answer, OptionScores) else None
    try:
        return Prediction(uid, tuple(distribution_of(answer, transform).tolist()), None, key, entry.text_keys)
    except UndefinedTransformError as error:
        undefined.append(str(error))
        return Prediction(uid, None, str(error), key, entry.text_keys)
    except UninformativeError as error:
        return Prediction(uid, None, str(error), key, entry.text_keys)
    # One transform fails or returns something that is not a distribution; others may not.
    except HarnessError as error:
        return Prediction(uid, None, error.message, key, entry.text_keys)
