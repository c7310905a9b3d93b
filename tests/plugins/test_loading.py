import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from judgeharness.domain.errors import InputError
from judgeharness.plugins.loading import BUILTINS, Selection, load_plugins
from judgeharness.plugins.registry import Registry
from tests.helpers import judgeharness

METRIC = """
from judgeharness import hookimpl
from judgeharness.plugins.specs import MetricSpec

@hookimpl
def judgeharness_metrics():
    return [MetricSpec(name="{name}", summary="half of everything", target=f"{{__name__}}:half", label="Half",
                       direction="lower", unit="none", range=(0, None), level="item", source="made up")]

def half(human, model):
    return human[:, 0] / 2
"""


def write(folder: Path, name: str, source: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    return path


def install(folder: Path, name: str, source: str, version: str = "1.2") -> None:
    """What pip leaves behind for a distribution with one module and one entry point."""
    module = name.replace("-", "_")
    write(folder, module, source)
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[judgeharness]\n{name} = {module}\n")


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_builtins_all_load_through_the_hooks():
    plugins = {plugin.name: plugin for plugin in load_plugins()}
    assert [plugins[name].state for name in BUILTINS] == ["loaded"] * len(BUILTINS)
    assert all(plugins[name].specs for name in BUILTINS)


def test_every_builtin_target_can_be_imported(registry):
    for catalog in (registry.tasks, registry.strategies, registry.transforms, registry.metrics, registry.reporters):
        for spec, _ in catalog:
            assert callable(catalog.load(spec.name))
            catalog.load_options(spec.name)
    for catalog in (registry.backends, registry.executors, registry.commands):
        for spec, _ in catalog:
            assert catalog.load(spec.name) is not None


def test_an_installed_plugin_is_found_by_its_entry_point(site):
    install(site, "judge-half", METRIC.format(name="half"))
    registry = Registry.from_environment()
    plugin = next(plugin for plugin in registry.plugins if plugin.name == "judge-half")
    assert (plugin.origin, plugin.state) == ("installed", "loaded")
    assert (plugin.distribution, plugin.version) == ("judge-half", "1.2")
    assert registry.metrics.load("half").__name__ == "half"


BROKEN = {
    "raises": "raise RuntimeError('out of\\n luck')",
    "exits": "import sys; sys.exit(3)",
    "misses": "import no_such_module_at_all",
    "syntax": "def f(:",
    "empty": "x = 1",
    "unknown_hook": "from judgeharness import hookimpl\n@hookimpl\ndef judgeharness_metrcs(): return []",
    "wrong_arguments": "from judgeharness import hookimpl\n@hookimpl\ndef judgeharness_metrics(registry): return []",
    "hook_raises": "from judgeharness import hookimpl\n@hookimpl\ndef judgeharness_metrics(): raise ValueError('no')",
    "returns_none": "from judgeharness import hookimpl\n@hookimpl\ndef judgeharness_metrics(): return None",
    "returns_strings": "from judgeharness import hookimpl\n@hookimpl\ndef judgeharness_metrics(): return ['kl2']",
    "wrong_kind": (
        "from judgeharness import hookimpl\nfrom judgeharness.plugins.specs import TaskSpec\n@hookimpl\n"
        "def judgeharness_metrics(): return [TaskSpec(name='t', summary='s', target='a:b')]"
    ),
    "bad_name": (
        "from judgeharness import hookimpl\nfrom judgeharness.plugins.specs import TaskSpec\n@hookimpl\n"
        "def judgeharness_tasks(): return [TaskSpec(name='Bad Name', summary='s', target='a:b')]"
    ),
    "bad_target": (
        "from judgeharness import hookimpl\nfrom judgeharness.plugins.specs import TaskSpec\n@hookimpl\n"
        "def judgeharness_tasks(): return [TaskSpec(name='t', summary='s', target='a.b')]"
    ),
    "missing_argument": (
        "from judgeharness import hookimpl\nfrom judgeharness.plugins.specs import TaskSpec\n@hookimpl\n"
        "def judgeharness_tasks(): return [TaskSpec(name='t')]"
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_fails_alone(site, fault):
    install(site, "judge-broken", BROKEN[fault])
    install(site, "judge-half", METRIC.format(name="half"))
    registry = Registry.from_environment()
    (failed,) = registry.failures()
    assert failed.name == "judge-broken"
    assert failed.error
    assert "\n" not in failed.error
    assert failed.specs == ()
    assert "half" in registry.metrics
    assert "kl" in registry.metrics


def test_every_command_works_beside_a_plugin_that_raises_on_import(site):
    install(site, "judge-broken", BROKEN["raises"])
    for words in (["--help"], ["list", "tasks"], ["plugins"], ["data", "list"], ["prompts", "--help"]):
        result = judgeharness(*words)
        assert result.code == 0, result.err
        assert result.err.count("warning: plugin 'judge-broken' could not be loaded: RuntimeError: out of luck") == 1
    shown = judgeharness("plugins").out
    assert "judge-broken 1.2" in shown
    assert "failed: RuntimeError: out of luck" in shown
    result = judgeharness(
        "eval", "--task", "nli-sample", "--backend", "baseline:uniform", "--store", "s.db", "--format", "json"
    )
    assert result.code == 0
    assert '"kl"' in result.out


def test_two_plugins_with_one_name_are_both_named_when_it_is_used(site):
    install(site, "judge-one", METRIC.format(name="half"))
    install(site, "judge-two", METRIC.format(name="half"), "2.0")
    registry = Registry.from_environment()
    assert registry.failures() == []
    with pytest.raises(InputError, match="metric 'half' is provided twice") as caught:
        registry.metrics.load("half")
    assert "judge-one 1.2" in caught.value.message
    assert "judge-two 2.0" in caught.value.message
    assert registry.metrics.load("kl")


def test_a_clash_with_a_builtin_names_both_and_switching_off_helps(site, monkeypatch):
    install(site, "judge-kl", METRIC.format(name="kl"))
    with pytest.raises(InputError, match=r"judgeharness itself .* and the distribution judge-kl 1\.2"):
        Registry.from_environment().metrics.load("kl")
    monkeypatch.setenv("JUDGEHARNESS_PLUGINS", "no:judge-kl")
    assert Registry.from_environment().metrics.load("kl").__module__ == "judgeharness.metrics.kl"


def test_the_variable_selects_installed_plugins(site, monkeypatch):
    install(site, "judge-one", METRIC.format(name="one"))
    install(site, "judge-two", METRIC.format(name="two"))
    for value, expected in {
        "": (False, False),
        "judge-one": (True, False),
        "judge-one, judge-two": (True, True),
        "no:judge-one": (False, True),
        "no:judgeharness.metrics": (True, True),
    }.items():
        monkeypatch.setenv("JUDGEHARNESS_PLUGINS", value)
        metrics = Registry.from_environment().metrics
        assert ("one" in metrics, "two" in metrics) == expected, value
        assert ("kl" in metrics) == (value != "no:judgeharness.metrics")


def test_a_selected_plugin_that_is_not_installed_is_reported(monkeypatch):
    monkeypatch.setenv("JUDGEHARNESS_PLUGINS", "judge-absent")
    (failed,) = Registry.from_environment().failures()
    assert failed.name == "judge-absent"
    assert "no installed distribution provides it" in failed.error


def test_a_plugin_given_as_a_file_or_module(site, tmp_path):
    path = write(tmp_path, "my_metric", METRIC.format(name="half"))
    for words in (["--plugin", str(path), "list", "metrics"], ["list", "metrics", "--plugin", str(path)]):
        assert "half of everything" in judgeharness(*words).out
    write(site, "other_metric", METRIC.format(name="other"))
    registry = Registry.from_environment(["other_metric"])
    assert registry.metrics.load("other")


def test_a_file_named_like_a_known_module_does_not_take_its_place(site, tmp_path):
    path = write(tmp_path, "json", METRIC.format(name="half"))
    registry = Registry.from_environment([str(path)])
    assert registry.metrics.load("half").__module__ == "judgeharness_plugin_json_1"
    import json

    assert json.dumps([1]) == "[1]"


def test_files_with_the_same_name_keep_their_own_functions(site, tmp_path):
    given = []
    for number in (1, 2, 3):
        (tmp_path / str(number)).mkdir()
        path = write(tmp_path / str(number), "mine", METRIC.format(name=f"m{number}"))
        path.write_text(path.read_text().replace('f"{__name__}:', '"mine:'))
        given.append(str(path))
    for _ in range(2):
        registry = Registry.from_environment(given)
        loaded = [registry.metrics.load(f"m{number}") for number in (1, 2, 3)]
        assert [Path(sys.modules[each.__module__].__file__).parent.name for each in loaded] == ["1", "2", "3"]


def test_a_plugin_that_does_not_exist_is_wrong_usage():
    for word in ("no/such.py", "absent.py", "no_such_module", "a..b"):
        result = judgeharness("--plugin", word, "list", "tasks")
        assert result.code == 2
        assert word in result.err


def test_a_plugins_command_runs_and_takes_its_place_in_the_help(tmp_path):
    path = write(
        tmp_path,
        "hello",
        """
        import click
        from judgeharness import hookimpl
        from judgeharness.plugins.specs import CommandSpec

        @hookimpl
        def judgeharness_commands():
            return [CommandSpec(name="hello", summary="Say hello.", target="hello:hello")]

        @click.command()
        @click.option("--plugin", "own")
        def hello(own):
            click.echo("hello there")
        """,
    )
    assert judgeharness("--plugin", path, "hello").out == "hello there\n"
    assert "Say hello." in judgeharness("--plugin", path, "--help").out


def test_a_plugins_missing_extra_names_the_command_to_type(tmp_path):
    path = write(
        tmp_path,
        "needy",
        """
        from judgeharness import hookimpl
        from judgeharness.plugins.specs import TransformSpec

        @hookimpl
        def judgeharness_transforms():
            return [TransformSpec(name="needy", summary="s", target="needy_impl:make", extra="big")]
        """,
    )
    write(tmp_path, "needy_impl", "import a_package_that_is_absent\n")
    command = ["--plugin", path, "eval", "--task", "nli-sample", "--backend", "baseline:uniform"]
    sys.path.insert(0, str(tmp_path))
    try:
        result = judgeharness(*command, "--transform", "needy")
    finally:
        sys.path.remove(str(tmp_path))
    assert result.code == 1
    assert "transform 'needy' needs packages that are not installed" in result.err
    assert "no module named a_package_that_is_absent" in result.err
    assert "pip install 'judgeharness[big]'" in result.err


def test_help_imports_no_model_library():
    code = (
        "import sys\nfrom judgeharness.cli.program import run\nrun(['--help'])\n"
        "heavy = {'torch', 'transformers', 'llama_cpp', 'openai', 'scipy', 'numpy', 'pydantic', 'rich.table'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("variable", "extra", "wanted", "unwanted"),
    [
        (None, [], ["a", "b"], []),
        ("", [], [], ["a", "b"]),
        (" a ,", [], ["a"], ["b"]),
        ("a", ["no:a"], [], ["a", "b"]),
        ("no:b", [], ["a"], ["b"]),
    ],
)
def test_selection(variable, extra, wanted, unwanted):
    selection = Selection.parse(variable, extra)
    assert all(selection.wants(name) for name in wanted)
    assert not any(selection.wants(name) for name in unwanted)
