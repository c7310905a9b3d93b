"""The chat template and tokenizer of llama-server, used to find each letter's token.

The endpoints `/apply-template` and `/tokenize` are documented in tools/server/README.md of llama.cpp.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from judgeharness.backends.chat import PROBE
from judgeharness.backends.openai.client import Client
from judgeharness.backends.openai.faults import FaultError
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import LETTERS, Message

Turns = tuple[tuple[tuple[str, str], ...], bool]


class LlamaServerChat:
    """A chat that answers from prefetched replies.

    It knows the probe's conversation alone, and with each letter as its answer.
    """

    template = "the server's"

    def __init__(self, texts: dict[Turns, str], tokens: dict[str, list[tuple[int, str]]]) -> None:
        self._texts = texts
        self._tokens = tokens
        self._pieces = {token: piece for row in tokens.values() for token, piece in row}

    @classmethod
    async def fetched(cls, client: Client) -> LlamaServerChat:
        """Fetch everything from the server. Raises RefusedError and FaultError."""
        asked: list[tuple[tuple[Message, ...], bool]] = [((PROBE,), True)]
        asked += [((PROBE, Message("assistant", letter)), False) for letter in LETTERS]
        texts = {_key(messages, follows): await _render(client, messages, follows) for messages, follows in asked}
        start = texts[_key((PROBE,), True)]
        wanted = dict.fromkeys([*texts.values(), *(start + letter for letter in LETTERS)])
        return cls(texts, {text: await _tokenize(client, text) for text in wanted})

    def render(self, messages: Sequence[Message], answer_follows: bool = True) -> str:
        """Return the text of a prefetched conversation. Raises HarnessError for any other conversation."""
        found = self._texts.get(_key(messages, answer_follows))
        if found is None:
            raise HarnessError("the server was not asked for this conversation")
        return found

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of prefetched texts. Any other text gets an empty list."""
        return [[token for token, _ in self._tokens.get(text, [])] for text in texts]

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens."""
        return "".join(self._pieces.get(token, "") for token in tokens)


def _key(messages: Sequence[Message], answer_follows: bool) -> Turns:
    return tuple((message.role, message.content) for message in messages), answer_follows


async def _render(client: Client, messages: Sequence[Message], answer_follows: bool) -> str:
    turns = [{"role": message.role, "content": message.content} for message in messages]
    body = {
        "messages": turns,
        "add_generation_prompt": answer_follows,
        "chat_template_kwargs": {"enable_thinking": False},
    }
    found = await client.post("root:/apply-template", body)
    return str(_field(found, "prompt", str))


async def _tokenize(client: Client, text: str) -> list[tuple[int, str]]:
    body = {"content": text, "add_special": False, "parse_special": True, "with_pieces": True}
    rows = _field(await client.post("root:/tokenize", body), "tokens", list)
    try:
        return [(int(row["id"]), row["piece"] if isinstance(row["piece"], str) else "") for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise FaultError("the reply of /tokenize has an unknown shape") from error


def _field(reply: Any, name: str, kind: type) -> Any:
    value = reply.get(name) if isinstance(reply, dict) else None
    if not isinstance(value, kind):
        raise FaultError(f"the reply has no {name}")
    return value
