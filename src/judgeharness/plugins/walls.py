"""Wraps every call into a plugin, so that each exception becomes an error that names the plugin."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Any, Generic, TypeVar

import click

from judgeharness.domain.errors import HarnessError
from judgeharness.plugins.loading import Plugin
from judgeharness.plugins.specs import CommandSpec, Spec

T = TypeVar("T")

EXPECTED = (HarnessError, click.ClickException, click.Abort, KeyboardInterrupt)
"""Exceptions that pass through a wall: expected errors, and Ctrl-C."""

ENDS = (*EXPECTED, click.exceptions.Exit, SystemExit)
"""Exceptions that pass through the wall of a command, which may also end the program."""

MAX_MESSAGE_LENGTH = 300
TRACE = "--debug shows where"
KEPT = {
    "backend": "answers so far are in the store, and the same command resumes",
    "executor": "answers so far are in the store, and the same command resumes",
    "strategy": "answers so far are in the store, and the same command resumes",
    "reporter": "measured runs are in the store, and 'judgeharness leaderboard' shows them",
    "section": "no page was written; 'no:NAME' with --plugin switches a plugin off",
}
"""What is kept if a component of a kind fails. The other kinds have nothing to lose."""


@dataclass(frozen=True, slots=True)
class Wall:
    """The wall around one component.

    Attributes:
        who: How messages name the component and its plugin.
        kind: The kind of component.
        passing: The exceptions that pass through.
    """

    who: str
    kind: str
    passing: tuple[type[BaseException], ...] = EXPECTED

    @classmethod
    def around(cls, spec: Spec, plugin: Plugin) -> Wall:
        """Return the wall of a plugin's component."""
        passing = ENDS if isinstance(spec, CommandSpec) else EXPECTED
        return cls(f"{spec.kind} '{spec.name}' of {plugin.provider}", spec.kind, passing)

    def call(self, what: str, function: Callable[..., T], /, *given: Any, **named: Any) -> T:
        """Call a function of the component. Raises HarnessError for any exception that may not pass."""
        try:
            return function(*given, **named)
        except self.passing:
            raise
        # This includes SystemExit and other exceptions that are not errors.
        except BaseException as error:
            raise self._failed(what, error) from error

    def each(self, what: str, results: Any, handed: Handed[Any]) -> Iterator[Any]:
        """Yield the results of a function as they come.

        Args:
            what: The function's name, for messages.
            results: What the function returned.
            handed: The iterable that it was given. Errors of that iterable are not the component's.
        """
        iterator = self.call(what, iter, results)
        try:
            while True:
                try:
                    result = next(iterator)
                except StopIteration:
                    return
                except self.passing:
                    raise
                except BaseException as error:
                    if error is handed.error:
                        raise
                    raise self._failed(what, error) from error
                yield result
        finally:
            self._end(iterator)

    def broken(self, what: str, fault: object) -> HarnessError:
        """Return the error for a violation of the component's contract."""
        return HarnessError(f"{self.who} breaks its contract in '{what}': {fault}", KEPT.get(self.kind))

    def function(self, what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of the component, wrapped by this wall."""

        def behind(*given: Any, **named: Any) -> Any:
            return self.call(what, function, *given, **named)

        vars(behind)["_wall"] = self
        return update_wrapper(behind, function, updated=())

    def _failed(self, what: str, error: BaseException) -> HarnessError:
        kept = KEPT.get(self.kind)
        return HarnessError(f"{self.who} failed in '{what}': {said(error)}", f"{kept}; {TRACE}" if kept else TRACE)

    def _end(self, iterator: Any) -> None:
        try:
            getattr(iterator, "close", lambda: None)()
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: S110
            # Its results are already there, or the error that ended it is being raised.
            pass


class Handed(Generic[T]):
    """An iterable that is handed to a component.

    Attributes:
        error: The exception that the iterable itself raised, if any.
    """

    def __init__(self, values: Iterable[T]) -> None:
        self._iterator = iter(values)
        self.error: BaseException | None = None

    def __iter__(self) -> Handed[T]:
        return self

    def __next__(self) -> T:
        try:
            return next(self._iterator)
        except StopIteration:
            raise
        except BaseException as error:
            self.error = error
            raise


Guard = Callable[..., Any]
"""Called with the wall, a method's name, the method and its arguments. It calls the method and checks the result."""


def stand_in(part: Any, wall: Wall, guards: Mapping[str, Guard]) -> Any:
    """Return a stand-in for a plugin's object. It has the same attributes, and its methods are wrapped by the wall.

    The stand-in implements the same protocols as the object.

    Args:
        part: The object.
        wall: Its wall.
        guards: For methods whose results are checked, by name.
    """
    members = {name: _member(part, name, wall, guards) for name in _public(part)}
    return type(type(part).__name__, (_StandIn,), members)(part, wall)


def who(part: object, otherwise: str) -> str:
    """Return how messages name a part that is behind a wall, or `otherwise` if it is not."""
    wall = getattr(part, "_wall", None)
    return wall.who if isinstance(wall, Wall) else otherwise


def said(error: BaseException) -> str:
    """Return an exception's message in one line that begins with its type."""
    if isinstance(error, SystemExit):
        return f"it ends the program (SystemExit: {error.code})"
    try:
        text = " ".join(str(error).split())
    # The exception's __str__ is the plugin's code too.
    except Exception:
        text = ""
    shown = text if len(text) <= MAX_MESSAGE_LENGTH else f"{text[:MAX_MESSAGE_LENGTH]}..."
    return f"{type(error).__name__}: {shown}" if shown else type(error).__name__


class _StandIn:
    def __init__(self, part: Any, wall: Wall) -> None:
        self._part = part
        self._wall = wall

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)


def _public(part: Any) -> list[str]:
    return [name for name in dir(part) if not name.startswith("_")]


def _member(part: Any, name: str, wall: Wall, guards: Mapping[str, Guard]) -> Any:
    found = inspect.getattr_static(part, name, None)
    if isinstance(found, staticmethod | classmethod) or (callable(found) and not isinstance(found, type)):
        method, guard = getattr(part, name), guards.get(name)
        guarded = wall.function(name, method) if guard is None else partial(guard, wall, name, method)
        return staticmethod(guarded)
    return property(lambda stand: getattr(stand._part, name))
