"""Resets what parts of a model remember between passes, so that each pass depends only on its input."""

from __future__ import annotations

from typing import Any

import torch

_PLAIN = (int, float, str, type(None), torch.Tensor)


class PassState:
    """Buffers and plain attributes of modules without weights, such as rotary embeddings that grow with the prompts.

    Create it before the model's first pass.
    """

    def __init__(self, model: Any) -> None:
        self._parts = [
            (
                module,
                dict(module._buffers),
                {name: value for name, value in vars(module).items() if isinstance(value, _PLAIN)},
            )
            for module in model.modules()
            if module._buffers and not module._parameters
        ]

    def restore(self) -> None:
        """Restore everything as it was, and remove what was added."""
        for module, buffers, attributes in self._parts:
            module._buffers.clear()
            module._buffers.update(buffers)
            for name in [name for name, value in vars(module).items() if isinstance(value, _PLAIN)]:
                if name not in attributes:
                    delattr(module, name)
            vars(module).update(attributes)
