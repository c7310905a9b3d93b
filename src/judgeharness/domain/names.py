"""Names: those that components may have, and those from outside as text."""

import re

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


DEFAULT_METRIC = "jsd"
"""The metric that ranks and compares runs by default."""


def readable(name: str) -> str:
    """Return a name of a file or from the command line as a text that can be stored, whatever its bytes are."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
