"""What the documentation says is run, or compared with what is there."""

import __future__

import ast
import contextlib
import inspect
import io
import json
import re
import shlex
import shutil
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from judgeharness import api, plugin
from judgeharness import testing as judgeharness_testing
from judgeharness.cli.plot import command as plot
from judgeharness.domain import nouns
from judgeharness.evaluation.suites import shipped_suites
from judgeharness.finetune.recipe import Recipe
from judgeharness.metrics import measure
from judgeharness.plugins import hookspecs, specs
from judgeharness.reports import leaderboard
from judgeharness.store import runs
from judgeharness.strategies import options as strategy_options
from judgeharness.tasks import template
from tests.helpers import judgeharness

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- (?P<remark>[^>]*) -->\n)?```sh\n(?P<commands>.*?)```(?:\n\n```text\n(?P<said>.*?)```)?", re.DOTALL
)
PYTHON = re.compile(r"(?:<!-- (?P<remark>[^>]*) -->\n)?```python\n(?P<code>.*?)```", re.DOTALL)


def blocks():
    for page in PAGES:
        for number, match in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8")), start=1):
            yield pytest.param(match["remark"] or "", match["commands"], match["said"], id=f"{page.name}-{number}")


def prepared(remark, commands, request, monkeypatch, tmp_path):
    """What a remark asks for is set up; the commands with names filled in that are not known before."""
    if remark.endswith("needs the data"):
        monkeypatch.setenv("JUDGEHARNESS_DATA_DIR", str(request.getfixturevalue("data_dir")))
    if remark == "needs a llama_cpp.server":
        return commands.replace("http://localhost:8000/v1", request.getfixturevalue("llama_cpp_server"))
    if remark.startswith("with docs/"):
        shutil.copy(ROOT / remark.removeprefix("with "), tmp_path)
    if remark.startswith("in docs/"):
        shutil.copytree(ROOT / remark.removeprefix("in "), tmp_path, dirs_exist_ok=True)
    if remark.startswith("in a folder with "):
        judges = ["--backend", "baseline:uniform", "--backend", "baseline:explanations"]
        if remark.endswith("a run of a model"):
            judges = ["--backend", "hf:smollm2", "--strategy", "parallel", "--limit", "2"]
        done = judgeharness("eval", "--task", "nli-sample", *judges, "--format", "json")
        for number, run in enumerate(json.loads(done.out)["runs"], start=1):
            commands = commands.replace(f"RUN{number}", run["id"])
    return commands


@pytest.mark.parametrize(("remark", "commands", "said"), list(blocks()))
def test_every_command_runs(remark, commands, said, request, monkeypatch, tmp_path):
    if remark.startswith("not run: "):
        assert remark.removeprefix("not run: ") in ("needs a GPU", "needs the network", "takes minutes")
        for line in commands.splitlines():
            assert judgeharness(*shlex.split(line)[1:2], "--help").code == 0
        return
    for line in prepared(remark, commands, request, monkeypatch, tmp_path).splitlines():
        program, *words = shlex.split(line)
        assert program == "judgeharness"
        result = judgeharness(*words)
        fails = re.match(r"fails with (\d)", remark)
        assert result.code == (int(fails[1]) if fails else 0), f"{line}\n{result.err}"
        # A shard says what it did on stderr: the whole makes the leaderboard.
        assert result.out or fails or "--shard" in words
        for expected in (said or "").splitlines():
            assert expected.strip() in result.err


def python_pages():
    return [pytest.param(page, id=page.name) for page in PAGES if PYTHON.search(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", python_pages())
def test_every_python_example_runs(page, capsys):
    """The examples of a page, one after the other, as a reader would type them."""
    namespace = {"__name__": "example"}
    for match in PYTHON.finditer(page.read_text(encoding="utf-8")):
        if match["remark"] is None:
            exec(compile(match["code"], page.name, "exec"), namespace)


def test_the_page_of_commands_is_what_the_program_says():
    sys.path.insert(0, str(ROOT / "docs" / "site"))
    try:
        import generate
    finally:
        sys.path.pop(0)
    with contextlib.redirect_stdout(io.StringIO()):
        assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == generate.page(), "python docs/site/generate.py"


def test_every_hook_is_documented_with_its_signature():
    page = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    for name, spec in hookspecs.HOOKS.items():
        signature = str(inspect.signature(getattr(hookspecs, name))).replace("'", "")
        assert f"`{name}{signature}`" in page
        assert all(f"`{field.name}`" in page for field in fields(spec))
    assert all(f"`{field.name}`" in page for field in fields(specs.ModelAlias))
    assert set(hookspecs.HOOKS) == {name for name in vars(hookspecs) if name.startswith("judgeharness_")}


def shown_names():
    """What the blocks of signatures on the page of hooks define, by name."""
    page = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    code = "\n".join(match["code"] for match in PYTHON.finditer(page) if match["remark"] == "signatures")
    names = {name: getattr(plugin, name) for name in plugin.__all__} | {"__name__": __name__, "np": np, "npt": npt}
    exec("from dataclasses import *\nfrom typing import Any, Literal, Protocol\nfrom collections.abc import *", names)
    shown = {}
    for node in ast.parse(code).body:
        name = node.targets[0].id if isinstance(node, ast.Assign) else node.name
        # Aliases are made of what there is, classes of each other.
        namespace = dict(names) if isinstance(node, ast.Assign) else names | shown
        exec(compile(ast.unparse(node), "hooks.md", "exec", flags=__future__.annotations.compiler_flag), namespace)
        shown[name] = namespace[name]
    return shown


SHOWN = shown_names()
NOT_OF_THE_FACE = (measure, leaderboard, nouns, runs, specs, strategy_options, template)
"""What has no name in judgeharness.plugin, but is what its objects are made of."""


def real(name):
    return next(getattr(each, name) for each in (plugin, *NOT_OF_THE_FACE) if hasattr(each, name))


def signature_of(member):
    member = getattr(member, "fget", None) or getattr(member, "func", None) or getattr(member, "__func__", member)
    return str(inspect.signature(member))


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_every_signature_on_the_page_of_hooks_is_the_real_one(name):
    shown, there = SHOWN[name], real(name)
    if inspect.isfunction(shown):
        assert signature_of(shown) == signature_of(there)
    elif not isinstance(shown, type):
        assert shown == there
    else:
        if is_dataclass(shown) or issubclass(shown, Exception):
            assert is_dataclass(shown) == is_dataclass(there)
            assert str(inspect.signature(shown)) == str(inspect.signature(there))
        members = {each for each in vars(shown) if not each.startswith("_")} - set(inspect.get_annotations(shown))
        for member in members:
            found = inspect.getattr_static(there, member)
            assert signature_of(vars(shown)[member]) == signature_of(found), member
        if getattr(there, "_is_protocol", False):
            assert inspect.get_annotations(shown) == inspect.get_annotations(there)
            assert members == {
                each for each in vars(there) if not each.startswith("_") and each not in inspect.get_annotations(there)
            }


def test_every_name_for_plugins_is_documented():
    page = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    assert [name for name in plugin.__all__ if name not in SHOWN and not re.search(rf"`@?{name}`", page)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_example_plugins_are_those_on_the_pages(page):
    for match in PYTHON.finditer(page.read_text(encoding="utf-8")):
        if (match["remark"] or "").startswith("from "):
            assert match["code"] in (ROOT / match["remark"].removeprefix("from ")).read_text(encoding="utf-8")


def test_the_page_of_plugins_has_an_example_of_every_kind():
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    shown = "".join(match["code"] for match in PYTHON.finditer(page) if (match["remark"] or "").startswith("from "))
    assert [hook for hook in hookspecs.HOOKS if f"def {hook}()" not in shown] == []


def plugin_texts():
    folders = (ROOT / "docs" / "examples", ROOT / "src" / "judgeharness" / "plugins" / "scaffolds")
    pages = [ROOT / "docs" / f"{name}.md" for name in ("plugins", "hooks", "python", "testing")]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in (".py", ".jinja")]
    return [*pages, *sorted((ROOT / "plugins").glob("*/README.md")), *files]


@pytest.mark.parametrize("path", plugin_texts(), ids=lambda path: str(path.relative_to(ROOT)))
def test_plugins_are_told_of_their_one_face_only(path):
    imported = re.findall(r"(?:from|import) (judgeharness(?:\.\w+)*)\s", path.read_text(encoding="utf-8"))
    assert set(imported) <= {"judgeharness", "judgeharness.plugin", "judgeharness.testing"}


def test_the_example_task_is_the_one_on_the_page():
    page = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
    shown = re.findall(r"```(?:json|toml|jinja)\n(.*?)```", page, re.DOTALL)[:3]
    folder = ROOT / "docs" / "examples" / "politeness"
    assert shown == [
        (folder / name).read_text(encoding="utf-8") for name in ("replies.jsonl", "task.toml", "prompt.jinja")
    ]


def test_the_example_suite_is_the_one_on_the_page():
    page = (ROOT / "docs" / "suites.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert shown == (ROOT / "docs" / "examples" / "suite" / "nightly.toml").read_text(encoding="utf-8")


def test_every_suite_and_kind_of_plot_is_documented():
    suites = (ROOT / "docs" / "suites.md").read_text(encoding="utf-8")
    assert all(f"reproduce {name}" in suites for name in shipped_suites())
    plots = (ROOT / "docs" / "plots.md").read_text(encoding="utf-8")
    assert all(f"| `{kind}` |" in plots for kind in plot.commands)


def test_every_part_of_the_recipe_is_documented():
    page = (ROOT / "docs" / "finetune.md").read_text(encoding="utf-8")
    heads = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert all(any(f"`{name}`" in head for head in heads) for name in Recipe.model_fields)


def test_every_option_metric_and_transform_is_documented(registry):
    for spec, _ in registry.backends:
        assert f"| `{spec.name}:` |" in (ROOT / "docs" / "backends.md").read_text(encoding="utf-8")
        options = registry.backends.load_options(spec.name)
        for name in options.model_fields if options else ():
            page = (ROOT / "docs" / f"backend-{spec.name}.md").read_text(encoding="utf-8")
            rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
            assert any(f"`{name}`" in row for row in rows), (spec.name, name)
    measures = (ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
    for name in [*registry.metrics.names(), *registry.transforms.names()]:
        assert f"| `{name}` |" in measures
    tasks = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
    for name in registry.tasks.names():
        assert f"| `{name}` |" in tasks
    strategies = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8").splitlines()
    for name in registry.strategies.names():
        (row,) = [line for line in strategies if line.startswith(f"| `{name}` |")]
        assert all(f"`{option}`" in row for option in registry.strategies.load_options(name).model_fields), row


def test_the_api_and_the_conformance_tests_are_documented():
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert all(f"`{field.name}`" in page for field in fields(api.Result))
    assert all(f"`{name}`" in page for name in inspect.signature(api.evaluate).parameters)
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in page for name in judgeharness_testing.__all__)
    fixtures = (ROOT / "src" / "judgeharness" / "testing" / "fixtures.py").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in page for name in re.findall(r"@pytest.fixture\ndef (\w+)", fixtures))


def test_every_table_and_column_of_the_store_is_documented(store):
    page = (ROOT / "docs" / "store.md").read_text(encoding="utf-8")
    tables_part = page.split("\n## ")[0]
    rows = {line.split("|")[1].strip().strip("`"): line for line in tables_part.splitlines() if line.startswith("| `")}
    connection = store.connection
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    assert set(rows) == set(tables)
    for table in tables:
        for (column,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,)):
            assert f"`{column}`" in rows[table], (table, column)


def test_the_query_on_the_store_page_runs(store):
    (query,) = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "store.md").read_text(encoding="utf-8"), re.DOTALL)
    store.connection.execute(query)


def test_every_package_and_module_is_in_the_architecture():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "src" / "judgeharness").iterdir()):
        if not path.name.startswith("_") and path.suffix in ("", ".py"):
            assert f"`{path.stem}`" in page, path.name


def test_every_promise_names_a_test_that_is_there():
    path, page = "", (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    for named in re.findall(r"`((?:tests/[\w/.]+)?(?:::\w+)?)`", page):
        path, colons, test = (named if named.startswith("tests") else path + named).partition("::")
        assert (ROOT / path).exists(), named
        if colons:
            assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), named


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"
