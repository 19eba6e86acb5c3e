"""Plots of curves."""

import math
import warnings

import numpy as np
import pytest

from pyshac import Curve, write_report
from pyshac.core.basics.results.details import Details
from pyshac.looking.snapshot import take_snapshot
from pyshac.reporting.pictures import plots_of
from pyshac.utils.vis_utils import plot_curves
from tests.curves.searches import engine_in, falling, states_of
from tests.looking.searches import make_dataset

matplotlib = pytest.importorskip("matplotlib")

AWKWARD = {
    "one": [(1.0,)],
    "constant": [(2.0, 2.0)],
    "huge": [(1e299, -1e299)],
    "tiny": [(5e-324, 0.0), (1e-300,)],
    "many": [tuple(range(1, 900))] * 5,
}


def with_curves(*curves, scores=None):
    """A dataset with these curves, None for none; complete unless they are pruned."""
    dataset = make_dataset([])
    for number, curve in enumerate(curves):
        is_lost = curve is not None and curve.is_pruned
        score = math.nan if is_lost else number if scores is None else scores[number]
        dataset.add_sample([number / len(curves)], float(score), details=Details(curve=curve))
    return dataset


def reported(*scores):
    return Curve(tuple(range(1, len(scores) + 1)), tuple(map(float, scores)))


def lines_of(ax):
    """The points of each line."""
    return [segment.tolist() for segment in ax.collections[0].get_segments()]


def ends_of(ax):
    """The marked ends of each state, by the legend's text."""
    marks = ax.collections[1:]
    return {
        legend.get_label(): np.asarray(ends.get_offsets()).tolist()
        for ends, legend in zip(marks[::2], marks[1::2], strict=True)
    }


@pytest.fixture(scope="module")
def pruned(tmp_path_factory):
    """A finished search for low losses, with pruned evaluations."""
    engine = engine_in(tmp_path_factory.mktemp("pruned"), falling, objective="min")
    engine.fit(pruning="halving", skip_cv_checks=True, verbose=0)
    return engine


def test_each_evaluation_is_a_line_with_a_marked_end():
    dataset = with_curves(
        reported(1, 2, 3), None, Curve((2, 5), (0.5, 0.25), is_pruned=True), reported(4, 4),
        scores=[3, 7, math.nan, math.nan],
    )  # fmt: skip
    ax = plot_curves(dataset)
    assert lines_of(ax) == [[[1, 1], [2, 2], [3, 3]], [[2, 0.5], [5, 0.25]], [[1, 4], [2, 4]]]
    assert ends_of(ax) == {"complete: 1": [[3, 3]], "pruned: 1": [[5, 0.25]], "failed: 1": [[2, 4]]}
    paths = [marks.get_paths()[0].vertices.tolist() for marks in ax.collections[1::2]]
    assert all(paths.count(path) == 1 for path in paths)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Step", "Score (higher is better)")


def test_missing_scores_are_left_out():
    gone = reported(math.nan, math.nan)
    ax = plot_curves(with_curves(reported(1, math.nan, 3, math.nan), gone, reported(math.nan, 2)))
    assert lines_of(ax) == [[[1, 1], [3, 3]], [[2, 2]]]
    assert ends_of(ax) == {"complete: 2": [[3, 3], [2, 2]]}


def test_colours_are_stages(pruned):
    found = take_snapshot(pruned)
    assert found.num_stages > 2
    ax = plot_curves(pruned.save_dir)
    colours = [tuple(colour[:3]) for colour in ax.collections[0].get_colors()]
    pairs = {*zip(found.stages.tolist(), colours, strict=True)}
    assert len(pairs) == found.num_stages == len({*colours})
    number = states_of(pruned).count("pruned")
    assert number > 0
    assert {*ends_of(ax)} == {f"complete: {40 - number}", f"pruned: {number}"}
    assert ax.get_ylabel() == "Score (lower is better)"


def test_without_curves_the_error_says_what_to_do():
    for dataset in (make_dataset([1.0, 2.0]), with_curves(reported(math.nan)), make_dataset([])):
        with pytest.raises(ValueError, match=r"no curve to plot. Call pyshac.report\(step, score"):
            plot_curves(dataset)


def test_scores_that_cannot_be_drawn():
    with pytest.raises(ValueError, match=r"beyond 1e\+300"):
        plot_curves(with_curves(reported(1.0), reported(-1.7e308, 1.0)))


def test_given_axes_are_returned():
    ax = matplotlib.figure.Figure().add_subplot()
    assert plot_curves(with_curves(reported(1, 2)), objective="min", ax=ax) is ax
    assert ax.get_ylabel() == "Score (lower is better)"


@pytest.mark.slow
@pytest.mark.parametrize("scores", AWKWARD.values(), ids=AWKWARD)
def test_awkward_scores_are_drawn_without_warnings(scores, tmp_path):
    dataset = with_curves(*[reported(*each) for each in scores])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot_curves(dataset).figure.savefig(tmp_path / "plot.svg")


@pytest.mark.slow
def test_reports_have_them_where_there_are_any(pruned, tmp_path):
    text = write_report(pruned, tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.index('<h2 id="scores">') < text.index('<h2 id="curves">Curves</h2>')
    alt = "The scores that 40 evaluations reported on their way, as lines over the steps."
    assert text.count(f'alt="{alt}"') == 2
    sections = [plot.section for plot in plots_of(take_snapshot(make_dataset([1.0, 2.0])))]
    assert "curves" not in sections


@pytest.mark.parametrize("sign", [1, -1])
def test_the_axis_is_logarithmic_where_that_of_the_scores_is(sign):
    losses = [(1.0, 0.9), (1.0, 0.001)]
    curves = [reported(*(sign * y for y in curve)) for curve in losses]
    dataset = with_curves(*curves, scores=[sign * curve[-1] for curve in losses])
    objective = "min" if sign > 0 else "max"
    assert plot_curves(dataset, objective=objective).get_yscale() == (
        "log" if sign > 0 else "symlog"
    )
    dataset = with_curves(reported(-sign, sign * 0.9), curves[1], scores=[sign * 0.9, sign * 0.001])
    assert plot_curves(dataset, objective=objective).get_yscale() == "linear"
