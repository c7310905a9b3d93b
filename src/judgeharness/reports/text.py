"""Text from data, models and plugins on a console, and numbers as tables show them."""

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
    """rich's console, for text from anywhere: nothing in a text is markup, and what is not fit to be shown is escaped.

    Styles and movements of the cursor come from renderables alone.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **settings)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of a renderable."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(safe(segment.text), segment.style)


def plain(text: str, style: str = "") -> Text:
    """A text as `safe` gives it, with a style; of one that fills pages, the beginning.

    Texts that are escaped before they are laid out fit in their columns.
    """
    if len(text) > MAX_CHARACTERS:
        text = f"{text[:MAX_CHARACTERS]}... ({len(text):,} characters; --format json has all)"
    return Text(safe(text), style=style)


def figure(value: float | None) -> str:
    """A measure as tables show it: three decimals, a dash where it is undefined."""
    return "-" if value is None else f"{value:.3f}"


def plus_minus(interval: Interval | None) -> str:
    """Half of an interval as it stands behind a figure; nothing where there is none."""
    return "" if interval is None else f"±{figure((interval.high - interval.low) / 2).lstrip('0')}"
