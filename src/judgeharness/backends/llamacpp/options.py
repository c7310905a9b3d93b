"""Options of the `llamacpp:` backend."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from judgeharness.backends.local.options import ChatOptions, ScorerChoice


class LlamaCppOptions(ChatOptions):
    """What `-o key=value` sets for `llamacpp:` models, besides `ChatOptions`.

    gpu_layers: layers on the GPU, -1 for all of them; without effect where llama.cpp was built for the CPU.
    threads: of the CPU; all that the process may use unless given. context: the most tokens of a prompt; the model's
    own length unless given. batch_tokens: tokens that go through the model together. revision: a hub branch, tag or
    commit. scorer: `tree` decodes each token that prompts share once, `plain` prompt by prompt, auto is tree where it
    is exact.
    """

    gpu_layers: Annotated[int, Field(ge=-1)] = -1
    threads: Annotated[int, Field(ge=1, le=4096)] | None = None
    context: Annotated[int, Field(ge=1)] | None = None
    batch_tokens: Annotated[int, Field(ge=1, le=1 << 16)] = 512
    revision: str | None = None
    scorer: ScorerChoice = "auto"
