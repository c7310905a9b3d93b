"""Builds requests: the path and the body that score a prompt or generate an answer to it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from judgeharness.backends.openai.capabilities import Route
from judgeharness.backends.openai.server_kinds import KINDS
from judgeharness.domain.nouns import Decoding, Message

DEFAULTS = {"top_p": 1, "temperature": 1, "seed": 0}
"""Fields that some models refuse, with the values that apply if they are left out."""

_UNSUPPORTED = re.compile(
    r"unsupported|not support|unrecogni|unknown|unexpected|extra|not (permitted|allowed)|cannot", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt in the forms that servers take.

    Attributes:
        messages: The conversation.
        text: The rendered prompt; None without a tokenizer.
        tokens: Its token ids; None without a tokenizer.
        decoding: How the answer is generated; None if the prompt is scored.
        draw: The seed that the server samples with.
    """

    messages: tuple[Message, ...]
    text: str | None = None
    tokens: tuple[int, ...] | None = None
    decoding: Decoding | None = None
    draw: int = 0

    @property
    def answer_tokens(self) -> int:
        """The most tokens that the answer can have."""
        return 1 if self.decoding is None else self.decoding.max_tokens


@dataclass(frozen=True, slots=True)
class RequestForm:
    """What all requests of a run have in common.

    Attributes:
        model: The model's name.
        server: The kind of server.
        route: The endpoint, and the form in which it gets the prompt.
        top: How many log-probabilities to request.
        tokens_field: The name of the field that limits the answer's tokens.
        letters: The token ids whose log-probabilities to request by id, if the server supports this.
        extra: More fields, from the user.
        temperature: The temperature of scoring requests.
        left_out: The fields that the server refuses. They are left out if they have their default values.
    """

    model: str
    server: str
    route: Route
    top: int
    tokens_field: str = "max_tokens"
    letters: tuple[int, ...] = ()
    extra: Mapping[str, Any] | None = None
    temperature: float = 1.0
    left_out: tuple[str, ...] = ()

    def without_refused(self, body: Mapping[str, Any], reason: str) -> RequestForm | None:
        """Return the form without the field that the server's reason calls unsupported, or None if it names none.

        OpenAI's newer models take max_completion_tokens instead of max_tokens.
        """
        named = set(re.findall(r"\w+", reason)) if _UNSUPPORTED.search(reason) else set()
        if self.tokens_field == "max_tokens" and named & {"max_tokens", "max_completion_tokens"}:
            return replace(self, tokens_field="max_completion_tokens")
        for name, default in DEFAULTS.items():
            if name in named and name not in self.left_out and body.get(name) == default:
                return replace(self, left_out=(*self.left_out, name))
        return None

    def request(self, question: Question) -> tuple[str, dict[str, Any]]:
        """Return the path and the body for a question."""
        kind = KINDS[self.server]
        if question.decoding is not None:
            return self._writing(question, question.decoding)
        if self.route == "native":
            return kind.native or "", {**self._native(question.tokens or ()), **(self.extra or {})}
        body: dict[str, Any] = {"model": self.model, self.tokens_field: 1, **self._drawn(self.temperature)}
        body |= kind.extra
        if self.letters and kind.named_tokens:
            body |= {kind.named_tokens: list(self.letters), **kind.ids_field}
        elif question.tokens is not None:
            body |= kind.ids_field
        if self.route == "chat":
            body |= {"messages": _turns(question.messages), "logprobs": True, "top_logprobs": self.top}
            body |= {"chat_template_kwargs": {"enable_thinking": False}} if kind.thinks else {}
            return "/chat/completions", {**body, **(self.extra or {})}
        prompt = list(question.tokens or ()) if self.route == "completions ids" else _text(question)
        return "/completions", {**body, "prompt": prompt, "logprobs": self.top, **(self.extra or {})}

    def _writing(self, question: Question, decoding: Decoding) -> tuple[str, dict[str, Any]]:
        """Return the path and the body that generate an answer.

        The answer is sampled from all tokens. The defaults of many servers would restrict sampling to some of them.
        """
        kind = KINDS[self.server]
        body: dict[str, Any] = {
            "model": self.model,
            self.tokens_field: decoding.max_tokens,
            **self._drawn(decoding.temperature),
            **kind.extra,
            **kind.draws_from_all,
        }
        if decoding.seed != DEFAULTS["seed"] or "seed" not in self.left_out:
            body["seed"] = question.draw
        if self.route.startswith("completions"):
            prompt = list(question.tokens or ()) if self.route == "completions ids" else _text(question)
            return "/completions", {**body, "prompt": prompt, **(self.extra or {})}
        body |= {"messages": _turns(question.messages)}
        body |= {"chat_template_kwargs": {"enable_thinking": False}} if kind.thinks else {}
        return "/chat/completions", {**body, **(self.extra or {})}

    def _drawn(self, temperature: float) -> dict[str, Any]:
        fields = {"temperature": temperature, "top_p": 1}
        return {name: value for name, value in fields.items() if value != DEFAULTS[name] or name not in self.left_out}

    def _native(self, tokens: Sequence[int]) -> dict[str, Any]:
        return {
            "input_ids": list(tokens),
            "sampling_params": {"max_new_tokens": 1, "temperature": self.temperature, "top_p": 1},
            "return_logprob": True,
            "top_logprobs_num": self.top,
            "token_ids_logprob": list(self.letters),
        }


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _text(question: Question) -> str:
    return question.text if question.text is not None else "\n\n".join(each.content for each in question.messages)
