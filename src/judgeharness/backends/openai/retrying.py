"""Sends prompt groups to a server, several at a time, and retries each prompt until it is answered or given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import tenacity

from judgeharness.backends.contract import PromptError
from judgeharness.backends.openai.budget import BudgetError, Purse
from judgeharness.backends.openai.client import RESUME, Client
from judgeharness.backends.openai.faults import FaultError, NonsenseError, RefusedError
from judgeharness.backends.openai.replies import Answer, Text, read_answer, read_text, recalled, written_down
from judgeharness.backends.openai.request import Question, RequestForm
from judgeharness.backends.openai.throttle import Concurrency, Priority, Throttle
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import PromptGroup, ScoringFailure

FIRST_WAIT = 0.5
MAX_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class AnsweredGroup:
    """A group with one question and one answer for each of its prompts. Answers are all scored or all generated."""

    group: PromptGroup
    questions: tuple[Question, ...]
    answers: tuple[Answer | Text, ...]


Result = AnsweredGroup | ScoringFailure


@dataclass(frozen=True, slots=True)
class _Group:
    """A group that is being processed.

    Attributes:
        group: The group.
        key: The key of its replies in the ledger.
        questions: One question for each prompt. Equal prompts give equal questions.
        positions: The first position of each distinct question.
        found: The answers so far.
        promises: The tokens set aside for each question that has not been sent yet.
    """

    group: PromptGroup
    key: str
    questions: tuple[Question, ...]
    positions: Mapping[Question, int]
    found: dict[Question, Answer | Text]
    promises: dict[Question, int]


class Asking:
    """The requests of one run.

    Each reply is stored as soon as it arrives. A prompt that already has a stored reply is not sent again.

    Args:
        client: Sends the requests.
        form: The fields that all requests share.
        questions: Turns a group into questions, one for each prompt. May raise PromptError.
        purse: Keeps the budget.
        concurrency: Limits how many requests run at a time.
        attempts: The most attempts for one prompt, the first included.

    Attributes:
        repeated: How many requests were retries.
    """

    def __init__(
        self,
        client: Client,
        form: RequestForm,
        questions: Callable[[PromptGroup], list[Question]],
        purse: Purse,
        concurrency: Concurrency,
        attempts: int,
    ) -> None:
        self.repeated = 0
        self._client = client
        self._form = form
        self._questions = questions
        self._purse = purse
        self._throttle = Throttle(concurrency)
        self._attempts = attempts
        self._active = 0

    async def run(self, groups: Iterable[PromptGroup]) -> AsyncIterator[Result]:
        """Yield one result for each group. Raises HarnessError if the server is lost or the budget is used up."""
        results: asyncio.Queue[Result | HarnessError | None] = asyncio.Queue()
        feeding = asyncio.create_task(self._feed(groups, results))
        feeding.add_done_callback(lambda _: results.put_nowait(None))
        try:
            while (result := await results.get()) is not None:
                if isinstance(result, HarnessError):
                    raise result
                yield result
            await feeding
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)

    async def _feed(self, groups: Iterable[PromptGroup], results: asyncio.Queue[Result | HarnessError | None]) -> None:
        """Start a group whenever there is room for one. Groups that started earlier send their requests first."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for number, group in enumerate(groups):
                    await self._throttle.room()
                    try:
                        questions = self._questions(group)
                    except PromptError as error:
                        results.put_nowait(ScoringFailure(group.uid, error.message))
                        continue
                    asked = self._begun(group, questions)
                    promises = asked.promises
                    while not self._purse.promise(list(promises.values())):
                        if not self._active:
                            raise self._used_up()
                        await self._throttle.change()
                    self._active += 1
                    tasks.create_task(self._group(number, asked, results))
                    # Let the task request its first turn, so that the throttle counts it.
                    await asyncio.sleep(0)
        except* HarnessError as errors:
            results.put_nowait(_first(errors))

    def _begun(self, group: PromptGroup, questions: Sequence[Question]) -> _Group:
        ledger = self._purse.ledger
        key = ledger.key(group)
        kept = ledger.replies(key)
        # A prompt that occurs twice in a group is sent once.
        positions = {question: position for position, question in reversed(list(enumerate(questions)))}
        found = {}
        for question, position in positions.items():
            answer = recalled(kept[position], question.decoding is not None) if position in kept else None
            if answer is not None:
                found[question] = answer
        promises = {each: self._estimate(each) for each in questions if each not in found}
        return _Group(group, key, tuple(questions), positions, found, promises)

    async def _group(self, number: int, asked: _Group, results: asyncio.Queue[Result | HarnessError | None]) -> None:
        try:
            results.put_nowait(await self._answered(number, asked))
        finally:
            self._purse.withdraw(list(asked.promises.values()))
            self._active -= 1
            self._throttle.changed()

    async def _answered(self, number: int, asked: _Group) -> Result:
        try:
            await self._ask_all(number, asked)
        except RefusedError as error:
            reason = f"the server refuses a prompt (HTTP {error.status}): {error.reason}"
            return ScoringFailure(asked.group.uid, reason)
        except BudgetError:
            raise self._used_up() from None
        except NonsenseError as error:
            return ScoringFailure(asked.group.uid, error.reason)
        except FaultError as error:
            if error.unreachable or error.overloaded:
                raise HarnessError(
                    f"the server does not answer, after {self._attempts} attempts: {error.reason}", RESUME
                ) from error
            return ScoringFailure(asked.group.uid, f"{error.reason}, in {self._attempts} attempts")
        answers = tuple(asked.found[each] for each in asked.questions)
        return AnsweredGroup(asked.group, asked.questions, answers)

    async def _ask_all(self, number: int, asked: _Group) -> None:
        """Send the first prompt alone, so that the others find their shared beginning in the server's cache."""
        missing = sorted(asked.promises, key=lambda each: [message.content for message in each.messages])
        if not missing:
            return
        first, *rest = missing
        await self._ask((number, 0), first, asked)
        tasks = [asyncio.create_task(self._ask((number, place), each, asked)) for place, each in enumerate(rest, 1)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, priority: Priority, question: Question, asked: _Group) -> None:
        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_may_pass),
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=_wait,
            reraise=True,
        )
        async for attempt in attempts:
            with attempt:
                if question not in asked.promises:
                    self._promise_again(question, asked.promises)
                async with self._throttle.turn(priority):
                    answer = await self._once(question, asked.promises)
        asked.found[question] = answer
        self._purse.ledger.keep(asked.key, asked.positions[question], written_down(answer))

    def _promise_again(self, question: Question, promises: dict[Question, int]) -> None:
        tokens = self._estimate(question)
        if not self._purse.promise([tokens]):
            raise BudgetError
        promises[question] = tokens
        self.repeated += 1

    async def _once(self, question: Question, promises: dict[Question, int]) -> Answer | Text:
        read = read_answer if question.decoding is None else read_text
        path, body = self._form.request(question)
        used = promised = promises.pop(question)
        # Count the tokens before sending: if the process is killed, a request that was sent still cost them.
        self._purse.send(promised)
        try:
            answer = read(await self._client.post(path, body))
            if answer.prompt_tokens is not None:
                used = answer.prompt_tokens + (answer.answer_tokens or question.answer_tokens)
                self._purse.learn(_bytes(question), answer.prompt_tokens)
        except FaultError as error:
            used = used if error.status is None else 0
            if error.overloaded:
                self._throttle.concurrency.overloaded()
            if error.wait is not None:
                self._throttle.pause(min(error.wait, MAX_WAIT))
            raise
        else:
            self._throttle.concurrency.answered()
            return answer
        finally:
            self._purse.settle(promised, used)

    def _estimate(self, question: Question) -> int:
        if question.tokens is not None:
            return len(question.tokens) + question.answer_tokens
        return self._purse.estimate(_bytes(question)) + question.answer_tokens

    def _used_up(self) -> HarnessError:
        requests, tokens = self._purse.ledger.spent()
        return HarnessError(
            f"the budget of {self._purse.ledger.budget} has no room for another item: {requests:,} requests and "
            f"{tokens:,} tokens were spent, those of earlier calls included",
            "what was done is in the store; the same command with a larger budget resumes",
        )


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, FaultError) and not isinstance(error, NonsenseError)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, FaultError) and error.wait is not None:
        return min(error.wait, MAX_WAIT)
    return float(tenacity.wait_random_exponential(multiplier=FIRST_WAIT, max=MAX_WAIT)(state))


def _bytes(question: Question) -> int:
    return sum(len(message.content.encode("utf-8", "replace")) for message in question.messages)


def _first(errors: BaseExceptionGroup[HarnessError]) -> HarnessError:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, HarnessError) else HarnessError(str(found))
