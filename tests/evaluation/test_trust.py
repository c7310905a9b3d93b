"""What runs code, names a program, an address or a secret never comes from a record or a suite by itself."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from judgeharness.domain.errors import HarnessError
from judgeharness.evaluation.request import Request
from judgeharness.evaluation.trust import Proposal, demands
from judgeharness.plugins.options import Options, Sensitive, sensitive
from judgeharness.plugins.registry import Registry
from judgeharness.plugins.specs import KINDS, BackendSpec
from judgeharness.store.database import Store
from tests.helpers import judgeharness, serving
from tests.hostile import Listening, rewrite, rewrite_request

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ("judgeharness_pipe", "judgeharness_ray", "judgeharness_fewshot", "judgeharness_ranks")
PIPE = ("--plugin", "judgeharness_pipe")
ASKED = ("--task", "nli-sample", "--limit", "2", "--strategy", "no-explanation", "--transform", "softmax")

HARMLESS = {
    "backend hf": "answer_prefix batch_tokens date device dtype quantization revision scorer",
    "backend llamacpp": "answer_prefix batch_tokens context date gpu_layers revision scorer threads",
    "backend openai": "answer_prefix attempts concurrency date endpoint timeout tokenizer top_logprobs",
    "backend file": "model",
    "backend pipe": "kind timeout version",
    "strategy no-explanation": "option_orders",
    "strategy serial": "k option_orders",
    "strategy serial-explicit": "k option_orders",
    "strategy parallel": "k option_orders",
    "strategy parallel-explicit": "k option_orders",
    "strategy verbalized": "answer_tokens explicit k option_orders seed writing_temperature",
    "strategy sampling": "answer_tokens explicit k n sampling_temperature seed",
    "strategy cot": "explicit k option_orders reasoning_tokens seed writing_temperature",
    "strategy few-shot": "choose option_orders seed shots",
    "transform softmax": "temperature",
    "executor ray": "ray_attempts ray_cpus ray_gpus ray_item_tokens ray_workers",
}
"""Options that may come from anybody: paths and hub ids among them name weights and texts, which are only read."""

SENSITIVE = {
    "backend hf": {"trust_remote_code": "code"},
    "backend openai": {"base_url": "address", "key_variable": "secret", "extra_body": "address"},
    "executor ray": {"ray_address": "address"},
}
NAMES = {"hf": None, "llamacpp": None, "file": None, "baseline": None, "pipe": "program"}
"""What a model's name is; that of `openai:` depends on the name."""


@pytest.fixture(autouse=True)
def _plugins_of_this_repository(monkeypatch):
    # Reports without plots take less time.
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for folder in sorted((ROOT / "plugins").glob("*/src")):
        monkeypatch.syspath_prepend(str(folder))


@pytest.fixture
def listening():
    """A server, and its address."""
    state = Listening()
    with serving(state.handler()) as address:
        yield state, f"{address}/v1"


@pytest.fixture
def program(tmp_path):
    """A judge that is a program, and a file that is there once it has run."""
    marker, path = tmp_path / "it ran", tmp_path / "judge"
    example = (ROOT / "plugins/judgeharness-pipe/examples/first_letter.py").read_text()
    path.write_text(f"#!{sys.executable}\nopen({str(marker)!r}, 'w')\n{example}")
    path.chmod(0o755)
    return path, marker


def evaluated(tmp_path, backend, *more):
    """A store with a run of a backend that its owner named; the store, and the run's id."""
    path = tmp_path / "store.db"
    result = judgeharness("eval", *ASKED, "--backend", backend, *more, "--store", path)
    assert result.code == 0, result.err
    with Store.open(path) as store:
        return path, store.runs.all()[0].id


def refused(result, *named):
    assert result.code == 2, result.err
    assert len(result.err.splitlines()) == 2, result.err
    for each in named:
        assert each in result.err


# --- what is marked ---------------------------------------------------------------------------------------------------


def test_every_option_is_either_marked_or_known_to_be_harmless():
    registry = Registry.from_environment(PLUGINS)
    assert not registry.failures()
    for catalog in (registry.backends, registry.strategies, registry.transforms, registry.executors):
        for spec, _ in catalog:
            name, model = f"{spec.kind} {spec.name}", catalog.load_options(spec.name)
            marked = {option: mark.kind for option, mark in sensitive(model).items()}
            assert marked == SENSITIVE.get(name, {}), name
            left = set(model.model_fields if model else ()) - marked.keys()
            assert left == set(HARMLESS.get(name, "").split()), name
    for spec, _ in registry.backends:
        assert spec.name == "openai" or spec.sensitive == NAMES[spec.name]


def test_a_mark_is_found_wherever_it_stands_in_a_type():
    class Marked(Options):
        plain: int = 1
        outside: Annotated[str | None, Sensitive("address")] = None
        inside: Annotated[str, Field(min_length=1), Sensitive("secret")] | None = None
        deep: dict[str, tuple[Annotated[str, Sensitive("program")], ...]] = {}  # noqa: RUF012

    assert {name: mark.kind for name, mark in sensitive(Marked).items()} == {
        "outside": "address", "inside": "secret", "deep": "program",
    }  # fmt: skip
    assert sensitive(None) == {}


def test_a_spec_says_what_its_models_names_are():
    def spec(word):
        return BackendSpec(name="x", summary="x", target="a:b", sensitive=word)

    for word in (None, *KINDS, "a.b:c"):
        assert spec(word).problems() == []
    for word in ("danger", "", 1):
        assert "sensitive of 'x'" in spec(word).problems()[0]


# --- programs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["rerun", "verify"])
def test_a_program_of_a_record_is_started_for_trust_alone(tmp_path, program, command):
    path, marker = program
    store, run = evaluated(tmp_path, f"pipe:{path}", *PIPE)
    assert marker.exists()
    marker.unlink()
    words = (command, run, "--store", store, *PIPE)
    refused(judgeharness(*words), f"backend pipe:{path} starts a program", "add --trust program")
    refused(judgeharness(*words, "--trust", "code,address", "--trust", "secret"), "--trust code,address,secret,program")
    assert not marker.exists()
    result = judgeharness(*words, "--trust", "program")
    assert result.code == 0, result.err
    assert marker.exists()


def test_a_program_of_a_suite_is_started_for_trust_alone(tmp_path, program):
    path, marker = program
    suite = tmp_path / "suite.toml"
    head = (
        'name = "s"\ntitle = "S"\n[[evaluations]]\ntasks = ["nli-sample"]\nlimit = 2\nstrategies=["no-explanation"]\n'
    )
    suite.write_text(head + f'backends = ["pipe:{path}"]\n')
    words = ("run", suite, "--store", tmp_path / "s.db", "--report", tmp_path / "report", *PIPE)
    refused(judgeharness(*words), "suite s: backend pipe:", "add --trust program")
    assert not marker.exists()
    assert judgeharness(*words, "--trust", "program").code == 0
    assert marker.exists()
    # What the user names needs none.
    marker.unlink()
    suite.write_text(head)
    result = judgeharness(*words[:3], tmp_path / "other.db", *words[4:], "--backend", f"pipe:{path}")
    assert result.code == 0, result.err
    assert marker.exists()


def test_wrong_words_of_trust(tmp_path):
    result = judgeharness("rerun", "x", "--store", tmp_path / "s.db", "--trust", "all")
    assert result.code == 2
    assert "'all' is not one of code, address, secret, program" in result.err


# --- addresses and keys -----------------------------------------------------------------------------------------------


@pytest.fixture
def keys(monkeypatch):
    """What a user has in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", "the-users-own-key")
    monkeypatch.setenv("OTHER_SECRET", "another-secret")
    # openai-python sends these of its own accord.
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: a-third-secret")
    monkeypatch.setenv("OPENAI_ORG_ID", "the-users-account")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def of_a_server(tmp_path, listening, **options):
    """A store with a run of a server, as its owner may alter it; asked of as `openai:m`."""
    state, url = listening
    store, run = evaluated(tmp_path, "openai:m", "-o", f"base_url={url}")
    rewrite_request(store, options={"base_url": url} | options)
    state.asked.clear()
    state.received.clear()
    return store, run


@pytest.mark.parametrize("command", ["rerun", "verify"])
@pytest.mark.parametrize("place", ["option", "name"])
def test_no_key_goes_to_an_address_of_a_record(tmp_path, listening, keys, command, place):
    (state, url), (store, run) = listening, of_a_server(tmp_path, listening)
    if place == "name":
        rewrite_request(store, options={})
        rewrite(store, "runs", backend=f"openai:m@{url}")
    words = (command, run, "--store", store)
    refused(judgeharness(*words), url, "can contact an address", "add --trust address")
    refused(judgeharness(*words, "--trust", "secret"), "add --trust address,secret")
    assert state.asked == []
    result = judgeharness(*words, "--trust", "address")
    assert result.code == 0, result.err
    assert "key_variable is not used" in result.err
    assert state.keys == {"Bearer none"}
    assert not any(word in "".join(state.received) for word in ("secret", "users"))
    state.asked.clear()
    result = judgeharness(*words, "--trust", "address,secret")
    assert result.code == 0, result.err
    assert state.keys == {"Bearer the-users-own-key"}
    assert all("a-third-secret" in headers for headers in state.received[-3:])


def test_a_secret_of_a_record_is_sent_nowhere_without_trust(tmp_path, listening, keys):
    (state, url), (store, run) = listening, of_a_server(tmp_path, listening, key_variable="OTHER_SECRET")
    words = ("rerun", run, "--store", store)
    refused(judgeharness(*words), "key_variable=OTHER_SECRET", "sends a secret", "--trust address,secret")
    refused(judgeharness(*words, "--trust", "address"), "key_variable=OTHER_SECRET", "--trust address,secret")
    # Nor to an address of the user's own.
    refused(judgeharness(*words, "-o", f"base_url={url}"), "key_variable=OTHER_SECRET", "--trust secret")
    assert state.asked == []
    assert judgeharness(*words, "--trust", "address,secret").code == 0
    assert state.keys == {"Bearer another-secret"}


def test_what_the_user_wrote_on_this_command_line_needs_no_trust(tmp_path, listening, keys):
    (state, url), (store, run) = listening, of_a_server(tmp_path, listening, base_url="http://127.0.0.1:1/v1")
    words = ("rerun", run, "--store", store, "-o", f"base_url={url}")
    assert judgeharness(*words).code == 0
    assert state.keys == {"Bearer the-users-own-key"}
    state.asked.clear()
    assert judgeharness(*words, "-o", "key_variable=OTHER_SECRET").code == 0
    assert state.keys == {"Bearer another-secret"}


def test_a_key_that_the_user_names_goes_to_no_address_of_a_record_unasked(tmp_path, listening, keys):
    (state, _), (store, run) = listening, of_a_server(tmp_path, listening)
    words = ("rerun", run, "--store", store, "-o", "key_variable=OTHER_SECRET", "--trust")
    refused(judgeharness(*words, "address"), "key_variable=OTHER_SECRET", "--trust address,secret")
    assert state.asked == []
    assert judgeharness(*words, "address,secret").code == 0
    assert state.keys == {"Bearer another-secret"}


def test_an_address_of_the_environment_is_the_users(tmp_path, listening, keys, monkeypatch):
    (state, url), (store, run) = listening, of_a_server(tmp_path, listening)
    rewrite_request(store, options={})
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    assert judgeharness("rerun", run, "--store", store).code == 0
    assert state.keys == {"Bearer the-users-own-key"}


def test_fields_of_a_request_may_name_an_address(tmp_path, listening, keys):
    (state, url), (store, run) = listening, of_a_server(tmp_path, listening, extra_body='{"api_base": "http://x"}')
    refused(judgeharness("rerun", run, "--store", store, "-o", f"base_url={url}"), "extra_body", "--trust address")
    assert state.asked == []


def test_options_of_a_suite_are_none_of_the_users(tmp_path, listening, keys):
    state, url = listening
    suite = tmp_path / "suite.toml"
    head = (
        'name = "s"\ntitle = "S"\n[[evaluations]]\ntasks = ["nli-sample"]\nlimit = 2\nstrategies=["no-explanation"]\n'
    )
    words = ("run", suite, "--report", tmp_path / "r", "--backend", "openai:m", "--store", tmp_path / "s.db")
    suite.write_text(f'{head}options = {{ base_url = "{url}" }}\n')
    refused(judgeharness(*words), f"option base_url={url}", "--trust address")
    suite.write_text(f'{head}options = {{ key_variable = "OTHER_SECRET" }}\n')
    refused(judgeharness(*words, "-o", f"base_url={url}"), "option key_variable=OTHER_SECRET", "--trust secret")
    assert state.asked == []
    assert judgeharness(*words, "-o", f"base_url={url}", "-o", "key_variable=OPENAI_API_KEY").code == 0
    assert state.keys == {"Bearer the-users-own-key"}


# --- elsewhere --------------------------------------------------------------------------------------------------------

STRATEGY = """
from typing import Annotated
from judgeharness import hookimpl
from judgeharness.plugins.options import Sensitive
from judgeharness.plugins.specs import StrategySpec
from judgeharness.strategies.options import OrderOptions
from judgeharness.strategies.selections import no_explanation

class LoudOptions(OrderOptions):
    speaker: Annotated[str | None, Sensitive("program")] = None

@hookimpl
def judgeharness_strategies():
    about = dict(target=f"{__name__}:Loud", options=f"{__name__}:LoudOptions")
    return [StrategySpec(name="loud", summary="says what it asks", **about)]

def Loud(options):
    if options.speaker:
        open(options.speaker, "w").close()
    return no_explanation(OrderOptions())
"""


def test_an_option_of_a_plugins_strategy_is_taken_from_no_record(tmp_path, program):
    (tmp_path / "loud.py").write_text(STRATEGY)
    path, marker = tmp_path / "store.db", tmp_path / "it was used"
    loud = ("--plugin", tmp_path / "loud.py", *PIPE, "--store", path)
    words = ("--task", "nli-sample", "--limit", "2", "--backend", f"pipe:{program[0]}", "--strategy", "loud")
    result = judgeharness("eval", *words, "-o", f"speaker={marker}", *loud)
    assert result.code == 0, result.err
    marker.unlink()
    with Store.open(path) as store:
        run = store.runs.all()[0].id
    for command in (("bias", run), ("report", run, "-o", tmp_path / "page.html"), ("plot", "bias", run)):
        refused(judgeharness(*command, *loud), f"option speaker={marker} of strategy loud starts a program")
    for command in ("rerun", "verify"):
        refused(judgeharness(command, run, *loud, "--trust", "code"), "strategy loud starts a program", "code,program")
    assert not marker.exists()
    assert judgeharness("rerun", run, *loud, "--trust", "program").code == 0
    assert marker.exists()


def test_the_command_of_a_page_says_that_it_is_of_the_record(tmp_path, listening, keys):
    store, run = of_a_server(tmp_path, listening)
    caution = "# This comes from the record, and can contact an address: run it only if you trust the record."
    for words in ((), ("--no-text",)):
        assert judgeharness("report", run, "--store", store, "-o", tmp_path / "page.html", *words).code == 0
        assert f'<pre class="command">{caution}\njudgeharness eval' in (tmp_path / "page.html").read_text()
    rewrite_request(store, options={})
    assert judgeharness("report", run, "--store", store, "-o", tmp_path / "page.html").code == 0
    assert '<pre class="command">judgeharness eval' in (tmp_path / "page.html").read_text()
    # What cannot be looked up here is not called harmless.
    rewrite(store, "runs", backend="absent:m")
    assert judgeharness("report", run, "--store", store, "-o", tmp_path / "page.html").code == 0
    assert '<pre class="command"># This comes from the record, and cannot' in (tmp_path / "page.html").read_text()


def test_explanations_of_a_record_are_a_set_of_its_store(tmp_path):
    store, run = evaluated(tmp_path, "baseline:uniform")
    with Store.open(store) as opened:
        record = opened.runs.find(run).record.document()
    rewrite(store, "runs", record=json.dumps(record | {"explanations": {"name": "x", "set": "/etc/passwd"}}))
    result = judgeharness("rerun", run, "--store", store)
    assert (result.code, result.err) == (2, f"error: run {run}: '/etc/passwd' is not the id of a set of explanations\n")


def test_the_task_of_a_record_is_no_path_to_other_commands(tmp_path, program):
    store, run = evaluated(tmp_path, f"pipe:{program[0]}", *PIPE)
    rewrite(store, "tasks", name="../../task.toml")
    refused(judgeharness("bias", run, "--store", store, *PIPE), "'../../task.toml' is not the name of a task", "--task")


BACKEND = """
from typing import Annotated
from judgeharness import hookimpl
from judgeharness.plugins.options import Options, Sensitive
from judgeharness.plugins.specs import BackendSpec

class FarOptions(Options):
    token_variable: Annotated[str | None, Sensitive("secret")] = "FAR_TOKEN"
    hook: Annotated[str | None, Sensitive("code")] = None

@hookimpl
def judgeharness_backends():
    about = dict(summary="far away", target=f"{__name__}:Far", options=f"{__name__}:FarOptions")
    return [BackendSpec(name="far", sensitive=f"{__name__}:kind_of", **about)]

def kind_of(model):
    return {"far": "address", "odd": "danger"}.get(model)
"""


def test_what_a_plugin_marks_is_the_users_to_grant(tmp_path):
    (tmp_path / "far.py").write_text(BACKEND)
    registry = Registry.from_environment([str(tmp_path / "far.py")])

    def asked(backend, values, given=(), backends=()):
        request = Request(tasks=(), backends=(backend,), values=values)
        proposal = Proposal(request, "run x", {name: values[name] for name in given}, backends)
        return [(each.kind, each.what) for each in demands(proposal, registry)]

    assert asked("far:near", {}) == asked("far:near", {"hook": "x"}, given=["hook"]) == []
    assert asked("far:near", {"token_variable": "FAR_TOKEN"}) == []
    assert asked("far:near", {"hook": "x"})[0] == ("code", "option hook=x of backend far:near")
    token = "option token_variable={} of backend far:far"
    # Nothing says how to do without this secret.
    assert asked("far:far", {}) == [("address", "backend far:far"), ("secret", token.format("FAR_TOKEN"))]
    assert asked("far:far", {}, backends=["far:far"]) == []
    assert asked("far:far", {"token_variable": "X"}, backends=["far:far"]) == [("secret", token.format("X"))]
    with pytest.raises(HarnessError, match=r"backend 'far' of .* breaks its contract in 'sensitive': it says 'danger'"):
        asked("far:odd", {})


# --- the question -----------------------------------------------------------------------------------------------------


def at_a_terminal(words, answer):
    """Run the program on a terminal of its own; the exit code, and what was shown there."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "judgeharness", *map(str, words)]
    process = subprocess.Popen(command, stdin=theirs, stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    os.write(ours, answer)
    shown = b""
    # Linux reports the end of a terminal as an error.
    try:
        while part := os.read(ours, 1 << 16):
            shown += part
    except OSError:
        pass
    os.close(ours)
    return process.wait(timeout=60), " ".join(shown.decode().split())


def test_a_question_on_a_terminal_shows_what_would_be_started(tmp_path, program, monkeypatch):
    path, marker = program
    store, run = evaluated(tmp_path, f"pipe:{path}", *PIPE)
    marker.unlink()
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "plugins/judgeharness-pipe/src"))
    words = ("rerun", run, "--store", store, *PIPE)
    for answer in (b"n\n", b"\n"):
        code, shown = at_a_terminal(words, answer)
        assert (code, marker.exists()) == (2, False), shown
        assert f"run {run}: backend pipe:{path} starts a program Do you trust it, and go on? [y/N]" in shown
        assert "add --trust program" in shown
    code, shown = at_a_terminal(words, b"y\n")
    assert (code, marker.exists()) == (0, True), shown


def test_a_question_shows_no_control_characters(tmp_path, program, monkeypatch):
    store, run = evaluated(tmp_path, f"pipe:{program[0]}", *PIPE)
    rewrite(store, "runs", backend="pipe:\x1b[2J\u202e\n" + "x" * 1_000_000)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "plugins/judgeharness-pipe/src"))
    code, shown = at_a_terminal(("rerun", run, "--store", store, *PIPE), b"n\n")
    assert code == 2
    assert r"backend pipe:\x1b[2J\u202e" in shown
    assert not {"\x1b", "\u202e"}.intersection(shown)
    assert len(shown) < 5_000
