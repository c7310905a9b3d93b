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
    """Parse a JSON text. Raises ValueError, also for NaN and Infinity, which no server takes."""
    value = read_json(given) if isinstance(given, str) else given
    json.dumps(value, allow_nan=False)
    return value


class OpenAIOptions(ChatOptions):
    """What `-o key=value` sets for `openai:` models, besides `ChatOptions`. `date` needs a tokenizer.

    Attributes:
        base_url: The server's address up to /v1 [default: OPENAI_BASE_URL, or OpenAI's own service].
        key_variable: The environment variable that holds the key. "none" sends no key.
        endpoint: `chat` lets the server apply its chat template. `completions` sends the prompt as text or, with a
            tokenizer, as token ids.
        tokenizer: The model's tokenizer, for exact token ids: a GGUF file, smollm2, a folder or a hub id.
        top_logprobs: How many log-probabilities to request [default: as many as the server gives].
        extra_body: More fields of each request, as a JSON object.
        concurrency: The most requests at a time.
        timeout: Seconds for a request.
        attempts: The most attempts for one prompt, the first included.
    """

    base_url: Annotated[str | None, Sensitive("address")] = None
    key_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), Sensitive("secret", without=NO_KEY)] = (
        "OPENAI_API_KEY"
    )
    endpoint: Endpoint = "auto"
    tokenizer: str | None = None
    top_logprobs: Annotated[int, Field(ge=1, le=100_000)] | None = None
    # Some servers forward requests to an address that a field names.
    extra_body: Annotated[dict[str, object], BeforeValidator(_json), Sensitive("address")] | None = None
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 64
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 600.0
    attempts: Annotated[int, Field(ge=1, le=100)] = 8
