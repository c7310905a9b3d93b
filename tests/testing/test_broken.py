"""The conformance tests find what is wrong: each of these components breaks one thing."""

import sys
import textwrap

import pytest

from judgeharness.domain.errors import HarnessError
from judgeharness.testing import (
    BackendConformance,
    MetricConformance,
    StrategyConformance,
    TaskConformance,
    TransformConformance,
)

PLUGIN = """
from dataclasses import replace
import itertools
import numpy as np
from judgeharness import hookimpl
from judgeharness.domain.nouns import Decoding, GeneratedTexts, Message, OptionScores, Prompt, PromptGroup, Reading
from judgeharness.plugins.specs import BackendSpec, MetricSpec, StrategySpec, TransformSpec
from judgeharness.testing.pretend import PretendModel

HERE = __name__ + ":"

@hookimpl
def judgeharness_metrics():
    about = dict(summary="broken", label="X", direction="lower", unit="none", range=(0, 1), source="none")
    levels = {"corpus_shape": "item", "resampled": "corpus"}
    more = {"resampled": {"resampled": HERE + "no_resampling"}}
    return [MetricSpec(name=name.replace("_", "-"), target=HERE + "metric_" + name, level=levels.get(name, "item"),
                       **about, **more.get(name, {}))
            for name in ("corpus_shape", "range", "imperfect", "items", "labels", "writes", "resampled")]

def metric_corpus_shape(h, m): return float(np.abs(h - m).sum())
def metric_range(h, m): return 10 * np.abs(h - m).sum(axis=1)
def metric_imperfect(h, m): return 1 - np.abs(h - m).max(axis=1)
def metric_items(h, m): return np.abs(h - m).max(axis=1) * (np.arange(len(h)) < 5)
def metric_labels(h, m): return np.abs(h - m)[:, 0]
def metric_writes(h, m):
    h *= 0
    return np.zeros(len(h))
def metric_resampled(h, m): return float(np.abs(h - m).max(axis=1).mean())
def no_resampling(h, m, counts): return np.ones(len(counts))

@hookimpl
def judgeharness_transforms():
    return [TransformSpec(name="t-" + name, summary="broken", target=HERE + "transform_" + name)
            for name in ("sums", "first", "batch", "inverse", "writes")]

def softmax(x): return np.exp(x - x.max(1, keepdims=True)) / np.exp(x - x.max(1, keepdims=True)).sum(1, keepdims=True)
def transform_sums(options): return lambda s: softmax(s.scores) / 2
def transform_first(options): return lambda s: softmax(s.scores + np.eye(s.scores.shape[1])[0])
def transform_batch(options): return lambda s: softmax(s.scores / s.scores.std())
def transform_inverse(options): return lambda s: softmax(-s.scores)
def transform_writes(options):
    def change(s):
        s.scores[:] = 0
        return softmax(s.scores)
    return change

@hookimpl
def judgeharness_strategies():
    return [StrategySpec(name="s-" + name, summary="broken", target=HERE + "S" + name)
            for name in ("options", "letters", "random", "uid", "explanations", "follow", "rows")]

class Base:
    def __init__(self, options): pass
    def check(self, task): pass
    def prompt(self, item, task, order): return Prompt(task.template.render(item, task.labels, order), order)
    def group(self, item, task):
        return PromptGroup(item.uid, tuple(self.prompt(item, task, o) for o in itertools.permutations(range(3))))
class Soptions(Base):
    def prompt(self, item, task, order): return replace(super().prompt(item, task, order), options=(0, 0, 1))
class Sletters(Base):
    def prompt(self, item, task, order): return replace(super().prompt(item, task, order), options=order[::-1])
class Srandom(Base):
    def prompt(self, item, task, order): return Prompt((Message("user", str(np.random.random())),), order)
class Suid(Base):
    def group(self, item, task): return replace(super().group(item, task), uid="always")
class Sexplanations(Base):
    def prompt(self, item, task, order): return replace(super().prompt(item, task, order), explanations=(0,))
class Sfollow(Base):
    def group(self, item, task): return replace(super().group(item, task), decoding=Decoding(4))
class Srows(Sfollow):
    ends_in = "reading"
    def follow(self, item, task, written): return Reading(np.ones((len(written[0].texts), 3)))

@hookimpl
def judgeharness_backends():
    return [BackendSpec(name="b-" + name, summary="broken", target=HERE + "B" + name)
            for name in ("letters", "describe", "changes", "twice", "shape", "texts", "draws")]

class Pretend(PretendModel):
    def __init__(self, model, options, context): self.calls = 0
class Bletters(Pretend):
    def score(self, groups):
        for group in groups:
            yield OptionScores(group.uid, np.tile(np.arange(float(group.n_options)), (len(group.prompts), 1)), "logit")
class Bdescribe(Pretend):
    def describe(self): return {"now": str(np.random.random())}
class Bchanges(Pretend):
    def score(self, groups):
        for result in super().score(groups):
            self.calls += 1
            yield replace(result, scores=result.scores + self.calls)
class Btwice(Pretend):
    def score(self, groups):
        for result in super().score(groups):
            yield result
            yield result
class Bshape(Pretend):
    def score(self, groups):
        for group in groups: yield OptionScores(group.uid, np.zeros((1, 2)), "logit")
class Btexts(Pretend):
    def generate(self, groups):
        for result in super().generate(groups):
            yield replace(result, texts=tuple(str(np.random.random()) for _ in result.texts))
class Bdraws(Pretend):
    def generate(self, groups):
        for result in super().generate(groups):
            yield replace(result, texts=result.texts[:1], cut=result.cut[:1])
"""

BROKEN = {
    (MetricConformance, "corpus-shape"): "test_it_gives_a_number_an_item_or_one_in_all",
    (MetricConformance, "range"): "test_values_are_within_the_stated_range",
    (MetricConformance, "imperfect"): "test_a_perfect_judge_is_not_beaten",
    (MetricConformance, "items"): "test_the_order_of_items_does_not_matter",
    (MetricConformance, "labels"): "test_the_order_of_labels_does_not_matter",
    (MetricConformance, "writes"): "test_it_leaves_what_it_is_given_alone",
    (MetricConformance, "resampled"): "test_resamples_are_what_they_stand_for",
    (TransformConformance, "t-sums"): "test_rows_are_distributions",
    (TransformConformance, "t-first"): "test_labels_are_treated_alike",
    (TransformConformance, "t-batch"): "test_prompts_do_not_influence_each_other",
    (TransformConformance, "t-inverse"): "test_a_higher_score_is_never_less_probable",
    (TransformConformance, "t-writes"): "test_the_same_scores_give_the_same_and_stay_as_they_are",
    (StrategyConformance, "s-options"): "test_prompts_show_every_option_once",
    (StrategyConformance, "s-letters"): "test_letters_stand_before_their_labels",
    (StrategyConformance, "s-random"): "test_the_same_item_gives_the_same_prompts",
    (StrategyConformance, "s-uid"): "test_prompts_show_every_option_once",
    (StrategyConformance, "s-explanations"): "test_a_task_without_explanations_is_asked_or_refused",
    (StrategyConformance, "s-follow"): "test_texts_of_any_kind_lead_on",
    (StrategyConformance, "s-rows"): "test_texts_of_any_kind_lead_on",
    (BackendConformance, "b-letters:x"): "test_scores_stand_in_label_order",
    (BackendConformance, "b-describe:x"): "test_it_says_what_it_is",
    (BackendConformance, "b-changes:x"): "test_the_same_again_gives_the_same",
    (BackendConformance, "b-twice:x"): "test_scores_have_a_row_a_prompt_and_a_column_a_label",
    (BackendConformance, "b-shape:x"): "test_scores_have_a_row_a_prompt_and_a_column_a_label",
    (BackendConformance, "b-texts:x"): "test_texts_are_written_to_every_prompt",
    (BackendConformance, "b-draws:x"): "test_texts_are_written_to_every_prompt",
}


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    path = tmp_path_factory.mktemp("broken") / "broken_parts.py"
    path.write_text(textwrap.dedent(PLUGIN))
    yield str(path)
    sys.modules.pop("broken_parts", None)


@pytest.mark.parametrize(("base", "name"), BROKEN, ids=[name for _, name in BROKEN])
def test_what_is_broken_is_found(base, name, plugin, tmp_path):
    case = type("Case", (base,), {"name": name, "plugins": (plugin,)})()
    test = getattr(case, BROKEN[base, name])
    arguments = []
    if base is BackendConformance:
        backend = case._backend(tmp_path)
        arguments = [backend, tmp_path] if name.startswith("b-describe") else [backend]
    with pytest.raises((AssertionError, HarnessError, ValueError)):
        test(*arguments)


WORDED = "test_every_order_of_the_options_is_worded"
TASKS = {
    "no letters": ("{{ t }} {% for o in options %}{{ o.text }} {% endfor %}", WORDED),
    "always the same order": ("{{ t }} A yes B no", WORDED),
    "no fields": ("{% for o in options %}{{ o.letter }} {{ o.text }} {% endfor %}", "test_items_are_worded_apart"),
    "no labels of explanations": (
        "{{ t }} {% for e in explanations %}{{ e.text }}{% endfor %}",
        "test_explanations_and_instructions_reach_the_prompt",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TASKS)
def test_a_task_that_is_worded_wrongly_is_found(name, tmp_path):
    template, test = TASKS[name]
    (tmp_path / "prompt.jinja").write_text(template)
    rows = [
        f'{{"uid": "{n}", "t": "t{n}", "v": [1, 2], "explanations": [{{"text": "w", "label": "yes"}}]}}'
        for n in range(3)
    ]
    (tmp_path / "items.jsonl").write_text("\n".join(rows))
    (tmp_path / "task.toml").write_text("""
name = "mine"
title = "Mine"
template = "prompt.jinja"
labels = [{name = "yes", text = "Yes"}, {name = "no", text = "No"}]
items = {file = "items.jsonl", votes = "v", fields = {t = "t"}}
explanations = {}
""")
    case = type("Case", (TaskConformance,), {"name": str(tmp_path / "task.toml")})()
    with pytest.raises(AssertionError):
        getattr(case, test)()
