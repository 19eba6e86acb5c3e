"""Objectives: which scores are better."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from pyshac.core.dataset.objective import MAX, MIN, get_objective

NAN = math.nan


class TestObjective:
    @pytest.mark.parametrize("objective", ["max", "min"])
    def test_both_have_their_names(self, objective):
        assert get_objective(objective).name == objective

    @pytest.mark.parametrize("objective", ["MAX", "maximize", "", None, 1, ["max"]])
    def test_others_are_refused(self, objective):
        with pytest.raises(ValueError, match="objective must be 'max' or 'min'. Got") as caught:
            get_objective(objective)
        assert repr(objective) in str(caught.value)


class TestBetterHalf:
    @pytest.mark.parametrize(
        ("scores", "above", "below"),
        [
            ([1, 2, 3, 4], [0, 0, 1, 1], [1, 1, 0, 0]),
            ([1, 2, 3], [0, 0, 1], [1, 0, 0]),
            ([1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]),
            ([1, 1, 1, 2], [0, 0, 0, 1], [0, 0, 0, 0]),
            ([0, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0]),
            ([0, 1, 1, 2], [0, 0, 0, 1], [1, 0, 0, 0]),
            ([NAN, 1, 2, 3, 4], [0, 0, 0, 1, 1], [0, 1, 1, 0, 0]),
            ([NAN, NAN, 5], [0, 0, 0], [0, 0, 0]),
            ([NAN, NAN], [0, 0], [0, 0]),
            ([7], [0], [0]),
            ([], [], []),
        ],
    )
    def test_strictly_better_than_the_median_of_the_known(self, scores, above, below):
        scores = np.array(scores, dtype=float)
        assert MAX.better_half(scores).tolist() == [bool(flag) for flag in above]
        assert MIN.better_half(scores).tolist() == [bool(flag) for flag in below]
        assert MAX.better_half(scores).dtype == np.bool_

    @given(hnp.arrays(float, st.integers(0, 30), elements=st.sampled_from([NAN, *range(-5, 6)])))
    def test_never_more_than_half_and_the_objectives_mirror(self, scores):
        known = int((~np.isnan(scores)).sum())
        for objective, mirrored in ((MAX, MIN), (MIN, MAX)):
            is_good = objective.better_half(scores)
            assert is_good.shape == scores.shape
            assert is_good.sum() <= known / 2
            assert not is_good[np.isnan(scores)].any()
            assert (is_good == mirrored.better_half(-scores)).all()

    @given(st.lists(st.integers(-1000, 1000), unique=True, max_size=31), st.floats(0.1, 10))
    def test_distinct_scores_are_halved_whatever_their_scale(self, scores, scale):
        is_good = MAX.better_half(np.array(scores, dtype=float))
        assert is_good.sum() == len(scores) // 2
        if is_good.any():
            assert min(np.array(scores)[is_good]) > max(np.array(scores)[~is_good])
        cubed = np.array(scores, dtype=float) ** 3 * scale
        if len(scores) % 2:
            assert (MAX.better_half(cubed) == is_good).all()


@pytest.mark.parametrize(("objective", "order"), [(MAX, [1, 3, 0, 2]), (MIN, [1, 2, 0, 3])])
def test_worst_first(objective, order):
    assert np.argsort(objective.worst_first(np.array([0.5, NAN, 2.0, -1.0]))).tolist() == order


@pytest.mark.parametrize(
    ("objective", "number", "places"),
    [(MAX, 1, [2]), (MAX, 2, [2, 4, 5]), (MIN, 1, [3]), (MIN, 3, [0, 3, 4, 5])],
)
def test_among_best_includes_scores_equal_to_the_last_one(objective, number, places):
    scores = np.array([0.5, NAN, 2.0, -1.0, 1.0, 1.0])
    assert np.flatnonzero(objective.among_best(scores, number)).tolist() == places


@pytest.mark.parametrize(("objective", "best"), [(MAX, 2), (MIN, 1)])
def test_the_best_is_the_first_of_equal_ones(objective, best):
    assert objective.best(np.array([NAN, -1.0, 2.0, 2.0, -1.0])) == best
    assert objective.best(np.array([NAN])) is None
    assert objective.best(np.array([])) is None
    assert objective.better(1.0, 2.0) == {MAX: 2.0, MIN: 1.0}[objective]


@pytest.mark.parametrize(("objective", "best"), [(MAX, [NAN, 1, 1, 3]), (MIN, [NAN, 1, 0, 0])])
def test_best_so_far(objective, best):
    np.testing.assert_array_equal(objective.best_so_far(np.array([NAN, 1.0, 0.0, 3.0])), best)
