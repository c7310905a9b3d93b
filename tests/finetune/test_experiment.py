"""The command, from soft labels to the table: with tiny encoders on the sample in three splits."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from judgeharness.evaluation.components import default_measures
from judgeharness.metrics.measure import Sample
from judgeharness.store.database import Store
from tests.finetune.encoders import encoder, own_task
from tests.helpers import judgeharness

LABELS = ("entailment", "neutral", "contradiction")


@pytest.fixture
def own(tmp_path):
    """The task's path, the encoder's, and the words that most calls share."""
    task = own_task(tmp_path / "task")
    model = encoder(tmp_path / "tiny")
    words = (
        "--task",
        task,
        "--model",
        model,
        "--store",
        tmp_path / "s.db",
        "-o",
        "epochs=2",
        "-o",
        "learning_rate=0.01",
    )
    return task, model, words


def finetune(*words):
    done = judgeharness("finetune", *words, "--format", "json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_labels_and_seeds_are_compared_on_the_other_splits(own, tmp_path, registry):
    _, _, words = own
    found = finetune(
        *words, "--labels", "baseline:human", "--labels", "baseline:uniform", "--labels", "baseline:explanations",
        "--seed", "1", "--seed", "2",
    )  # fmt: skip
    assert {row["labels"] for row in found["rows"]} == {"baseline:human", "baseline:uniform", "baseline:explanations"}
    measures = default_measures(registry)
    with Store.open(tmp_path / "s.db") as store:
        runs = {run.id: run for run in store.runs.all()}
        assert len(runs) == 3 * 2 * 2
        for row in found["rows"]:
            assert row["seeds"] == [1, 2]
            for split, items in (("dev", 6), ("test", 8)):
                own_runs = [runs[each] for each in row["runs"] if runs[each].split == split]
                assert [run.n_items for run in own_runs] == [items, items]
                values = []
                for run in own_runs:
                    human = np.array([item.human for item in store.runs.items(run.task_digest)])
                    model = np.array([each.probabilities for each in store.runs.predictions(run.id)])
                    values.append(measures["kl"].value(Sample(human, model)))
                kl = row["splits"][split]["kl"]
                assert kl["mean"] == pytest.approx(np.mean(values))
                assert kl["sd"] == pytest.approx(np.std(values, ddof=1))
                cross, printed = (row["splits"][split][name]["mean"] for name in ("cross-entropy", "kl-torch-mean"))
                assert cross - kl["mean"] == pytest.approx(found["human_entropy"][split], abs=1e-6)
                assert printed == pytest.approx(kl["mean"] / 3)
    uniform = next(row for row in found["rows"] if row["labels"] == "baseline:uniform")
    assert uniform["label_metrics"]["dcor"] == 0.0
    crosses = [row["splits"]["dev"]["cross-entropy"]["mean"] for row in found["rows"]]
    assert crosses == sorted(crosses)


def test_what_is_in_the_store_is_not_trained_again(own):
    _, _, words = own
    first = finetune(*words, "--labels", "baseline:human")
    again = judgeharness("finetune", *words, "--labels", "baseline:human", "--format", "json")
    assert json.loads(again.out) == first
    assert "in the store" in again.err
    assert "steps to do" not in again.err
    other = judgeharness("finetune", *words, "-o", "batch_size=2", "--labels", "baseline:human", "--format", "json")
    assert "steps to do" in other.err


def test_a_killed_program_goes_on_to_the_same_result(own, tmp_path):
    """SIGKILL in the middle of the training, by its checkpoints; then the same command again."""
    task, model, _ = own

    def words(name):
        return [
            "finetune", "--task", str(task), "--model", str(model), "--labels", "baseline:human", "--format", "json",
            "-o", "epochs=40", "-o", "learning_rate=0.01", "--store", str(tmp_path / f"{name}.db"),
        ]  # fmt: skip

    def program(name, cache):
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / cache)}
        command = [sys.executable, "-m", "judgeharness", *words(name)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    whole, _ = program("whole", "a").communicate(timeout=300)
    killed = program("killed", "b")
    while not list(tmp_path.glob("b/**/checkpoint-*/trainer_state.json")):
        assert killed.poll() is None, killed.stderr.read()
        time.sleep(0.01)
    killed.kill()
    killed.communicate()
    again = program("killed", "b")
    out, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert json.loads(out)["rows"][0]["splits"] == json.loads(whole)["rows"][0]["splits"]
    assert not list(tmp_path.glob("b/**/checkpoint-*")), "what is in the store needs no checkpoints"


def test_cut_texts_are_said(own):
    _, _, words = own
    done = judgeharness("finetune", *words, "--labels", "baseline:human", "-o", "max_length=10")
    assert "train: 10 of 10 items are longer than 10 tokens, and cut" in done.err


def test_a_judges_run_as_labels(own, tmp_path):
    task, _, words = own
    evaluated = judgeharness(
        "eval", "--task", task, "--split", "train", "--backend", "hf:smollm2", "--strategy", "no-explanation",
        "--transform", "softmax", "--temperature", "1", "--store", tmp_path / "s.db", "--format", "json",
    )  # fmt: skip
    (run,) = json.loads(evaluated.out)["runs"]
    (row,) = finetune(*words, "--labels", run["id"][:8])["rows"]
    assert row["labels"] == "hf:smollm2 no-explanation softmax τ=1"
    assert row["labels_run"] == run["id"]
    assert row["label_metrics"]["jsd"] == pytest.approx(run["metrics"]["jsd"])


def test_the_table_and_the_leaderboards_of_each_kind(own, tmp_path):
    _, _, words = own
    done = judgeharness("finetune", *words, "--labels", "baseline:human", "--labels", "baseline:uniform")
    for text in ("dev, ", "test, ", "baseline:uniform", "nats of human entropy", "KL/K"):
        assert text in done.out
    assert "epochs=2" in done.out
    store = ("--store", tmp_path / "s.db")
    assert judgeharness("leaderboard", "--kind", "finetune", *store).out == done.out
    assert "no runs yet" in judgeharness("leaderboard", *store).out
    for form, mark in (("markdown", "| --- |"), ("latex", r"\toprule")):
        out = judgeharness("leaderboard", "--kind", "finetune", "--format", form, *store).out
        assert mark in out
        assert "dev / test" in out
    assert judgeharness("leaderboard", "--kind", "finetune", "--format", "csv", *store).code == 2
    assert judgeharness("leaderboard", "--kind", "finetune", "--task", "other", *store).code == 2
    assert judgeharness("leaderboard", "--kind", "finetune", "--backend", "hf:*", *store).code == 2
    assert "RankCS" not in done.out
    assert "RankCS" in judgeharness("leaderboard", "--kind", "finetune", "--metric", "rankcs", *store).out


def test_permuted_labels_give_the_same_classifier(own, tmp_path):
    """With a head that names its labels, the order of the task's does not matter: people's labels follow it."""
    task, _, _ = own
    model = encoder(tmp_path / "nli", LABELS)
    text = task.read_text(encoding="utf-8")
    start, end = text.index("[[labels]]"), text.index("[items]")
    tables = text[start:end].split("[[labels]]")[1:]
    permuted = own_task(tmp_path / "permuted")
    permuted.write_text(
        text[:start] + "".join(f"[[labels]]{tables[i]}" for i in (2, 0, 1)) + text[end:], encoding="utf-8"
    )
    lines = (permuted.parent / "items.jsonl").read_text(encoding="utf-8").splitlines()
    moved = [{**entry, "votes": [entry["votes"][i] for i in (2, 0, 1)]} for entry in map(json.loads, lines)]
    (permuted.parent / "items.jsonl").write_text("\n".join(map(json.dumps, moved)))
    rows = [
        finetune(
            "--task", path, "--model", model, "--store", tmp_path / f"{name}.db", "--labels", "baseline:human",
            "-o", "epochs=2", "-o", "learning_rate=0.01",
        )["rows"][0]
        for name, path in (("straight", task), ("permuted", permuted))
    ]  # fmt: skip
    for split in ("dev", "test"):
        for metric in ("kl", "cross-entropy", "jsd"):
            straight, other = (row["splits"][split][metric]["mean"] for row in rows)
            assert straight == pytest.approx(other, abs=1e-5)


def test_a_first_stage_on_hard_labels(own, tmp_path):
    _, _, words = own
    examples = [
        {"sentence1": "a dog slept", "sentence2": "a dog was awake", "gold_label": "contradiction"},
        {"sentence1": "it rained", "sentence2": "it rained", "gold_label": "entailment"},
        {"sentence1": "it rained", "sentence2": "nobody agrees", "gold_label": "-"},
    ]
    path = tmp_path / "mnli.jsonl"
    path.write_text("\n".join(map(json.dumps, examples)))
    first = judgeharness("finetune", *words, "--labels", "baseline:human", "--stage1", path, "--format", "json")
    assert first.code == 0, first.err
    assert "on mnli.jsonl: 3 steps to do" in first.err
    second = judgeharness("finetune", *words, "--labels", "baseline:uniform", "--stage1", path, "--format", "json")
    assert "mnli.jsonl" not in second.err, "made once"
    plain = finetune(*words, "--labels", "baseline:human")
    assert "after mnli.jsonl (epochs=2, learning_rate=0.01)" in json.loads(second.out)["rows"][0]["model"]
    staged = json.loads(second.out)["rows"][0]["splits"]["dev"]["kl"]["mean"]
    assert staged != pytest.approx(plain["rows"][0]["splits"]["dev"]["kl"]["mean"], abs=1e-9)
    path.write_text(json.dumps({"sentence1": "a", "sentence2": "b", "gold_label": "maybe"}))
    done = judgeharness("finetune", *words, "--labels", "baseline:human", "--stage1", path)
    assert done.code == 2
    assert '"maybe" is not one of the labels' in done.err


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (["--labels", "baseline:nobody"], "has no baseline 'nobody'"),
        (["--labels", "hf:smollm2"], "a model is asked first"),
        (["--labels", "abcdef"], "no run 'abcdef'"),
        (["--labels", "baseline:human", "-o", "epoch=3"], "unknown option 'epoch'"),
        (["--labels", "baseline:human", "-o", "learning_rate=-1"], "learning_rate"),
        (["--labels", "baseline:human", "--fields", "claim"], "no field 'claim'"),
        (["--labels", "baseline:human", "--fields", "a,b,c"], "one field of the task or two"),
        (["--labels", "baseline:human", "--stage1", "none.jsonl"], "no such file"),
        (["--labels", "baseline:human", "--stage1", "./a/b/c.parquet"], "no such file"),
        (["--labels", "baseline:human", "--format", "csv"], "written as table, json, markdown, latex"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_trained(own, more, problem):
    _, _, words = own
    done = judgeharness("finetune", *words, *more)
    assert done.code == 2
    assert problem in done.err
    assert "steps to do" not in done.err


def test_labels_that_lack_items(own, tmp_path):
    task, _, words = own
    few = judgeharness(
        "eval", "--task", task, "--backend", "baseline:uniform", "--limit", "4", "--store", tmp_path / "s.db",
        "--format", "json",
    )  # fmt: skip
    run = json.loads(few.out)["runs"][0]["id"]
    done = judgeharness("finetune", *words, "--labels", run)
    assert "no distribution for 6 of the 10 items" in done.err
    nothing_held_out = judgeharness(
        "finetune",
        "--task",
        "nli-sample",
        "--model",
        "minilm",
        "--labels",
        "baseline:human",
        "--store",
        tmp_path / "s.db",
    )
    assert "no other split" in nothing_held_out.err


def test_soft_labels_for_other_trainers(own, tmp_path):
    task, _, _ = own
    out = tmp_path / "out"
    done = judgeharness("export", "baseline:explanations", "--task", task, "--out", out)
    assert done.code == 0, done.err
    lines = {
        name: [json.loads(line) for line in (out / f"{name}.jsonl").read_text().splitlines()]
        for name in ("train", "dev", "test")
    }
    assert [len(lines[name]) for name in ("train", "dev", "test")] == [10, 6, 8]
    for entry in lines["train"]:
        assert {"uid", "premise", "hypothesis", "label_probabilities"} <= set(entry)
        assert sum(entry["label_probabilities"]) == pytest.approx(1)
    items = [json.loads(line) for line in (task.parent / "items.jsonl").read_text().splitlines()]
    for entry, item in zip(lines["test"], items[16:], strict=True):
        assert entry["label_probabilities"] == pytest.approx(np.array(item["votes"]) / sum(item["votes"]))
    about = (out / "README.txt").read_text()
    assert "in the order entailment, neutral, contradiction" in about
    assert "Licence of the data" in about


def test_the_relation_between_labels_and_what_they_teach(own, tmp_path):
    _, _, words = own
    store = ("--store", tmp_path / "s.db")
    finetune(*words, "--labels", "baseline:human", "--labels", "baseline:uniform")
    few = judgeharness("relation", *store)
    assert few.code == 2
    assert "at least 3 kinds of soft labels" in few.err
    finetune(*words, "--labels", "baseline:explanations")
    done = judgeharness("relation", *store, "--format", "json", "--out", tmp_path / "r.png")
    found = json.loads(done.out)
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    from scipy.stats import kendalltau

    labels = [each["labels"]["jsd"] for each in found["classifiers"]]
    classifiers = [each["classifier"]["cross-entropy"] for each in found["classifiers"]]
    (tau,) = [row["tau"] for row in found["tau"] if (row["labels"], row["classifier"]) == ("jsd", "cross-entropy")]
    assert tau == pytest.approx(kendalltau(labels, classifiers).statistic)
    assert "Kendall's tau over 3 classifiers" in " ".join(judgeharness("relation", *store).out.split())
    assert judgeharness("relation", *store, "--split", "none").code == 2


def test_real_data_and_a_real_encoder(data_dir, tmp_path, monkeypatch):
    """One epoch on the paper's items: cross-entropy minus KL is the human entropy that the paper's table implies."""
    monkeypatch.setenv("JUDGEHARNESS_DATA_DIR", str(data_dir))
    found = finetune(
        "--model", "minilm", "--labels", "baseline:human", "--store", tmp_path / "s.db", "-o", "epochs=1",
        "-o", "batch_size=32",
    )  # fmt: skip
    (row,) = found["rows"]
    printed = judgeharness("leaderboard", "--kind", "finetune", "--published", "--store", tmp_path / "s.db").out
    assert printed.count("RoBERTa") == 2 * 24
    assert "† as published in Chen et al. 2024" in printed
    for split, entropy in (("dev", 0.7487), ("test", 0.7421)):
        figures = row["splits"][split]
        assert figures["cross-entropy"]["mean"] - figures["kl"]["mean"] == pytest.approx(entropy, abs=1e-3)
        assert figures["kl"]["interval"][0] < figures["kl"]["mean"] < figures["kl"]["interval"][1]
