"""judgeharness: how well do language models, used as judges, approximate human judgment distributions?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from judgeharness.domain.version import __version__
from judgeharness.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from judgeharness.api import Result, Results, evaluate

__all__ = ["Result", "Results", "__version__", "evaluate", "hookimpl"]


def __getattr__(name: str) -> Any:
    """The API, imported when it is first used: plugins and the program's help need none of it."""
    if name in {"Result", "Results", "evaluate"}:
        from judgeharness import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
