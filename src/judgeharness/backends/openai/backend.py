"""The `openai:` backend: generates answers, and scores options if the server returns log-probabilities."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from judgeharness.backends.contract import BackendContext, Description, Ledger
from judgeharness.backends.openai.client import Client
from judgeharness.backends.openai.options import OpenAIOptions
from judgeharness.backends.openai.replies import Answer, Text
from judgeharness.backends.openai.retrying import AnsweredGroup, Asking, Result
from judgeharness.backends.openai.server import Server
from judgeharness.backends.openai.throttle import Concurrency
from judgeharness.backends.openai.top_logprobs import find_letters
from judgeharness.domain.hashes import digest
from judgeharness.domain.nouns import LETTERS, GeneratedTexts, OptionScores, PromptGroup, ScoringFailure, in_label_order


def openai_backend(model: str, options: OpenAIOptions, context: BackendContext) -> OpenAIWriter:
    """Return a backend with what the model supports. Raises HarnessError if the server cannot be reached."""
    server = Server(model, options, context)
    reason = server.capabilities.no_scores
    if reason is None:
        return OpenAIBackend(server)
    context.notify(f"{reason}; it can be asked for written answers alone")
    return OpenAIWriter(server)


class OpenAIWriter:
    """A model that generates answers."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._asking: Asking | None = None
        self._counted_otherwise = 0

    def describe(self) -> Description:
        """Return the server and model, the endpoint, and how letters are recognized among the returned tokens."""
        server = self._server
        found, names = server.capabilities, server.names
        return {
            "backend": "openai",
            "model": server.address.model,
            "base_url": server.address.url,
            "server": found.server,
            "identity": found.identity,
            "asked_by": found.route,
            "top_logprobs": server.form.top,
            "named_tokens": found.named_tokens,
            "letters": None if names.tokens is None else dict(names.tokens),
            "letter_form": names.form,
            "chat_template_sha256": None if server.chat is None else digest(server.chat.template),
            "extra_body": server.options.extra_body,
            **server.rendering,
        }

    def environment(self) -> Mapping[str, Any]:
        """Return what the server can do and which models answered.

        The key `prompts_counted_otherwise` counts the prompts for which the server and the tokenizer disagree on the
        number of tokens. The key `warnings` holds sentences that belong with the results.
        """
        server, chat = self._server, self._server.chat
        return {
            **({} if chat is None else chat.record),
            "openai": version("openai"),
            "server": server.capabilities.model_dump(mode="json", exclude={"identity", "letters"}),
            "requests_repeated": 0 if self._asking is None else self._asking.repeated,
            "prompts_counted_otherwise": self._counted_otherwise,
            "answered_by": server.origins.record(),
            "warnings": [*server.warnings(), *(() if chat is None else chat.warnings)],
        }

    def render(self, group: PromptGroup) -> Sequence[str] | None:
        """Return the text of each prompt by the tokenizer from the options, or None without one."""
        return self._server.render(group)

    def encode(self, group: PromptGroup) -> Sequence[Sequence[int]] | None:
        """Return the token ids of each prompt by the tokenizer from the options, or None without one."""
        texts, chat = self._server.render(group), self._server.chat
        return None if texts is None or chat is None else chat.encode(texts)

    def meter(self, ledger: Ledger) -> None:
        """Store replies and counters in this ledger."""
        self._server.purse.use(ledger)

    def open(self) -> None:
        """Do nothing. `describe` has already contacted the server."""

    def generate(self, groups: Iterable[PromptGroup]) -> Iterator[GeneratedTexts | ScoringFailure]:
        """Generate answers for several groups at a time."""
        for result in self._results(groups):
            if isinstance(result, ScoringFailure):
                yield result
                continue
            written = [answer for answer in result.answers if isinstance(answer, Text)]
            yield GeneratedTexts(
                result.group.uid, tuple(each.text for each in written), tuple(each.cut for each in written)
            )

    def close(self) -> None:
        """Do nothing. No connection stays open between runs."""

    def _results(self, groups: Iterable[PromptGroup]) -> Iterator[Result]:
        server = self._server
        with asyncio.Runner() as runner:
            client = server.client()
            self._asking = Asking(
                client,
                server.form,
                server.questions,
                server.purse,
                Concurrency(server.options.concurrency),
                server.options.attempts,
            )
            results = self._asking.run(groups)
            try:
                while (result := runner.run(_following(results))) is not None:
                    if isinstance(result, AnsweredGroup):
                        self._compare_counts(result)
                        self._note_origins(result)
                    yield result
            finally:
                runner.run(_closed(results, client))

    def _compare_counts(self, result: AnsweredGroup) -> None:
        """Count the prompts in which the server read more or fewer tokens than the tokenizer gives."""
        for answer, question in zip(result.answers, result.questions, strict=True):
            if question.tokens is None or answer.prompt_tokens in {None, len(question.tokens)}:
                continue
            if not self._counted_otherwise:
                self._server.context.notify(
                    f"the server read {answer.prompt_tokens} tokens where the tokenizer makes {len(question.tokens)}: "
                    "its chat template, its tokenizer or its first token is another"
                )
            self._counted_otherwise += 1

    def _note_origins(self, result: AnsweredGroup) -> None:
        # A prompt that occurs twice in a group is sent once.
        for answer in dict(zip(result.questions, result.answers, strict=True)).values():
            news = self._server.origins.add(answer.origin)
            if news is not None:
                self._server.context.notify(news)


class OpenAIBackend(OpenAIWriter):
    """A model whose server returns log-probabilities."""

    def score(self, groups: Iterable[PromptGroup]) -> Iterator[OptionScores | ScoringFailure]:
        """Score several groups at a time."""
        for result in self._results(groups):
            yield result if isinstance(result, ScoringFailure) else self._scores(result)

    def _scores(self, result: AnsweredGroup) -> OptionScores:
        letters = LETTERS[: result.group.n_options]
        names = self._server.names
        found = [find_letters(answer, letters, names) for answer in result.answers if isinstance(answer, Answer)]
        censored = in_label_order(np.array([each.censored for each in found], dtype=np.float64), result.group) > 0
        return OptionScores(
            result.group.uid,
            in_label_order(np.array([each.logprobs for each in found]), result.group),
            "logprob",
            np.array([each.mass for each in found]),
            censored if censored.any() else None,
        )


async def _following(results: Any) -> Result | None:
    found: Result | None = await anext(results, None)
    return found


async def _closed(results: Any, client: Client) -> None:
    # A signal may have interrupted the loop in the middle of a step.
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await results.aclose()
    await client.close()
