import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.backends.openai.replies import Answer, Candidate
from judgeharness.backends.openai.top_logprobs import LetterNames, find_letters


def answer(*candidates, sampled=None) -> Answer:
    return Answer(tuple(candidates), sampled, None, None)


def test_letters_are_told_by_id_where_there_are_ids():
    names = LetterNames({"A": 49, "B": 50}, "")
    found = find_letters(
        answer(Candidate(-1.0, "A", 330), Candidate(-2.0, "A", 49), Candidate(-3.0, "B", 50)), "AB", names
    )
    assert found.logprobs.tolist() == [-2.0, -3.0]
    assert not found.censored.any()
    assert found.mass == pytest.approx(np.exp(-2) + np.exp(-3))


def test_letters_are_told_by_exact_text_else():
    candidates = (Candidate(-0.5, "A"), Candidate(-1.0, " A"), Candidate(-1.5, "B"), Candidate(-2.5, " B"))
    assert find_letters(answer(*candidates), "AB", LetterNames()).logprobs.tolist() == [-0.5, -1.5]
    assert find_letters(answer(*candidates), "AB", LetterNames(form=" ")).logprobs.tolist() == [-1.0, -2.5]
    # Ids that were not given with a candidate do not hide its text.
    assert find_letters(answer(*candidates), "A", LetterNames({"A": 49})).logprobs.tolist() == [-0.5]


def test_of_two_tokens_with_the_same_text_the_more_probable_is_meant():
    found = find_letters(answer(Candidate(-3.0, "A"), Candidate(-1.0, "A")), "A", LetterNames())
    assert found.logprobs.tolist() == [-1.0]


def test_an_option_that_was_not_returned_keeps_its_bound():
    found = find_letters(answer(Candidate(-0.1, "A"), Candidate(-4.0, "x")), "ABC", LetterNames())
    assert found.logprobs.tolist() == [-0.1, -4.0, -4.0]
    assert found.censored.tolist() == [False, True, True]
    assert found.mass == pytest.approx(np.exp(-0.1))


def test_the_sampled_token_is_no_bound_where_it_is_listed_besides_the_top_ones():
    drawn = Candidate(-9.0, "x")
    found = find_letters(answer(Candidate(-0.1, "A"), Candidate(-4.0, "y"), drawn, sampled=drawn), "AB", LetterNames())
    assert found.logprobs.tolist() == [-0.1, -4.0]


@given(st.integers(0, 10_000), st.integers(1, 12), st.booleans())
def test_bounds_are_bounds_whatever_the_server_draws(seed, top, lists_sampled):
    """A whole vocabulary by hand: what is returned is exact, what is not is never more probable than its bound."""
    random = np.random.default_rng(seed)
    true = np.log(random.dirichlet(np.full(30, 0.3)) + 1e-12)
    order = np.argsort(-true)
    shown = list(order[:top])
    drawn = int(random.choice(30))
    if lists_sampled and drawn not in shown:
        shown.append(drawn)
    candidates = [Candidate(float(true[index]), chr(65 + index % 26) if index < 26 else str(index)) for index in shown]
    sampled = Candidate(float(true[drawn]), chr(65 + drawn) if drawn < 26 else str(drawn))
    found = find_letters(answer(*candidates, sampled=sampled), "ABCDE", LetterNames())
    for place in range(5):
        assert bool(found.censored[place]) == (place not in shown)
        if found.censored[place]:
            assert true[place] <= found.logprobs[place] + 1e-12
        else:
            assert found.logprobs[place] == true[place]
