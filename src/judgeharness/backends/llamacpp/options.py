"""Options of the `llamacpp:` backend."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from judgeharness.backends.local.options import ChatOptions, ScorerChoice


class LlamaCppOptions(ChatOptions):
    """What `-o key=value` sets for `llamacpp:` models, besides `ChatOptions`.

    Attributes:
        gpu_layers: Layers on the GPU; -1 for all. No effect if llama.cpp was built for the CPU.
        threads: CPU threads [default: all that the process may use].
        context: The most tokens of a prompt [default: the model's own length].
        batch_tokens: Tokens that go through the model together.
        revision: A branch, tag or commit on the hub.
        scorer: `tree` decodes each token that prompts share once. `plain` decodes prompt by prompt. `auto` is `tree` if
            that is exact.
    """

    gpu_layers: Annotated[int, Field(ge=-1)] = -1
    threads: Annotated[int, Field(ge=1, le=4096)] | None = None
    context: Annotated[int, Field(ge=1)] | None = None
    batch_tokens: Annotated[int, Field(ge=1, le=1 << 16)] = 512
    revision: str | None = None
    scorer: ScorerChoice = "auto"
