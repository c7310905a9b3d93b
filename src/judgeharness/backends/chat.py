"""The layer between a conversation and a model: a chat template and a tokenizer, with checks that both work.

Templates and tokenizers fail silently. Some templates leave out the system turn. Some accept content only as a list of
parts, and drop content that is a text. Some leave the first token to the tokenizer, which is called without adding any.
"""

from __future__ import annotations

import contextlib
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Literal, Protocol

from judgeharness.backends.templates import ChatTemplate
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import Message
from judgeharness.domain.special_tokens import LIKE_SPECIAL_TOKENS

PINNED_DATE = date(2024, 7, 26)
"""The date that a template takes for today by default. Llama 3's own templates fall back on it."""

PROBE = Message("user", "Answer:")
_SYSTEM = Message("system", "Judge.")
_LEADING = "a"
_OTHER_DAYS = timedelta(days=400)
"""The distance to a date with another day, weekday, month and year."""

_THOUGHTS = (
    *((f"<{name}>", f"</{name}>") for name in ("think", "thinking", "thought", "reasoning")),
    ("[THINK]", "[/THINK]"),
)
"""How a block of reasoning begins and ends."""

_MARK = re.compile(r"<<[^<>\s]{1,60}>>|<[^<>\n]{1,60}>|\[[^\[\]\n]{1,60}\]")
_ROLES: tuple[tuple[Literal["system", "user", "assistant"], ...], ...] = (
    ("user",),
    ("system", "user"),
    ("user", "assistant", "user"),
)


class Chat(Protocol):
    """Turns conversations into the text and the tokens that a model reads."""

    @property
    def template(self) -> Any:
        """The chat template's source, or several by name. None if the model has none and reads the bare text."""

    def render(self, messages: Sequence[Message], answer_follows: bool = True) -> str:
        """Return the text that the model reads. Raises HarnessError if the template refuses the conversation."""

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of rendered texts."""

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens."""


@dataclass(frozen=True, slots=True)
class Form:
    """How conversations with the same roles are rendered.

    Attributes:
        parts: Whether a turn's content is a list of parts instead of a text.
        controls: How many special tokens the template writes.
        marks: What the template writes in brackets, such as marks around turns.
        opens_thought: Whether the template opens a block of reasoning before the answer.
    """

    parts: bool = False
    controls: int = 0
    marks: frozenset[str] = frozenset()
    opens_thought: bool = False


class LocalChat(ABC):
    """A chat template with a local tokenizer.

    Args:
        template: As in `Chat`.
        special: The texts of special tokens by name, for the template.
        today: The date that the template takes for today.
    """

    def __init__(self, template: Any, special: Mapping[str, str], today: date) -> None:
        self.template = template
        self.today = today
        source = default_template(template)
        self._template = None if source is None else ChatTemplate(source, special)
        self._forms: dict[tuple[tuple[str, ...], bool], Form] = {}

    @abstractmethod
    def tokenize(self, texts: Sequence[str], add_special: bool) -> list[list[int]]:
        """Return the token ids of texts. Special tokens in the texts are recognized.

        Args:
            texts: The texts.
            add_special: Whether the tokenizer adds its own special tokens.
        """

    @abstractmethod
    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, special tokens included."""

    @property
    @abstractmethod
    def control_tokens(self) -> Mapping[int, str]:
        """The tokens that are not text, such as the ends of turns, with their texts in a rendered conversation."""

    @property
    @abstractmethod
    def unknown_token(self) -> int | None:
        """The token for text that is not in the vocabulary: a control token that any text may produce."""

    def render(self, messages: Sequence[Message], answer_follows: bool = True) -> str:
        """Return the text that the model reads.

        Raises HarnessError if the template refuses the conversation or leaves out one of its turns.
        """
        if self._template is None:
            return bare(messages)
        return self._rendered(messages, answer_follows, self.form(messages, answer_follows).parts, self.today)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of rendered texts. The tokenizer's first tokens occur exactly once."""
        return [self._begun(ids) for ids in self.tokenize(texts, add_special=False)] if texts else []

    def encode_pieces(self, pieces: Sequence[str]) -> list[int]:
        """Return the token ids of a rendered text given in pieces. No token crosses from one piece into the next."""
        return self._begun([token for ids in self.tokenize(pieces, add_special=False) for token in ids])

    def controls(self, tokens: Sequence[int]) -> int:
        """Count the control tokens, without the first tokens and the unknown token."""
        start, count = 0, len(self.first_tokens)
        while count and tuple(tokens[start : start + count]) == self.first_tokens:
            start += count
            if self._template is None:
                break
        return sum(map(self._counted.__contains__, tokens[start:]))

    def form(self, messages: Sequence[Message], answer_follows: bool = True) -> Form:
        """Return how conversations with these roles are rendered, found by rendering one. Raises as `render` does."""
        roles = tuple(message.role for message in messages)
        found = self._forms.get((roles, answer_follows))
        if found is None:
            found = self._forms[roles, answer_follows] = self._tried(messages, answer_follows)
        return found

    @cached_property
    def marks(self) -> frozenset[str]:
        """What the template writes in brackets, in conversations with any roles."""
        found: set[str] = set()
        for roles in _ROLES:
            with contextlib.suppress(HarnessError):
                found |= self.form([Message(role, "") for role in roles]).marks
        return frozenset(found)

    @cached_property
    def first_tokens(self) -> tuple[int, ...]:
        """The tokens that the tokenizer puts before every text, such as BOS."""
        return self._added[0]

    @cached_property
    def missing_first_tokens(self) -> tuple[int, ...]:
        """The first tokens that the template does not write. They are added to each prompt."""
        if self._template is None:
            return self.first_tokens
        (begin,) = self.tokenize([self.render([PROBE])], add_special=False)
        count = len(self.first_tokens)
        return () if tuple(begin[:count]) == self.first_tokens else self.first_tokens

    @cached_property
    def uses_date(self) -> bool:
        """Whether the template writes the current date into prompts."""
        return self._shows_date([PROBE]) or self._shows_date([_SYSTEM, PROBE])

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What changes a prompt's tokens but does not show in the text of a probe, for `describe`. Usually empty."""
        found: dict[str, Any] = {}
        if self._template is None:
            return {"first_tokens": list(self.first_tokens)} if self._added[1] else found
        if self.missing_first_tokens or self._writes_twice:
            found["first_tokens"] = list(self.first_tokens)
        if self._shows_date([_SYSTEM, PROBE]) and not self._shows_date([PROBE]):
            found["date"] = self.today.isoformat()
        return found

    @property
    def record(self) -> dict[str, Any]:
        """What a run's record should hold about the chat in addition to `facts`."""
        found: dict[str, Any] = {"date": self.today.isoformat()} if self.uses_date else {}
        return {**found, **({"warnings": list(self.warnings)} if self.warnings else {})}

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What readers of the scores must know about the prompts."""
        if self._template is None or not self.form([PROBE]).opens_thought:
            return ()
        return ("the chat template opens a block of reasoning before the answer, so letters are read inside it",)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What is done to prompts besides rendering them, in sentences for the user."""
        found = []
        if self._template is not None and self.form([PROBE]).parts:
            found.append("the chat template takes content in parts: each turn is given as one text part")
        if self._template is not None and self.missing_first_tokens:
            first = self.decode(self.missing_first_tokens)
            found.append(f"the chat template does not write {first}, which the tokenizer puts first: it is added")
        if self.uses_date:
            found.append(f"the chat template writes the date: it is {self.today} in every prompt (-o date=...)")
        return (*found, *self.warnings)

    @cached_property
    def _added(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The tokens that the tokenizer adds before and after a text."""
        (own,), (whole,) = (self.tokenize([_LEADING], add_special=added) for added in (False, True))
        for start in range(len(whole) - len(own) + 1):
            if whole[start : start + len(own)] == own:
                return tuple(whole[:start]), tuple(whole[start + len(own) :])
        return (), ()

    @cached_property
    def _writes_twice(self) -> bool:
        (begin,) = self.tokenize([self.render([PROBE])], add_special=False)
        return bool(self.first_tokens) and self._repeated(begin)

    def _shows_date(self, messages: Sequence[Message]) -> bool:
        try:
            parts = self.form(messages).parts
            then, now = (self._rendered(messages, True, parts, day) for day in (self.today - _OTHER_DAYS, self.today))
        except HarnessError:
            return False
        return then != now

    def _repeated(self, tokens: Sequence[int]) -> bool:
        return tuple(tokens[: 2 * len(self.first_tokens)]) == 2 * self.first_tokens

    def _begun(self, tokens: list[int]) -> list[int]:
        tokens = [*self.missing_first_tokens, *tokens]
        while self._template is not None and self.first_tokens and self._repeated(tokens):
            tokens = tokens[len(self.first_tokens) :]
        return tokens

    @cached_property
    def _counted(self) -> frozenset[int]:
        return frozenset(self.control_tokens) - {self.unknown_token}

    def _rendered(self, messages: Sequence[Message], answer_follows: bool, parts: bool, today: date) -> str:
        if self._template is None:
            return bare(messages)
        turns = [{"role": each.role, "content": _parts(each.content) if parts else each.content} for each in messages]
        return self._template.render(turns, answer_follows, today)

    def _tried(self, messages: Sequence[Message], answer_follows: bool) -> Form:
        """Render a conversation of made-up words with the same roles, first with texts and then with parts."""
        if self._template is None:
            return Form()
        words = [Message(message.role, f"qvzx{place}wkj") for place, message in enumerate(messages)]
        refusal: HarnessError | None = None
        missing: list[str] = []
        for parts in (False, True):
            try:
                text = self._rendered(words, answer_follows, parts, self.today)
            except HarnessError as error:
                refusal = refusal or error
                continue
            lost: list[str] = [word.role for word in words if word.content not in text]
            if not lost:
                (tokens,) = self.tokenize([text], add_special=False)
                tail = text[text.rindex(words[-1].content) :]
                opens = any(tail.rfind(begin) > tail.rfind(end) for begin, end in _THOUGHTS)
                return Form(parts, self.controls(tokens), frozenset(_MARK.findall(text)), opens)
            missing = missing or lost
        if not missing and refusal is not None:
            raise refusal
        roles = " and ".join(dict.fromkeys(missing))
        raise HarnessError(
            f"the model's chat template leaves out what the {roles} turn says",
            "put its words into a turn that the template shows, or use another model",
        )


def default_template(template: Any) -> str | None:
    """Return the template to use, given one or several by name. Raises HarnessError if none is the default."""
    if not isinstance(template, Mapping):
        return template or None
    if "default" not in template:
        names = ", ".join(sorted(template))
        raise HarnessError(f"the model has several chat templates ({names}), and none of them is the default")
    return str(template["default"])


def control_texts(special: Mapping[int, str], added: Mapping[int, str], template: Any) -> dict[int, str]:
    """Return the special tokens, and the added tokens that a template writes or that look like special ones."""
    source = default_template(template) or ""
    alike = {token: text for token, text in added.items() if text in source or LIKE_SPECIAL_TOKENS.fullmatch(text)}
    return {token: text for token, text in {**special, **alike}.items() if text.strip()}


def bare(messages: Sequence[Message]) -> str:
    """Return the text that a model without a template reads."""
    return "\n\n".join(message.content for message in messages)


def _parts(content: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": content}]
