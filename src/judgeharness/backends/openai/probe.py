"""Finds out what a server can do, by asking it: a few requests of a few tokens each."""

from __future__ import annotations

import math
import statistics
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from judgeharness.backends.chat import Chat
from judgeharness.backends.letters import PLAIN_ANSWER_PREFIX, letter_tokens
from judgeharness.backends.openai.capabilities import Capabilities, Road
from judgeharness.backends.openai.client import Client, FaultError, RefusedError
from judgeharness.backends.openai.options import Endpoint
from judgeharness.backends.openai.replies import Answer, read_answer, read_text
from judgeharness.backends.openai.roads import Question, RequestForm
from judgeharness.backends.openai.servers import KINDS, TOLD_BY, UNKNOWN, identity, own_entry, owner_kind
from judgeharness.domain import Decoding, Message
from judgeharness.errors import HarnessError

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


@dataclass(frozen=True, slots=True)
class Subject:
    """What is probed: a model, with the user's wishes. chat: its tokenizer, where the user named one."""

    model: str
    is_openai: bool
    endpoint: Endpoint
    chat: Chat | None
    letters: Mapping[str, int] | None
    answer_prefix: str | None
    extra: Mapping[str, Any] | None


async def find_identity(client: Client, subject: Subject) -> tuple[str, dict[str, Any], str | None]:
    """The kind of server, what it says of the model, and its version. Raises FaultError where it cannot be reached."""
    entry = own_entry(await _quiet(client.get("/models")), subject.model)
    if subject.is_openai:
        return "OpenAI", {"id": subject.model}, None
    kind = owner_kind(entry)
    version = None
    for path, name in TOLD_BY.items():
        if kind not in {None, name}:
            continue
        found = await _quiet(client.get(path))
        if isinstance(found, dict) and "error" not in found:
            kind, version = kind or name, _version(found)
            break
    if kind == "Ollama":
        entry = {**entry, **await _ollama_digest(client, subject.model)}
    return kind or UNKNOWN, identity(entry), version


async def probe(client: Client, subject: Subject) -> Capabilities:
    """All that is to be known. Raises HarnessError where the server gives neither log-probabilities nor texts."""
    server, same, version = await find_identity(client, subject)
    question = _question(subject)
    base = RequestForm(subject.model, server, "chat", 1, extra=subject.extra)
    base = await _tokens_field(client, base, question)
    chat_form, chat = await _most(client, replace(base, road="chat"), question, subject.endpoint != "completions")
    text_form, text = await _most(
        client, replace(base, road="completions text"), question, subject.endpoint != "chat" and server != "OpenAI"
    )
    takes_ids = await _takes_ids(client, replace(text_form, road="completions ids"), question) if text else False
    native = await _native(client, base, question, subject)
    road = _road(subject, chat, text, takes_ids, native is not None)
    form, answer = _taken(road, (chat_form, chat), (text_form, text), (base, native))
    if form is None or answer is None:
        return await _texts_alone(client, base, question, subject, (same, version))
    named = native is not None if road == "native" else await _named(client, form, question, subject)
    remote = await _remote_letters(client, server, subject) if subject.letters is None and road == "chat" else None
    ids = any(each.token is not None for each in answer.candidates)
    return Capabilities(
        server=server,
        identity=same,
        version=version,
        chat_top=chat_form.top if chat else 0,
        completions_top=text_form.top if text else 0,
        takes_ids=takes_ids,
        named_tokens=named,
        gives_ids=ids or named or bool(KINDS[server].ids_field and subject.letters),
        raw=await _raw(client, form, question, answer),
        tokens_field=base.tokens_field,
        letters=remote if ids else None,
        form=_form(subject, road, answer),
        road=road,
        prompt_tokens=answer.prompt_tokens,
        adds_bos=_adds_bos(text, question),
    )


async def _texts_alone(
    client: Client, base: RequestForm, question: Question, subject: Subject, said: tuple[dict[str, Any], str | None]
) -> Capabilities:
    """What a server without log-probabilities can do. Raises HarnessError where it does not write either."""
    reason, setting = _why_not(subject, base.server), KINDS[base.server].setting
    roads: dict[Road, bool] = {
        "chat": subject.endpoint != "completions",
        "completions text": subject.endpoint != "chat" and not subject.is_openai,
    }
    for road in (road for road, wanted in roads.items() if wanted):
        path, body = replace(base, road=road).request(replace(question, decoding=Decoding(1)))
        try:
            text = read_text(await client.post(path, body))
        except (RefusedError, FaultError):
            continue
        return Capabilities(
            server=base.server,
            identity=said[0],
            version=said[1],
            chat_top=0,
            completions_top=0,
            takes_ids=False,
            named_tokens=False,
            gives_ids=False,
            raw=None,
            tokens_field=base.tokens_field,
            letters=None,
            form="",
            road=road,
            prompt_tokens=text.prompt_tokens,
            adds_bos=False,
            no_scores=f"{reason} ({setting})",
        )
    raise HarnessError(reason, setting)


async def _quiet(asking: Awaitable[Any]) -> Any:
    """A reply, or None where the server does not know the path. Raises FaultError where it cannot be reached at all."""
    try:
        return await asking
    except RefusedError:
        return None
    except FaultError as error:
        if error.unreachable:
            raise
        return None


async def _ask(client: Client, form: RequestForm, question: Question) -> Answer | None:
    path, body = form.request(question)
    # Where the drawn token ends the answer, some servers give nothing for it. Another draw is another token.
    for _ in range(DRAWS):
        try:
            return read_answer(await client.post(path, body))
        except RefusedError:
            return None
        except FaultError as error:
            if error.unreachable or error.overloaded:
                raise
            # Some servers answer 500 to what they do not take.
            if error.status is not None:
                return None
    return None


async def _most(
    client: Client, form: RequestForm, question: Question, wanted: bool
) -> tuple[RequestForm, Answer | None]:
    """The form with the most top log-probabilities that the server gives, and its answer."""
    for top in TOPS if wanted else ():
        asked = replace(form, top=top)
        answer = await _ask(client, asked, question)
        if answer is not None:
            returned = len(answer.candidates)
            return replace(asked, top=min(top, max(returned, 1))), answer
    return form, None


async def _tokens_field(client: Client, form: RequestForm, question: Question) -> RequestForm:
    """OpenAI's newer models take max_completion_tokens and refuse max_tokens."""
    path, body = form.request(question)
    try:
        await client.post(path, body)
    except RefusedError as error:
        if "max_completion_tokens" in error.reason:
            return replace(form, tokens_field="max_completion_tokens")
        if error.status == 404 and "model" in error.reason.lower():
            raise HarnessError(f"the server has no model '{form.model}': {error.reason}") from error
    except FaultError as error:
        if error.unreachable or error.overloaded:
            raise
    return form


async def _takes_ids(client: Client, form: RequestForm, question: Question) -> bool:
    """Whether it takes token ids, and reads as many as were sent."""
    tokens = question.tokens or (1, 2, 3, 4, 5)
    answer = await _ask(client, form, replace(question, tokens=tokens))
    return answer is not None and answer.prompt_tokens == len(tokens)


async def _native(client: Client, form: RequestForm, question: Question, subject: Subject) -> Answer | None:
    """The answer on the server's own path, where it has one and the letters' tokens are known."""
    if KINDS[form.server].native is None or subject.letters is None or subject.endpoint != "auto":
        return None
    letters = tuple(subject.letters[letter] for letter in LETTERS if letter in subject.letters)
    answer = await _ask(client, replace(form, road="native", letters=letters), question)
    present = {each.token for each in answer.candidates} if answer else set()
    return answer if present.issuperset(letters) else None


async def _named(client: Client, form: RequestForm, question: Question, subject: Subject) -> bool:
    """Whether naming tokens makes them come, also those that would not be among the top ones."""
    if KINDS[form.server].named_tokens is None or subject.letters is None:
        return False
    wanted = tuple(sorted(subject.letters.values())[-10:])
    answer = await _ask(client, replace(form, letters=wanted), question)
    return answer is not None and {each.token for each in answer.candidates}.issuperset(wanted)


async def _raw(client: Client, form: RequestForm, question: Question, answer: Answer) -> bool | None:
    """Whether log-probabilities stay the same at another temperature."""
    other = await _ask(client, replace(form, temperature=OTHER_TEMPERATURE), question)
    if other is None:
        return None
    known = {(each.text, each.token): each.logprob for each in answer.candidates}
    gaps = [
        abs(each.logprob - known[each.text, each.token])
        for each in other.candidates
        if (each.text, each.token) in known
    ]
    return statistics.median(gaps) < SAME if gaps else None


async def _remote_letters(client: Client, server: str, subject: Subject) -> dict[str, int] | None:
    """The letters' tokens by llama-server's own template and tokenizer."""
    if server != "llama-server":
        return None
    from judgeharness.backends.openai.remote import LlamaServerChat

    try:
        chat = await LlamaServerChat.fetched(client)
    except (RefusedError, FaultError):
        return None
    return letter_tokens(chat, subject.answer_prefix) or None


async def _ollama_digest(client: Client, model: str) -> dict[str, Any]:
    tags = await _quiet(client.get("root:/api/tags"))
    models = tags.get("models") if isinstance(tags, dict) else None
    names = {model, f"{model}:latest"}
    for each in models if isinstance(models, list) else []:
        if isinstance(each, dict) and each.get("name") in names and isinstance(each.get("digest"), str):
            return {"digest": each["digest"]}
    return {}


def _question(subject: Subject) -> Question:
    if subject.chat is None:
        return Question(CONVERSATION)
    text = subject.chat.render(CONVERSATION)
    return Question(CONVERSATION, text, tuple(subject.chat.encode([text])[0]))


def _road(subject: Subject, chat: Answer | None, text: Answer | None, takes_ids: bool, native: bool) -> Road:
    """Exact tokens first; then the server's own template; text last, since a token may be put before it."""
    if native:
        return "native"
    if takes_ids and subject.chat is not None:
        return "completions ids"
    return "chat" if chat is not None or text is None else "completions text"


def _taken(
    road: Road,
    chat: tuple[RequestForm, Answer | None],
    text: tuple[RequestForm, Answer | None],
    native: tuple[RequestForm, Answer | None],
) -> tuple[RequestForm | None, Answer | None]:
    form, answer = {"chat": chat, "native": native}.get(road, text)
    return (None, None) if answer is None else (replace(form, road=road), answer)


def _form(subject: Subject, road: Road, answer: Answer) -> str:
    """What stands before a letter: as the user says, or with what the probe's letters are more probable."""
    if subject.answer_prefix is not None:
        return subject.answer_prefix
    without, spaced = (
        sum(math.exp(each.logprob) for each in answer.candidates if each.text in {form + c for c in LETTERS})
        for form in ("", " ")
    )
    if without == spaced:
        return "" if road == "chat" or subject.chat is not None else PLAIN_ANSWER_PREFIX
    return "" if without > spaced else " "


def _adds_bos(text: Answer | None, question: Question) -> bool:
    if text is None or question.tokens is None or text.prompt_tokens is None:
        return False
    return text.prompt_tokens > len(question.tokens)


def _why_not(subject: Subject, server: str) -> str:
    where = "the chat endpoint" if subject.endpoint == "chat" else "the completions endpoint"
    where = "either endpoint" if subject.endpoint == "auto" else where
    name = f"the server ({server})" if server != UNKNOWN else "the server"
    return f"{name} returned no log-probabilities for '{subject.model}' on {where}"


def _version(found: Mapping[str, Any]) -> str | None:
    version = found.get("version") or found.get("build_info")
    return str(version)[:80] if version is not None else None
