"""Text from data, models and plugins, made safe for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from judgeharness.uncertainty import Interval

_KEPT = "\n\t"


def safe(text: str) -> str:
    """The text with control characters shown as escapes, so that none of them reaches the terminal."""
    return "".join(c if c.isprintable() or c in _KEPT else f"\\x{ord(c):02x}" for c in text)


def plain(text: str, style: str = "") -> Text:
    """As `safe`, and with no markup read into it."""
    return Text(safe(text), style=style)


def figure(value: float | None) -> str:
    """A measure as tables show it: three decimals, a dash where it is undefined."""
    return "-" if value is None else f"{value:.3f}"


def plus_minus(interval: Interval | None) -> str:
    """Half of an interval as it stands behind a figure; nothing where there is none."""
    return "" if interval is None else f"±{figure((interval.high - interval.low) / 2).lstrip('0')}"
