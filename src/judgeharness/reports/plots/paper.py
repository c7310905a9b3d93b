"""What all figures share: type for print, colours that colour-blind readers can tell apart, and saving to files."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judgeharness.domain.errors import InputError, MissingExtraError
from judgeharness.domain.escaping import safe
from judgeharness.domain.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".png", ".svg", ".pdf")
DOTS_PER_INCH = 200

# Okabe and Ito 2008, Color Universal Design. Each colour has its own marker, for print without colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "^", "s", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":")
GREY = "#777777"

SETTINGS: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "legend.frameon": False,
    # Names come from outside, so "$" must not start a formula.
    "text.parse_math": False,
    # With TrueType fonts, text in a PDF can be selected, and publishers accept it.
    "pdf.fonttype": 42,
    # Text stays text, and the same data gives the same file.
    "svg.fonttype": "none",
    "svg.hashsalt": "judgeharness",
}


@contextmanager
def paper() -> Iterator[None]:
    """Apply the settings under which figures are drawn and saved. Raises MissingExtraError without matplotlib."""
    try:
        import matplotlib as mpl
        import mpltern  # noqa: F401 (registers the projection "ternary")
    except ImportError as error:
        raise MissingExtraError("plotting to a file", "judgeharness[plot]", str(error)) from error
    with mpl.rc_context(SETTINGS):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches, in which the parts do not overlap."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def require_ending(path: Path) -> None:
    """Raise InputError if a figure cannot be saved under this name."""
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path}: a figure is saved as {', '.join(ENDINGS)}")


def save(figure: Figure, path: Path) -> None:
    """Save the figure in the format that the file's suffix names. Raises InputError and HarnessError."""
    from matplotlib.text import Text

    require_ending(path)
    for each in figure.findobj(Text):
        each.set_text(safe(each.get_text()))
    # Without a date, the same figure gives the same file.
    undated = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}.get(path.suffix.lower())
    with replacing(path) as stream:
        figure.savefig(stream, format=path.suffix[1:].lower(), dpi=DOTS_PER_INCH, metadata=undated)


def style(place: int) -> dict[str, Any]:
    """Return colour, marker and line of the series at this position.

    The first 49 series all differ in colour or marker.
    """
    rounds = place // len(COLOURS)
    return {
        "color": COLOURS[place % len(COLOURS)],
        "marker": MARKERS[(place + rounds) % len(MARKERS)],
        "linestyle": LINES[place % len(LINES)],
    }


def wrapped(name: str, width: int = 26) -> str:
    """Return a name wrapped over as many lines as it needs."""
    return "\n".join(textwrap.wrap(name, width, break_on_hyphens=False)) or name


def grid(panels: Sequence[Any], most: int = 3) -> tuple[int, int]:
    """Return the numbers of rows and columns for these panels."""
    columns = min(most, len(panels)) if len(panels) != 4 else min(2, most)
    return -(-len(panels) // columns), columns
