"""Write a task file and its wording from what is known about a JSON lines file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from judgeharness.tasks.guess import Guess

DEFAULT_QUESTION = "Which of the options fits best?"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be written.

    `data` is the name of the JSON lines file; `ordinal` says whether the labels have an order.
    """

    name: str
    title: str
    data: str
    template: str
    question: str
    known: Guess
    ordinal: bool = False


def task_toml(draft: Draft) -> str:
    """Return the task's TOML file."""
    known = draft.known
    lines = [
        f"name = {_text(draft.name)}",
        f"title = {_text(draft.title)}",
        f"template = {_text(draft.template)}",
        *(["ordinal = true"] if draft.ordinal else []),
    ]
    for label in known.labels:
        lines += ["", "[[labels]]", f"name = {_text(label)}", f"text = {_text(shown(label))}"]
    lines += ["", "[items]", f"file = {_text(draft.data)}", f"uid = {_text(known.uid or 'uid')}"]
    if isinstance(known.source, Mapping):
        pairs = ", ".join(f"{_text(label)} = {_text(path)}" for label, path in known.source.items())
        lines.append(f"{known.kind} = {{ {pairs} }}")
    elif isinstance(known.source, tuple):
        lines.append(f"{known.kind} = [{', '.join(map(_text, known.source))}]")
    else:
        lines.append(f"{known.kind} = {_text(known.source or '')}")
    lines += ["", "[items.fields]", *(f"{name} = {_text(path)}" for name, path in known.fields.items())]
    if known.explanations is not None:
        given = known.explanations
        lines += ["", "[explanations]", f"path = {_text(given.path)}", f"text = {_text(given.text)}"]
        lines += [f"label = {_text(given.label)}"]
        lines += [f"annotator = {_text(given.annotator)}"] if given.annotator else []
        lines += ['reference = "explanations"']
    return "\n".join(lines) + "\n"


def wording(draft: Draft) -> str:
    """Return the task's template: the question, the item's texts by name, comments and options."""
    question = "{% raw %}" + draft.question.replace("{%", "{ %") + "{%+ endraw %}"
    fields = [f"{name.replace('_', ' ').capitalize()}: {{{{ {name} }}}}" for name in draft.known.fields]
    comments = [
        "{% for explanation in explanations %}",
        "Comment {{ loop.index }}: {{ explanation.text }}"
        "{% if explanation.label %} So I choose {{ explanation.label }}.{% endif %}",
        "",
        "{% endfor %}",
    ]
    return "\n".join(
        [
            question + "{% if not instruction %} Start your answer with a single letter.{% endif %}",
            "",
            *fields,
            *(comments if draft.known.explanations is not None else []),
            "{% for option in options %}",
            "{{ option.letter }}. {{ option.text }}",
            "{% endfor %}",
            '{{ instruction or "Answer:" }}',
        ]
    )


def shown(label: str) -> str:
    """Return a label as prompts show it: as words, the first with a capital letter."""
    words = label.replace("_", " ").strip() or label
    return words[0].upper() + words[1:]


def _text(value: str) -> str:
    """Return a TOML basic string. JSON's escapes are valid in TOML, which also requires one for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
