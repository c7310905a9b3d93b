"""Single items: their texts, what people and judges chose, and the scores of every prompt."""

from __future__ import annotations

from typing import Any

from judgeharness.analysis import bias
from judgeharness.backends.chat import PROBE
from judgeharness.domain.hashes import digest
from judgeharness.domain.nouns import Item, OptionScores, Prompt
from judgeharness.evaluation.again.replay import Answered, asked_of
from judgeharness.reports.page.packing import floats, packed
from judgeharness.reports.page.report import Judge, Report, Section, Subject
from judgeharness.reports.page.subjects import distinct
from judgeharness.reports.page.templates import asset, html
from judgeharness.transforms.softmax import SoftmaxOptions, softmax

SHARES = softmax(SoftmaxOptions(temperature=1.0))


def section(report: Report) -> Section | None:
    """Show a searchable list of items, and an item with its texts, distributions and prompts."""
    if not report.subjects:
        return None
    body = html("items.html.jinja", subjects=report.subjects, with_texts=report.with_texts)
    data = [_Subject(subject, report.with_texts).data() for subject in report.subjects]
    return Section("Items", body, data=data, script=asset("items.js"))


class _Subject:
    """The data of one subject. Prompts that several runs asked are included once."""

    def __init__(self, subject: Subject, with_texts: bool) -> None:
        self._subject = subject
        self._with_texts = with_texts
        self._prompts: dict[str, str] = {}

    def data(self) -> dict[str, Any]:
        """Return the subject's data.

        `texts` holds each item's texts. `askings` holds what was asked and answered, by item. `judges` holds the index
        of each run in `askings`. `prompts` holds the packed prompts.
        """
        asked: dict[str, list[Judge]] = {}
        for judge in self._subject.judges:
            if judge.answered is not None:
                asked.setdefault(_asking(judge), []).append(judge)
        # A transform may be undefined for some answers, so the run with the fewest failures has the most of them.
        fullest = {name: min(judges, key=lambda judge: judge.run.n_failed) for name, judges in asked.items()}
        found = list(fullest.values())
        names = distinct([f"{judge.run.backend} {judge.run.way}" for judge in found], [judge.run.id for judge in found])
        return {
            "texts": [self._texts(item) for item in self._subject.items] if self._with_texts else None,
            "askings": [self._asked(judge, name) for judge, name in zip(found, names, strict=True)],
            "judges": [
                None if judge.answered is None else list(asked).index(_asking(judge)) for judge in self._subject.judges
            ],
            "prompts": self._prompts,
        }

    def _texts(self, item: Item) -> dict[str, Any]:
        known = self._subject.texts.get(item.uid)
        return {} if known is None else {"fields": dict(known.fields), "explanations": _explanations(known)}

    def _asked(self, judge: Judge, name: str) -> dict[str, Any]:
        answers = {} if judge.answered is None else {each.item.uid: self._answer(each) for each in judge.answered()}
        return {
            "name": name,
            "around": around(judge.backend.get("prompt_format")) if self._with_texts else None,
            "answers": answers,
        }

    def _answer(self, answered: Answered) -> dict[str, Any]:
        prompts = answered.turn.group.prompts
        shown: dict[str, Any] = {
            "options": [prompt.options for prompt in prompts],
            "explanations": [prompt.explanations for prompt in prompts],
            "messages": [_messages(prompt) for prompt in prompts] if self._with_texts else None,
            "written": [each.texts for each in answered.written] if self._with_texts else [],
        }
        if self._with_texts and any(prompt.explanations for prompt in prompts):
            shown["shown"] = _explanations(answered.item)
        key = digest(shown)[:16]
        if key not in self._prompts:
            self._prompts[key] = packed(shown)
        return {"prompts": key, **_scores(answered)}


def _scores(answered: Answered) -> dict[str, Any]:
    """Return scores as they are stored, and the shares of letters and explanation positions that result from them."""
    answer = answered.answer
    if isinstance(answer, OptionScores):
        found: dict[str, Any] = {"kind": answer.kind, "scores": floats(answer.scores)}
        if answer.mass is not None:
            found["mass"] = floats(answer.mass)
        if answer.censored is not None and answer.censored.any():
            found["censored"] = answer.censored.astype(int).tolist()
    else:
        found = {"kind": "read", "scores": floats(answer.probabilities)}
    asked = asked_of(answered, SHARES)
    if len(asked.probabilities):
        found["letters"] = floats(bias.letters(asked))
        if asked.explanations.shape[1] > 1:
            found["places"] = floats(bias.places(asked))
    return found


def around(prompt_format: object) -> tuple[str, str] | None:
    """Return what the model reads before and after the user's message, or None if that is unknown."""
    if not isinstance(prompt_format, str) or prompt_format.count(PROBE.content) != 1:
        return None
    before, _, after = prompt_format.partition(PROBE.content)
    return before, after


def _asking(judge: Judge) -> str:
    """Return a hash of what was asked of whom. Runs that apply different transforms to the same answers share it."""
    record = judge.run.record.document()
    return digest([judge.run.backend_digest, record.get("strategy"), record.get("explanations"), judge.run.strategy])


def _messages(prompt: Prompt) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in prompt.messages]


def _explanations(item: Item) -> list[dict[str, Any]]:
    return [{"text": each.text, "label": each.label, "annotator": each.annotator} for each in item.explanations]
