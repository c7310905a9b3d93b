"""Code that comes with a model runs because the user said so, and not because a record or a suite does."""

import json
import shutil
import textwrap

import pytest
import transformers

from judgeharness.store.database import Store
from tests.helpers import judgeharness
from tests.hostile import rewrite, rewrite_request

ASKED = ("--task", "nli-sample", "--limit", "1", "--strategy", "no-explanation", "--transform", "softmax")


@pytest.fixture
def model(tiny_model, tmp_path, monkeypatch):
    """A model that comes with code, and a file that is there once that has run."""
    monkeypatch.setattr(transformers.dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder, marker = tmp_path / "model", tmp_path / "it ran"
    shutil.copytree(tiny_model, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "architectures": ["Own"]}
    config["auto_map"] = {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.Own"}
    (folder / "config.json").write_text(json.dumps(config))
    code = f"""
        from transformers import LlamaConfig, LlamaForCausalLM
        open({str(marker)!r}, "w").close()
        class OwnConfig(LlamaConfig):
            model_type = "own"
        class Own(LlamaForCausalLM):
            config_class = OwnConfig
    """
    (folder / "own.py").write_text(textwrap.dedent(code))
    return folder, marker


@pytest.fixture
def store(tmp_path, tiny_model, model):
    """A store with a run of a model without code, that was altered to be of the one with it; and the run's id."""
    path = tmp_path / "store.db"
    result = judgeharness("eval", *ASKED, "--backend", f"hf:{tiny_model}", "--store", path)
    assert result.code == 0, result.err
    rewrite(path, "runs", backend=f"hf:{model[0]}")
    rewrite_request(path, options={"trust_remote_code": "true"})
    with Store.open(path) as opened:
        return path, opened.runs.all()[0].id


@pytest.mark.parametrize("command", ["rerun", "verify"])
def test_a_record_runs_no_code(model, store, command):
    marker, words = model[1], (command, store[1], "--store", store[0])
    result = judgeharness(*words)
    assert (result.code, len(result.err.splitlines())) == (2, 2), result.err
    assert f"option trust_remote_code=true of backend hf:{model[0]} runs code" in result.err
    assert "add --trust code" in result.err
    # Nor where the user grants something else, or says no.
    assert judgeharness(*words, "--trust", "address,secret,program").code == 2
    assert judgeharness(*words, "-o", "trust_remote_code=false").code == 1
    assert not marker.exists()
    result = judgeharness(*words, "--trust", "code")
    assert result.code == 0, result.err
    assert marker.exists()


def test_a_suite_runs_no_code_and_the_user_does(model, tmp_path):
    folder, marker = model
    suite = tmp_path / "suite.toml"
    suite.write_text(
        'name = "s"\ntitle = "S"\n[[evaluations]]\ntasks = ["nli-sample"]\nstrategies = ["no-explanation"]\n'
        "options = { trust_remote_code = true }\n"
    )
    words = ("run", suite, "--limit", "1", "--report", tmp_path / "r", "--store", tmp_path / "s.db")
    result = judgeharness(*words, "--backend", f"hf:{folder}")
    assert (result.code, marker.exists()) == (2, False), result.err
    assert "suite s: option trust_remote_code=true" in result.err
    result = judgeharness(*words, "--backend", f"hf:{folder}", "-o", "trust_remote_code=true")
    assert (result.code, marker.exists()) == (0, True), result.err
