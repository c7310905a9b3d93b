from __future__ import annotations

import pytest

from judgeharness.backends.llamacpp.backend import LlamaCppBackend
from judgeharness.backends.llamacpp.options import LlamaCppOptions
from tests.backends.llamacpp.models import write


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Tiny models by architecture, made when they are asked for."""
    folder, made = tmp_path_factory.mktemp("gguf"), {}

    def make(architecture, template=None, begins=None):
        key = (architecture, template, begins)
        if key not in made:
            made[key] = write(folder / f"{architecture}-{len(made)}.gguf", architecture, template, begins)
        return made[key]

    return make


@pytest.fixture(scope="session")
def llama_smollm2(context):
    backend = LlamaCppBackend("smollm2", LlamaCppOptions(), context)
    backend.open()
    yield backend
    backend.close()
