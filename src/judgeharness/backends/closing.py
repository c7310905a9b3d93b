"""Closes models."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from judgeharness.backends.contract import Model
from judgeharness.domain.errors import HarnessError

_log = logging.getLogger(__name__)


def close(parts: Iterable[object]) -> None:
    """Close those parts that are models. All are closed even if one of them fails."""
    for part in parts:
        if isinstance(part, Model):
            try:
                part.close()
            except HarnessError as error:
                _log.warning("%s; nothing is lost", error.message)
