"""Chooses the device and number format of a model, and checks that it fits there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from judgeharness.backends.hf.options import HuggingFaceOptions
from judgeharness.domain.errors import HarnessError, InputError

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
QUANTIZED_SHARE = {"none": 1.0, "8bit": 0.5, "4bit": 0.25}


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how a model runs.

    Attributes:
        device: "cpu", "cuda:0", "mps", or "cuda" for all GPUs together.
        dtype: "float32", "bfloat16" or "float16".
    """

    device: str
    dtype: str

    @property
    def kind(self) -> str:
        """The device's type: cpu, cuda or mps."""
        return self.device.partition(":")[0]

    @property
    def torch_dtype(self) -> torch.dtype:
        """The dtype as a torch object."""
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[self.dtype]


def place(options: HuggingFaceOptions) -> Placement:
    """Return the device and dtype to use. Raises InputError if the requested device is not available."""
    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = device.partition(":")
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if int(index or 0) >= count:
            raise InputError(f"device={options.device}: this machine has {count} CUDA devices", "use -o device=cpu")
        device = device if index or count > 1 else "cuda:0"
    if kind == "mps" and not torch.backends.mps.is_available():
        raise InputError("device=mps: this machine has none", "use -o device=cpu")
    return Placement(device, options.dtype if options.dtype != "auto" else default_dtype(kind))


def default_dtype(kind: str) -> str:
    """Return what `dtype=auto` means on a kind of device."""
    if kind != "cuda":
        return "float32"
    return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"


def placed(values: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    """Copy an array to a device. On a GPU this does not wait for work in progress."""
    tensor = torch.from_numpy(np.ascontiguousarray(values))
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


def require_memory(what: str, stored_bytes: int, stored_dtype: str | None, placement: Placement, quant: str) -> None:
    """Raise HarnessError if weights of a given size on disk do not fit into the device's free memory."""
    scale = BYTES[placement.dtype] / BYTES.get(stored_dtype or "", BYTES[placement.dtype])
    needed = stored_bytes * scale * QUANTIZED_SHARE[quant]
    free = _free_bytes(placement)
    if needed > free:
        raise HarnessError(
            f"{what} takes about {needed / 1e9:.1f} GB in {placement.dtype}"
            f"{'' if quant == 'none' else ', ' + quant}, and {placement.device} has {free / 1e9:.1f} GB free",
            "use a smaller model, -o quantization=4bit on a GPU, -o dtype=bfloat16, or a larger machine",
        )


def _free_bytes(placement: Placement) -> int:
    if placement.kind == "cuda":
        devices = [placement.device] if ":" in placement.device else range(torch.cuda.device_count())
        return sum(torch.cuda.mem_get_info(device)[0] for device in devices)
    import psutil

    return int(psutil.virtual_memory().available)
