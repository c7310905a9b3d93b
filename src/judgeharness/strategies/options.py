"""Options that strategies share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from judgeharness.plugins.options import Options

OptionOrders = Literal["all", "cyclic"]


class OrderOptions(Options):
    """`option_orders` is `all` for all K! orders of the options, or `cyclic` for K of them.

    In the cyclic orders, each label stands at each letter once.
    """

    option_orders: OptionOrders = "all"


class ShownOptions(Options):
    """Options of strategies that may show explanations.

    Attributes:
        k: How many explanations each prompt shows.
        explicit: Whether to show the annotators' labels too.
    """

    k: Annotated[int, Field(ge=0)] = 0
    explicit: bool = False


class WritingOptions(ShownOptions):
    """Options of strategies that generate text.

    Attributes:
        writing_temperature: 0 takes the most probable token each time; above 0, tokens are drawn.
        seed: The seed of the draws.
    """

    writing_temperature: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 0.0
    seed: Annotated[int, Field(ge=0, lt=1 << 31)] = 0
