"""Options that several backends share."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import Field

from judgeharness.backends.chat import PINNED_DATE
from judgeharness.plugins.options import Options

EARLIEST = datetime.date(1900, 1, 1)
ScorerChoice = Literal["auto", "tree", "plain"]


class ChatOptions(Options):
    """Options of models whose chat template is available locally.

    Attributes:
        answer_prefix: What comes between the prompt and the answer letter [default: found from the chat template].
        date: The date that a chat template takes for today, as YYYY-MM-DD.
    """

    answer_prefix: str | None = None
    date: Annotated[datetime.date, Field(ge=EARLIEST)] = PINNED_DATE
