"""The face for plugin authors: everything is there, is what it says, and is imported no sooner than it is used."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import judgeharness
from judgeharness import plugin

ROOT = Path(__file__).resolve().parents[1]
SCAFFOLDS = Path(judgeharness.__file__).parent / "plugins" / "scaffolds"


def test_every_name_is_the_one_that_it_says():
    assert sorted(plugin.__all__) == sorted(plugin._MODULES)
    for name in plugin.__all__:
        assert getattr(plugin, name) is getattr(importlib.import_module(plugin._MODULES[name]), name)


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(plugin.__file__).read_text())
    seen = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("judgeharness.")
        for alias in node.names
    }
    assert seen == plugin._MODULES


def test_hooks_and_specs_import_nothing_heavy():
    code = (
        "from judgeharness.plugin import MetricSpec, BackendSpec, hookimpl, Workspace; import sys;"
        "heavy = {'numpy', 'torch', 'scipy', 'pydantic', 'rich', 'openai'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_scaffolds_and_plugins_need_nothing_else_of_judgeharness():
    texts = [path.read_text() for path in SCAFFOLDS.rglob("*.py.jinja")]
    found = {
        line.split()[1]
        for text in texts
        for line in text.splitlines()
        if line.lstrip().startswith(("from judgeharness", "import judgeharness"))
    }
    assert found == {"judgeharness.plugin", "judgeharness.testing"}
