"""Fixtures: real data where it is at hand, a real small model, and everything of the user's in temporary folders."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from judgeharness.plugins.registry import Registry
from judgeharness.store.database import Store
from judgeharness.tasks.datasets import DataFolders
from tests.servers import start_server, stop_server

DATA_DIR = os.environ.get("JUDGEHARNESS_DATA_DIR")
REQUIRE_DATA = os.environ.get("JUDGEHARNESS_REQUIRE_DATA") == "1"


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(monkeypatch, tmp_path_factory, tmp_path):
    for name in (
        "JUDGEHARNESS_DATA_DIR",
        "JUDGEHARNESS_STORE",
        "JUDGEHARNESS_PLUGINS",
        "NO_COLOR",
        "FORCE_COLOR",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    cache = tmp_path_factory.getbasetemp() / "cache"
    # A server of another test had the same address, and may have been another kind.
    shutil.rmtree(cache / "judgeharness" / "servers", ignore_errors=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    if DATA_DIR and (Path(DATA_DIR) / "chaosnli" / "chaosNLI_mnli_m.jsonl").is_file():
        return Path(DATA_DIR).resolve()
    message = "JUDGEHARNESS_DATA_DIR does not hold the ChaosNLI and VariErr files"
    if REQUIRE_DATA:
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def llama_cpp_server():
    process, address = start_server("--logits_all", "true")
    yield f"{address}/v1"
    stop_server(process)


@pytest.fixture
def folders(data_dir, tmp_path) -> DataFolders:
    return DataFolders(data_dir, tmp_path / "cache")


@pytest.fixture
def registry() -> Registry:
    return Registry.from_environment()


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store.db") as opened:
        yield opened
