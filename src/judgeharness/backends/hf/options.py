"""Options of the `hf:` backend."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from judgeharness.backends.local.options import ChatOptions, ScorerChoice
from judgeharness.plugins.options import Sensitive

Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Quantization = Literal["none", "8bit", "4bit"]


class HuggingFaceOptions(ChatOptions):
    """What `-o key=value` sets for `hf:` models, besides `ChatOptions`.

    Attributes:
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`. `auto` is cuda if a GPU is available, else cpu.
        dtype: `auto` is bfloat16 on CUDA (float16 if the GPU lacks it) and float32 elsewhere.
        revision: A branch, tag or commit on the hub.
        quantization: Quantization by bitsandbytes.
        scorer: `tree` runs each token that prompts share once. `plain` runs whole prompts. `auto` is `tree` if that is
            exact.
        batch_tokens: The tokens of a forward pass.
        trust_remote_code: Run code that comes with the model [default: never].
    """

    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    dtype: Dtype = "auto"
    revision: str | None = None
    quantization: Quantization = "none"
    scorer: ScorerChoice = "auto"
    batch_tokens: Annotated[int, Field(ge=1)] | None = None
    trust_remote_code: Annotated[bool, Sensitive("code")] = False
