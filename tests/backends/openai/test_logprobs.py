"""What servers write for a log-probability: values, placeholders for what they did not return, and nonsense."""

import json
import math

import numpy as np
import pytest

from judgeharness.backends.openai.client import _json
from judgeharness.backends.openai.faults import FaultError, NonsenseError
from judgeharness.backends.openai.logprobs import read_logprobs, require_total
from judgeharness.backends.openai.replies import read_answer
from judgeharness.domain.nouns import OptionScores, ScoringFailure
from tests.backends.openai.test_backend import evaluate, groups, score
from tests.helpers import faulty

PLACEHOLDERS = [
    "-9999.0",
    "-9999",
    "-500",
    "-1000.0",
    "-1e4",
    "-100000.0",
    "-3.4028234663852886e+38",
    "-Infinity",
    "-1e999",
    "null",
]
NONSENSE = {
    "NaN": "NaN is not a number",
    "0.6": "0.6 is above 0; all are from 0 to 1, so they look like probabilities",
    "2.5": "2.5 is above 0",
    "Infinity": "inf is above 0",
    "1" + "0" * 400: "inf is above 0",
    '"-0.5"': "'-0.5' is not a number",
    "true": "'True' is not a number",
    "[]": "is not a number",
}


def chat(*entries, sampled='"A", "logprob": -0.5'):
    """A reply of the chat shape, from tokens with log-probabilities as JSON."""
    top = ", ".join(f'{{"token": "{token}", "logprob": {value}}}' for token, value in entries)
    return f'{{"choices": [{{"logprobs": {{"content": [{{"token": {sampled}, "top_logprobs": [{top}]}}]}}}}]}}'


def completions(*entries):
    top = ", ".join(f'"{token}": {value}' for token, value in entries)
    return f'{{"choices": [{{"logprobs": {{"tokens": ["{entries[0][0]}"], "top_logprobs": [{{{top}}}]}}}}]}}'


def native(*entries):
    top = ", ".join(f"[{value}, {ord(token)}, null]" for token, value in entries)
    return f'{{"meta_info": {{"output_top_logprobs": [[{top}]], "output_token_ids_logprobs": [[{top}]]}}}}'


SHAPES = [chat, completions, native]


def answer(text):
    return read_answer(_json(text.encode()))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_a_placeholder_is_a_token_that_was_not_returned(shape, value):
    found = answer(shape(("A", -0.5), ("B", value), ("C", "-499.5")))
    assert [each.logprob for each in found.candidates] == [-0.5, -499.5]
    with pytest.raises(FaultError, match="no log-probabilities") as caught:
        answer(shape(("A", value), ("B", value)))
    assert not isinstance(caught.value, NonsenseError)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("value", NONSENSE)
def test_nonsense_is_named(shape, value):
    entries = [("A", 0.3), ("B", value)] if value == "0.6" else [("A", -0.5), ("B", value)]
    with pytest.raises(NonsenseError) as caught:
        answer(shape(*entries))
    assert NONSENSE[value] in caught.value.reason
    assert ("look like probabilities" in caught.value.reason) == (value == "0.6")


@pytest.mark.parametrize("shape", SHAPES)
def test_probabilities_sum_to_one_at_most(shape):
    with pytest.raises(NonsenseError, match="sum to 4"):
        answer(shape(*((token, 0.0) for token in "ABCD")))
    with pytest.raises(NonsenseError, match=r"sum to 1\.02"):
        answer(shape(("A", math.log(0.51)), ("B", math.log(0.51))))
    assert len(answer(shape(("A", math.log(0.505)), ("B", math.log(0.504)))).candidates) == 2


@pytest.mark.parametrize("shape", SHAPES)
def test_a_little_above_zero_is_rounding(shape):
    assert answer(shape(("A", 9e-4), ("B", -9.0))).candidates[0].logprob == 0


def test_a_token_that_is_listed_twice_counts_once():
    assert len(answer(chat(("A", -0.1), ("B", -3.0), ("A", -0.1))).candidates) == 2
    # Two tokens can have one text, but not so much probability.
    assert len(answer(chat(("A", -1.0), ("A", -2.0))).candidates) == 2
    with pytest.raises(NonsenseError, match="sum to"):
        answer(chat(("A", -0.1), ("A", -0.2)))


@pytest.mark.parametrize("value", [*PLACEHOLDERS, "NaN", "0.7", '"x"', "{}"])
@pytest.mark.parametrize("token", ['""', '"A"', "null"])
def test_the_drawn_tokens_own_entry_decides_nothing(value, token):
    found = answer(chat(("A", -0.5), ("B", -1.5), sampled=f'{token}, "logprob": {value}'))
    assert [each.logprob for each in found.candidates] == [-0.5, -1.5]
    assert found.sampled is None


def test_numbers_alone():
    assert read_logprobs([-1, 0.0005, None, -math.inf, -1.5]) == [-1.0, 0.0, None, None, -1.5]
    require_total([-0.7, -0.7])


def changed(value, **known):
    """Gives the tokens of every reply to a prompt of an item these values, or the one for all others."""

    def change(body, document):
        if "item" in json.dumps(body):
            for entry in document["choices"][0]["logprobs"]["content"][0]["top_logprobs"]:
                entry["logprob"] = known.get(entry["token"], value)
        return document

    return change


@pytest.mark.parametrize("value", [-9999.0, -math.inf, -3.4028234663852886e38, None])
def test_options_without_a_value_stand_at_their_bound(stand_in, backend_at, value):
    _, url = stand_in("unknown", change=changed(value, A=math.log(0.6667), B=math.log(0.3333)))
    found = score(backend_at(url), groups(1))["i0"]
    assert isinstance(found, OptionScores)
    assert found.censored.sum(axis=1).tolist() == [1] * 6
    np.testing.assert_allclose(found.scores[found.censored], math.log(0.3333))
    np.testing.assert_allclose(found.mass, 1.0)


def test_nonsense_fails_an_item_at_once(stand_in, backend_at):
    state, url = stand_in("unknown", change=changed(0.0))
    backend = backend_at(url)
    backend.describe()
    before = state.requests
    found = score(backend, groups(2))
    assert state.requests == before + 2
    assert isinstance(found["i0"], ScoringFailure)
    assert found["i0"].reason.startswith("the server's log-probabilities make no sense: the probabilities")


def test_a_server_that_writes_probabilities_is_refused_before_the_run(stand_in, tmp_path):
    def change(body, document):
        for entry in document["choices"][0].get("logprobs", {}).get("content", [{}])[0].get("top_logprobs", []):
            entry["logprob"] = math.exp(entry["logprob"])
        return document

    _, url = stand_in("unknown", change=change)
    done = evaluate(url, tmp_path)
    assert done.code == 2
    assert "log-probabilities make no sense" in done.err
    assert "they look like probabilities, not like their logarithms" in done.err
    assert "no log-probabilities" not in done.err


def test_a_real_server_gives_no_placeholder_for_a_value(llama_cpp_server, backend_at):
    found = score(backend_at(llama_cpp_server, model="smollm2"), groups(1))["i0"]
    assert (found.scores > -500).all()
    assert (found.scores <= 0).all()
    assert (np.exp(found.scores).sum(axis=1) <= 1.01).all()


def test_a_faulty_answer_in_the_store_is_asked_again(stand_in, tmp_path):
    from judgeharness.store.database import Store

    _, url = stand_in("unknown")
    first = evaluate(url, tmp_path, limit=2)
    with Store.open(tmp_path / "s.db") as store:
        (key, *_), (digest,) = (
            zip(*store.connection.execute("SELECT key FROM scores"), strict=True),
            next(store.connection.execute("SELECT digest FROM backends")),
        )
        row = store.connection.execute("SELECT session_id, uid FROM scores WHERE key = ?", (key[0],)).fetchone()
        store.connection.execute("DELETE FROM scores WHERE key = ?", (key[0],))
        store.answers.add(
            key[0], digest, row[0], OptionScores(row[1], np.array([[-0.4, -1.1, -9999.0]] * 6), "logprob")
        )
        assert faulty(store, digest) == 1
    again = evaluate(url, tmp_path, limit=2)
    with Store.open(tmp_path / "s.db") as store:
        assert faulty(store, digest) == 0
    assert json.loads(again.out)["runs"][0]["metrics"] == json.loads(first.out)["runs"][0]["metrics"]
