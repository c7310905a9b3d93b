"""The file that `judgeharness report` writes, read back as text."""

import base64
import hashlib
import html
import html.parser
import json
import math
import re
import shlex
import sqlite3
import zlib

import pytest

from judgeharness.analysis.intervals import Interval
from judgeharness.backends.contract import BackendContext
from judgeharness.backends.hf.backend import HuggingFaceBackend
from judgeharness.backends.hf.options import HuggingFaceOptions
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import Message
from judgeharness.plugins.walls import Wall
from judgeharness.reports.page.html import _require_sound
from judgeharness.reports.page.report import Section
from judgeharness.reports.page.subjects import distinct
from judgeharness.reports.text import margin
from judgeharness.store.database import Store
from tests.helpers import judgeharness
from tests.reports.page.conftest import LABELS, NASTY
from tests.reports.page.test_packing import read_floats


class Parsed(html.parser.HTMLParser):
    """A page's elements: how often each is there, and what its scripts hold."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.attributes, self.text = [], [], [], []
        self._inside = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self._inside = dict(attrs) if tag in ("script", "style") else None
        if tag == "script":
            self.scripts.append([dict(attrs), ""])

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside is None:
            self.text.append(data)
        elif self.scripts and self.get_starttag_text().startswith("<script"):
            self.scripts[-1][1] += data

    @property
    def data(self):
        return json.loads(next(text for attrs, text in self.scripts if attrs.get("id") == "data"))


def report(made, *words):
    out = made.store.parent / "report.html"
    result = judgeharness("report", *words, "-o", out, "--task", made.task, "--store", made.store)
    assert result.code == 0, result.err
    assert result.out.startswith(f"{out}: ")
    text = out.read_text(encoding="utf-8")
    return text, Parsed(text)


def unpack(text):
    return json.loads(zlib.decompress(base64.b64decode(text)))


def test_the_data_in_the_file_is_what_is_in_the_store(made):
    _, page = report(made)
    (subject,) = page.data["subjects"]
    (items,) = page.data["items"]
    with sqlite3.connect(made.store) as connection:
        rows = connection.execute("SELECT uid, human, votes FROM items ORDER BY position").fetchall()
        assert subject["uids"] == [uid for uid, _, _ in rows]
        assert read_floats(subject["human"]) == [p for _, human, _ in rows for p in json.loads(human)]
        assert subject["votes"] == [json.loads(votes) for _, _, votes in rows]
        scores = dict(connection.execute("SELECT key, scores FROM scores").fetchall())
        masses = dict(connection.execute("SELECT key, mass FROM scores").fetchall())
        n_scores = 0
        assert {judge["run"] for judge in subject["judges"]} == {run["id"] for run in made.runs}
        for judge, asking in zip(subject["judges"], items["judges"], strict=True):
            query = "SELECT uid, probabilities, score_key FROM predictions WHERE run_id = ?"
            stored = {
                uid: (probabilities, key) for uid, probabilities, key in connection.execute(query, (judge["run"],))
            }
            expected = [p for uid in subject["uids"] for p in json.loads(stored[uid][0])]
            assert read_floats(judge["model"]) == expected
            if asking is None:
                assert judge["strategy"] is None
                continue
            for uid, answer in items["askings"][asking]["answers"].items():
                key = stored[uid][1]
                assert read_floats(answer["scores"]) == [s for row in json.loads(scores[key]) for s in row]
                assert read_floats(answer["mass"]) == json.loads(masses[key])
                n_scores += 1
        assert n_scores == 2 * 2 * 12
    connection.close()
    assert len(items["askings"]) == 2


def test_prompts_are_those_that_were_sent(made, tmp_path):
    _, page = report(made, made.run("serial-explicit"), made.run("serial-explicit", "norm"))
    (items,) = page.data["items"]
    (asking,) = items["askings"]
    assert items["judges"] == [0, 0]
    shown = judgeharness("prompts", "--task", made.task, "--strategy", "serial-explicit", "--format", "jsonl")
    expected = [json.loads(line) for line in shown.out.splitlines()]
    for uid, answer in asking["answers"].items():
        prompts = unpack(items["prompts"][answer["prompts"]])
        own = [line for line in expected if line["uid"] == uid]
        assert prompts["messages"] == [[["user", line["content"]]] for line in own]
        named = [[LABELS[label] for label in options] for options in prompts["options"]]
        assert named == [[label.lower() for label in line["options"]] for line in own]
        assert prompts["explanations"] == [line["explanations"] for line in own]
    before, after = asking["around"]
    backend = HuggingFaceBackend("smollm2", HuggingFaceOptions(), BackendContext(tmp_path, print))
    sent = [backend.chat.render([Message("user", line["content"])]) for line in expected]
    assert sent == [before + line["content"] + after for line in expected]


def test_text_from_outside_is_text(made):
    text, page = report(made, "--title", NASTY)
    assert "img" not in page.tags
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert '<script>document.title = "broken"' not in text
    assert NASTY in "".join(page.text)
    (items,) = page.data["items"]
    assert items["texts"][0]["fields"]["premise"] == NASTY


def test_nothing_but_its_own_scripts_may_run_and_nothing_is_fetched(made):
    text, page = report(made)
    policy = next(value for name, value in page.attributes if name == "content" and "default-src" in value)
    assert "default-src 'none'" in policy
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    scripts = [body for attrs, body in page.scripts if "type" not in attrs]
    assert {base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in scripts} == allowed
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert not {name for name, _ in page.attributes} & {"src", "srcset"}
    assert "link" not in page.tags
    assert all(value.startswith("#") for name, value in page.attributes if name == "href")
    assert text.startswith("<!doctype html>")


def test_texts_can_be_left_out(made):
    text, page = report(made, "--no-text")
    (items,) = page.data["items"]
    assert items["texts"] is None
    packs = [unpack(pack) for pack in items["prompts"].values()]
    assert packs
    assert all(pack["messages"] is None and pack["written"] == [] and "shown" not in pack for pack in packs)
    whole = text + json.dumps(packs)
    for words in ("sold bread", "there was bread", "Sold means", "does not say when", "Please determine"):
        assert words not in whole
    assert "are left out of this file" in "".join(page.text)
    assert read_floats(items["askings"][0]["answers"]["item 3"]["scores"])


def test_folders_of_this_machine_stay_here(made):
    text, _ = report(made)
    assert str(made.store.parent) not in text.replace(str(made.task), "")
    assert "site-packages" not in text


def test_the_command_that_it_names_makes_the_run_again(made):
    text, _ = report(made)
    commands = [html.unescape(each) for each in re.findall(r'<pre class="command">(.*?)</pre>', text)]
    assert len(commands) == len(made.runs)
    (command,) = (each for each in commands if "--strategy no-explanation --transform norm" in each)
    program, *arguments = shlex.split(command)
    assert program == "judgeharness"
    again = judgeharness(*arguments, "--store", made.store.parent / "again.db", "--format", "json")
    assert again.code == 0, again.err
    (run,) = json.loads(again.out)["runs"]
    then = next(each for each in made.runs if each["id"] == made.run("no-explanation", "norm"))
    assert run["metrics"] == pytest.approx(then["metrics"], abs=1e-5)


def test_numbers_are_those_of_the_console(made):
    _, page = report(made)
    words = "".join(page.text)
    board = json.loads(judgeharness("leaderboard", "--store", made.store, "--published", "--format", "json").out)
    for run in board["runs"]:
        for name, value in run["metrics"].items():
            ends = run["intervals"][name]
            assert margin(value, Interval(*ends) if ends else None) in words
            assert f"{value:.3f}" in words
    for row in board["references"]:
        assert row["name"] in words
        assert all(f"{value:.3f}" in words for value in row["metrics"].values())


PLUGIN = """
from judgeharness import hookimpl
from judgeharness.reports.page.report import Section
from judgeharness.reports.page.templates import html
from judgeharness.plugins.specs import SectionSpec

@hookimpl
def judgeharness_sections():
    return [SectionSpec(name="ours-count", summary="a count", target=__name__ + ":section")]

def section(report):
    {body}
"""


def plugged(made, body, name="ours_sections"):
    plugin = made.store.parent / f"{name}.py"
    plugin.write_text(PLUGIN.format(body=body))
    out = made.store.parent / "plugged.html"
    return out, judgeharness("--plugin", plugin, "report", "-o", out, "--task", made.task, "--store", made.store)


def test_a_plugin_adds_a_section_with_a_script(made):
    body = (
        "return Section('Ours', f'<p>{len(report.subjects[0].judges)} judges</p>', data={'n': 7}, "
        "script='document.title = JudgeHarness.data[\"ours-count\"].n;')"
    )
    out, result = plugged(made, body)
    assert result.code == 0, result.err
    page = Parsed(out.read_text(encoding="utf-8"))
    assert page.data["ours-count"] == {"n": 7}
    assert "6 judges" in "".join(page.text)
    assert ("href", "#ours-count") in page.attributes


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return None", None),
        ("return 'text'", "it gives str, not a Section"),
        ("raise ValueError('oh')", "failed in 'section': ValueError: oh"),
    ],
)
def test_a_section_that_fails_is_named_and_nothing_is_written(made, body, said):
    out, result = plugged(made, body, f"ours_{len(body)}")
    if said is None:
        assert result.code == 0, result.err
        return
    assert result.code == 1
    assert said in result.err
    assert not out.exists()


def test_bad_input_is_said_and_an_older_file_stays(made, tmp_path):
    out = tmp_path / "old.html"
    out.write_text("old")
    unknown = judgeharness("report", "ffffffffffff", "-o", out, "--store", made.store)
    assert unknown.code == 2
    Store.open(tmp_path / "new.db").close()
    empty = judgeharness("report", "-o", out, "--store", tmp_path / "new.db")
    assert empty.code == 2
    assert "there are no runs to report" in empty.err
    gone = judgeharness("report", "-o", out, "--task", tmp_path / "no.toml", "--store", made.store)
    assert gone.code == 2
    assert out.read_text() == "old"
    nowhere = judgeharness("report", "-o", tmp_path / "no" / "r.html", "--task", made.task, "--store", made.store)
    assert nowhere.code == 2
    assert "there is no folder" in nowhere.err
    missing = judgeharness("report", "--store", made.store)
    assert missing.code == 2


def test_a_task_that_has_changed_since_is_said(made):
    path = made.task.with_suffix(".jsonl")
    path.write_text(path.read_text().replace("Shop 3 sold", "Shop 3 gave away"))
    result = judgeharness("report", "-o", made.store.parent / "r.html", "--task", made.task, "--store", made.store)
    assert result.code == 2
    assert "are not what they were" in result.err


def test_the_reporter_html_is_a_page_with_the_leaderboard(made):
    result = judgeharness("leaderboard", "--store", made.store, "--format", "html")
    assert result.code == 0, result.err
    page = Parsed(result.out)
    assert page.data == {"subjects": []}
    assert "hf:smollm2" in "".join(page.text)
    assert len(result.out) < 100_000


def test_what_could_not_be_read_is_there_to_be_looked_at(made):
    words = ("--backend", "hf:smollm2", "-o", "device=cpu", "--strategy", "verbalized", "-o", "answer_tokens=3")
    done = judgeharness("eval", "--task", made.task, *words, "--limit", "1", "--store", made.store, "--format", "json")
    assert done.code == 1, done.err
    _, page = report(made, json.loads(done.out)["runs"][0]["id"])
    (judge,) = page.data["subjects"][0]["judges"]
    assert list(judge["failures"]) == ["item 0"]
    assert all(value != value for value in read_floats(judge["model"]))
    (asking,) = page.data["items"][0]["askings"]
    answer = asking["answers"]["item 0"]
    assert answer["kind"] == "read"
    assert not any(read_floats(answer["scores"]))
    prompts = unpack(page.data["items"][0]["prompts"][answer["prompts"]])
    assert [len(texts) for texts in prompts["written"]] == [6]


def test_judges_of_the_same_name_are_told_apart():
    assert distinct(["a", "b", "a"], ["1234567", "2345678", "3456789"]) == ["a [123456]", "b", "a [345678]"]


@pytest.mark.parametrize(
    "section", [Section("t", 5), Section(b"t", "b"), Section("t", "b", data=object()), Section("t", "b", [math.nan])]
)
def test_a_section_that_is_not_sound_is_named(section):
    with pytest.raises(HarnessError, match="section 'mine' of somebody breaks its contract"):
        _require_sound(Wall("section 'mine' of somebody", "section"), "mine", section)
