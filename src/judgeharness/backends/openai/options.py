"""Options of the `openai:` backend."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Json

from judgeharness.options import Options

Endpoint = Literal["auto", "chat", "completions"]


class OpenAIOptions(Options):
    """What `-o key=value` sets for `openai:` models.

    base_url: the server's address up to /v1; OPENAI_BASE_URL, or OpenAI itself, unless given. key_variable: the
    environment variable that holds the key. endpoint: `chat` has the server apply its chat template, `completions`
    sends the prompt as text or, with a tokenizer, as token ids. tokenizer: of the model, for exact token ids: a GGUF
    file or smollm2, a folder or a hub id. answer_prefix: what stands before the answer letter. top_logprobs: how many
    to ask for; as many as the server gives unless given. extra_body: more fields of each request, as a JSON object.
    concurrency: the most requests at a time. timeout: seconds for a request. attempts: for one prompt, the first
    included. max_requests, max_tokens: the budget of a run, tokens of prompts and answers together.
    """

    base_url: str | None = None
    key_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "OPENAI_API_KEY"
    endpoint: Endpoint = "auto"
    tokenizer: str | None = None
    answer_prefix: str | None = None
    top_logprobs: Annotated[int, Field(ge=1, le=100_000)] | None = None
    extra_body: Json[dict[str, object]] | None = None
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 64
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 600.0
    attempts: Annotated[int, Field(ge=1, le=100)] = 8
    max_requests: Annotated[int, Field(ge=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
