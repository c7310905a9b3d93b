import os
import shutil
import subprocess
import sys

import pytest

from tests.helpers import judgeharness


def completed(words, **more):
    line = words.split(" ")
    environment = {
        **os.environ, "_JUDGEHARNESS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(line) - 1),
        **more,
    }  # fmt: skip
    code = "import sys; sys.argv[0] = 'judgeharness'; from judgeharness.cli.program import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return [row.split(",", 1)[1] for row in done.stdout.splitlines()]


CASES = {
    "judgeharness le": ["leaderboard"],
    "judgeharness eval --strat": ["--strategy"],
    "judgeharness eval --strategy par": ["parallel", "parallel-explicit"],
    "judgeharness eval --backend hf:s": ["hf:smollm2"],
    "judgeharness eval --task nli": ["nli-sample"],
    "judgeharness prompts --strategy verb": ["verbalized"],
    "judgeharness eval --metric soft-a": ["soft-accuracy"],
}


@pytest.mark.parametrize("words", CASES)
def test_names_are_completed(words):
    assert completed(words) == CASES[words]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_can_read(shell, tmp_path):
    result = judgeharness("completion", shell)
    assert result.code == 0
    assert "_JUDGEHARNESS_COMPLETE" in result.out
    if shutil.which(shell):
        (tmp_path / "script").write_text(result.out)
        subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)


def test_the_version_comes_with_what_figures_depend_on():
    result = judgeharness("--version")
    assert result.code == 0
    first, python, packages, plugins = result.out.splitlines()
    assert first.startswith("judgeharness 0.1.0")
    assert python.startswith("python 3.")
    assert "torch " in packages
    assert plugins == "plugins: none but the built-in ones"
