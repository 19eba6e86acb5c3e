"""Scores as a Gaussian process learns them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from pyshac.core.dataset.objective import MAX, MIN
from pyshac.core.selection.score_transform import power_transformed

NAN = math.nan


class TestPowerTransformed:
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

    @pytest.mark.parametrize("scores", [[], [NAN, NAN], [0.0, 0.0, 0.0], [5.0], [1e300, 1e300]])
    def test_of_equal_scores_nothing_is_left(self, scores):
        assert power_transformed(np.array(scores), MAX).tolist() == [0.0] * len(scores)
