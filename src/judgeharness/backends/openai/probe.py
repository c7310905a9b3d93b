"""Finds out what a server can do by sending a few requests of a few tokens each."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from judgeharness.backends.chat import Chat
from judgeharness.backends.letters import PLAIN_ANSWER_PREFIX, letter_tokens
from judgeharness.backends.openai.address import Address
from judgeharness.backends.openai.capabilities import Capabilities, Route
from judgeharness.backends.openai.client import Client
from judgeharness.backends.openai.faults import FaultError, NonsenseError, RefusedError
from judgeharness.backends.openai.identifying import Identity, find_identity
from judgeharness.backends.openai.options import Endpoint
from judgeharness.backends.openai.replies import Answer, Text, read_answer, read_text
from judgeharness.backends.openai.request import Question, RequestForm
from judgeharness.backends.openai.server_kinds import KINDS, UNKNOWN
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import Decoding, Message

CONVERSATION = (
    Message(
        "user",
        "Is water wet? Answer with one letter and nothing else.\nA. Yes\nB. No\nC. It depends\nAnswer:",
    ),
)
TOPS = (100, 20, 10, 5, 1)
OTHER_TEMPERATURE = 2.0
SAME = 0.1
DRAWS = 4
LETTERS = "ABC"
WRITING = Decoding(1, 1.0)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is probed: a model, with the user's options.

    Attributes:
        address: The server and the model.
        endpoint: The endpoints that may be used.
        chat: The model's chat template and tokenizer, if the user named one.
        letters: The letters' tokens by that tokenizer.
        answer_prefix: What comes before the answer letter, if the user set it.
        extra: More fields of every request.
    """

    address: Address
    endpoint: Endpoint
    chat: Chat | None
    letters: Mapping[str, int] | None
    answer_prefix: str | None
    extra: Mapping[str, Any] | None


async def probe(client: Client, subject: Subject) -> Capabilities:
    """Find out everything about a server. Raises HarnessError if it returns neither log-probabilities nor texts."""
    return await _Probe(client, subject, await find_identity(client, subject.address)).found()


class _Probe:
    """The requests of one probe. A field that the server refuses on a route is left out of all later requests there."""

    def __init__(self, client: Client, subject: Subject, identity: Identity) -> None:
        self._client = client
        self._subject = subject
        self._identity = identity
        self._kind = KINDS[identity.server]
        self._question = _question(subject)
        form = RequestForm(subject.address.model, identity.server, "chat", 1, extra=subject.extra)
        self._forms: dict[Route, RequestForm] = {"chat": form, "native": replace(form, route="native")}
        if not subject.address.is_openai:
            self._forms["completions text"] = replace(form, route="completions text")
        # The last error on each route, or None if the server answered.
        self._said: dict[Route, FaultError | RefusedError | None] = {}

    async def found(self) -> Capabilities:
        """Return what the server can do."""
        chat = await self._most("chat")
        text = await self._most("completions text")
        takes_ids = await self._takes_ids() if text else False
        native = await self._native()
        route = self._route(chat, text, takes_ids, native)
        answer = {"chat": chat, "native": native}.get(route, text)
        if answer is None:
            return await self._texts_alone()
        named = native is not None if route == "native" else await self._named(route)
        ids = any(each.token is not None for each in answer.candidates)
        raw = await self._raw(route, answer)
        remote = await self._remote_letters() if ids and self._subject.letters is None and route == "chat" else None
        # The server may be used for generated answers as well, with other fields.
        await self._text(route)
        tops = {each: form.top for each, form in self._forms.items()}
        return self._capabilities(
            route,
            answer,
            chat_top=tops["chat"] if chat else 0,
            completions_top=tops["completions text"] if text else 0,
            takes_ids=takes_ids,
            named_tokens=named,
            gives_ids=ids or named or bool(self._kind.ids_field and self._subject.letters),
            raw=raw,
            letters=remote,
            form=_form(self._subject, route, answer),
            adds_bos=_adds_bos(text, self._question),
        )

    async def _texts_alone(self) -> Capabilities:
        """Return what a server without log-probabilities can do. Raises HarnessError if it generates no text either."""
        said, setting = self._words(), self._kind.setting
        reason = f"{self._name()} returned no log-probabilities for '{self._subject.address.model}' on {self._where()}"
        if isinstance(said, NonsenseError):
            reason = said.reason
        elif said is not None:
            reason = f"{reason}: {_quoted(said)}"
        for route in self._endpoints():
            text = await self._text(route)
            if text is not None:
                return self._capabilities(route, text, no_scores=f"{reason} ({setting})")
        if said is None or isinstance(said, NonsenseError):
            raise HarnessError(reason, setting)
        raise self._unusable(said)

    def _capabilities(self, route: Route, answer: Answer | Text, **found: Any) -> Capabilities:
        form = self._forms[route]
        return Capabilities(
            server=self._identity.server,
            identity=self._identity.said,
            version=self._identity.version,
            unlisted=self._identity.unlisted,
            route=route,
            tokens_field=form.tokens_field,
            left_out=form.left_out,
            prompt_tokens=answer.prompt_tokens,
            answered_as=answer.origin.model,
            **found,
        )

    def _endpoints(self) -> list[Route]:
        """The endpoints that the user allows, with the preferred one first."""
        unwanted = {"chat": "completions text", "completions": "chat"}.get(self._subject.endpoint)
        routes: list[Route] = ["chat", "completions text"]
        return [route for route in routes if route in self._forms and route != unwanted]

    async def _reply(self, route: Route, question: Question, **other: Any) -> Any:
        """Return the reply to a question on a route, or None if there is none. `_said` then has the reason.

        Raises FaultError if the server cannot be reached or is overloaded.
        """
        while True:
            path, body = replace(self._forms[route], **other).request(question)
            try:
                reply = await self._client.post(path, body)
            except RefusedError as error:
                self._said[route] = error
                accepted = self._forms[route].without_refused(body, error.reason)
                if accepted is None:
                    return None
                self._forms[route] = accepted
            except FaultError as error:
                if error.unreachable or error.overloaded:
                    raise
                # Some servers answer 500 to a request that they do not support.
                self._said[route] = error
                return None
            else:
                self._said[route] = None
                return reply

    async def _ask(self, route: Route, question: Question | None = None, **other: Any) -> Answer | None:
        # If the sampled token ends the answer, some servers return nothing. Another attempt may sample another token.
        for _ in range(DRAWS):
            reply = await self._reply(route, question or self._question, **other)
            if reply is None:
                return None
            try:
                return read_answer(reply)
            except NonsenseError as error:
                self._said[route] = error
                return None
            except FaultError:
                continue
        return None

    async def _text(self, route: Route) -> Text | None:
        """Return a generated answer, or None if the server gives none."""
        reply = await self._reply(route, replace(self._question, decoding=WRITING))
        try:
            return None if reply is None else read_text(reply)
        except FaultError:
            return None

    async def _most(self, route: Route) -> Answer | None:
        """Return an answer with as many top log-probabilities as the server gives. The route's form notes how many."""
        for top in TOPS if route in self._endpoints() else ():
            answer = await self._ask(route, top=top)
            if answer is not None:
                returned = max(len(answer.candidates), 1)
                self._forms[route] = replace(self._forms[route], top=min(top, returned))
                return answer
            said = self._said[route]
            if _is_unknown_path(said) or _is_unknown_model(said) or isinstance(said, NonsenseError):
                break
        return None

    async def _takes_ids(self) -> bool:
        """Return whether the server takes token ids and counts as many tokens as were sent."""
        self._forms["completions ids"] = replace(self._forms["completions text"], route="completions ids")
        tokens = self._question.tokens or (1, 2, 3, 4, 5)
        answer = await self._ask("completions ids", replace(self._question, tokens=tokens))
        return answer is not None and answer.prompt_tokens == len(tokens)

    async def _native(self) -> Answer | None:
        """Return the answer on the server's own path, if it has one and the letters' tokens are known."""
        known = self._subject.letters
        if self._kind.native is None or known is None or self._subject.endpoint != "auto":
            return None
        letters = tuple(known[letter] for letter in LETTERS if letter in known)
        answer = await self._ask("native", letters=letters)
        present = {each.token for each in answer.candidates} if answer else set()
        return answer if present.issuperset(letters) else None

    async def _named(self, route: Route) -> bool:
        """Return whether the server returns tokens requested by id, even those that are not among the top ones."""
        letters = self._subject.letters
        if self._kind.named_tokens is None or letters is None:
            return False
        wanted = tuple(sorted(letters.values())[-10:])
        answer = await self._ask(route, letters=wanted)
        return answer is not None and {each.token for each in answer.candidates}.issuperset(wanted)

    async def _raw(self, route: Route, answer: Answer) -> bool | None:
        """Return whether log-probabilities stay the same at another temperature, or None if that is not known."""
        other = await self._ask(route, temperature=OTHER_TEMPERATURE)
        if other is None:
            return None
        known = {(each.text, each.token): each.logprob for each in answer.candidates}
        gaps = [
            abs(each.logprob - known[each.text, each.token])
            for each in other.candidates
            if (each.text, each.token) in known
        ]
        return statistics.median(gaps) < SAME if gaps else None

    async def _remote_letters(self) -> dict[str, int] | None:
        """Return the letters' tokens by llama-server's own template and tokenizer."""
        if self._identity.server != "llama-server":
            return None
        from judgeharness.backends.openai.llama_server import LlamaServerChat

        try:
            chat = await LlamaServerChat.fetched(self._client)
        except (RefusedError, FaultError):
            return None
        return letter_tokens(chat, self._subject.answer_prefix) or None

    def _route(self, chat: Answer | None, text: Answer | None, takes_ids: bool, native: Answer | None) -> Route:
        """Choose the route.

        Exact tokens come first, then the server's own template. Text comes last, since the server may add a token to
        it.
        """
        if native is not None:
            return "native"
        if takes_ids and self._subject.chat is not None:
            return "completions ids"
        return "chat" if chat is not None or text is None else "completions text"

    def _words(self) -> FaultError | RefusedError | None:
        """Return the server's last error on the preferred one of the endpoints that it knows."""
        said = [self._said.get(route) for route in self._endpoints()]
        return min(said, key=_is_unknown_path, default=None)

    def _unusable(self, said: FaultError | RefusedError) -> HarnessError:
        """Return the error for a server that answers none of the requests."""
        address, unlisted = self._subject.address, self._identity.unlisted
        hint = None if unlisted is None else f"it lists {unlisted}"
        if _is_unknown_model(said):
            return HarnessError(f"the server has no model '{address.model}': {said.reason}", hint)
        if _is_unknown_path(said) or said.status is None:
            hint = f"is {address.url} the address of an OpenAI-compatible server?"
            if not address.url.endswith("/v1"):
                hint = f"is /v1 missing? Try openai:{address.model}@{address.url.removesuffix('/chat/completions')}/v1"
        elif isinstance(said, RefusedError) and hint is None:
            hint = "-o extra_body='{...}' changes the fields of every request, -o endpoint=... the endpoint"
        return HarnessError(f"{self._name()} gives no answer for '{address.model}': {_quoted(said)}", hint)

    def _where(self) -> str:
        named = {"chat": "the chat endpoint", "completions": "the completions endpoint"}
        return named.get(self._subject.endpoint, "either endpoint")

    def _name(self) -> str:
        server = self._identity.server
        return f"the server ({server})" if server != UNKNOWN else "the server"


def _is_unknown_model(said: FaultError | RefusedError | None) -> bool:
    return isinstance(said, RefusedError) and said.status == 404 and "model" in said.reason.lower()


def _is_unknown_path(said: FaultError | RefusedError | None) -> bool:
    return isinstance(said, RefusedError) and said.status in {404, 405} and not _is_unknown_model(said)


def _quoted(said: FaultError | RefusedError) -> str:
    return f"HTTP {said.status}: {said.reason}" if isinstance(said, RefusedError) else said.reason


def _question(subject: Subject) -> Question:
    if subject.chat is None:
        return Question(CONVERSATION)
    text = subject.chat.render(CONVERSATION)
    return Question(CONVERSATION, text, tuple(subject.chat.encode([text])[0]))


def _form(subject: Subject, route: Route, answer: Answer) -> str:
    """Return what comes before a letter: the user's choice, or the form with the greater probability in the probe."""
    if subject.answer_prefix is not None:
        return subject.answer_prefix
    without, spaced = (
        sum(math.exp(each.logprob) for each in answer.candidates if each.text in {form + c for c in LETTERS})
        for form in ("", " ")
    )
    if without == spaced:
        return "" if route == "chat" or subject.chat is not None else PLAIN_ANSWER_PREFIX
    return "" if without > spaced else " "


def _adds_bos(text: Answer | None, question: Question) -> bool:
    if text is None or question.tokens is None or text.prompt_tokens is None:
        return False
    return text.prompt_tokens > len(question.tokens)
