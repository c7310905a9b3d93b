"""A server that has another model than the one named: said before the run, on the way, and in the record."""

import json

import pytest

from judgeharness.backends.openai.origin import MAX_ORIGINS, Origin, Origins, fits, listed_instead
from tests.backends.openai.test_backend import evaluate, groups, score
from tests.helpers import serving


def answering_as(*models, fingerprint=None):
    """Puts these names into the replies, in turn; the last one stays."""
    left = list(models)

    def change(body, document):
        model = left.pop(0) if len(left) > 1 and "item" in json.dumps(body) else left[0]
        return document | {"model": model} | ({} if fingerprint is None else {"system_fingerprint": fingerprint()})

    return change


FITTING = [
    ("m", "m"), ("gpt-4o", "gpt-4o-2024-08-06"), ("gpt-4", "gpt-4-0613"), ("gemini-1.5-pro", "gemini-1.5-pro-002"),
    ("mistral-large-latest", "mistral-large-2411"), ("claude-3-5-sonnet", "claude-3-5-sonnet-20241022"),
    ("llama3", "llama3:latest"), ("Llama-3", "meta-llama/llama-3"), ("smollm2", "/models/smollm2.gguf"),
    ("model", "C:\\\\models\\\\Model.gguf"), ("gemini-flash", "models/gemini-flash"),
]  # fmt: skip
OTHERS = [
    ("gpt-4o", "m"), ("gpt-4o", "gpt-4o-mini"), ("gpt-4o", "gpt-4o-mini-2024-07-18"), ("gpt-4", "gpt-4o"),
    ("gpt-4o-2024-08-06", "gpt-4o"), ("llama3", "llama3:8b"), ("a/llama", "b/llama"), ("m", "mm"), ("mm", "m"),
    ("gpt-4o-2024-08-06", "gpt-4o-2024-05-13"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "told"), FITTING)
def test_names_that_fit(name, told):
    assert fits(name, told)


@pytest.mark.parametrize(("name", "told"), OTHERS)
def test_names_that_do_not_fit(name, told):
    assert not fits(name, told)


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (["m"], "'m'"),
        (["a", "b"], "'a' and 'b'"),
        (["gpt-4o-mini", "x", "y", "z", "gpt-4"], None),
        (["gpt-4o", "m"], None),
        (["gpt-4o-2024-08-06"], None),
        ([], None),
        ([3, None], None),
    ],
)
def test_what_is_listed_instead(ids, words):
    found = listed_instead({"data": [{"id": each} for each in ids]}, "gpt-4o")
    if len(ids) == 5:
        assert found.startswith("'gpt-4")
        assert found.endswith(" and 2 more")
    else:
        assert found == words
    assert listed_instead({"data": ["m", None]}, "gpt-4o") is None
    assert listed_instead(None, "gpt-4o") is None


def test_another_model_is_said_before_the_run_and_recorded(stand_in, backend_at, tmp_path):
    _, url = stand_in("unknown", models=("m", "gpt-4o"), change=answering_as("m"))
    lines = []
    backend = backend_at(url, lines.append, model="gpt-4o")
    backend.describe()
    assert "the server answers as 'm', not as 'gpt-4o'" in lines
    assert not [line for line in lines if "lists" in line]
    said = len(lines)
    score(backend, groups(2))
    assert len(lines) == said
    assert backend.environment()["answered_by"] == [{"model": "m", "system_fingerprint": None, "replies": 12}]
    assert backend.environment()["warnings"] == ["the server answers as 'm', not as 'gpt-4o'"]
    # What was found out is kept, and said again.
    again = []
    other = backend_at(url, again.append, model="gpt-4o")
    assert other.describe() == backend.describe()
    assert "the server answers as 'm', not as 'gpt-4o'" in again
    assert other.environment()["warnings"] == backend.environment()["warnings"]
    assert other.environment()["answered_by"] == []


def test_another_listing_is_said_before_every_run(stand_in, backend_at):
    """Servers with one model often call it whatever they are asked for."""
    state, url = stand_in("unknown", models=("m",))
    state.models = ("m", "gpt-4o")
    backend_at(url, model="gpt-4o").describe()
    state.models = ("m",)
    state.refusal = lambda chat, body: None if chat else (404, "not found")
    for _ in range(2):
        lines = []
        backend = backend_at(url, lines.append, model="gpt-4o")
        assert "the server lists 'm', not 'gpt-4o'" in lines
        assert backend.environment()["warnings"] == ["the server lists 'm', not 'gpt-4o'"]


def test_the_right_model_is_no_news(stand_in, backend_at):
    _, url = stand_in("unknown", change=answering_as("m-2024-08-06", fingerprint=lambda: "fp_1"))
    lines = []
    backend = backend_at(url, lines.append)
    score(backend, groups(1))
    assert len(lines) == 1
    assert backend.environment()["warnings"] == []
    assert backend.environment()["answered_by"] == [
        {"model": "m-2024-08-06", "system_fingerprint": "fp_1", "replies": 6}
    ]


def test_changes_on_the_way_are_said_once(stand_in, backend_at):
    _, url = stand_in("unknown", change=answering_as(*["m"] * 4, *["other", "m"] * 3))
    lines = []
    backend = backend_at(url, lines.append, concurrency=1)
    score(backend, groups(3))
    assert [line for line in lines if "now answers" in line] == ["the server now answers as 'other', before as 'm'"]
    assert backend.environment()["warnings"] == ["the server answers as 'other', not as 'm'"]
    replies = {each["model"]: each["replies"] for each in backend.environment()["answered_by"]}
    assert replies == {"m": 15, "other": 3}


def test_the_record_of_a_run_has_it(stand_in, tmp_path):
    _, url = stand_in("unknown", change=answering_as("other", fingerprint=lambda: "fp_2"))
    done = evaluate(url, tmp_path, limit=1)
    assert "the server answers as 'other', not as 'm'" in done.err
    from tests.helpers import judgeharness

    (run,) = json.loads(done.out)["runs"]
    shown = judgeharness("show", run["id"], "--store", tmp_path / "s.db", "--format", "json").out
    environment = json.loads(shown)["record"]["environment"]
    assert environment["answered_by"] == [{"model": "other", "system_fingerprint": "fp_2", "replies": 6}]
    assert environment["warnings"] == ["the server answers as 'other', not as 'm'"]


def test_a_fingerprint_for_every_reply_is_no_endless_news():
    origins = Origins("m", "m")
    said = [origins.add(Origin("m", f"fp_{number}")) for number in range(1000)]
    assert len([each for each in said if each]) <= MAX_ORIGINS
    assert sum(each["replies"] for each in origins.record()) == 1000
    assert len(origins.record()) == MAX_ORIGINS + 1


def test_replies_of_several_snapshots_belong_with_the_results():
    origins = Origins("gpt-4o", None)
    assert origins.add(Origin("gpt-4o-2024-05-13", "a")) is None
    assert origins.add(Origin("gpt-4o-2024-08-06", "b")) == (
        "the server now answers as 'gpt-4o-2024-08-06' (system_fingerprint b), "
        "before as 'gpt-4o-2024-05-13' (system_fingerprint a)"
    )
    assert origins.add(Origin()) is None
    assert origins.warnings() == ["the server answered as 'gpt-4o-2024-05-13' and 'gpt-4o-2024-08-06'"]


def test_a_cache_of_an_earlier_version_still_counts(stand_in, backend_at, tmp_path):
    state, url = stand_in("unknown", change=answering_as("other"))
    first = backend_at(url).describe()
    (kept,) = (tmp_path / "cache" / "servers").iterdir()
    known = json.loads(kept.read_text())
    for field in ("left_out", "answered_as", "unlisted"):
        del known[field]
    kept.write_text(json.dumps(known))
    before = state.requests
    lines = []
    backend = backend_at(url, lines.append)
    assert backend.describe() == first
    assert state.requests == before
    score(backend, groups(1))
    assert "the server answers as 'other', not as 'm'" in lines
    # judgeharness does not write a key twice.
    kept.write_text(kept.read_text().replace("{", '{"server": "vLLM",', 1))
    before = state.requests
    assert backend_at(url).describe() == first
    assert state.requests > before


def test_a_server_that_is_gone_is_still_said_to_have_another_model(backend_at):
    from tests.backends.openai.standin import StandIn

    with serving(StandIn("unknown", change=answering_as("other")).handler()) as address:
        backend_at(f"{address}/v1").describe()
    lines = []
    backend = backend_at(f"{address}/v1", lines.append)
    assert "the server answers as 'other', not as 'm'" in lines
    assert backend.environment()["warnings"] == ["the server answers as 'other', not as 'm'"]
