"""What a server can do, as plain data: found by `probe`, kept in the cache, shown by `judgeharness doctor`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Route = Literal["chat", "completions text", "completions ids", "native"]


class Capabilities(BaseModel):
    """A server and model as the probe found them.

    server: its kind. identity: what it says of the model. version: of the server, where it tells. chat_top,
    completions_top: how many top log-probabilities the endpoints return; 0 where they return none. takes_ids: whether
    completions take token ids. named_tokens: whether log-probabilities of named tokens can be asked for. gives_ids:
    whether candidates come with token ids. raw: whether they are those before temperature; None where that was not
    found out. tokens_field: what it calls the limit of answer tokens. letters: the letters' token ids by the server's
    own tokenizer, where it has one to ask. form: what stands before a letter in the text of its token. route: how it is
    asked. prompt_tokens: what it counted for the probe's conversation. adds_bos: whether it put a token of its own
    before a text prompt. no_scores: why it can be asked for written answers alone, if that is so. left_out: fields that
    it refuses, and that requests leave out if they are at their defaults. answered_as: what its replies call the model.
    unlisted: the models that it lists, in words, if the one asked for is not among them.
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
        """How many top log-probabilities come on the route that is taken."""
        return self.chat_top if self.route == "chat" else self.completions_top
