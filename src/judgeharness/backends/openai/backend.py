"""The `openai:` backend: from a server's model to option scores."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
from pydantic import ValidationError

from judgeharness.backends.chat import Chat, rendered
from judgeharness.backends.contract import BackendContext, Description
from judgeharness.backends.letters import letter_tokens, require_letters
from judgeharness.backends.openai.address import find_address, find_key
from judgeharness.backends.openai.asking import AnsweredGroup, Asking, Result
from judgeharness.backends.openai.budget import Budget
from judgeharness.backends.openai.capabilities import Capabilities
from judgeharness.backends.openai.client import Client, FaultError
from judgeharness.backends.openai.matching import LetterNames, find_letters
from judgeharness.backends.openai.options import OpenAIOptions
from judgeharness.backends.openai.probe import Subject, find_identity, probe
from judgeharness.backends.openai.roads import Question, RequestForm
from judgeharness.backends.openai.throttle import Concurrency
from judgeharness.backends.openai.tokenizer import load_chat
from judgeharness.content import digest
from judgeharness.domain import LETTERS, OptionScores, PromptGroup, ScoringFailure, in_label_order
from judgeharness.errors import HarnessError

QUICK = 10.0


class OpenAIBackend:
    """A model behind an OpenAI-compatible server. The server is probed once; what it can do is kept in the cache."""

    def __init__(self, model: str, options: OpenAIOptions, context: BackendContext) -> None:
        self._options = options
        self._context = context
        self._address = find_address(model, options.base_url, os.environ)
        self._key = find_key(self._address, options.key_variable, os.environ)
        self._budget = Budget(options.max_requests, options.max_tokens)
        self._asking: Asking | None = None
        self._counted_otherwise = 0
        context.notify(f"openai model: {self._address.model} at {self._address.url}")

    def describe(self) -> Description:
        """The model by server and name, how it is asked, and how letters are told among its candidates."""
        found = self._capabilities
        return {
            "backend": "openai",
            "model": self._address.model,
            "base_url": self._address.url,
            "server": found.server,
            "identity": found.identity,
            "asked_by": found.road,
            "top_logprobs": self._form.top,
            "named_tokens": found.named_tokens,
            "letters": None if self._names.tokens is None else dict(self._names.tokens),
            "letter_form": self._names.form,
            "chat_template_sha256": None if self._chat is None else digest(self._chat.template),
            "extra_body": self._options.extra_body,
        }

    def environment(self) -> Mapping[str, Any]:
        """What the server can do, what was spent, and how many prompts it counted otherwise than the tokenizer."""
        return {
            "openai": version("openai"),
            "server": self._capabilities.model_dump(mode="json", exclude={"identity", "letters"}),
            "requests": self._budget.requests,
            "requests_repeated": 0 if self._asking is None else self._asking.repeated,
            "tokens": self._budget.tokens,
            "prompts_counted_otherwise": self._counted_otherwise,
        }

    def render(self, group: PromptGroup) -> Sequence[str] | None:
        """The text of each prompt, by the tokenizer of the option; None without one."""
        return None if self._chat is None else rendered(self._chat, group)

    def encode(self, group: PromptGroup) -> Sequence[Sequence[int]] | None:
        """Token ids of each prompt, by the tokenizer of the option; None without one."""
        texts = self.render(group)
        return None if texts is None or self._chat is None else self._chat.encode(texts)

    def open(self) -> None:
        """Say what it may cost. The server was asked by `describe` already."""
        if self._budget.max_requests is not None or self._budget.max_tokens is not None:
            self._context.notify(f"budget of this run: {self._budget}")

    def score(self, groups: Iterable[PromptGroup]) -> Iterator[OptionScores | ScoringFailure]:
        """Ask for several groups at a time."""
        with asyncio.Runner() as runner:
            client = self._client()
            self._asking = Asking(
                client,
                self._form,
                self._questions,
                self._budget,
                Concurrency(self._options.concurrency),
                self._options.attempts,
            )
            results = self._asking.run(groups)
            try:
                while (result := runner.run(_following(results))) is not None:
                    yield self._scores(result)
            finally:
                runner.run(_closed(results, client))

    def close(self) -> None:
        """Nothing stays open between runs."""

    def _scores(self, result: Result) -> OptionScores | ScoringFailure:
        if isinstance(result, ScoringFailure):
            return result
        self._compare_counts(result)
        letters = LETTERS[: result.group.n_options]
        found = [find_letters(answer, letters, self._names) for answer in result.answers]
        censored = in_label_order(np.array([each.censored for each in found], dtype=np.float64), result.group) > 0
        return OptionScores(
            result.group.uid,
            in_label_order(np.array([each.logprobs for each in found]), result.group),
            "logprob",
            np.array([each.mass for each in found]),
            censored if censored.any() else None,
        )

    def _compare_counts(self, result: AnsweredGroup) -> None:
        """Whether the server read as many tokens as the tokenizer makes."""
        for answer, question in zip(result.answers, result.questions, strict=True):
            if question.tokens is None or answer.prompt_tokens in {None, len(question.tokens)}:
                continue
            if not self._counted_otherwise:
                self._context.notify(
                    f"the server read {answer.prompt_tokens} tokens where the tokenizer makes {len(question.tokens)}: "
                    "its chat template, its tokenizer or its first token is another"
                )
            self._counted_otherwise += 1

    def _questions(self, group: PromptGroup) -> list[Question]:
        texts = self.render(group)
        if texts is None or self._chat is None:
            return [Question(prompt.messages) for prompt in group.prompts]
        return [
            Question(prompt.messages, text, tuple(tokens))
            for prompt, text, tokens in zip(group.prompts, texts, self._chat.encode(texts), strict=True)
        ]

    @cached_property
    def _chat(self) -> Chat | None:
        name = self._options.tokenizer
        return None if name is None else load_chat(name, self._context)

    @cached_property
    def _letters(self) -> dict[str, int] | None:
        """By the tokenizer of the option."""
        return None if self._chat is None else letter_tokens(self._chat, self._options.answer_prefix)

    @cached_property
    def _names(self) -> LetterNames:
        found = self._capabilities
        if self._chat is None or self._letters is None:
            return LetterNames(found.letters, found.form)
        require_letters(self._letters, 2)
        prefix = self._chat.decode([self._letters["A"]]).removesuffix("A")
        return LetterNames(self._letters if found.gives_ids else None, prefix)

    @cached_property
    def _form(self) -> RequestForm:
        found, options = self._capabilities, self._options
        top = found.top if options.top_logprobs is None else options.top_logprobs
        named = tuple((self._letters or {}).values()) if found.named_tokens else ()
        return RequestForm(
            self._address.model, found.server, found.road, top, found.tokens_field, named, options.extra_body
        )

    @cached_property
    def _capabilities(self) -> Capabilities:
        """As kept from an earlier run where the server is the same, or cannot be reached."""
        options = self._options
        wishes = [options.endpoint, options.tokenizer, options.answer_prefix, options.extra_body]
        name = digest([self._address.url, self._address.model, wishes])[:16]
        kept = self._context.cache / "servers" / f"{name}.json"
        known = _read(kept)
        try:
            found = asyncio.run(self._probed(known))
        except FaultError as error:
            if known is None:
                raise HarnessError(
                    f"{self._address.url} cannot be asked: {error.reason}",
                    "start the server, or set its address with -o base_url=http://HOST:PORT/v1",
                ) from error
            self._context.notify(f"{self._address.url} cannot be asked ({error.reason}); taking it as it was last time")
            return known
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(found.model_dump_json(indent=1), encoding="utf-8")
        return found

    async def _probed(self, known: Capabilities | None) -> Capabilities:
        subject = self._subject()
        client = self._client(QUICK if known else None)
        try:
            if known is not None:
                server, identity, _ = await find_identity(client, subject)
                if (server, identity) == (known.server, known.identity):
                    return known
            await client.close()
            client = self._client()
            return await probe(client, subject)
        finally:
            self._budget.charge(client.posts, client.tokens)
            await client.close()

    def _subject(self) -> Subject:
        options = self._options
        return Subject(
            self._address.model,
            self._address.is_openai,
            options.endpoint,
            self._chat,
            self._letters,
            options.answer_prefix,
            options.extra_body,
        )

    def _client(self, timeout: float | None = None) -> Client:
        return Client(self._address, self._key, timeout or self._options.timeout, self._options.concurrency)


def _read(kept: Any) -> Capabilities | None:
    try:
        return Capabilities.model_validate(json.loads(kept.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        return None


async def _following(results: Any) -> Result | None:
    found: Result | None = await anext(results, None)
    return found


async def _closed(results: Any, client: Client) -> None:
    await results.aclose()
    await client.close()
