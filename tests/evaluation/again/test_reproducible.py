"""Verifying and making again; and that answers do not depend on how the work is cut up."""

import json
import sqlite3

import numpy as np
import pytest
from scipy import special

from judgeharness.backends.contract import BackendContext
from judgeharness.evaluation.components import component, open_backend
from judgeharness.store.database import Store
from judgeharness.store.rows import register
from judgeharness.store.schema import CONTENTS
from judgeharness.transforms.average import estimate
from judgeharness.transforms.softmax import SoftmaxOptions, softmax
from tests.helpers import bundled, judgeharness

TOLERANCES = {"hf:smollm2": (1e-4, 1e-5), "llamacpp:smollm2": (0.2, 1e-3)}
"""Of an option's probability after one prompt, and of an item's distribution (TVD), as docs/store.md states them."""

WAYS = {
    "hf:smollm2": ({}, {"batch_tokens": "64"}, {"batch_tokens": "100000"}, {"scorer": "plain"}),
    "llamacpp:smollm2": ({}, {"batch_tokens": "32"}, {"batch_tokens": "2048"}, {"threads": "1"}, {"scorer": "plain"}),
}


def sharp(scores):
    return special.softmax(scores.scores, axis=1)


@pytest.mark.parametrize("backend", WAYS)
def test_answers_do_not_depend_on_batches_blocks_threads_and_order(backend, registry, folders_here, tmp_path):
    task = bundled("nli-sample", folders_here).limited(4)
    short, long = (component(registry.strategies, name, {}).part for name in ("no-explanation", "parallel"))
    groups = [short.group(item, task) for item in task.items[1:]] + [long.group(task.items[0], task)]
    transform = softmax(SoftmaxOptions())
    orders = {"together": [groups], "backwards": [groups[::-1]], "one by one": [[group] for group in groups]}
    first = None
    for options in WAYS[backend]:
        model = open_backend(registry, backend, options, BackendContext(tmp_path, lambda line: None)).part
        model.open()
        for name, parts in orders.items():
            if options and name != "together":
                continue
            found = {each.uid: each for part in parts for each in model.score(part)}
            first = first or found
            prompts = max(float(np.abs(sharp(found[uid]) - sharp(first[uid])).max()) for uid in first)
            items = max(
                float(np.abs(estimate(found[uid], transform) - estimate(first[uid], transform)).sum() / 2)
                for uid in first
            )
            assert prompts < TOLERANCES[backend][0], (options, name, prompts)
            assert items < TOLERANCES[backend][1], (options, name, items)
        model.close()


@pytest.fixture
def folders_here(tmp_path):
    from judgeharness.tasks.datasets import DataFolders

    return DataFolders(tmp_path, tmp_path)


EVAL = ("eval", "--task", "nli-sample", "--limit", "3", "--backend", "hf:smollm2")


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """A store with a run of scores (two transforms), of texts, of both, and of a baseline."""
    path = tmp_path_factory.mktemp("evaluated") / "store.db"
    words = ("--strategy", "no-explanation", "--strategy", "sampling", "--strategy", "cot")
    options = ("-o", "answer_tokens=8", "-o", "n=4", "-o", "batch_tokens=999", "-o", "reasoning_tokens=8")
    words += ("--backend", "baseline:uniform")
    assert judgeharness(*EVAL, *words, *options, "--temperature", "5", "--store", path).code in (0, 1)
    return path


@pytest.fixture
def store(evaluated, tmp_path):
    with Store.open(evaluated) as opened:
        opened.copy(tmp_path / "store.db")
    return tmp_path / "store.db"


def runs(path):
    with Store.open(path) as opened:
        return {(run.backend, run.strategy, run.transform): run for run in opened.runs.all()}


def alter(path, table, where="1", **columns):
    """Change columns of a table's rows, with their checksums: as if they had been written so."""
    connection = sqlite3.connect(path)
    register(connection)
    for name, value in columns.items():
        connection.execute(f"UPDATE {table} SET {name} = ? WHERE {where}", (value,))
    connection.execute(f"UPDATE {table} SET checksum = row_checksum({', '.join(CONTENTS[table])})")
    connection.commit()
    connection.close()


def test_what_was_asked_for_is_in_the_record(store):
    found = runs(store)
    assert found["hf:smollm2", "cot", "softmax"].record.request.document() == {
        "task": "nli-sample",
        "limit": 3,
        "options": {"batch_tokens": "999", "reasoning_tokens": "8"},
        "metrics": [],
    }
    assert found["baseline:uniform", None, None].record.request.options == {}


@pytest.mark.parametrize("way", [("no-explanation", "norm"), ("sampling", None), ("cot", "softmax")])
def test_a_run_is_verified_and_made_again_and_is_the_same(store, way):
    before = store.read_bytes()
    run = runs(store)["hf:smollm2", *way]
    result = judgeharness("verify", run.id, "--store", store, "--format", "json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert document["holds"]
    assert document["changes"] == []
    assert len(document["answers"]) == (6 if way[0] == "cot" else 3)
    result = judgeharness("rerun", run.id, "--store", store, "--format", "json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert (document["holds"], document["changes"]) == (True, [])
    assert document["largest_tvd"] < 1e-4
    for values in document["metrics"].values():
        assert values["then"] == pytest.approx(values["now"], abs=1e-3)
    assert store.read_bytes() == before


def test_a_baseline_is_made_again_and_cannot_be_verified(store, tmp_path):
    run = runs(store)["baseline:uniform", None, None]
    assert judgeharness("rerun", run.id, "--store", store, "--into", tmp_path / "new.db").code == 0
    assert runs(tmp_path / "new.db")["baseline:uniform", None, None].id == run.id
    result = judgeharness("verify", run.id, "--store", store)
    assert result.code == 2
    assert "asked no prompts" in result.err
    result = judgeharness("rerun", run.id, "--store", store, "--into", tmp_path / "new.db")
    assert result.code == 2
    assert "is a database" in result.err


def test_answers_that_are_other_ones_now_are_found(store):
    """Scores and texts of another model under the names of this one."""
    found = runs(store)
    alter(store, "texts", texts=json.dumps(["something else"] * 4))
    run = found["hf:smollm2", "sampling", None]
    result = judgeharness("verify", run.id, "--store", store)
    assert result.code == 1
    assert "3 of 3 answers differ" in " ".join(result.out.split())
    alter(store, "scores", "json_array_length(scores) = 6", scores=json.dumps([[9.0, 1.0, 1.0]] * 6))
    run = found["hf:smollm2", "no-explanation", "norm"]
    result = judgeharness("verify", run.id, "--sample", "2", "--store", store, "--format", "json")
    assert result.code == 1
    document = json.loads(result.out)
    assert len(document["answers"]) == 2
    assert all(answer["distance"] > 0.01 for answer in document["answers"])
    assert judgeharness("verify", run.id, "--tolerance", "1", "--store", store).code == 0
    # What was predicted is still of the true scores, so the run itself comes out as it was.
    assert judgeharness("rerun", run.id, "--store", store).code == 0


def test_what_has_changed_is_listed(store):
    run = runs(store)["hf:smollm2", "no-explanation", "norm"]
    with Store.open(store) as opened:
        record = opened.sessions.find(run.session_id).record.document()
        description = dict(opened.answers.description(run.backend_digest))
    record["packages"] = {**record["packages"], "torch": "1.0", "gone": "0.1"}
    alter(store, "sessions", record=json.dumps(record))
    alter(store, "backends", description=json.dumps({**description, "dtype": "bfloat16"}))
    for command in ("verify", "rerun"):
        result = judgeharness(command, run.id, "--store", store, "--format", "json")
        assert result.code == 0, result.err
        changes = {each["what"]: (each["then"], each["now"]) for each in json.loads(result.out)["changes"]}
        assert changes["backend: dtype"] == ("bfloat16", "float32")
        assert changes["versions: packages.torch"][0] == "1.0"
        assert changes["versions: packages.gone"] == ("0.1", None)
        table = judgeharness(command, run.id, "--store", store)
        assert "packages.torch" in table.out


def test_a_run_from_before_requests_were_kept_is_told_by_its_parts(store):
    run = runs(store)["hf:smollm2", "no-explanation", "softmax"]
    record = {name: value for name, value in run.record.document().items() if name != "request"}
    alter(store, "runs", record=json.dumps(record))
    result = judgeharness("rerun", run.id, "--store", store, "--format", "json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["items"] == 3


def test_budgets_that_older_records_have_among_their_options_are_left_out(store):
    run = runs(store)["hf:smollm2", "no-explanation", "softmax"]
    record = run.record.document()
    record["request"]["options"] |= {"max_requests": "1", "max_tokens": "1"}
    alter(store, "runs", f"id = '{run.id}'", record=json.dumps(record))
    result = judgeharness("rerun", run.id, "--store", store, "--format", "json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["items"] == 3


def test_a_task_that_is_another_one_now(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "prompt.jinja").write_text("{{ t }} A or B?")
    (folder / "items.jsonl").write_text('{"uid": "a", "t": "x", "v": [1, 3]}\n{"uid": "b", "t": "y", "v": [2, 2]}\n')
    (folder / "task.toml").write_text(
        'name = "mine"\ntitle = "Mine"\ntemplate = "prompt.jinja"\n'
        'labels = [{name = "yes", text = "Yes"}, {name = "no", text = "No"}]\n'
        'items = {file = "items.jsonl", uid = "uid", votes = "v", fields = {t = "t"}}\n'
    )
    path = tmp_path / "s.db"
    words = ("--task", folder / "task.toml", "--backend", "hf:smollm2", "--strategy", "no-explanation")
    assert judgeharness("eval", *words, "--transform", "norm", "--store", path).code == 0
    (run,) = runs(path).values()
    assert run.record.request.task == str(folder / "task.toml")
    assert judgeharness("verify", run.id, "--store", path).code == 0
    # Other wording: other prompts, so stored answers cannot be compared; the run can be made again, and says so.
    (folder / "prompt.jinja").write_text("{{ t }} Yes or no?")
    result = judgeharness("verify", run.id, "--store", path)
    assert result.code == 2
    assert "are not what they were" in result.err
    result = judgeharness("rerun", run.id, "--store", path, "--format", "json")
    assert "prompts: template.sha256" in result.out
    # Other items.
    (folder / "items.jsonl").write_text('{"uid": "c", "t": "x", "v": [1, 3]}\n')
    assert "is not an item of task mine any more" in judgeharness("verify", run.id, "--store", path).err
    result = judgeharness("rerun", run.id, "--store", path)
    assert result.code == 1
    assert "2 items have no distribution now" in " ".join(result.out.split())
    (folder / "task.toml").unlink()
    for command in ("verify", "rerun"):
        result = judgeharness(command, run.id, "--store", path)
        assert result.code == 2
        assert "task.toml" in result.err


def test_wrong_usage(store):
    run = runs(store)["hf:smollm2", "no-explanation", "norm"]
    for words, message in (
        (("verify", "nope"), "no run 'nope'"),
        (("rerun", "nope"), "no run 'nope'"),
        (("verify", run.id, "-o", "colour=red"), "unknown option 'colour'"),
        (("rerun", run.id, "-o", "colour=red"), "unknown option 'colour'"),
        (("rerun", run.id, "--executor", "rey"), "unknown executor 'rey'"),
        (("verify", run.id, "--sample", "0"), "--sample"),
    ):
        result = judgeharness(*words, "--store", store)
        assert result.code == 2, result.err
        assert message in result.err
