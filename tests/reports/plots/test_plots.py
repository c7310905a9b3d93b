"""Figures: what is drawn is the data, and files come out whole; sketches in the terminal."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.analysis.bias import Bias, Preference
from judgeharness.analysis.intervals import Interval
from judgeharness.domain.errors import InputError, MissingExtraError
from judgeharness.domain.nouns import Item
from judgeharness.evaluation.components import default_measures
from judgeharness.metrics.measure import Sample
from judgeharness.reports.plots import bias, bins, entropy, paper, sketch, ternary
from judgeharness.reports.plots.series import Judged, Series
from judgeharness.store.records import TaskRecord
from judgeharness.store.runs import StoredTask
from tests.helpers import judgeharness

LABELS = ("entailment", "neutral", "contradiction")


def made(items=60, labels=LABELS, names=("hf:a parallel softmax τ=20",), seed=0):
    random = np.random.default_rng(seed)
    votes = random.multinomial(100, random.dirichlet([0.7] * len(labels), items))
    human = votes / 100
    own = tuple(
        Item(f"i{place}", {}, tuple(row), tuple(map(float, counts)))
        for place, (row, counts) in enumerate(zip(human.tolist(), votes, strict=True))
    )
    series = tuple(Series(name, own, human, random.dirichlet([1.0] * len(labels), items)) for name in names)
    task = StoredTask("d", "t", "all", labels, items, items, TaskRecord())
    return Judged(task, own, human, series)


def scattered(axes):
    """The points of an axes, as it places them."""
    return np.concatenate([each.get_offsets() for each in axes.collections if len(each.get_offsets())])


def test_a_ternary_plot_has_people_and_every_judge_and_every_item():
    judged = made(names=("hf:a", "hf:b"))
    with paper.paper():
        figure = ternary.draw(judged, ["i3"])
    assert [axes.get_title() for axes in figure.axes] == ["people", "hf:a", "hf:b"]
    for axes, points in zip(figure.axes, [judged.human, *(each.model for each in judged.series)], strict=True):
        drawn = scattered(axes)
        assert len(drawn) == 60 + 1, "each item, and the ring around the marked one"
        # Along the side between the first label and the third: the third's share grows to the right.
        right = points[:, 2] - points[:, 0]
        order = np.argsort(right)
        assert len(drawn) == len(order) + 1
        texts = {text.get_text().strip() for text in axes.texts}
        assert {*LABELS, "1"} <= texts


def test_corners_of_the_triangle_are_the_labels():
    corners = np.eye(3)
    task = StoredTask("d", "t", "all", LABELS, 3, 3, TaskRecord())
    items = tuple(Item(name, {}, tuple(row)) for name, row in zip("abc", corners.tolist(), strict=True))
    judged = Judged(task, items, corners, (Series("hf:a", items, corners, corners),))
    with paper.paper():
        figure = ternary.draw(judged)
        axes = figure.axes[0]
        figure.canvas.draw()
        shown = {
            text.get_text(): axes.transData.inverted().transform(text.get_window_extent().get_points()).mean(axis=0)
            for text in axes.texts
        }
        points = [each.get_offsets()[0] for each in axes.collections if len(each.get_offsets())]
    for label, point in zip(LABELS, points, strict=True):
        nearest = min(shown, key=lambda name: np.hypot(*(shown[name] - point)))
        assert nearest == label


def test_a_ternary_plot_is_for_three_labels_and_known_items():
    with paper.paper(), pytest.raises(InputError, match="three labels"):
        ternary.draw(made(labels=("yes", "no")))
    with paper.paper(), pytest.raises(InputError, match="no item 'x'"):
        ternary.draw(made(), ["x"])


def test_entropies_are_drawn_as_they_are():
    judged = made(names=("hf:a", "hf:b"))
    with paper.paper():
        figure = entropy.draw(judged)
    for axes, series in zip(figure.axes, judged.series, strict=False):
        expected = np.stack(
            [
                -np.sum(np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0), axis=1)
                for p in (series.human, series.model)
            ],
            1,
        )
        np.testing.assert_allclose(scattered(axes), expected, atol=1e-12)
        assert f"r = {np.corrcoef(expected.T)[0, 1]:.2f}" in axes.get_title()


def test_bins_are_measured_as_their_items_alone(registry):
    judged = made(items=80)
    measure = default_measures(registry)["tvd"]
    found = bins.bins_of(judged, measure, 4)
    assert sum(found.sizes) == 80
    assert [name for name, _ in found.lines] == ["hf:a parallel softmax τ=20", "noise floor"]
    values = measure.values(Sample(judged.human, judged.series[0].model))
    means = [value for value, _ in found.lines[0][1]]
    assert sum(mean * size for mean, size in zip(means, found.sizes, strict=True)) / 80 == pytest.approx(values.mean())
    with paper.paper():
        figure = bins.draw(found)
    (axes,) = figure.axes
    heights = axes.containers[0].lines[0].get_ydata(orig=False)
    np.testing.assert_allclose(heights, means)
    assert "TVD (lower is better" in axes.get_ylabel()


def test_bins_without_votes_have_no_line_of_people(registry):
    judged = made()
    bare = tuple(Item(item.uid, {}, item.human) for item in judged.items)
    judged = Judged(judged.task, bare, judged.human, (Series("hf:a", bare, judged.human, judged.series[0].model),))
    found = bins.bins_of(judged, default_measures(registry, ["entce"])["entce"], 3)
    assert [name for name, _ in found.lines] == ["hf:a"]
    with paper.paper():
        assert "best at 0" in bins.draw(found).axes[0].get_ylabel()


def preference(value):
    return Preference(value, Interval(value - 0.02, value + 0.03))


def test_letters_and_places_are_drawn_with_their_intervals():
    own = Bias(40, tuple(map(preference, (0.5, 0.3, 0.2))), tuple(map(preference, (0.4, 0.3))), preference(0.1), None)
    bare = Bias(40, tuple(map(preference, (0.4, 0.3, 0.3))), (), preference(0.1), None)
    with paper.paper():
        figure = bias.draw([("hf:a", own), ("hf:b", bare)])
        assert len(bias.draw([("hf:b", bare)]).axes) == 1
    letters, places = figure.axes
    np.testing.assert_allclose(letters.containers[0].lines[0].get_ydata(orig=False), [0.5, 0.3, 0.2])
    segments = letters.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose(
        [[low[1], high[1]] for low, high in segments], [[0.48, 0.53], [0.28, 0.33], [0.18, 0.23]]
    )
    assert [tick.get_text() for tick in letters.get_xticklabels()] == ["A", "B", "C"]
    assert len(places.containers) == 1


def test_a_judge_looks_alike_in_both_panels():
    """Only the second has places: it must not look like the first there."""
    bare = Bias(40, tuple(map(preference, (0.4, 0.3, 0.3))), (), preference(0.1), None)
    own = Bias(40, tuple(map(preference, (0.5, 0.3, 0.2))), tuple(map(preference, (0.4, 0.3))), preference(0.1), None)
    with paper.paper():
        letters, places = bias.draw([("hf:a", bare), ("hf:b", own)]).axes
    (shown,) = [container.lines[0] for container in places.containers]
    second = letters.containers[1].lines[0]
    assert (shown.get_color(), shown.get_marker()) == (second.get_color(), second.get_marker())


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_files_are_whole_and_the_same_each_time(tmp_path, suffix):
    with paper.paper():
        for name in ("a", "b"):
            paper.save(ternary.draw(made(names=("hf:$x^2$ & [red]",)), ["i1"]), tmp_path / f"{name}{suffix}")
    first, second = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("a", "b"))
    assert first == second
    begin = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix]
    assert first.startswith(begin)
    if suffix == ".svg":
        assert b"hf:$x^2$" in first, "a name is no formula"


def test_other_endings_and_places_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match=r"\.png, \.svg, \.pdf"):
        paper.require_ending(tmp_path / "a.gif")
    done = judgeharness("plot", "ternary", "abc", "--out", "a.gif")
    assert done.code == 2
    with paper.paper():
        figure = entropy.draw(made())
        with pytest.raises(Exception, match="there is no folder"):
            paper.save(figure, tmp_path / "none" / "a.png")


def test_colours_are_told_apart_in_grey_and_by_the_colour_blind():
    """Okabe and Ito's: of neighbours, each has its own shape, and none shares a colour."""
    assert len(set(paper.COLOURS)) == len(paper.COLOURS) == len(set(paper.MARKERS))
    assert len({(look["color"], look["marker"]) for look in map(paper.style, range(49))}) == 49


def test_a_missing_extra_is_one_line_with_the_command(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mpltern", None)
    with pytest.raises(MissingExtraError) as raised, paper.paper():
        pass
    assert "pip install 'judgeharness[plot]'" in raised.value.lines()[1]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=50), st.integers(2, 30), st.integers(2, 60))
def test_a_canvas_shows_every_point_in_its_place(points, rows, columns):
    canvas = sketch.shaded(np.array(points).reshape(-1, 2), rows, columns)
    assert len(canvas) == rows
    assert {len(line) for line in canvas} == {columns}
    inked = {(row, column) for row, line in enumerate(canvas) for column, mark in enumerate(line) if mark != " "}
    assert inked == {(round((1 - y) * (rows - 1)), round(x * (columns - 1))) for x, y in points}


def test_more_items_are_darker():
    canvas = sketch.shaded(np.array([[0.0, 0.0]] * 50 + [[1.0, 1.0]]), 2, 2)
    assert sketch.SHADES.index(canvas[1][0]) > sketch.SHADES.index(canvas[0][1])


def stored(store, *words):
    done = judgeharness("eval", "--task", "nli-sample", "--store", store, "--format", "json", *words)
    return [run["id"] for run in json.loads(done.out)["runs"]]


def test_the_program_draws_every_kind(tmp_path):
    store = tmp_path / "s.db"
    few = ("--limit", "6")
    (model,) = stored(store, "--backend", "hf:smollm2", "--strategy", "parallel", "--transform", "softmax", *few)
    human, explanations = stored(store, "--backend", "baseline:human", "--backend", "baseline:explanations", *few)
    for kind, words in (
        ("ternary", [model, human, "--mark", "sample-01"]),
        ("entropy", [model, explanations]),
        ("bins", [model, explanations, "--metric", "rankcs", "--bins", "2"]),
        ("bias", [model]),
    ):
        path = tmp_path / f"{kind}.png"
        done = judgeharness("plot", kind, *words, "--store", store, "--out", path)
        assert done.code == 0, done.err
        assert path.read_bytes().startswith(b"\x89PNG")
        drawn = judgeharness("plot", kind, *words, "--store", store)
        assert drawn.code == 0, drawn.err
        assert "hf:smollm2" in drawn.out
        assert all(len(line) <= 120 for line in drawn.out.splitlines())


def test_runs_that_cannot_be_drawn_together(tmp_path):
    store = tmp_path / "s.db"
    (human,) = stored(store, "--backend", "baseline:human")
    (few,) = stored(store, "--backend", "baseline:uniform", "--limit", "5")
    assert "over different items" in judgeharness("plot", "entropy", human, few, "--store", store).err
    assert "no item 'zz'" in judgeharness("plot", "ternary", human, "--mark", "zz", "--store", store).err
    assert "asked no prompts" in judgeharness("plot", "bias", human, "--store", store).err
    assert judgeharness("plot", "ternary", "--store", store).code == 2
    drawn = judgeharness("plot", "bins", few, "--store", store, "--bins", "2")
    assert drawn.code == 0, "few items have no interval"
    assert "±" not in drawn.out
