"""Names of components, and names from outside as text."""

import re

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


DEFAULT_METRIC = "jsd"
"""The metric that ranks and compares runs by default."""


def readable(name: str) -> str:
    """Return a file name or a word of the command line as text that can be stored, whatever bytes it has."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
