"""How a prompt is put to a server, to be scored or written to: the path and the body of the request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judgeharness.backends.openai.capabilities import Road
from judgeharness.backends.openai.servers import KINDS
from judgeharness.domain import Decoding, Message


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt in the forms in which servers take it. text and tokens: None where there is no tokenizer for them.

    decoding: how the answer is written, None where it is scored. draw: the number that the server is to draw with.
    """

    messages: tuple[Message, ...]
    text: str | None = None
    tokens: tuple[int, ...] | None = None
    decoding: Decoding | None = None
    draw: int = 0

    @property
    def answer_tokens(self) -> int:
        """The most tokens that its answer has."""
        return 1 if self.decoding is None else self.decoding.max_tokens


@dataclass(frozen=True, slots=True)
class RequestForm:
    """What all requests of a run have in common.

    top: how many log-probabilities to ask for. letters: token ids to ask for by name, where the server can. extra: more
    fields, as the user gave them.
    """

    model: str
    server: str
    road: Road
    top: int
    tokens_field: str = "max_tokens"
    letters: tuple[int, ...] = ()
    extra: Mapping[str, Any] | None = None
    temperature: float = 1.0

    def request(self, question: Question) -> tuple[str, dict[str, Any]]:
        """Path and body for a question."""
        kind = KINDS[self.server]
        if question.decoding is not None:
            return self._writing(question, question.decoding)
        if self.road == "native":
            return kind.native or "", {**self._native(question.tokens or ()), **(self.extra or {})}
        body: dict[str, Any] = {"model": self.model, self.tokens_field: 1, "temperature": self.temperature, "top_p": 1}
        body |= kind.extra
        if self.letters and kind.named_tokens:
            body |= {kind.named_tokens: list(self.letters), **kind.ids_field}
        elif question.tokens is not None:
            body |= kind.ids_field
        if self.road == "chat":
            body |= {"messages": _turns(question.messages), "logprobs": True, "top_logprobs": self.top}
            body |= {"chat_template_kwargs": {"enable_thinking": False}} if kind.thinks else {}
            return "/chat/completions", {**body, **(self.extra or {})}
        prompt = list(question.tokens or ()) if self.road == "completions ids" else _text(question)
        return "/completions", {**body, "prompt": prompt, "logprobs": self.top, **(self.extra or {})}

    def _writing(self, question: Question, decoding: Decoding) -> tuple[str, dict[str, Any]]:
        """For an answer in writing, drawn from all tokens: servers have defaults that would draw from some."""
        kind = KINDS[self.server]
        body: dict[str, Any] = {
            "model": self.model,
            self.tokens_field: decoding.max_tokens,
            "temperature": decoding.temperature,
            "top_p": 1,
            "seed": question.draw,
            **kind.extra,
            **kind.draws_from_all,
        }
        if self.road.startswith("completions"):
            prompt = list(question.tokens or ()) if self.road == "completions ids" else _text(question)
            return "/completions", {**body, "prompt": prompt, **(self.extra or {})}
        body |= {"messages": _turns(question.messages)}
        body |= {"chat_template_kwargs": {"enable_thinking": False}} if kind.thinks else {}
        return "/chat/completions", {**body, **(self.extra or {})}

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
