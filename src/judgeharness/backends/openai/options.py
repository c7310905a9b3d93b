"""Options of the `openai:` backend."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from judgeharness.backends.local.options import ChatOptions
from judgeharness.domain.json_reader import read_json
from judgeharness.plugins.options import Sensitive

Endpoint = Literal["auto", "chat", "completions"]
NO_KEY = "none"


def _json(given: object) -> object:
    """The JSON value of a text. Raises ValueError, also for NaN and Infinity, which no server takes."""
    value = read_json(given) if isinstance(given, str) else given
    json.dumps(value, allow_nan=False)
    return value


class OpenAIOptions(ChatOptions):
    """What `-o key=value` sets for `openai:` models, besides `ChatOptions`, of which `date` needs a tokenizer.

    base_url: the server's address up to /v1; OPENAI_BASE_URL, or OpenAI itself, unless given. key_variable: the
    environment variable that holds the key; "none" sends none. endpoint: `chat` has the server apply its chat
    template, `completions` sends the prompt as text or, with a tokenizer, as token ids. tokenizer: of the model,
    for exact token ids: a GGUF file or smollm2, a folder or a hub id. top_logprobs: how many to ask for; as many as
    the server gives unless given. extra_body: more fields of each request, as a JSON object. concurrency: the most
    requests at a time. timeout: seconds for a request. attempts: for one prompt, the first included.
    """

    base_url: Annotated[str | None, Sensitive("address")] = None
    key_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), Sensitive("secret", without=NO_KEY)] = (
        "OPENAI_API_KEY"
    )
    endpoint: Endpoint = "auto"
    tokenizer: str | None = None
    top_logprobs: Annotated[int, Field(ge=1, le=100_000)] | None = None
    # Some servers pass requests on to an address that a field names.
    extra_body: Annotated[dict[str, object], BeforeValidator(_json), Sensitive("address")] | None = None
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 64
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 600.0
    attempts: Annotated[int, Field(ge=1, le=100)] = 8
