"""A server's model as the user named it: its address, what it can do, and the form of its requests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from judgeharness.backends.chat import PROBE, LocalChat
from judgeharness.backends.contract import BackendContext, PromptError
from judgeharness.backends.letters import letter_tokens, require_letters
from judgeharness.backends.openai.address import bypassing, find_address, find_key
from judgeharness.backends.openai.budget import Purse
from judgeharness.backends.openai.capabilities import Capabilities
from judgeharness.backends.openai.client import Client, Key
from judgeharness.backends.openai.faults import FaultError
from judgeharness.backends.openai.identifying import find_identity
from judgeharness.backends.openai.options import NO_KEY, OpenAIOptions
from judgeharness.backends.openai.origin import Origins
from judgeharness.backends.openai.probe import Subject, probe
from judgeharness.backends.openai.request import Question, RequestForm
from judgeharness.backends.openai.tokenizer import load_chat
from judgeharness.backends.openai.top_logprobs import LetterNames
from judgeharness.backends.prompts import PromptReader
from judgeharness.domain.api_keys import scrubbed
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.files import read_bytes, remember
from judgeharness.domain.hashes import digest
from judgeharness.domain.json_reader import read_json
from judgeharness.domain.nouns import PromptGroup

QUICK = 10.0
MAX_KEPT_BYTES = 1 << 20
START_IT = "start the server, or set its address with -o base_url=http://HOST:PORT/v1"


class Server:
    """A model on an OpenAI-compatible server. The server is probed once, and what it can do is cached."""

    def __init__(self, model: str, options: OpenAIOptions, context: BackendContext) -> None:
        self.options = options
        self.context = context
        self.address = find_address(model, options.base_url, os.environ)
        self.purse = Purse()
        self._key = Key(find_key(self.address, options.key_variable, os.environ), options.key_variable == NO_KEY)
        context.notify(f"openai model: {self.address.model} at {self.address.url}")

    def client(self, timeout: float | None = None) -> Client:
        """Return a client, which the caller must close.

        Args:
            timeout: Seconds for a request [default: the option's value].
        """
        return Client(self.address, self._key, timeout or self.options.timeout, self.options.concurrency)

    def render(self, group: PromptGroup) -> Sequence[str] | None:
        """Return the text of each prompt by the tokenizer from the options, or None without one."""
        return None if self._reader is None else self._reader.texts(group)

    def questions(self, group: PromptGroup) -> list[Question]:
        """Return a group's prompts in the forms that the server takes. Raises PromptError."""
        if self._reader is None:
            return [
                Question(prompt.messages, None, None, group.decoding, _draw(group, index))
                for index, prompt in enumerate(group.prompts)
            ]
        texts, tokens = self._reader.texts(group), self._reader.tokens(group)
        by_text = self.capabilities.route == "completions text"
        if by_text and self.chat is not None and self.chat.encode(texts) != tokens:
            raise PromptError("a prompt holds the text of a special token, which the server would read as one")
        return [
            Question(prompt.messages, text.removeprefix(self._doubled), tuple(ids), group.decoding, _draw(group, index))
            for index, (prompt, text, ids) in enumerate(zip(group.prompts, texts, tokens, strict=True))
        ]

    @property
    def rendering(self) -> dict[str, Any]:
        """How prompts are rendered locally, for `describe`, where its other entries do not show it. Usually empty."""
        chat = self.chat
        if chat is None or self.capabilities.route == "chat":
            return {}
        found = {**chat.facts, **({"first_tokens": list(chat.first_tokens)} if self._doubled else {})}
        if chat.uses_date or chat.form([PROBE]).parts:
            found["prompt_format"] = chat.render([PROBE])
        return found

    @property
    def _doubled(self) -> str:
        """The text that both the server and the template put before a prompt. Empty if there is none."""
        chat = self.chat
        if chat is None or self.capabilities.route != "completions text" or not self.capabilities.adds_bos:
            return ""
        return "" if chat.missing_first_tokens else chat.decode(chat.first_tokens)

    @cached_property
    def chat(self) -> LocalChat | None:
        """The chat template and tokenizer from the options, or None without one."""
        name = self.options.tokenizer
        return None if name is None else load_chat(name, self.options.date, self.context)

    @cached_property
    def _reader(self) -> PromptReader | None:
        return None if self.chat is None else PromptReader(self.chat)

    @cached_property
    def _letters(self) -> dict[str, int] | None:
        """The letters' tokens by the tokenizer from the options."""
        return None if self.chat is None else letter_tokens(self.chat, self.options.answer_prefix)

    @cached_property
    def names(self) -> LetterNames:
        """How letters are recognized among the server's tokens."""
        found = self.capabilities
        if self.chat is None or self._letters is None:
            return LetterNames(found.letters, found.form)
        require_letters(self._letters, 2)
        prefix = self.chat.decode([self._letters["A"]]).removesuffix("A")
        return LetterNames(self._letters if found.gives_ids else None, prefix)

    @cached_property
    def form(self) -> RequestForm:
        """What all requests have in common."""
        found, options = self.capabilities, self.options
        top = found.top if options.top_logprobs is None else options.top_logprobs
        named = tuple((self._letters or {}).values()) if found.named_tokens else ()
        return RequestForm(
            self.address.model,
            found.server,
            found.route,
            top,
            found.tokens_field,
            named,
            options.extra_body,
            left_out=found.left_out,
        )

    @cached_property
    def origins(self) -> Origins:
        """Which models the replies come from."""
        return Origins(self.address.model, self.capabilities.answered_as)

    def warnings(self) -> list[str]:
        """Return warnings for readers of the results: the server may have used another model."""
        return self.origins.warnings() or self._listing(self.capabilities)

    @cached_property
    def capabilities(self) -> Capabilities:
        """What the server can do. The user is warned if it seems to have another model than the requested one."""
        found = self._found()
        for warning in [*self._listing(found), *Origins(self.address.model, found.answered_as).warnings()]:
            self.context.notify(warning)
        return found

    def _listing(self, found: Capabilities) -> list[str]:
        return [] if found.unlisted is None else [f"the server lists {found.unlisted}, not '{self.address.model}'"]

    def _found(self) -> Capabilities:
        """Return what the server can do, from the cache if it is the same server or cannot be reached."""
        options = self.options
        wishes = [options.endpoint, options.tokenizer, options.answer_prefix, options.extra_body]
        name = digest([self.address.url, self.address.model, wishes])[:16]
        kept = self.context.cache / "servers" / f"{name}.json"
        known = _read(kept)
        try:
            found = asyncio.run(self._probed(known))
        except FaultError as error:
            if known is None:
                raise HarnessError(
                    f"{self.address.url} cannot be reached: {error.reason}", f"{START_IT}{bypassing(self.address)}"
                ) from error
            self.context.notify(f"{self.address.url} cannot be reached ({error.reason}); taking it as it was last time")
            return known
        fault = remember(kept, found.model_dump_json(indent=1))
        if fault is not None:
            self.context.notify(f"what the server can do is not remembered, and probed again next time: {fault}")
        return found

    async def _probed(self, known: Capabilities | None) -> Capabilities:
        subject = self._subject()
        client = self.client(QUICK if known else None)
        try:
            if known is not None and known.no_scores is None:
                now = await find_identity(client, self.address)
                if (now.server, now.said) == (known.server, known.identity):
                    return known.model_copy(update={"unlisted": now.unlisted})
            await client.close()
            client = self.client()
            return await probe(client, subject)
        finally:
            self.purse.ledger.spend(client.posts, client.tokens)
            await client.close()

    def _subject(self) -> Subject:
        options = self.options
        return Subject(
            self.address,
            options.endpoint,
            self.chat,
            self._letters,
            options.answer_prefix,
            options.extra_body,
        )


def _draw(group: PromptGroup, index: int) -> int:
    """Return the seed for prompt `index`. All prompts get the same one if nothing is sampled."""
    if group.decoding is None or group.decoding.temperature == 0:
        return 0
    return (group.decoding.seed + index) % (1 << 31)


def _read(kept: Any) -> Capabilities | None:
    try:
        return Capabilities.model_validate(scrubbed(read_json(read_bytes(kept, MAX_KEPT_BYTES))))
    except (InputError, ValueError, ValidationError):
        return None
