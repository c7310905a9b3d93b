"""Show text from data, models and plugins on a console, and format numbers for tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from judgeharness.domain.escaping import safe

if TYPE_CHECKING:
    from judgeharness.analysis.intervals import Interval

MAX_CHARACTERS = 10_000


class Console(RichConsole):
    """rich's console, for text from anywhere. Nothing in a text is markup, and unsafe characters are escaped.

    Styles and cursor movements come only from renderables.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **settings)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of a renderable."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(safe(segment.text), segment.style)


def plain(text: str, style: str = "") -> Text:
    """Return a text made safe by `safe`, with a style. Very long texts are truncated.

    Texts that are escaped before layout fit their columns.
    """
    if len(text) > MAX_CHARACTERS:
        text = f"{text[:MAX_CHARACTERS]}... ({len(text):,} characters; --format json has all)"
    return Text(safe(text), style=style)


def figure(value: float | None) -> str:
    """Format a metric's value for tables: three decimals, or a dash if it is undefined."""
    return "-" if value is None else f"{value:.3f}"


def margin(value: float | None, interval: Interval | None) -> str:
    """Format an interval, to follow a value: half of it if the value is in the middle, and else both ends.

    Returns an empty text if there is none.
    """
    if interval is None or value is None:
        return ""
    if interval.surrounds(value):
        return f"±{figure((interval.high - interval.low) / 2).lstrip('0')}"
    low, high = (figure(end).replace("0.", ".", 1) for end in (interval.low, interval.high))
    return f"[{low} {high}]"
