"""Plots of time."""

import math

import numpy as np
import pytest

from pyshac.core.basics.results.details import Details
from pyshac.looking.activity import slots_of
from pyshac.looking.snapshot import take_snapshot
from pyshac.utils.vis_utils import plot_best_so_far, plot_dataset, plot_timeline
from tests.looking.searches import make_dataset

pytest.importorskip("matplotlib")


def timed(*runs):
    """A dataset of evaluations, each with its start, its seconds, its slot and its score."""
    dataset = make_dataset([])
    for started, seconds, slot, score in runs:
        dataset.add_sample([0.5], score, details=Details(started, seconds, slot))
    return dataset


def test_bars_lie_in_the_rows_of_their_slots():
    dataset = timed((1e9, 60, 0, 1.0), (1e9 + 60, 120, 0, 2.0), (1e9 + 10, 50, 7, math.nan))
    ax = plot_timeline(dataset)
    boxes = [path.get_extents().bounds for path in ax.collections[0].get_paths()]

    assert ax.get_xlabel() == "Time (minutes)"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "7"]
    assert np.allclose([x for x, *_ in boxes], [0, 1, 10 / 60])
    assert np.allclose([width for _, _, width, _ in boxes], [1, 2, 50 / 60])
    assert np.allclose([y + height / 2 for _, y, _, height in boxes], [0, 0, 1])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["failed: 1"]


def test_without_times_there_is_nothing_to_plot():
    with pytest.raises(ValueError, match="No evaluation has a time and a slot"):
        plot_timeline(make_dataset([1.0, 2.0]))


def test_what_the_slots_have_done():
    dataset = timed((1e9, 1, 0, 1.0), (1e9 + 1, 3, 0, 2.0), (1e9, 9, 1, math.nan))
    first, second = slots_of(take_snapshot(dataset))

    assert (first.slot, first.count, first.last, first.seconds) == (0, 2, 1, 2.0)
    assert (second.slot, second.count, second.last, second.ended) == (1, 1, 2, 1e9 + 9)


@pytest.mark.parametrize(
    ("scores", "objective", "scale"),
    [
        ([1e-3, 0.1, 10.0], "min", "log"),
        ([-1e-3, -0.1, -10.0], "max", "symlog"),
        ([1.0, 2.0, 3.0], "min", "linear"),
        ([0.0, 0.1, 1000.0], "min", "linear"),
        ([-1.0, 0.1, 1000.0], "max", "linear"),
        # What is near 0 is bad here.
        ([1e-5, *[0.5 + 0.01 * n for n in range(30)]], "max", "linear"),
        ([-(10.0**-n) for n in range(10)], "min", "linear"),
        ([math.nan, 1.0], "min", "linear"),
    ],
)
def test_the_score_axis_is_logarithmic_where_that_serves(scores, objective, scale):
    ax = plot_best_so_far(make_dataset(scores), objective=objective)
    ax.figure.canvas.draw()

    assert ax.get_yscale() == scale
    known = [score for score in scores if not math.isnan(score)]
    low, high = ax.get_ylim()
    assert low <= min(known)
    assert high >= max(known)
    if scale == "symlog":
        assert high < 0


def test_a_trend_over_decades_stays_on_its_side_of_0():
    ax = plot_dataset(make_dataset([-(10.0 ** -(n % 7)) for n in range(30)]))

    assert (ax.lines[1].get_ydata() < 0).all()
