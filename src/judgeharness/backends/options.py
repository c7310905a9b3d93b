"""Values of options that several backends share."""

from __future__ import annotations

from typing import Literal

ScorerChoice = Literal["auto", "tree", "plain"]
