"""Check what a plugin's components return against their contracts."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from numbers import Integral
from typing import Any, TypeVar

from judgeharness.backends.contract import Model
from judgeharness.domain.nouns import (
    Answer,
    Decoding,
    FloatArray,
    GeneratedTexts,
    Item,
    Label,
    Message,
    OptionScores,
    Prompt,
    PromptGroup,
    Reading,
    ScoringFailure,
    distributions,
    floats,
)
from judgeharness.evaluation.executors.contract import WorkerRate
from judgeharness.plugins.walls import Guard, Handed, Wall, said, stand_in
from judgeharness.tasks.task import Task

T = TypeVar("T")

ROLES = ("system", "user", "assistant")
ENDS = ("scores", "reading")
MAX_ORDERS = 4_096


def behind_wall(part: Any, wall: Wall) -> Any:
    """Return a component behind its wall, with checks of what it returns. Raises HarnessError."""
    if wall.kind == "transform":
        if not callable(part):
            raise wall.broken("its target", f"it gives {_kind(part)}, which cannot be called")
        return wall.function("transforming", part)
    if wall.kind == "strategy" and hasattr(part, "follow") and getattr(part, "ends_in", None) not in ENDS:
        raise wall.broken("ends_in", f"it is {getattr(part, 'ends_in', None)!r}, not 'scores' or 'reading'")
    return stand_in(part, wall, GUARDS.get(wall.kind, {}))


def require_group(group: object, item: Item, task: Task) -> PromptGroup:
    """Return a strategy's prompt group for an item if it keeps the contract. Raises ValueError."""
    group = _require_type(group, PromptGroup)
    if group.uid != item.uid:
        raise ValueError(f"the group for item '{item.uid}' is named {group.uid!r}")
    if not isinstance(group.prompts, tuple) or not group.prompts:
        raise ValueError(f"item '{item.uid}' has no prompts, or they are not a tuple")
    for prompt in group.prompts:
        _require_prompt(prompt, item, len(task.labels))
    if group.decoding is not None:
        _require_decoding(group.decoding)
    return group


def require_reading(reading: Reading, prompts: int, labels: int) -> Reading:
    """Return the distributions that a strategy read from texts if they keep the contract. Raises ValueError."""
    rows = floats(reading.probabilities, "what was read")
    if rows.shape != (prompts, labels):
        raise ValueError(f"the shape of what was read is {rows.shape}, not {(prompts, labels)}")
    found = Reading(rows)
    distributions(rows[found.read], (int(found.read.sum()), labels))
    return found


def _group(wall: Wall, name: str, method: Callable[..., Any], item: Item, task: Task, *more: Any) -> PromptGroup:
    return _checked(wall, name, require_group, wall.call(name, method, item, task, *more), item, task)


def _follow(
    wall: Wall, name: str, method: Callable[..., Any], item: Item, task: Task, written: Sequence[GeneratedTexts]
) -> PromptGroup | Reading:
    found = wall.call(name, method, item, task, written)
    if isinstance(found, Reading):
        return _checked(wall, name, require_reading, found, len(written[-1].texts), len(task.labels))
    return _checked(wall, name, require_group, found, item, task)


def _answers(
    expected: type, wall: Wall, name: str, method: Callable[..., Any], groups: Iterable[PromptGroup]
) -> Iterator[Any]:
    """Yield a model's answers. There must be exactly one for each group, in the right shape."""
    asked: dict[str, PromptGroup] = {}

    def noted() -> Iterator[PromptGroup]:
        for group in groups:
            asked[group.uid] = group
            yield group

    handed = Handed(noted())
    for result in wall.each(name, wall.call(name, method, handed), handed):
        yield _checked(wall, name, _require_answer, result, expected, asked)
    # A group that the model never took is unanswered too.
    next(handed, None)
    if asked:
        raise wall.broken(name, f"it gave no answer for '{next(iter(asked))}' and maybe others")


def _require_answer(result: object, expected: type, asked: dict[str, PromptGroup]) -> object:
    answer: Answer | ScoringFailure = _require_type(result, expected, ScoringFailure)
    group = asked.pop(answer.uid, None) if isinstance(answer.uid, str) else None
    if group is None:
        raise ValueError(f"an answer for {answer.uid!r}, which was not asked, or is answered already")
    prompts = len(group.prompts)
    if isinstance(answer, OptionScores) and answer.scores.shape != (prompts, group.n_options):
        raise ValueError(
            f"the scores of '{answer.uid}' have the shape {answer.scores.shape}, not {(prompts, group.n_options)}"
        )
    if isinstance(answer, GeneratedTexts) and len(answer.texts) != prompts:
        raise ValueError(f"{len(answer.texts)} texts for the {prompts} prompts of '{answer.uid}'")
    return answer


def _results(
    wall: Wall, name: str, method: Callable[..., Any], model: Any, groups: Iterable[PromptGroup], answering: str
) -> Iterator[Any]:
    handed = Handed(groups)
    for result in wall.each(name, wall.call(name, method, model, handed, answering), handed):
        yield _checked(wall, name, _require_type, result, OptionScores, GeneratedTexts, ScoringFailure)
    left = next(handed, None)
    if left is not None:
        raise wall.broken(name, f"it gave no answer for '{left.uid}' and maybe others")


def _placed(wall: Wall, name: str, method: Callable[..., Any], *given: Any) -> Any:
    model = wall.call(name, method, *given)
    if not isinstance(model, Model):
        raise wall.broken(name, f"it gives {_kind(model)}, not a Model")
    return stand_in(model, wall, GUARDS["backend"])


def _predictions(
    wall: Wall, name: str, method: Callable[..., Any], items: Sequence[Item], labels: Sequence[Label]
) -> FloatArray:
    return _checked(wall, name, distributions, wall.call(name, method, items, labels), (len(items), len(labels)))


def _facts(wall: Wall, name: str, method: Callable[..., Any]) -> Mapping[str, Any]:
    """Return what a backend says of itself. It must be JSON data, because it is stored."""
    return _checked(wall, name, _require_json, wall.call(name, method))


def _texts(wall: Wall, name: str, method: Callable[..., Any], group: PromptGroup) -> Sequence[str] | None:
    return _checked(wall, name, _require_texts, wall.call(name, method, group), len(group.prompts))


def _tokens(wall: Wall, name: str, method: Callable[..., Any], group: PromptGroup) -> Sequence[Sequence[int]] | None:
    return _checked(wall, name, _require_tokens, wall.call(name, method, group), len(group.prompts))


def _workers(wall: Wall, name: str, method: Callable[..., Any]) -> Sequence[WorkerRate]:
    rates = wall.call(name, method)
    if not isinstance(rates, list | tuple) or not all(isinstance(each, WorkerRate) for each in rates):
        raise wall.broken(name, f"it gives {_kind(rates)}, not a list of WorkerRate")
    return rates


GUARDS: Mapping[str, Mapping[str, Guard]] = {
    "backend": {
        "describe": _facts,
        "environment": _facts,
        "render": _texts,
        "encode": _tokens,
        "score": partial(_answers, OptionScores),
        "generate": partial(_answers, GeneratedTexts),
        "predict": _predictions,
        "workers": _workers,
    },
    "strategy": {"group": _group, "follow": _follow},
    "executor": {"run": _results, "place": _placed},
}
"""How the results of each component's methods are checked, by kind of component."""


def _checked(wall: Wall, name: str, check: Callable[..., T], *given: Any) -> T:
    try:
        return check(*given)
    except ValueError as error:
        raise wall.broken(name, error) from error
    # The attributes of a plugin's objects may raise anything.
    except Exception as error:
        raise wall.broken(name, said(error)) from error


def _require_type(value: object, *expected: type[T]) -> T:
    if not isinstance(value, expected):
        raise ValueError(f"it gives {_kind(value)}, not {' or '.join(each.__name__ for each in expected)}")
    return value


def _require_prompt(prompt: object, item: Item, labels: int) -> None:
    prompt = _require_type(prompt, Prompt)
    if not isinstance(prompt.messages, tuple) or not prompt.messages:
        raise ValueError(f"a prompt of '{item.uid}' has no messages, or they are not a tuple")
    for message in prompt.messages:
        _require_type(message, Message)
        if message.role not in ROLES or not isinstance(message.content, str):
            raise ValueError(f"a message of '{item.uid}' has the role {message.role!r}, or no text")
    if not isinstance(prompt.options, tuple) or not _is_order(prompt.options, labels):
        raise ValueError(f"the options of a prompt of '{item.uid}' are {prompt.options}: no order of {labels} labels")
    if not all(0 <= index < len(item.explanations) for index in prompt.explanations):
        raise ValueError(f"a prompt of '{item.uid}' names explanations that the item does not have")


def _require_decoding(decoding: object) -> None:
    decoding = _require_type(decoding, Decoding)
    sound = isinstance(decoding.max_tokens, int) and decoding.max_tokens > 0 and isinstance(decoding.seed, int)
    if not sound or not math.isfinite(decoding.temperature) or decoding.temperature < 0:
        raise ValueError(f"texts cannot be written with {decoding}")


@lru_cache(MAX_ORDERS)
def _is_order(options: tuple[int, ...], labels: int) -> bool:
    return sorted(options) == list(range(labels))


def _require_json(facts: object) -> Mapping[str, Any]:
    if not isinstance(facts, Mapping):
        raise ValueError(f"it gives {_kind(facts)}, not a mapping")
    try:
        json.dumps(dict(facts), allow_nan=False, sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"what it gives is not JSON data: {error}") from error
    return facts


def _require_texts(texts: Any, prompts: int) -> Sequence[str] | None:
    if texts is None:
        return None
    if not isinstance(texts, list | tuple) or len(texts) != prompts or not all(isinstance(each, str) for each in texts):
        raise ValueError(f"it gives {_kind(texts)}, not a text for each of {prompts} prompts")
    return texts


def _require_tokens(tokens: Any, prompts: int) -> Sequence[Sequence[int]] | None:
    if tokens is None:
        return None
    if not isinstance(tokens, list | tuple) or len(tokens) != prompts:
        raise ValueError(f"it gives {_kind(tokens)}, not token ids for each of {prompts} prompts")
    for ids in tokens:
        if not isinstance(ids, Sequence) or not all(issubclass(kind, Integral) for kind in set(map(type, ids))):
            raise ValueError("token ids are not whole numbers")
    return tokens


def _kind(value: object) -> str:
    return "nothing" if value is None else f"{type(value).__name__}"
