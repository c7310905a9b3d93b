import json
import sys
from pathlib import Path

import numpy as np
import pytest

from judgeharness.backends.contract import BackendContext
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.nouns import Message, OptionScores, Prompt, PromptGroup, ScoringFailure
from judgeharness.testing import BackendConformance
from judgeharness_pipe.backend import PipeBackend, PipeOptions

pytest_plugins = ["judgeharness.testing.fixtures"]

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "first_letter.py"


class TestExample(BackendConformance):
    name = f"pipe:{EXAMPLE}"


@pytest.fixture
def judge(tmp_path):
    """Makes a backend of a program whose loop is given."""
    made = []

    def make(loop, **options):
        path = tmp_path / "judge"
        lines = [f"#!{sys.executable}", "import json, sys, time", "for line in sys.stdin:", "    g = json.loads(line)"]
        path.write_text("\n".join([*lines, *(f"    {each}" for each in loop.splitlines())]))
        path.chmod(0o755)
        backend = PipeBackend(str(path), PipeOptions(**options), BackendContext(tmp_path, lambda line: None))
        backend.open()
        made.append(backend)
        return backend

    yield make
    for backend in made:
        backend.close()


def group(uid="u", orders=((0, 1), (1, 0))):
    return PromptGroup(uid, tuple(Prompt((Message("user", f"{uid} {order}"),), order) for order in orders))


SAY = "print(json.dumps({'uid': g['uid'], 'scores': %s}), flush=True)"


def test_letters_become_labels(judge):
    (found,) = judge(SAY % "[[-1, -2]] * 2").score([group()])
    assert isinstance(found, OptionScores)
    np.testing.assert_array_equal(found.scores, [[-1, -2], [-2, -1]])


def test_a_failure_of_one_group_is_its_own(judge):
    loop = (
        "if g['uid'] == 'bad': print(json.dumps({'uid': 'bad', 'failure': 'too long'}), flush=True)\nelse: "
        + SAY % "[[0, 0]] * 2"
    )
    first, second = judge(loop).score([group("bad"), group("good")])
    assert first == ScoringFailure("bad", "too long")
    assert isinstance(second, OptionScores)


SHAPES = ["[[1]]", "'x'", "None", "[[1, 2], [3]]", "[[1, 2], [3, None]]", "[[float('nan'), 0]] * 2", "[['1_0', 0]] * 2"]


@pytest.mark.parametrize("scores", SHAPES)
def test_scores_that_are_none_are_failures(judge, scores):
    (found,) = judge(SAY % scores).score([group()])
    assert isinstance(found, ScoringFailure)


BROKEN = {
    "print('hello', flush=True)": "wrote a line that is not JSON: 'hello",
    'print(\'{"uid": "u", "uid": "u"}\', flush=True)': "wrote a line that is not JSON: '{",
    "print('[]', flush=True)": "wrote a line that is no object",
    "print(json.dumps({'uid': 'other'}), flush=True)": "was asked about 'u' and answered about 'other'",
    "sys.exit('no weights')": "ended before it answered",
    "time.sleep(30)": "did not answer within 0.2 seconds",
}


@pytest.mark.parametrize("loop", BROKEN)
def test_broken_programs_are_named(judge, loop):
    backend = judge(loop, timeout=0.2 if "sleep" in loop else 60)
    with pytest.raises(HarnessError, match=BROKEN[loop]) as caught:
        list(backend.score([group()]))
    if "no weights" in loop:
        assert caught.value.hint == "its last words: no weights"
    if "sleep" in loop:
        backend._process._process.kill()


def test_programs_that_cannot_be_run(tmp_path):
    context = BackendContext(tmp_path, lambda line: None)
    with pytest.raises(InputError, match="no such program"):
        PipeBackend("./nowhere", PipeOptions(), context)
    (tmp_path / "plain").write_text("x")
    (tmp_path / "plain").chmod(0o644)
    with pytest.raises(InputError, match="cannot be run"):
        PipeBackend(str(tmp_path / "plain"), PipeOptions(), context)


def test_another_version_is_another_judge(judge):
    one = judge(SAY % "[[-1, -2]] * 2").describe()
    assert judge(SAY % "[[-1, -3]] * 2").describe() != one
    assert judge(SAY % "[[-1, -2]] * 2", version="2").describe() != one


def test_it_is_evaluated(run_judgeharness):
    words = ("eval", "--task", "nli-sample", "--strategy", "parallel", "--backend", f"pipe:{EXAMPLE}")
    said = run_judgeharness(*words, "--transform", "softmax", "--temperature", "1", "--format", "json")
    assert said.code == 0, said.err
    (run,) = json.loads(said.out)["runs"]
    # Every label stands behind A equally often.
    assert run["metrics"]["tvd"] == pytest.approx(
        json.loads(
            run_judgeharness("eval", "--task", "nli-sample", "--backend", "baseline:uniform", "--format", "json").out
        )["runs"][0]["metrics"]["tvd"]
    )
