"""The workers from the driver's side: who is there, what each is doing, and who takes a dead one's place."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    WorkerCrashedError,
)

from judgeharness.plugin import Answering, HarnessError, Recipe, WorkerRate
from judgeharness_ray.cluster import Share
from judgeharness_ray.items import Item
from judgeharness_ray.worker import Done, Introduction, Told, Worker

DEATH = (RayActorError, WorkerCrashedError, ObjectLostError, OutOfMemoryError, NodeDiedError)
MOST_FAILED_STARTS = 3
AT_ONCE = 2
SECONDS_BETWEEN_WARNINGS = 60.0


@dataclass(slots=True, eq=False)
class Member:
    """A worker. sent: items that it has and their results to come, in the order in which they are done.

    loading: the introduction to come of one that is being made ready. failed_starts: how often in a row that came to
    nothing. prompts, seconds: what its place has done, also before it was replaced.
    """

    number: int
    actor: Any
    loading: Any
    sent: deque[tuple[Any, Item]] = field(default_factory=deque)
    name: str = ""
    failed_starts: int = 0
    prompts: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Crew:
    """All workers of one model.

    notify: takes a line for the user. expected: what the first said, whose description every worker has to give. spare:
    an actor that is there and has nothing loaded yet.
    """

    recipe: Recipe
    share: Share
    notify: Callable[[str], None]
    expected: Introduction
    spare: Any = None
    members: list[Member] = field(default_factory=list)
    _warned: float = 0.0

    def open(self) -> None:
        """Start the workers that there are not yet; they get ready by themselves."""
        there = {member.number for member in self.members}
        for number in set(range(1, self.share.workers + 1)) - there:
            actor = self._actor()
            self.members.append(Member(number, actor, actor.open.remote()))

    def close(self) -> None:
        """Stop all workers."""
        for actor in (*(member.actor for member in self.members), self.spare):
            if actor is not None:
                ray.kill(actor)
        self.members.clear()
        self.spare = None

    def rates(self) -> list[WorkerRate]:
        """What each has done."""
        return [
            WorkerRate(
                f"{member.number} ({member.name})" if member.name else str(member.number),
                member.prompts,
                member.seconds,
            )
            for member in self.members
        ]

    def send(self, item: Item, answering: Answering) -> None:
        """Give an item to the one with the least to do, of those that are `idle`."""
        member = min(self.idle(), key=lambda each: sum(sent.tokens for _, sent in each.sent))
        member.sent.append((member.actor.answer.remote(item.groups, answering), item))

    def idle(self) -> list[Member]:
        """Workers that take another item: one is waiting while one is done."""
        return [member for member in self.members if member.loading is None and len(member.sent) < AT_ONCE]

    def next(self) -> tuple[Done | None, list[Item]]:
        """Wait until something happens: answers that came in, and items that are to be done again.

        Raises HarnessError where a worker says that it cannot do its work, or none can be started.
        """
        coming = {member.loading: member for member in self.members if member.loading is not None}
        coming |= {member.sent[0][0]: member for member in self.members if member.sent}
        ready, _ = ray.wait(list(coming), num_returns=1, timeout=SECONDS_BETWEEN_WARNINGS)
        if not ready:
            self._warn_of_waiting()
            return None, []
        member = coming[ready[0]]
        try:
            result = ray.get(ready[0])
        except DEATH as error:
            return None, self._replace(member, error)
        except RayError as error:
            raise HarnessError(f"worker {member.number} failed: {last_line(error)}") from error
        if isinstance(result, Told):
            raise result.error(f"worker {member.number}")
        if isinstance(result, Introduction):
            self._welcome(member, result)
            return None, []
        return self._came(member, result), []

    def _came(self, member: Member, done: Done) -> Done:
        _, item = member.sent.popleft()
        member.prompts += sum(len(group.prompts) for group in item.groups)
        member.seconds += done.seconds
        for note in done.notes:
            self.notify(f"worker {member.number}: {note}")
        return done

    def _welcome(self, member: Member, found: Introduction) -> None:
        expected = self.expected.description
        differing = [name for name, value in expected.items() if found.description.get(name) != value]
        if differing:
            name = differing[0]
            raise HarnessError(
                f"worker {member.number} on {found.name} has another model: its {name} is "
                f"{found.description.get(name)}, not {expected[name]}",
                "the machines of a cluster have to agree: name device, dtype or file with -o",
            )
        member.loading, member.failed_starts, member.name = None, 0, found.name
        # It knows more of itself now that the model is loaded.
        self.expected = found

    def _replace(self, member: Member, error: Exception) -> list[Item]:
        """Another worker in the place of one that died; what it had to do. The first of that may be what it died of."""
        items = [item for _, item in member.sent]
        member.sent.clear()
        ray.kill(member.actor)
        if member.loading is not None:
            member.failed_starts += 1
        if member.failed_starts >= MOST_FAILED_STARTS:
            self._give_up(member, error)
        else:
            where = f" on {member.name}" if member.name else ""
            self.notify(f"worker {member.number}{where} died and is replaced: {last_line(error)}")
            member.actor = self._actor()
            member.loading = member.actor.open.remote()
        return [*items[1:], *(items[0].after_death() if items else [])]

    def _give_up(self, member: Member, error: Exception) -> None:
        """Go on without a place where no worker can load the model. Raises HarnessError where it was the last one."""
        self.members.remove(member)
        what = f"{member.failed_starts} workers died while they loaded {self.recipe.backend}: {last_line(error)}"
        if not self.members:
            hint = "it may need more memory than a worker gets; fewer workers (-o ray_workers=N) get more each"
            raise HarnessError(what, hint) from error
        self.notify(f"{what}; going on with {len(self.members)} of {self.share.workers} workers")

    def _actor(self) -> Any:
        actor, self.spare = self.spare, None
        return actor if actor is not None else started(self.recipe, self.share)

    def _warn_of_waiting(self) -> None:
        loading = [member.number for member in self.members if member.loading is not None]
        if loading and time.monotonic() - self._warned > SECONDS_BETWEEN_WARNINGS:
            self._warned = time.monotonic()
            numbers = ", ".join(map(str, loading))
            self.notify(
                f"still waiting for workers {numbers}: {self.share.cpus:g} CPUs and {self.share.gpus:g} GPUs each"
            )


def started(recipe: Recipe, share: Share) -> Any:
    """A new worker: a Ray actor with its share of the cluster."""
    remote: Any = ray.remote(Worker)
    return remote.options(num_cpus=share.cpus, num_gpus=share.gpus).remote(recipe)


def last_line(error: Exception) -> str:
    """What an error of Ray's says in the end: the rest is a trace."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
