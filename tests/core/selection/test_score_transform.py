"""Scores as a Gaussian process learns them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from pyshac.core.dataset.objective import MAX, MIN
from pyshac.core.selection.score_transform import PARAMETERS, ScoreTransform

NAN = math.nan


def power_transformed(scores, objective):
    return ScoreTransform(scores, objective)(scores)


class TestGivenScores:
    @given(
        hnp.arrays(float, st.integers(1, 30), elements=st.floats(allow_infinity=False)),
        st.sampled_from([MIN, MAX]),
    )
    def test_better_scores_are_never_lower(self, scores, objective):
        values = power_transformed(scores, objective)
        assert np.isfinite(values).all()
        in_order = values[np.argsort(objective.worst_first(scores), kind="stable")]
        assert (np.diff(in_order) >= -1e-9).all()

    @pytest.mark.parametrize("objective", [MIN, MAX])
    def test_skewed_scores_become_symmetric(self, objective):
        scores = np.random.default_rng(0).lognormal(size=500)
        values = power_transformed(scores, objective)
        assert abs(stats.skew(values)) < 0.5 < 3 < stats.skew(scores)
        assert values.mean() == pytest.approx(0, abs=1e-9)
        assert values.std() == pytest.approx(1)

    def test_one_that_is_far_out_leaves_room_for_the_others(self):
        values = power_transformed(np.array([*range(20), 1e9]), MIN)
        assert np.ptp(values[:20]) > 2
        assert values[20] == values.min()

    def test_failed_samples_are_as_bad_as_the_worst(self):
        values = power_transformed(np.array([*range(20), NAN, -1e9]), MAX)
        assert values[20] == values[21] < values[:20].min()

    @pytest.mark.parametrize("scores", [[NAN, NAN], [0.0, 0.0, 0.0], [5.0], [1e300, 1e300]])
    def test_of_equal_scores_nothing_is_left(self, scores):
        assert power_transformed(np.array(scores), MAX).tolist() == [0.0] * len(scores)

    @pytest.mark.parametrize("objective", [MIN, MAX])
    @pytest.mark.parametrize("seed", range(3))
    def test_as_scipy_does_it(self, objective, seed):
        # Without outliers, which scipy does not cut.
        scores = np.random.default_rng(seed).beta(2, 3, size=60) * 1000 + 50
        values = objective.sign * scores
        theirs = stats.yeojohnson((values - values.mean()) / values.std())[0]
        expected = (theirs - theirs.mean()) / theirs.std()
        assert power_transformed(scores, objective) == pytest.approx(expected, abs=1e-3)

    def test_as_scipy_does_it_with_a_parameter_at_the_end_of_its_range(self):
        # So far apart that the most likely parameter lies beyond.
        scores = np.concatenate([np.linspace(0, 1e-3, 300), [1.0]])
        transform = ScoreTransform(scores, MIN)
        assert PARAMETERS[0] <= transform._parameter <= PARAMETERS[1]
        assert np.isfinite(transform(scores)).all()


class TestOtherScores:
    def test_they_are_mapped_as_the_given_ones(self):
        scores = np.random.default_rng(1).lognormal(size=50)
        transform = ScoreTransform(scores, MIN)
        assert transform(scores[::-1][:7]).tolist() == transform(scores)[::-1][:7].tolist()

    def test_better_ones_lie_beyond_and_worse_ones_at_the_end(self):
        transform = ScoreTransform(np.arange(20.0), MAX)
        better, worse, failed = transform(np.array([25.0, -1e9, NAN]))
        assert better > transform(np.array([19.0]))[0]
        assert worse == failed == transform(np.array([0.0]))[0]

    @pytest.mark.parametrize("score", [1e10, 1e100, 1e300])
    def test_one_that_is_far_better_does_not_overflow(self, score):
        transform = ScoreTransform(-1 / np.linspace(0.01, 1, 50), MAX)
        assert 0 < transform(np.array([score]))[0] < 100

    @given(
        hnp.arrays(float, st.integers(1, 9), elements=st.floats(allow_infinity=False)),
        hnp.arrays(float, st.integers(1, 9), elements=st.floats(allow_infinity=False)),
    )
    def test_they_are_never_out_of_order(self, scores, others):
        values = ScoreTransform(scores, MIN)(others)
        in_order = values[np.argsort(MIN.worst_first(others), kind="stable")]
        assert not np.isnan(values).any()
        assert (in_order[1:] >= in_order[:-1] - 1e-9).all()
