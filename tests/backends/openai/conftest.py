from __future__ import annotations

import pytest

from judgeharness.backends.contract import BackendContext
from judgeharness.backends.openai.backend import openai_backend
from judgeharness.backends.openai.options import OpenAIOptions
from tests.backends.openai.standin import StandIn
from tests.helpers import serving


@pytest.fixture
def stand_in():
    """A stand-in of a kind, running; gives its state and address."""
    running = []

    def start(kind, **arguments):
        state = StandIn(kind, **arguments)
        context = serving(state.handler())
        running.append(context)
        return state, f"{context.__enter__()}/v1"

    yield start
    for context in running:
        context.__exit__(None, None, None)


@pytest.fixture
def backend_at(tmp_path):
    def make(url, notify=lambda line: None, model="m", **options):
        return openai_backend(model, OpenAIOptions(base_url=url, **options), BackendContext(tmp_path / "cache", notify))

    return make
