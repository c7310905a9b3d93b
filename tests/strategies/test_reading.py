import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.strategies.reading import read_choice, read_percentages

READ = {
    "A: 70%\nB: 20%\nC: 10%": (0.7, 0.2, 0.1),
    "a line of talk\n\n**A**: 70 %\n- B. Neutral: 20%\nC) 10": (0.7, 0.2, 0.1),
    "B: 20%\nC: 10%\nA: 70%": (0.7, 0.2, 0.1),
    "A: 33.3%\nB: 33.3%\nC: 33.3%": (1 / 3, 1 / 3, 1 / 3),
    "A: 100%\nB: 0%\nC: 0%\nThat is because A is right.": (1, 0, 0),
    "A = 60\r\nB = 40\r\nC = 0\r\n": (0.6, 0.4, 0),
    "* A - Entailment: 5%\n* B - Neutral: 90%\n* C - Contradiction: 5%": (0.05, 0.9, 0.05),
}
UNREAD = [
    "",
    "A: 100%\nB: 100%\nC: 100%",
    "A: 70%\nB: 30%",
    "A: 70%\nA: 10%\nB: 10%\nC: 10%",
    "A: 50%\nB: 25%\nC: 15%\nD: 10%",
    "A: ...%\nB: ...%\nC: ...%",
    "A: -10%\nB: 60%\nC: 50%",
    "A: 70% B: 20% C: 10%",
    "A: about 70 to 80%\nB: 20%\nC: 10%",
    "Most people would say A.",
]


@pytest.mark.parametrize("text", READ)
def test_percentages_that_are_read(text):
    assert read_percentages(text, "ABC") == pytest.approx(READ[text])


@pytest.mark.parametrize("text", UNREAD)
def test_percentages_that_are_not_sure_are_not_read(text):
    assert read_percentages(text, "ABC") is None


@given(st.permutations(range(4)), st.lists(st.integers(0, 100), min_size=4, max_size=4).filter(any))
def test_whole_percentages_come_back_in_any_order_of_lines(order, shares):
    whole = [100 * share // sum(shares) for share in shares]
    whole[0] += 100 - sum(whole)
    text = "\n".join(f"{'ABCD'[place]}: {whole[place]}%" for place in order)
    assert read_percentages(text, "ABCD") == pytest.approx([share / 100 for share in whole])


@given(st.text())
def test_no_text_makes_it_fail(text):
    stated = read_percentages(text, "AB")
    assert stated is None or sum(stated) == pytest.approx(1)
    assert read_choice(text, {"A": "Yes", "B": "No"}) in {"A", "B", None}


OPTIONS = {"A": "Neutral", "B": "Entailment", "C": "Contradiction"}
CHOSEN = {
    "B": "B",
    "b.": "B",
    " B. Entailment": "B",
    "**C**": "C",
    "(A) because it may be so": "A",
    "C\nSince the man sleeps": "C",
    "Answer: B": "B",
    "The answer is C.": "C",
    "Contradiction.": "C",
    "neutral": "A",
    "B Entailment": "B",
    "A. Something else": "A",
}
NOT_SURE = [
    "",
    "A man is outside.",
    "Both",
    "D",
    "I choose B",
    "A. Entailment",
    "Neutrality",
    "It depends: A",
    "A and B",
]


@pytest.mark.parametrize("text", CHOSEN)
def test_choices_that_are_read(text):
    assert read_choice(text, OPTIONS) == CHOSEN[text]


@pytest.mark.parametrize("text", NOT_SURE)
def test_choices_that_are_not_sure_are_not_read(text):
    assert read_choice(text, OPTIONS) is None


def test_an_option_that_begins_like_another():
    options = {"A": "No", "B": "Not sure"}
    assert read_choice("Not sure", options) == "B"
    assert read_choice("No", options) == "A"
    assert read_choice("B. Not sure", options) == "B"
