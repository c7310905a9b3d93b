"""Whatever a user or a file gets wrong: one or two lines that name the culprit, the right exit code, nothing lost.

A row is: what it is about, the words, the exit code, and what the message has to name. FILES are written beside the store
in which the rows work; "S" stands for that store.
"""

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import struct
import threading
import time
from pathlib import Path

import pytest

from judgeharness.store.schema import APPLICATION_ID
from tests.helpers import judgeharness
from tests.memory import forget, peak

TASK = """
name = "mine"
title = "Mine"
template = "good.jinja"
labels = [{name = "yes", text = "Yes"}, {name = "no", text = "No"}]
items = {file = "good.jsonl", uid = "uid", votes = "v", fields = {t = "t"}}
"""
ITEM = {"uid": "a", "t": "x", "v": [1, 3]}
DEEP = "[" * 100_000


def task(old, new, text=TASK):
    assert old in text
    return text.replace(old, new)


def lines(*records):
    return "\n".join(record if isinstance(record, str) else json.dumps(record) for record in records) + "\n"


def item(**more):
    return {**ITEM, **more}


def safetensors(header: bytes, size: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if size is None else size) + header


TASKS = {
    "no such file": (None, "no such task file"),
    "empty": ("", "name: Field required"),
    "no TOML": ("name = ", "not valid TOML"),
    "not UTF-8": (b"name = '\xff'", "cannot be read"),
    "a zero byte": ("name = 'a\0b'", "not valid TOML"),
    "deep": (f"x = {DEEP}", "not valid TOML"),
    "large": ("#" * (1 << 21), "larger than"),
    "a wrong type": (task('title = "Mine"', "title = 3"), "title"),
    "an unknown key": (TASK + 'colour = "red"\n', "colour"),
    "its folder": (TASK + 'folder = "/"\n', "folder: is not set in the file"),
    "a bad name": (task('"mine"', '"My Task"'), "name"),
    "an escape in its name": (task('"mine"', '"\\u001b[31m"'), "name"),
    "no label": (task("labels = [", "labels = [] #"), "labels"),
    "one label": (task(', {name = "no", text = "No"}', ""), "labels"),
    "27 labels": (
        task("labels = [", "labels = [" + "".join(f'{{name = "l{n}", text = "T{n}"}}, ' for n in range(25))),
        "labels",
    ),
    "labels that look the same": (task('name = "no", text = "No"', 'name = "yes ", text = "No"'), "white space"),
    "a blank label": (task('name = "no"', 'name = " "'), "labels.1.name"),
    "twice the same label": (task('name = "no", text = "No"', 'name = "yes", text = "Yes"'), "two labels share"),
    "no wording": (task('template = "good.jinja"', ""), "template"),
    "wording and turns": (
        TASK + '[[turns]]\nrole = "user"\ntemplate = "good.jinja"\n',
        "'template' (one turn) and 'turns'",
    ),
    "the assistant last": (
        task('template = "good.jinja"', "") + '[[turns]]\nrole = "assistant"\ntemplate = "good.jinja"\n',
        "last of the turns",
    ),
    "another role": (
        task('template = "good.jinja"', "") + '[[turns]]\nrole = "god"\ntemplate = "good.jinja"\n',
        "role",
    ),
    "no votes": (task(', votes = "v"', ""), "items"),
    "votes and distributions": (task('votes = "v"', 'votes = "v", human = "v"'), "items"),
    "no data file": (task('"good.jsonl"', '"absent.jsonl"'), "absent.jsonl: no such data file"),
    "data above": (task('"good.jsonl"', '"../secret.jsonl"'), "lies outside the task's folder"),
    "data anywhere": (task('"good.jsonl"', '"/etc/passwd"'), "lies outside the task's folder"),
    "data behind a link": (task('"good.jsonl"', '"link.jsonl"'), "lies outside the task's folder"),
    "data in a circle": (task('"good.jsonl"', '"circle"'), "circle"),
    "data in a folder": (task('"good.jsonl"', '"folder"'), "is a folder, not a file"),
    "data in a pipe": (task('"good.jsonl"', '"pipe"'), "is a pipe, not a file"),
    "a name with a zero byte": (task('"good.jsonl"', '"a\\u0000b"'), "not a file name"),
    "a very long name": (task('"good.jsonl"', f'"{"a" * 5000}"'), "not a file name"),
    "wording above": (task('"good.jinja"', '"../../etc/hostname"'), "lies outside the task's folder"),
    "no such wording": (task('"good.jinja"', '"absent.jinja"'), "absent.jinja: no such template"),
    "no such built-in wording": (task('"good.jinja"', '"builtin:absent"'), "no built-in template"),
    "an unknown dataset": (task('{file = "good.jsonl"', '{dataset = "mars", file = "good.jsonl"'), "mars"),
    "a field that is not there": (task('{t = "t"}', '{t = "absent"}'), "absent"),
    "votes that are not there": (task('votes = "v"', 'votes = "absent"'), "absent"),
    "a split that is none": (TASK + '[[splits]]\nname = "x"\n', "splits"),
    "a split of nothing": (TASK + '[[splits]]\nname = "x"\nexplanations = 4\n', "no items in the split"),
    "a reserved reference": (TASK + '[references]\nhuman = "v"\n', "are taken"),
}

ITEMS = {
    "no items": (lines(), "no items"),
    "no JSON": (lines("{"), "line 1: not valid JSON"),
    "no object": (lines("[1]"), "line 1"),
    "deep": (lines(DEEP), "line 1: not valid JSON"),
    "a deep object": (lines('{"a":' * 50_000), "line 1: not valid JSON"),
    "not UTF-8": (b'{"uid": "\xff"}\n', "line 1: not UTF-8"),
    "UTF-16": (json.dumps(ITEM).encode("utf-16"), "line 1"),
    "a very long line": (lines(item(t="x" * (1 << 25))), "line 1: longer than"),
    "a number of a million digits": (lines('{"uid": "a", "t": "x", "v": [1, ' + "9" * 1_000_000 + "]}"), "line 1"),
    "no uid": (lines({"t": "x", "v": [1, 2]}), "uid"),
    "a uid that is a list": (lines(item(uid=["a"])), "field 'uid'"),
    "a uid twice": (lines(ITEM, ITEM), "line 2: the uid 'a' was there before"),
    "an escape in a uid": (lines(item(uid="\x1b[31m"), item(uid="\x1b[31m")), "\\x1b[31m"),
    "no text": (lines({"uid": "a", "v": [1, 2]}), "'t'"),
    "a text that is an object": (lines(item(t={})), "field 't'"),
    "half a surrogate pair": (lines('{"uid": "a", "t": "\\ud800", "v": [1, 2]}'), "surrogate"),
    "a vote too few": (lines(item(v=[1])), "list of 2 numbers"),
    "a vote too many": (lines(item(v=[1, 2, 3])), "list of 2 numbers"),
    "votes in words": (lines(item(v=["one", "two"])), "not a number of 0 or more"),
    "negative votes": (lines(item(v=[-1, 2])), "not a number of 0 or more"),
    "votes that are true": (lines(item(v=[True, 2])), "not a number of 0 or more"),
    "votes that are no number": (lines('{"uid": "a", "t": "x", "v": [NaN, 1]}'), "not a number of 0 or more"),
    "infinitely many votes": (lines('{"uid": "a", "t": "x", "v": [1e999, 1]}'), "not a number of 0 or more"),
    "votes with underscores": (lines(item(v=["1_0", 1])), "not a number of 0 or more"),
    "votes in wide digits": (lines(item(v=["\uff11\uff10", 1])), "not a number of 0 or more"),
    "votes for nobody": (lines(item(v=[0, 0])), "empty or all zeros"),
    "votes by unknown labels": (lines(item(v={"yes": 1, "maybe": 2})), "maybe"),
    "votes that are null": (lines(item(v=None)), "field 'v'"),
    "votes by a label twice": ('{"uid": "a", "t": "x", "v": {"yes": 0, "Yes": 2}}', "names the label 'yes' twice"),
    "a text that is no number": (lines(ITEM, item(uid="b", t=float("nan"))), "line 2: field 't' is NaN, not text"),
    "an infinite text": (lines(item(t=-float("inf"))), "line 1: field 't' is -Infinity, not text"),
    "a uid that is no number": (lines(item(uid=float("nan"))), "line 1: field 'uid' is NaN, not text"),
    "a blank uid": (lines(item(uid=" ")), "line 1: field 'uid' is blank"),
    "uids that are the same number": (
        lines(item(uid=1), item(uid=1.0)),
        "line 2: the uid '1.0' was there before as '1'",
    ),
    "a key twice": ('{"uid": "a", "t": "x", "t": "y", "v": [1, 2]}', 'line 1: the key "t" is there twice'),
    "a key twice, deep in what is not used": (lines(ITEM, '{"x": [{"y": {"z": 1, "z": 1}}]}'), 'line 2: the key "z"'),
    "no words": (lines(ITEM, item(uid="b", t=" \u3000\n")), "line 2: nothing to judge"),
}

WORDINGS = {
    "a syntax error": ("{{ t", "line 1"),
    "an unknown tag": ("{% explode %}", "unknown tag"),
    "an unknown filter": ("{{ t|explode }}", "explode"),
    "a name that is not there": ("{{ colour }}", "'colour' is undefined"),
    "Python's insides": ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
    "the globals of a function": ("{{ range.__globals__ }}", "unsafe"),
    "another file": ("{% include '/etc/passwd' %}", "takes in no other template"),
    "an import": ("{% import 'os' as os %}", "takes in no other template"),
    "a macro": ("{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}", "has no macros"),
    "a block": ("{% block a %}{% endblock %}", "has no blocks"),
    "a large power": ("{{ 9**9**9 }}", "for numbers up to"),
    "a long text": ("{{ 'a' * 1000000000 }}", "for numbers up to"),
    "a padded text": ("{{ t.ljust(1000000000) }}", "of such a length"),
    "a formatted text": ("{{ '{:1000000000}'.format(t) }}", "of such a length"),
    "a percent sign": ("{{ '%1000000000d' % 1 }}", "for numbers up to"),
    "a padding filter": ("{{ t|center(1000000000) }}", "center"),
    "long loops": ("{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}", "too often"),
    "a longer loop": ("{% for a in range(99999999) %}x{% endfor %}", "of such a length"),
    "deep loops": (
        "{% for a in t %}{% for b in t %}{% for c in t %}{% for d in t %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
        "3 deep",
    ),
    "a division by zero": ("{{ 1 / 0 }}", "division by zero"),
    "a change of what it was given": ("{{ options.append(1) }}", "unsafe"),
    "a large file": ("x" * (1 << 17), "larger than"),
    "not UTF-8": (b"\xff", "cannot be read"),
}

PREDICTIONS = {
    "p.csv": ("uid,yes\na,1\n", "no column no"),
    "empty.csv": ("", "no column"),
    "words.csv": ("uid,yes,no\na,one,two\n", "not a number"),
    "short.csv": ("uid,yes,no\na,1\n", "a: has 2 cells where the header has 3 (line 2)"),
    "twice.csv": ("uid,yes,no\na,1,0\na,0,1\n", "is there twice"),
    "other.csv": ("uid,yes,no\nb,1,0\n", "is missing"),
    "wide.csv": ("uid,yes,no\na," + "1" * 200_000 + ",0\n", "cannot be read"),
    "null.csv": ("uid,yes,no\na\0,1,0\n", ""),
    "formula.csv": ("uid,yes,no\n=cmd|' /C calc'!A0,1,0\n", "is not an item"),
    "p.json": ("[1]", "not an object"),
    "deep.json": (DEEP, "cannot be read"),
    "sum.json": ('{"a": {"predicted_probabilities": [0.5, 0.6]}}', "sum to 1.1"),
    "negative.json": ('{"a": {"predicted_probabilities": [1.5, -0.5]}}', "below 0"),
    "nan.json": ('{"a": {"predicted_probabilities": [NaN, 1]}}', "not finite"),
    "large.json": ('{"a": {"predicted_probabilities": [1' + "0" * 400 + ", 1]}}", "not finite"),
    "digits.json": ('{"a": {"predicted_probabilities": [1' + "0" * 9000 + ", 1]}}", "cannot be read"),
    "models.json": ('{"m": {"a": {"predicted_probabilities": [1, 0]}}, "n": {"a": 1}}', "name one with -o model"),
    "label.json": ('{"a": {"predicted_probabilities": [1, 0], "predicted_label": "x"}}', "is not a label"),
    "p.jsonl": ('{"probabilities": [1, 0]}\n', "line 1"),
    "bytes.jsonl": (b"\xff\xfe", "not UTF-8"),
    "p.txt": ("a", "is not one of"),
}

EXPLANATIONS = {
    "none": ("", "no explanations"),
    "no list": (lines({"uid": "a", "explanations": "because"}), "'explanations' is not a list"),
    "no text": (lines({"uid": "a", "explanations": [{"label": "yes"}]}), "no 'text'"),
    "a text that is no number": (
        lines({"uid": "a", "explanations": [{"text": float("nan"), "label": "yes"}]}),
        "no 'text'",
    ),
    "a label that is no number": (
        lines({"uid": "a", "explanations": [{"text": "x", "label": float("nan")}]}),
        "no 'label'",
    ),
    "a key twice": (
        '{"uid": "a", "explanations": [{"text": "x", "label": "yes", "label": "no"}]}',
        'line 1: the key "label"',
    ),
    "no label": (lines({"uid": "a", "explanations": [{"text": "x"}]}), "no 'label'"),
    "a long one": (lines({"uid": "a", "explanations": [{"text": "x" * 30_000, "label": "yes"}]}), "characters"),
    "another label": (lines({"uid": "a", "explanations": [{"text": "x", "label": "perhaps"}]}), "perhaps"),
    "of other items": (lines({"uid": "z", "explanations": [{"text": "x", "label": "yes"}]}), "about none"),
    "a uid twice": (lines(*[{"uid": "a", "explanations": []}] * 2), "was there before"),
    "half a surrogate pair": ('{"uid": "a", "explanations": [{"text": "\\ud800", "label": "yes"}]}', "surrogate"),
}

MODELS = {
    "empty.gguf": (b"", "not a GGUF file"),
    "text.gguf": (b"hello" * 100, "not a GGUF file"),
    "cut.gguf": (b"GGUF\x03\0\0\0", "cut.gguf"),
    "huge.gguf": (b"GGUF" + struct.pack("<IQQ", 3, 1 << 62, 1 << 62), "huge.gguf"),
    "long.gguf": (b"GGUF" + struct.pack("<IQQQ", 3, 1, 1, 1 << 60) + b"x" * 100, "long.gguf"),
    "old.gguf": (b"GGUF" + struct.pack("<IQQ", 99, 0, 0), "old.gguf"),
    "part-00001-of-00002.gguf": (b"GGUF", "part-00002-of-00002.gguf is not beside it"),
}

PLUGINS = {
    "syntax.py": ("def (", "SyntaxError"),
    "raises.py": ("raise RuntimeError('\\x1b[31mno')", "RuntimeError"),
    "exits.py": ("raise SystemExit(3)", "SystemExit"),
    "no_hook.py": ("x = 1", "implements none of the hooks"),
    "no_list.py": (
        "from judgeharness import hookimpl\n@hookimpl\ndef judgeharness_metrics(): return 'x'",
        "not a list",
    ),
    "no_spec.py": (
        "from judgeharness import hookimpl\n@hookimpl\ndef judgeharness_metrics(): return [1]",
        "not a MetricSpec",
    ),
    "bad_name.py": (
        "from judgeharness import hookimpl\nfrom judgeharness.plugins.specs import TaskSpec\n@hookimpl\ndef judgeharness_tasks():"
        " return [TaskSpec(name='A B', summary='x', target='a:b')]",
        "is not made of",
    ),
    "bad_target.py": (
        "from judgeharness import hookimpl\nfrom judgeharness.plugins.specs import TaskSpec\n@hookimpl\ndef judgeharness_tasks():"
        " return [TaskSpec(name='ab', summary='x', target='os.system')]",
        "is not 'module:object'",
    ),
    "bad_flag.py": (
        "from judgeharness import hookimpl\nfrom judgeharness.plugins.specs import ExecutorSpec, Flag\n@hookimpl\n"
        "def judgeharness_executors(): return [ExecutorSpec(name='ab', summary='x', target='a:b',"
        " flags=(Flag('A b', 'x', 'X', 'x'),))]",
        "is not an option name",
    ),
    "fails_in_hook.py": (
        "from judgeharness import hookimpl\n@hookimpl\ndef judgeharness_tasks(): return 1 / 0",
        "ZeroDivision",
    ),
    "unknown_hook.py": (
        "from judgeharness import hookimpl\n@hookimpl\ndef judgeharness_horses(): return []",
        "judgeharness_horses",
    ),
}

EVAL = ("eval", "--task", "nli-sample", "--store", "S")
BASE = (*EVAL, "--backend", "baseline:uniform")
USAGE = {
    "no command": (("frobnicate",), 2, "frobnicate"),
    "nearly a command": (("evl",), 2, "did you mean eval"),
    "an unknown option": ((*BASE, "--colour", "red"), 2, "--colour"),
    "nearly an option": ((*BASE, "--limt", "3"), 2, "--limt"),
    "a word too much": ((*BASE, "extra"), 2, "extra"),
    "no task": (("eval", "--backend", "baseline:uniform"), 2, "--task"),
    "no backend": (("eval", "--task", "nli-sample"), 2, "--backend"),
    "a command alone": (("eval",), 2, "--task"),
    "a plugin without its name": (("eval", "--plugin"), 2, "--plugin"),
    "an option without its value": (("eval", "--task"), 2, "--task"),
    "a limit of 0": ((*BASE, "--limit", "0"), 2, "--limit"),
    "a limit in words": ((*BASE, "--limit", "ten"), 2, "--limit"),
    "a temperature of 0": ((*BASE, "--temperature", "0"), 2, "--temperature"),
    "a temperature that is no number": ((*BASE, "--temperature", "nan"), 2, "--temperature"),
    "an infinite temperature": ((*BASE, "--temperature", "inf"), 2, "--temperature"),
    "an unknown format": ((*BASE, "--format", "yaml"), 2, "yaml"),
    "an unknown task": (("eval", "--task", "chaosnly", "--backend", "baseline:uniform"), 2, "did you mean chaosnli"),
    "an unknown split": ((*BASE, "--split", "dev"), 2, "dev"),
    "an unknown backend": ((*EVAL, "--backend", "hg:llama3"), 2, "hg"),
    "a backend without a model": ((*EVAL, "--backend", "baseline"), 2, "names no model"),
    "an unknown baseline": ((*EVAL, "--backend", "baseline:unifrom"), 2, "unifrom"),
    "an unknown strategy": ((*EVAL, "--backend", "hf:smollm2", "--strategy", "paralel"), 2, "did you mean parallel"),
    "an unknown transform": ((*BASE, "--transform", "softmx"), 2, "softmx"),
    "an unknown metric": ((*BASE, "--metric", "jds"), 2, "jds"),
    "a metric for ordered labels": ((*BASE, "--metric", "wasserstein"), 2, "have none"),
    "an unknown executor": ((*BASE, "--executor", "slurm"), 2, "slurm"),
    "a model without a strategy": ((*EVAL, "--backend", "hf:smollm2"), 2, "needs at least one --strategy"),
    "-o without a value": ((*BASE, "-o", "device"), 2, "not of the form key=value"),
    "-o twice": ((*BASE, "-o", "a=1", "-o", "a=2"), 2, "given twice"),
    "-o for nobody": ((*BASE, "-o", "colour=red"), 2, "unknown option 'colour'"),
    "-o of a wrong kind": (
        (*EVAL, "--backend", "hf:smollm2", "--strategy", "no-explanation", "-o", "dtype=int3"),
        2,
        "dtype",
    ),
    "-o beyond its range": (
        (*EVAL, "--backend", "hf:smollm2", "--strategy", "no-explanation", "-o", "batch_tokens=0"),
        2,
        "batch_tokens",
    ),
    "a strategy that does not fit": (
        ("eval", "--task", "good.toml", "--backend", "hf:smollm2", "--strategy", "parallel"),
        2,
        "have no explanations",
    ),
    "no such model file": ((*EVAL, "--backend", "hf:./absent.gguf", "--strategy", "no-explanation"), 2, "absent.gguf"),
    "no such model folder": ((*EVAL, "--backend", "hf:/no/where", "--strategy", "no-explanation"), 2, "/no/where"),
    "a folder that is no model": (
        (*EVAL, "--backend", "hf:./folder", "--strategy", "no-explanation"),
        2,
        "config.json",
    ),
    "pickled weights": ((*EVAL, "--backend", "hf:./pickled", "--strategy", "no-explanation"), 1, "can run code"),
    "an address with a password": (
        (*EVAL, "--backend", "openai:m@http://me:secret@localhost/v1", "--strategy", "no-explanation"),
        2,
        "base_url",
    ),
    "nobody at an address": (
        (*EVAL, "--backend", "openai:m@http://127.0.0.1:9/v1", "--strategy", "no-explanation", "-o", "attempts=1"),
        1,
        "127.0.0.1",
    ),
    "an address of another kind": (
        (*EVAL, "--backend", "openai:m", "--strategy", "no-explanation", "-o", "base_url=ftp://x"),
        2,
        "base_url",
    ),
    "a body that is no JSON": (
        (*EVAL, "--backend", "openai:m", "--strategy", "no-explanation", "-o", "extra_body={"),
        2,
        "extra_body",
    ),
    "a store in no folder": (
        ("eval", "--task", "nli-sample", "--backend", "baseline:uniform", "--store", "no/s.db"),
        2,
        "no/s.db",
    ),
    "a store that is a folder": ((*BASE[:3], *BASE[5:], "--store", "folder"), 2, "not a place for a file"),
    "a store that is a device": ((*BASE[:3], *BASE[5:], "--store", "/dev/null"), 2, "not a place for a file"),
    "a store that is a pipe": ((*BASE[:3], *BASE[5:], "--store", "pipe"), 2, "not a place for a file"),
    "a store with a very long name": ((*BASE[:3], *BASE[5:], "--store", "s" * 5000), 2, "the name is too long"),
    "a store that is a text": ((*BASE[:3], *BASE[5:], "--store", "good.jsonl"), 2, "not an SQLite file"),
    "a store of another program": (("leaderboard", "--store", "foreign.db"), 2, "of another program"),
    "a store of the future": (("leaderboard", "--store", "future.db"), 1, "newer judgeharness"),
    "a store with a trigger": (("leaderboard", "--store", "trigger.db"), 1, "trigger 'evil'"),
    "a store that is cut off": (("leaderboard", "--store", "cut.db"), 1, "cut.db"),
    "no store": (("leaderboard", "--store", "absent.db"), 2, "no store there"),
    "no such run": (("show", "zzzz", "--store", "S"), 2, "no run 'zzzz'"),
    "runs that begin alike": (("show", "", "--store", "S"), 2, "fits 2 runs"),
    "a wild card in a run's name": (("show", "%", "--store", "S"), 2, "no run '%'"),
    "SQL in a run's name": (("show", "x' OR '1'='1", "--store", "S"), 2, "no run"),
    "an escape in a run's name": (("show", "\x1b[31m", "--store", "S"), 2, "\\x1b[31m"),
    "a run that asked nothing": (("bias", "UNIFORM", "--store", "S"), 2, "asked no prompts"),
    "an unknown measure to sort by": (("leaderboard", "--sort", "beauty", "--store", "S"), 2, "beauty"),
    "no runs of that kind": (("leaderboard", "--backend", "nobody:*", "--store", "S"), 2, "none of the 2 runs"),
    "nothing to compare": (("compare", "--store", "S"), 2, "RUN"),
    "a measure of all items": (("compare", "UNIFORM", "HUMAN", "--by", "dcor", "--store", "S"), 2, "dcor"),
    "an unknown kind to list": (("list", "horses"), 2, "horses"),
    "prompts of no strategy": (("prompts", "--task", "nli-sample", "--strategy", "x"), 2, "x"),
    "one backend alone": (
        ("parity", "--task", "nli-sample", "--strategy", "no-explanation", "--backend", "hf:smollm2"),
        2,
        "two or more",
    ),
    "an unknown dataset": (("data", "fetch", "mars"), 2, "mars"),
    "a mirror for all": (("data", "fetch", "--url", "http://x"), 2, "--url"),
    "an unknown suite": (("reproduce", "emnlp1066", "--backend", "hf:smollm2"), 2, "emnlp1066"),
    "no suite file": (("run", "absent.toml"), 2, "absent.toml"),
    "a suite that is a task": (("run", "good.toml"), 2, "good.toml"),
    "a plot of nothing": (("plot", "horse", "--store", "S"), 2, "horse"),
    "a plot without its file": (
        ("plot", "ternary", "UNIFORM", "--out", "no/where.png", "--store", "S"),
        2,
        "no/where.png",
    ),
    "a set that is not there": ((*BASE, "--explanations", "abcdef"), 2, "abcdef"),
    "no file of explanations": ((*BASE, "--explanations", "absent.jsonl"), 2, "absent.jsonl"),
    "a plugin that is not there": (("list", "tasks", "--plugin", "absent.py"), 2, "absent.py: no such file"),
    "a module that is not there": (("list", "tasks", "--plugin", "absent_module"), 2, "no such module"),
    "a plugin's folder": (("new-plugin", "metric", "x", "--out", "S"), 2, "'S' is a file"),
    "merge with itself": (("merge", "S", "--store", "S"), 2, "with itself"),
    "merge of nothing": (("merge", "--store", "S"), 2, "STORE"),
    "merge of a text": (("merge", "good.jsonl", "--store", "S"), 2, "good.jsonl"),
    "a negative tolerance": (("merge", "foreign.db", "--tolerance", "-1", "--store", "S"), 2, "--tolerance"),
    "a rescue onto a store": (("store", "rescue", "--to", "S", "--store", "foreign.db"), 2, "is a database"),
    "a backup onto a store": (("store", "backup", "--to", "foreign.db", "--store", "S"), 2, "is a database"),
    "a check of nothing": (("store", "check", "--store", "absent.db"), 2, "no store there"),
    "no part of a whole": ((*BASE, "--shard", "3/2"), 2, "--shard 3/2"),
    "verify what asked nothing": (("verify", "UNIFORM", "--store", "S"), 2, "asked no prompts"),
    "rerun of no run": (("rerun", "zzzz", "--store", "S"), 2, "no run 'zzzz'"),
    "rerun onto a store": (("rerun", "UNIFORM", "--into", "foreign.db", "--store", "S"), 2, "is a database"),
}

STORE = ("--store", "S")


def rows():
    uniform = ("--backend", "baseline:uniform", *STORE)
    good, unasked = ("eval", "--task", "good.toml"), ("--strategy", "no-explanation")
    yield from about("task", TASKS, lambda name: ("eval", "--task", f"task {name}.toml", *uniform))
    yield from about("items", ITEMS, lambda name: ("eval", "--task", f"items {name}.toml", *uniform))
    yield from about("wording", WORDINGS, lambda name: ("prompts", "--task", f"wording {name}.toml", *unasked))
    yield from about("predictions", PREDICTIONS, lambda name: (*good, "--backend", f"file:{name}", *STORE))
    shown = ("prompts", "--task", "good.toml", "--strategy", "parallel", "--explanations")
    yield from about("explanations", EXPLANATIONS, lambda name: (*shown, f"explanations {name}.jsonl"))
    for scheme in ("hf", "llamacpp"):
        yield from about(
            scheme, MODELS, lambda name, s=scheme: (*good, "--backend", f"{s}:./{name}", *unasked, *STORE), None
        )
    yield from about("plugin", PLUGINS, lambda name: (*good, *uniform, "--plugin", name, "--strategy", "none-such"))
    for name, (words, code, named) in USAGE.items():
        yield f"usage: {name}", words, code, named


def about(what, cases, words, code=2):
    for name, (_, named) in cases.items():
        yield f"{what}: {name}", words(name), code, named


ROWS = list(rows())


def write(folder, name, content):
    (folder / name).write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad") / "in"
    folder.mkdir()
    write(folder, "../secret.jsonl", lines(ITEM))
    write(folder, "good.toml", TASK)
    write(folder, "good.jinja", "{{ t }}")
    write(folder, "good.jsonl", lines(ITEM))
    for name, (content, _) in TASKS.items():
        if content is not None:
            write(folder, f"task {name}.toml", content)
    for name, (content, _) in ITEMS.items():
        write(folder, f"items {name}.jsonl", content)
        write(folder, f"items {name}.toml", task('"good.jsonl"', f'"items {name}.jsonl"'))
    for name, (content, _) in WORDINGS.items():
        write(folder, f"wording {name}.jinja", content)
        write(folder, f"wording {name}.toml", task('"good.jinja"', f'"wording {name}.jinja"'))
    for name, (content, _) in EXPLANATIONS.items():
        write(folder, f"explanations {name}.jsonl", content)
    for files in (PREDICTIONS, MODELS, PLUGINS):
        for name, (content, _) in files.items():
            write(folder, name, content)
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "link.jsonl").symlink_to(folder.parent / "secret.jsonl")
    (folder / "circle").symlink_to(folder / "circle")
    (folder / "pickled").mkdir()
    write(folder, "pickled/config.json", "{}")
    write(folder, "pickled/pytorch_model.bin", b"\x80\x04.")
    return folder


@pytest.fixture(scope="module")
def world(prepared):
    """The folder, and the ids of the runs in its store."""
    store = prepared / "S"
    words = ("--task", "nli-sample", "--backend", "baseline:uniform", "--backend", "baseline:human", "--format", "json")
    done = judgeharness("eval", *words, "--store", store)
    assert done.code == 0, done.err
    ids = dict(zip(("UNIFORM", "HUMAN"), (run["id"] for run in json.loads(done.out)["runs"]), strict=True))
    for name, statements in (
        ("foreign.db", ["CREATE TABLE mine (a)"]),
        ("future.db", [f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 99", "CREATE TABLE a (b)"]),
        ("trigger.db", ["CREATE TRIGGER evil AFTER INSERT ON runs BEGIN DELETE FROM scores; END"]),
    ):
        if name == "trigger.db":
            shutil.copy(store, prepared / name)
        connection = sqlite3.connect(prepared / name)
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
    (prepared / "cut.db").write_bytes(store.read_bytes()[:9000])
    return prepared, ids


def content(store):
    """All rows of a store: opening it may write pages that say the same."""
    connection = sqlite3.connect(store)
    found = list(connection.iterdump())
    connection.close()
    return found


@pytest.mark.parametrize(("words", "code", "named"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_culprit_is_named_and_nothing_is_lost(world, monkeypatch, words, code, named):
    folder, ids = world
    monkeypatch.chdir(folder)
    before, files = content("S"), sorted(Path().iterdir())
    result = judgeharness(*(ids.get(word, word) for word in words))
    shown = [
        line
        for line in result.err.splitlines()
        if line.strip() and not line.startswith(("hf model", "llamacpp model", "openai model"))
    ]
    assert result.code == (result.code and (code or result.code)), result.err
    assert result.code in (1, 2)
    assert "Traceback" not in result.err
    assert "\x1b" not in result.err + result.out
    assert named in " ".join(shown), result.err
    # A file with many faults has a line for each of them, and a plugin's fault is a warning before the error.
    said = [line for line in shown if not line.startswith("warning: ")]
    assert len(said) <= (4 if "problems, so nothing was scored" in said[0] else 2), result.err
    assert sum(line.startswith("error: ") for line in shown) == 1
    assert content("S") == before
    assert sorted(Path().iterdir()) == files


def test_there_are_enough_rows():
    assert len(ROWS) >= 150


# Every option that takes a file, and the ending that it wants; FILE stands for the file.
PLAIN = ("eval", "--task", "good.toml", "--strategy", "no-explanation", *STORE)
OPTIONS = {
    "task": ("toml", ("eval", "--task", "FILE", "--backend", "baseline:uniform", *STORE)),
    "suite": ("toml", ("run", "FILE", *STORE)),
    "plugin": ("py", ("list", "tasks", "--plugin", "FILE")),
    "explanations": ("jsonl", (*PLAIN, "--backend", "baseline:uniform", "--explanations", "FILE")),
    "json predictions": ("json", ("score", "FILE", "--task", "good.toml", *STORE)),
    "csv predictions": ("csv", ("score", "FILE", "--task", "good.toml", *STORE)),
    "official": ("jsonl", ("score", "FILE", "--task", "good.toml", "--official", *STORE)),
    "lines": ("jsonl", ("new-task", "FILE", "--yes")),
    "hf": ("gguf", (*PLAIN, "--backend", "hf:./FILE")),
    "llamacpp": ("gguf", (*PLAIN, "--backend", "llamacpp:./FILE")),
    "tokenizer": ("gguf", (*PLAIN, "--backend", "openai:m@http://127.0.0.1:9/v1", "-o", "attempts=1", "-o", "tokenizer=./FILE")),
    "store": ("db", ("leaderboard", "--store", "FILE")),
    "check": ("db", ("store", "check", "--store", "FILE")),
    "rescue": ("db", ("store", "rescue", "--store", "FILE", "--to", "rescued.db")),
    "merge": ("db", ("merge", "FILE", *STORE)),
    "stage1": ("jsonl", ("finetune", "--model", "minilm", "--labels", "baseline:human", "--task", "good.toml", "--stage1", "FILE", *STORE)),
    "a run's task": ("toml", ("report", "-o", "report.html", "--task", "FILE", *STORE)),
    "items": ("jsonl", ("eval", "--task", "items of FILE.toml", "--backend", "baseline:uniform", *STORE)),
    "an archive": ("zip", ("eval", "--task", "member of FILE.toml", "--backend", "baseline:uniform", *STORE)),
    "wording": ("jinja", ("prompts", "--task", "wording of FILE.toml", "--strategy", "no-explanation")),
    "a model's folder": ("json", (*PLAIN, "--backend", "hf:./model of FILE")),
}  # fmt: skip
KINDS = ("pipe", "socket", "zero", "full", "folder", "sparse", "missing", "growing", "l" * 250, "L" * 5000, "a\0b")


def place(folder, name):
    """Something of a kind under a name that begins with it; and what names it."""
    kind = name.partition(".")[0]
    path = folder / name
    if kind in ("zero", "full"):
        path.symlink_to(f"/dev/{kind}")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(name)
    elif kind in ("sparse", "growing"):
        path.touch()
        os.truncate(path, 1 << 40 if kind == "sparse" else 0)
    named = json.dumps(name)
    write(folder, "items of FILE.toml", task('"good.jsonl"', named))
    write(folder, "member of FILE.toml", task('"good.jsonl"', f'{named}, member = "good.jsonl"'))
    write(folder, "wording of FILE.toml", task('"good.jinja"', named))
    if name.endswith(".json") and os.path.lexists(path):
        model = folder / "model of FILE"
        model.mkdir()
        (model / "model.safetensors").write_bytes(safetensors(b"{}"))
        (model / "config.json").write_text("{}")
        (model / "tokenizer.json").symlink_to(path)


@contextlib.contextmanager
def growing(path):
    """The file grows all the while; other kinds stay as they are."""
    done = threading.Event()

    def grow():
        with path.open("ab", buffering=0) as out:
            while not done.wait(0.0005):
                out.write(b"x" * (1 << 16))

    writer = threading.Thread(target=grow)
    if path.name.startswith("growing"):
        writer.start()
    try:
        yield
    finally:
        done.set()
        if writer.ident is not None:
            writer.join()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", KINDS, ids=[kind[:7].replace("\0", "0") for kind in KINDS])
@pytest.mark.parametrize(("ending", "words"), OPTIONS.values(), ids=OPTIONS)
def test_what_is_no_file_of_a_sensible_size_is_refused_at_once(tmp_path, monkeypatch, ending, words, kind):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "good.toml", TASK)
    write(tmp_path, "good.jinja", "{{ t }}")
    write(tmp_path, "good.jsonl", lines(ITEM))
    name = f"{kind}.{ending}"
    place(tmp_path, name)
    forget()
    memory, begun = peak(), time.monotonic()
    with growing(tmp_path / name):
        result = judgeharness(
            *(word.replace("FILE", name) if ".toml" not in word and "of FILE" not in word else word for word in words)
        )
    # The machine may be busy: what would hang, or read what has no end, takes longer than this.
    assert time.monotonic() - begun < 30
    assert peak() - memory < 500
    # What grows may be read before it has grown.
    assert result.code in (1, 2) or kind == "growing", result
    assert "Traceback" not in result.err
    said = [
        line
        for line in result.err.splitlines()
        if not line.startswith(("warning: ", "hf model", "openai model", "llamacpp model"))
    ]
    assert len(said) <= 2, result.err
    assert sum(map(len, said)) < 7000
    assert not list(tmp_path.glob(".judgeharness-*"))
