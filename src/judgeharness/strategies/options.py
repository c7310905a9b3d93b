"""Options that strategies share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from judgeharness.plugins.options import Options

OptionOrders = Literal["all", "cyclic"]


class OrderOptions(Options):
    """option_orders: `all` K! orders of the options, or the K `cyclic` ones (each label once behind each letter)."""

    option_orders: OptionOrders = "all"


class ShownOptions(Options):
    """k: explanations a prompt, none unless given. explicit: show the annotators' labels too."""

    k: Annotated[int, Field(ge=0)] = 0
    explicit: bool = False


class WritingOptions(ShownOptions):
    """writing_temperature: 0 for the most probable token each time, else tokens are drawn. seed: of the draws."""

    writing_temperature: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 0.0
    seed: Annotated[int, Field(ge=0, lt=1 << 31)] = 0
