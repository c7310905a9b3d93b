"""What the documentation site does to pages: formulas become MathML, and links that leave the pages become names."""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert

FENCED = re.compile(r"(^```.*?^```\s*$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
FORMULA = re.compile(r"\$(?=\S)([^$\n]+?)(?<=\S)\$(?!\d)")
OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+([^)#]+)(?:#[^)]*)?\)")
INSIDE = ("docs/", "leaderboard.svg", "ternary.png")


def on_page_markdown(markdown: str, *, page: Any, **more: Any) -> str:
    """Called by MkDocs for each page."""
    parts = FENCED.split(markdown)
    depth = page.file.src_uri.count("/")
    return "".join(part if index % 2 else _text(part, depth) for index, part in enumerate(parts))


def _text(text: str, depth: int) -> str:
    text = FORMULA.sub(lambda found: convert(found[1]), text)
    if depth:
        return text
    return OUTSIDE.sub(lambda found: f"{found[1]} (`{found[2]}`)", text)
