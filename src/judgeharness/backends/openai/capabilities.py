"""What a server can do, as plain data: found by `probe`, cached, and shown by `judgeharness doctor`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Route = Literal["chat", "completions text", "completions ids", "native"]


class Capabilities(BaseModel):
    """What the probe found out about a server and its model.

    Attributes:
        server: The kind of server.
        identity: What it says about the model.
        version: Its version, if it reports one.
        chat_top: How many top log-probabilities the chat endpoint returns; 0 if none.
        completions_top: The same for the completions endpoint.
        takes_ids: Whether the completions endpoint takes token ids.
        named_tokens: Whether log-probabilities of given tokens can be requested.
        gives_ids: Whether returned tokens come with their ids.
        raw: Whether log-probabilities are those before temperature; None if that is not known.
        tokens_field: The request field that limits the answer's tokens.
        letters: The letters' token ids by the server's own tokenizer, if it offers one.
        form: What comes before a letter in its token's text.
        route: The endpoint in use, and the form in which it gets prompts.
        prompt_tokens: How many tokens it counted for the probe's conversation.
        adds_bos: Whether it added a token of its own before a text prompt.
        no_scores: Why it can only generate answers; None if it can score.
        left_out: The fields that it refuses. Requests leave them out if they have their default values.
        answered_as: What its replies call the model.
        unlisted: The models that it lists, in words, if the requested one is not among them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: str
    identity: dict[str, Any]
    version: str | None
    chat_top: int = 0
    completions_top: int = 0
    takes_ids: bool = False
    named_tokens: bool = False
    gives_ids: bool = False
    raw: bool | None = None
    tokens_field: str
    letters: dict[str, int] | None = None
    form: str = ""
    route: Route
    prompt_tokens: int | None
    adds_bos: bool = False
    no_scores: str | None = None
    left_out: tuple[str, ...] = ()
    answered_as: str | None = None
    unlisted: str | None = None

    @property
    def top(self) -> int:
        """How many top log-probabilities the route in use returns."""
        return self.chat_top if self.route == "chat" else self.completions_top
