"""An encoder of the hub, through the real client against a server that speaks the hub's protocol."""

import json
import os
import subprocess

from tests.backends.test_hub import COMMIT, PROGRAM, Hub
from tests.finetune.encoders import encoder, own_task
from tests.helpers import judgeharness, serving


def test_an_encoder_is_fetched_and_learns_as_from_its_folder(tmp_path):
    class Encoders(Hub):
        folder = encoder(tmp_path / "tiny")

    task = own_task(tmp_path / "task")
    words = ["--task", str(task), "--labels", "baseline:human", "-o", "epochs=1", "--format", "json"]
    environment = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1"}
    with serving(Encoders) as address:
        command = [*PROGRAM, "finetune", "--model", "owner/tiny", "--store", str(tmp_path / "hub.db"), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, env={**environment, "HF_ENDPOINT": address}, check=False
        )
        missing = subprocess.run(
            [*PROGRAM, "finetune", "--model", "owner/missing", "--store", str(tmp_path / "hub.db"), *words],
            capture_output=True, text=True, env={**environment, "HF_ENDPOINT": address}, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "the hub has no model owner/missing" in missing.stderr
    (row,) = json.loads(done.stdout)["rows"]
    shown = judgeharness("show", row["runs"][0], "--store", tmp_path / "hub.db", "--format", "json")
    assert json.loads(shown.out)["backend"]["revision"] == COMMIT
    local = judgeharness("finetune", "--model", tmp_path / "tiny", "--store", tmp_path / "local.db", *words)
    assert json.loads(local.out)["rows"][0]["splits"] == row["splits"]
