"""The wording of a task: a Jinja template rendered in a sandbox. Data is only ever passed as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from judgeharness.domain.errors import InputError, first_line
from judgeharness.domain.files import read_text
from judgeharness.domain.hashes import digest
from judgeharness.domain.nouns import LETTERS, Explanation, Item, Label, Message
from judgeharness.tasks.definition import TaskDefinition
from judgeharness.tasks.paths import inside
from judgeharness.tasks.shipped import shipped

if TYPE_CHECKING:
    import jinja2

    from judgeharness.tasks.sandbox import Sandbox

BUILTIN_PREFIX = "builtin:"
MAX_TEMPLATE_BYTES = 1 << 16
INSTRUCTION = "instruction"
SHOWN = 200
"""How many characters of a template's error are shown."""

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Wording:
    """The text of one turn. `instructs` says whether it places the `instruction` itself."""

    name: str
    source: str
    sandbox: Sandbox
    compiled: jinja2.Template
    instructs: bool

    @classmethod
    def parse(cls, name: str, source: str) -> Wording:
        """Parse a template's text. Raises InputError if it is not a valid template."""
        import jinja2
        from jinja2 import meta

        from judgeharness.tasks.sandbox import Sandbox, forbidden

        if len(source) > MAX_TEMPLATE_BYTES:
            raise InputError(f"template {name}: longer than {MAX_TEMPLATE_BYTES:,} characters")
        environment = Sandbox()
        try:
            tree = environment.parse(source)
            refused = forbidden(tree)
            if refused is not None:
                raise InputError(f"template {name}: {refused}")
            named = meta.find_undeclared_variables(tree)
            return cls(name, source, environment, environment.compiled(source), INSTRUCTION in named)
        except jinja2.TemplateSyntaxError as error:
            raise InputError(f"template {name}, line {error.lineno}: {error.message}") from error
        except RecursionError as error:
            raise InputError(f"template {name}: is nested too deeply") from error
        # These are errors of the sandbox, and of numbers with thousands of digits.
        except (jinja2.TemplateError, ValueError) as error:
            raise InputError(f"template {name}: {error}") from error

    def render(self, uid: str, values: Mapping[str, Any]) -> str:
        """Return the text. Raises InputError if the template uses what the item does not have, or produces too much."""
        import jinja2

        try:
            return self.sandbox.text(self.compiled, values)
        # The sandbox passes on any error of an expression, such as a division by zero or a wrong type.
        except (
            jinja2.TemplateError,
            ArithmeticError,
            AttributeError,
            LookupError,
            MemoryError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            raise InputError(f"template {self.name}, item {uid}: {first_line(error)[:SHOWN]}") from error


@dataclass(frozen=True, slots=True)
class Template:
    """Renders an item to the messages of a prompt, one for each turn.

    The wording of a turn can use the item's fields by name, and these names:

    - `explanations`, each with `text` and `label` (the label's text, or an empty text if it is not to be shown).
    - `options`, each with `letter`, and with `text` and `name` of its label.
    - `instruction`, which says how to answer if not with a letter. It is appended if no turn places it.
    """

    name: str
    turns: tuple[tuple[Role, Wording], ...]

    @property
    def sha256(self) -> str:
        """The hash of the template's text."""
        if len(self.turns) == 1:
            return digest(self.turns[0][1].source)
        return digest([[role, wording.source] for role, wording in self.turns])

    def render(
        self,
        item: Item,
        labels: Sequence[Label],
        options: Sequence[int],
        explanations: Sequence[Explanation] = (),
        show_labels: bool = False,
        instruction: str = "",
    ) -> tuple[Message, ...]:
        """Return the messages that ask about an item.

        Args:
            item: The item.
            labels: The task's labels.
            options: The label behind each letter, as an index.
            explanations: The explanations to show.
            show_labels: Whether to show the explanations' labels.
            instruction: How to answer, if not with a letter.

        Raises:
            InputError: The template uses what the item does not have.
        """
        shown = [{"text": each.text, "label": labels[each.label].text if show_labels else ""} for each in explanations]
        letters = [
            {"letter": letter, "text": labels[index].text, "name": labels[index].name}
            for letter, index in zip(LETTERS, options, strict=False)
        ]
        values = {**item.fields, "explanations": shown, "options": letters, INSTRUCTION: instruction}
        messages = [Message(role, wording.render(item.uid, values)) for role, wording in self.turns]
        if instruction and not any(wording.instructs for _, wording in self.turns):
            last = messages.pop()
            messages.append(Message(last.role, f"{last.content}\n\n{instruction}"))
        return tuple(messages)


def task_template(definition: TaskDefinition) -> Template:
    """Return the wording of a task. Raises InputError."""
    if definition.template is not None:
        wording = read_wording(definition.template, definition.folder)
        return Template(definition.template, (("user", wording),))
    turns = tuple((turn.role, read_wording(turn.template, definition.folder)) for turn in definition.turns)
    return Template(", ".join(turn.template for turn in definition.turns), turns)


def read_wording(reference: str, folder: Path) -> Wording:
    """Return the wording "builtin:NAME", or that of a file in `folder` or below. Raises InputError."""
    if reference.startswith(BUILTIN_PREFIX):
        name = reference[len(BUILTIN_PREFIX) :]
        known = {path.stem: path for path in (shipped() / "templates").glob("*.jinja")}
        if name not in known:
            raise InputError(f"no built-in template '{name}'", f"known: {', '.join(sorted(known))}")
        path = known[name]
    else:
        path = inside(folder, reference)
    return Wording.parse(reference, read_text(path, MAX_TEMPLATE_BYTES, "template"))
