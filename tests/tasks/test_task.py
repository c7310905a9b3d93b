import json
import math
from collections import Counter

import pytest

from judgeharness.domain.errors import InputError, UnknownNameError
from judgeharness.domain.nouns import Message
from judgeharness.tasks.datasets import DataFolders
from judgeharness.tasks.definition import read_definition
from judgeharness.tasks.shipped import shipped
from judgeharness.tasks.task import load_task
from tests.helpers import bundled, judgeharness, no_meter

SIZES = {"chaosnli": 341, "chaosnli-mnli": 1599, "chaosnli-snli": 1514, "chaosnli-alphanli": 1532, "nli-sample": 24}


@pytest.mark.parametrize("name", SIZES)
def test_bundled_tasks_have_their_published_sizes(folders, name):
    task = bundled(name, folders)
    assert len(task.items) == SIZES[name]
    assert len({item.uid for item in task.items}) == SIZES[name]
    for item in task.items:
        assert math.isclose(sum(item.human), 1)
        assert sum(item.votes) == 100
        assert all(item.fields.values())


def test_chaosnli_is_the_papers_341_items(folders, data_dir):
    task = bundled("chaosnli", folders)
    raw = {}
    for line in (data_dir / "chaosnli" / "chaosNLI_mnli_m.jsonl").read_text().splitlines():
        record = json.loads(line)
        raw[record["uid"]] = record
    varierr = {}
    for line in (data_dir / "varierr" / "varierr.json").read_text().splitlines():
        record = json.loads(line)
        varierr[record["id"]] = record
    for item in task.items:
        assert len(item.explanations) == 4
        assert item.human == tuple(count / 100 for count in raw[item.uid]["label_count"])
        assert item.fields["premise"] == raw[item.uid]["example"]["premise"]
        source = varierr[item.uid]
        expected = {
            (entry["reason"], index, entry["annotator"])
            for index, label in enumerate(("entailment", "neutral", "contradiction"))
            for entry in source[label]
        }
        assert {(each.text, each.label, each.annotator) for each in item.explanations} == expected
        annotators = [each.annotator for each in item.explanations]
        assert annotators == sorted(annotators)
    assert sum(len({each.annotator for each in item.explanations}) == 3 for item in task.items) == 9


def test_items_that_share_a_premise_are_a_cluster(folders):
    items = bundled("chaosnli-mnli", folders).items
    assert len({item.cluster for item in items}) == 1359
    assert all(item.cluster == item.fields["premise"] for item in items)
    assert {item.cluster for item in bundled("nli-sample", folders).items} == {None}


def test_chaosnlis_splits_are_the_papers(folders):
    names = ("train", "test", "dev")
    splits = {name: [item.uid for item in bundled("chaosnli", folders, name).items] for name in names}
    assert {name: len(uids) for name, uids in splits.items()} == {"train": 341, "test": 629, "dev": 629}
    everything = [item.uid for item in bundled("chaosnli-mnli", folders).items]
    rest = [uid for uid in everything if uid not in set(splits["train"])]
    assert rest == splits["test"] + splits["dev"]


def test_mean_human_entropy_of_dev_and_test(folders):
    """The figures that the paper's fine-tuning tables imply: .7487 and .7421 nats."""
    for name, expected in (("dev", 0.7487), ("test", 0.7421)):
        items = bundled("chaosnli", folders, name).items
        entropies = [-sum(p * math.log(p) for p in item.human if p) for item in items]
        assert sum(entropies) / len(entropies) == pytest.approx(expected, abs=5e-5)


def test_alphanli_has_two_options_and_no_explanations(folders):
    task = bundled("chaosnli-alphanli", folders)
    assert [label.name for label in task.labels] == ["1", "2"]
    assert not any(item.explanations for item in task.items)
    item = task.items[0]
    content = task.template.render(item, task.labels, (1, 0))[0].content
    assert f"A. {item.fields['hyp2']}" in content
    assert f"B. {item.fields['hyp1']}" in content


def test_nli_sample_says_that_its_votes_are_illustrative(folders):
    task = bundled("nli-sample", folders)
    assert "made up" in task.definition.notice
    assert Counter(len(item.explanations) for item in task.items) == {4: 24}


TASK = """
name = "mine"
title = "My task"
template = "prompt.jinja"

[[labels]]
name = "yes"
text = "Yes"
codes = ["y"]

[[labels]]
name = "no"
text = "No"

[items]
file = "items.jsonl"
uid = "id"
votes = "votes"

[items.fields]
question = "q.text"

[references]
expert = "expert"

[explanations]
path = "why"
reference = "explained"
"""
TEMPLATE = "{{ question }}\n{% for o in options %}{{ o.letter }}) {{ o.text }}\n{% endfor %}\n"
ITEM = {
    "id": 7,
    "q": {"text": "Is it?"},
    "votes": {"y": 3, "no": 1},
    "expert": "yes",
    "why": [{"text": "so", "label": "y", "annotator": "x"}],
}


@pytest.fixture
def mine(tmp_path):
    """Writes a user's task; keyword arguments replace the parts."""

    def make(task=TASK, template=TEMPLATE, items=(ITEM,)):
        (tmp_path / "task.toml").write_text(task)
        (tmp_path / "prompt.jinja").write_text(template)
        lines = [each if isinstance(each, str) else json.dumps(each) for each in items]
        (tmp_path / "items.jsonl").write_text("\n".join(lines))
        return tmp_path / "task.toml"

    return make


def load(path, split=None):
    from judgeharness.tasks.datasets import DataFolders

    return load_task(read_definition(path), DataFolders(None, path.parent / "cache"), no_meter, split)


def test_a_users_own_task(mine):
    task = load(mine())
    (item,) = task.items
    assert item.uid == "7"
    assert item.human == (0.75, 0.25)
    assert item.references == {"expert": (1.0, 0.0), "explained": (1.0, 0.0)}
    assert item.explanations[0].annotator == "x"
    assert task.template.render(item, task.labels, (1, 0))[0].content == "Is it?\nA) No\nB) Yes\n"


def test_a_users_own_task_through_the_program(mine):
    path = mine(items=[ITEM, {**ITEM, "id": 8, "votes": [1, 9]}])
    result = judgeharness("eval", "--task", path, "--backend", "baseline:expert", "--format", "json", "--store", "s.db")
    assert result.code == 0, result.err
    assert json.loads(result.out)["runs"][0]["metrics"]["tvd"] == pytest.approx((0.25 + 0.9) / 2)


def without(key):
    return {name: value for name, value in ITEM.items() if name != key}


BAD_ITEMS = {
    "not JSON": (["{"], "line 1: not valid JSON"),
    "deep": (["[" * 100_000], "line 1"),
    "a list": ([[1]], "line 1: [1], not an object"),
    "no uid": ([without("id")], "no field 'id'"),
    "no text": ([without("q")], "no field 'q.text'"),
    "text of a list": ([{**ITEM, "q": {"text": [1]}}], "field 'q.text' is [1], not text"),
    "no votes": ([without("votes")], "no field 'votes'"),
    "negative": ([{**ITEM, "votes": [3, -1]}], "holds -1"),
    "infinite": (['{"id": 1, "q": {"text": "x"}, "expert": "y", "votes": [Infinity, 1]}'], "holds inf"),
    "true": ([{**ITEM, "votes": [True, 1]}], "holds True"),
    "zeros": ([{**ITEM, "votes": [0, 0]}], "all zeros"),
    "too many": ([{**ITEM, "votes": [1, 2, 3]}], "not a list of 2 numbers"),
    "unknown label": ([{**ITEM, "votes": {"maybe": 3}}], '"maybe" is not one of the labels yes, no'),
    "label twice": ([{**ITEM, "votes": {"y": 3, "yes": 1}}], "names the label 'yes' twice"),
    "doubled": ([ITEM, ITEM], "line 2: the uid '7' was there before"),
    "unknown reference": ([{**ITEM, "expert": "perhaps"}], '"perhaps" is not one of the labels'),
    "explanation label": ([{**ITEM, "why": [{"text": "x", "label": "?"}]}], "one of the labels"),
    "explanation text": ([{**ITEM, "why": [{"label": "y"}]}], "no text under 'text'"),
    "explanations": ([{**ITEM, "why": "because"}], "not a list of objects"),
    "half a character": (['{"id": 1, "q": {"text": "\\ud800"}, "votes": [1, 1], "expert": "y"}'], "surrogate"),
    "nothing": ([], "no items"),
}


@pytest.mark.parametrize("fault", BAD_ITEMS)
def test_bad_items_are_named_with_file_and_line(mine, fault):
    items, message = BAD_ITEMS[fault]
    with pytest.raises(InputError) as caught:
        load(mine(items=items))
    assert message in caught.value.message


BAD_TASKS = {
    "toml": ("name = ", "not valid TOML"),
    "name": (TASK.replace('"mine"', '"My Task"'), "name: "),
    "unknown key": ("colour = 1\n" + TASK, "colour: Extra inputs"),
    "one label": (TASK.replace('[[labels]]\nname = "no"\ntext = "No"\n', ""), "labels: "),
    "same label": (TASK.replace('"No"', '"Yes"'), "share a name, text or code"),
    "no votes": (TASK.replace('votes = "votes"\n', ""), "give one of 'votes'"),
    "reserved field": (TASK.replace("question =", "options ="), "field names are taken: options"),
    "name of Jinja's": (TASK.replace("question =", "self ="), "field names are taken: self"),
    "reserved reference": (TASK.replace("expert =", "uniform ="), "are taken"),
    "outside": (TASK.replace('"items.jsonl"', '"../../etc/passwd"'), "lies outside the task's folder"),
    "absolute": (TASK.replace('"items.jsonl"', '"/etc/passwd"'), "lies outside the task's folder"),
    "template outside": (TASK.replace('"prompt.jinja"', '"/etc/passwd"'), "lies outside the task's folder"),
    "no file": (TASK.replace('"items.jsonl"', '"absent.jsonl"'), "no such data file"),
    "no template": (TASK.replace('"prompt.jinja"', '"absent.jinja"'), "no such template"),
    "no builtin": (TASK.replace('"prompt.jinja"', '"builtin:nly"'), "no built-in template 'nly'"),
    "folder": ('folder = "/"\n' + TASK, "folder: is not set in the file"),
    "split": (TASK + '\n[[splits]]\nname = "a"\n', "give one of 'explanations' and 'rest'"),
    "dataset": (TASK.replace('file = "items.jsonl"', 'file = "x"\ndataset = "nope"'), "unknown dataset 'nope'"),
}


@pytest.mark.parametrize("fault", BAD_TASKS)
def test_bad_task_files_name_the_file_and_the_key(mine, fault):
    source, message = BAD_TASKS[fault]
    with pytest.raises(InputError) as caught:
        load(mine(task=source))
    assert message in caught.value.message
    result = judgeharness("eval", "--task", mine(task=source), "--backend", "baseline:uniform", "--store", "s.db")
    assert result.code == 2
    assert "Traceback" not in result.err


BAD_TEMPLATES = {
    "syntax": ("{{ question", "line 1"),
    "unknown": ("{{ premise }}", "'premise' is undefined"),
    "escape": ("{{ question.__class__.__mro__ }}", "unsafe"),
    "arithmetic": ("{{ 1 // 0 }}", "division"),
}


@pytest.mark.parametrize("fault", BAD_TEMPLATES)
def test_bad_templates_name_the_template(mine, fault):
    source, message = BAD_TEMPLATES[fault]
    with pytest.raises(InputError, match=r"prompt\.jinja") as caught:
        task = load(mine(template=source))
        task.template.render(task.items[0], task.labels, (0, 1))
    assert message in caught.value.message


def test_data_is_never_a_template(mine):
    task = load(mine(items=[{**ITEM, "q": {"text": "{{ 7 * 7 }} {% raw %}"}}]))
    assert task.template.render(task.items[0], task.labels, (0, 1))[0].content.startswith("{{ 7 * 7 }} {% raw %}\n")


def test_splits_of_a_users_task(mine):
    source = TASK + '\n[[splits]]\nname = "explained"\nexplanations = 1\n[[splits]]\nname = "others"\nrest = [0, 1]\n'
    path = mine(task=source, items=[ITEM, {**ITEM, "id": 8, "why": []}, {**ITEM, "id": 9, "why": []}])
    assert [item.uid for item in load(path).items] == ["7"]
    assert [item.uid for item in load(path, "others").items] == ["8"]
    with pytest.raises(UnknownNameError, match="unknown split of task mine 'other'"):
        load(path, "other")


def test_human_probabilities_instead_of_votes(mine):
    source = TASK.replace('votes = "votes"', 'human = "votes"')
    task = load(mine(task=source, items=[{**ITEM, "votes": [0.9, 0.1]}]))
    assert task.items[0].human == (0.9, 0.1)
    assert task.items[0].votes is None
    with pytest.raises(InputError, match="sums to 4, not to 1: are these 'votes'"):
        load(mine(task=source, items=[{**ITEM, "votes": [3, 1]}]))


def test_fields_that_are_empty_here_and_there_are_said(mine, tmp_path):
    texts = ["x", "", " \t", "y"]
    path = mine(
        task=TASK.replace("[items.fields]", '[items.fields]\ncontext = "context"'),
        items=[{**ITEM, "id": f"i{number}", "context": text} for number, text in enumerate(texts)],
    )
    done = judgeharness("eval", "--task", path, "--backend", "baseline:uniform", "--store", tmp_path / "s.db")
    assert done.code == 0, done.err
    assert done.err.splitlines() == ["mine: 2 of 4 items have an empty 'context'"]


def test_labels_that_are_no_values(mine):
    task = TASK.replace('name = "no"\ntext = "No"', 'name = "no"\ntext = "No"\ncodes = ["nan", "None"]')
    for value in ("NaN", "null"):
        line = json.dumps({**ITEM, "why": [{"text": "x", "label": "y"}]}).replace('"label": "y"', f'"label": {value}')
        with pytest.raises(InputError, match="is not one of the labels"):
            load(mine(task=task, items=[line]))


def test_the_digest_follows_the_judgments(mine):
    first = load(mine()).digest
    assert load(mine()).digest == first
    assert load(mine(items=[{**ITEM, "votes": [1, 1]}])).digest != first
    assert load(mine(items=[{**ITEM, "q": {"text": "other"}}])).digest == first


def test_windows_line_ends_a_byte_order_mark_and_blank_lines(mine, tmp_path):
    path = mine()
    (tmp_path / "items.jsonl").write_bytes(b"\xef\xbb\xbf" + json.dumps(ITEM).encode() + b"\r\n\r\n")
    assert len(load(path).items) == 1


def test_a_line_beyond_reason_is_refused(mine, monkeypatch):
    import judgeharness.tasks.records as module

    monkeypatch.setattr(module, "MAX_LINE_BYTES", 50)
    with pytest.raises(InputError, match="line 1: longer than 50 bytes"):
        load(mine())


def test_the_labels_of_varierrs_second_round_are_those_that_annotators_stood_by(folders):
    records = [json.loads(line) for line in (folders.own / "varierr" / "varierr.json").read_text().splitlines()]
    names = ("entailment", "neutral", "contradiction")
    stood = {}
    for record in records:
        stood[record["id"]] = [
            sum(
                judgment["makes_sense"]
                for entry in record[name]
                for judgment in entry["judgments"]
                if judgment["annotator"] == entry["annotator"]
            )
            for name in names
        ]
    task = bundled("varierr-round-2", folders)
    assert {item.uid: list(item.votes) for item in task.items} == {uid: row for uid, row in stood.items() if any(row)}
    assert len(task.items) == 498
    assert len(bundled("varierr", folders).items) == 500


def test_varierr_and_chaosnli_count_the_same_people(folders):
    chaos = {item.uid: item.human for item in bundled("chaosnli-mnli", folders).items}
    for item in bundled("varierr", folders).items:
        assert item.references["chaosnli"] == pytest.approx(chaos[item.uid])


def test_items_of_a_zip_archive_with_a_label_an_annotator(tmp_path):
    """The shape of SNLI: blanks are annotators who gave no label."""
    import zipfile

    lines = [
        {
            "pairID": "1",
            "sentence1": "a",
            "sentence2": "b",
            "annotator_labels": ["neutral", "entailment", "neutral", ""],
        },
        {"pairID": "2", "sentence1": "c", "sentence2": "d", "annotator_labels": ["contradiction"]},
    ]
    with zipfile.ZipFile(tmp_path / "s.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("snli_1.0/test.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    text = (shipped() / "snli" / "task.toml").read_text().replace('dataset = "snli"\n', "")
    text = text.replace("snli_1.0.zip", "s.zip").replace("snli_1.0/snli_1.0_test.jsonl", "snli_1.0/test.jsonl")
    (tmp_path / "task.toml").write_text(text)
    task = load_task(read_definition(tmp_path / "task.toml"), DataFolders(None, tmp_path), no_meter)
    assert [item.votes for item in task.items] == [(1, 2, 0), (0, 0, 1)]
    (tmp_path / "task.toml").write_text(text.replace("snli_1.0/test.jsonl", "elsewhere"))
    with pytest.raises(InputError, match="'elsewhere' cannot be read from this archive"):
        load_task(read_definition(tmp_path / "task.toml"), DataFolders(None, tmp_path), no_meter)
    (tmp_path / "s.zip").write_text("no archive")
    with pytest.raises(InputError, match="cannot be read from this archive"):
        load_task(read_definition(tmp_path / "task.toml"), DataFolders(None, tmp_path), no_meter)


def test_a_conversation_of_several_turns(tmp_path):
    (tmp_path / "system.jinja").write_text("You are {{ role }}.")
    (tmp_path / "ask.jinja").write_text("{{ t }}\n{% for o in options %}{{ o.letter }}. {{ o.text }} {% endfor %}")
    (tmp_path / "items.jsonl").write_text('{"uid": "1", "t": "x", "role": "a judge", "v": [1, 2]}\n')
    (tmp_path / "task.toml").write_text("""
name = "turns"
title = "Turns"
turns = [{role = "system", template = "system.jinja"}, {role = "user", template = "ask.jinja"}]
labels = [{name = "yes", text = "Yes"}, {name = "no", text = "No"}]
items = {file = "items.jsonl", votes = "v", fields = {t = "t", role = "role"}}
""")
    task = load_task(read_definition(tmp_path / "task.toml"), DataFolders(None, tmp_path), no_meter)
    messages = task.template.render(task.items[0], task.labels, (1, 0), (), False, "Write a poem.")
    assert messages == (
        Message("system", "You are a judge."),
        Message("user", "x\nA. No B. Yes \n\nWrite a poem."),
    )
    hashed = task.template.sha256
    (tmp_path / "system.jinja").write_text("You are not {{ role }}.")
    again = load_task(read_definition(tmp_path / "task.toml"), DataFolders(None, tmp_path), no_meter)
    assert again.template.sha256 != hashed
    shown = judgeharness(
        "prompts", "--task", str(tmp_path / "task.toml"), "--strategy", "no-explanation", "--format", "jsonl"
    )
    assert json.loads(shown.out.splitlines()[0])["messages"][0] == {"role": "system", "content": "You are not a judge."}


BAD_TURNS = {
    'template = "builtin:nli"\nturns = [{role = "user", template = "builtin:nli"}]': "give one of 'template'",
    "": "give one of 'template'",
    'turns = [{role = "assistant", template = "builtin:nli"}]': "the last of the turns is not the user's",
    'turns = [{role = "robot", template = "builtin:nli"}]': "turns.0.role",
}


@pytest.mark.parametrize("turns", BAD_TURNS)
def test_turns_that_cannot_be(turns, tmp_path):
    (tmp_path / "task.toml").write_text(f"""
name = "turns"
title = "Turns"
{turns}
labels = [{{name = "yes", text = "Yes"}}, {{name = "no", text = "No"}}]
items = {{file = "items.jsonl", votes = "v", fields = {{t = "t"}}}}
""")
    with pytest.raises(InputError, match=BAD_TURNS[turns]):
        read_definition(tmp_path / "task.toml")


def test_twenty_six_labels(tmp_path):
    rows = [{"uid": str(n), "t": f"t{n}", "v": {f"l{n}": 1, "l25": 2}} for n in range(3)]
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = judgeharness(
        "new-task", str(tmp_path / "items.jsonl"), "--labels", ",".join(f"l{n}" for n in range(26)), "--name", "many"
    )
    assert result.code == 0, result.err
    words = ("--task", str(tmp_path / "items.toml"), "--strategy", "no-explanation")
    assert "too many" in judgeharness("prompts", *words).err
    shown = judgeharness("prompts", *words, "-o", "option_orders=cyclic", "--limit", "1", "--format", "jsonl")
    assert len(shown.out.splitlines()) == 26
    done = judgeharness(
        "eval", *words, "-o", "option_orders=cyclic", "--backend", "llamacpp:smollm2", "--transform", "softmax"
    )
    assert done.code == 0, done.err
