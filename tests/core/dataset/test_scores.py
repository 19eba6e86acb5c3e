"""Scores and the better half of them."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from pyshac.core.basics.checks import check_score
from pyshac.core.dataset.scores import check_objective, evened_out, is_better_half, worst_first
from tests.strategies import typed

NAN, INF = math.nan, math.inf


class TestCheckScore:
    @given(st.floats(allow_nan=False, allow_infinity=False))
    def test_finite_floats_are_kept(self, score):
        assert typed(check_score(score, "sample 1")) == typed(score)

    @pytest.mark.parametrize(
        ("score", "result"),
        [
            (3, 3.0),
            (Fraction(1, 4), 0.25),
            (Decimal("0.5"), 0.5),
            (np.float32(0.5), 0.5),
            (np.int64(2), 2.0),
            (np.array(0.5), 0.5),
            (np.array([0.5]), 0.5),
            (np.array([[0.5]]), 0.5),
        ],
        ids=repr,
    )
    def test_whatever_holds_one_number_is_a_score(self, score, result):
        assert typed(check_score(score, "sample 1")) == typed(result)

    @pytest.mark.parametrize("score", [NAN, INF, -INF, np.float64("nan"), 10**400], ids=repr)
    def test_what_is_not_finite_stands_for_a_failed_sample(self, score):
        assert math.isnan(check_score(score, "sample 1"))

    @pytest.mark.parametrize(
        "score",
        [None, "0.5", b"0.5", True, np.True_, [0.5], (0.5,), {"score": 1}, 1j, np.zeros(2), object]
        + [np.array("0.5"), np.array([]), np.array(True), np.array([None])],
        ids=repr,
    )
    def test_other_things_are_refused_with_the_sample_and_what_came_back(self, score):
        with pytest.raises(TypeError) as caught:
            check_score(score, "sample 7")
        assert "The score of sample 7 must be a number." in str(caught.value)
        assert f"Got {score!r} of type {type(score).__name__}" in str(caught.value)


class TestObjective:
    @pytest.mark.parametrize("objective", ["max", "min"])
    def test_both_are_returned(self, objective):
        assert check_objective(objective) == objective

    @pytest.mark.parametrize("objective", ["MAX", "maximize", "", None, 1, ["max"]])
    def test_others_are_refused(self, objective):
        with pytest.raises(ValueError, match="objective must be 'max' or 'min'. Got") as caught:
            check_objective(objective)
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
        assert is_better_half(scores, "max").tolist() == [bool(flag) for flag in above]
        assert is_better_half(scores, "min").tolist() == [bool(flag) for flag in below]
        assert is_better_half(scores, "max").dtype == np.bool_

    @given(hnp.arrays(float, st.integers(0, 30), elements=st.sampled_from([NAN, *range(-5, 6)])))
    def test_never_more_than_half_and_the_objectives_mirror(self, scores):
        known = int((~np.isnan(scores)).sum())
        for objective in ("max", "min"):
            is_good = is_better_half(scores, objective)
            assert is_good.shape == scores.shape
            assert is_good.sum() <= known / 2
            assert not is_good[np.isnan(scores)].any()
            assert (
                is_good == is_better_half(-scores, {"max": "min", "min": "max"}[objective])
            ).all()

    @given(st.lists(st.integers(-1000, 1000), unique=True, max_size=31), st.floats(0.1, 10))
    def test_distinct_scores_are_halved_whatever_their_scale(self, scores, scale):
        is_good = is_better_half(np.array(scores, dtype=float))
        assert is_good.sum() == len(scores) // 2
        if is_good.any():
            assert min(np.array(scores)[is_good]) > max(np.array(scores)[~is_good])
        cubed = np.array(scores, dtype=float) ** 3 * scale
        if len(scores) % 2:
            assert (is_better_half(cubed) == is_good).all()


@pytest.mark.parametrize(("objective", "order"), [("max", [1, 3, 0, 2]), ("min", [1, 2, 0, 3])])
def test_worst_first(objective, order):
    assert np.argsort(worst_first(np.array([0.5, NAN, 2.0, -1.0]), objective)).tolist() == order


class TestEvenedOut:
    @given(
        hnp.arrays(float, st.integers(1, 30), elements=st.floats(allow_infinity=False)),
        st.sampled_from(["min", "max"]),
    )
    def test_better_scores_are_never_lower(self, scores, objective):
        values = evened_out(scores, objective)
        assert np.isfinite(values).all()
        in_order = values[np.argsort(worst_first(scores, objective), kind="stable")]
        assert (np.diff(in_order) >= -1e-9).all()

    @pytest.mark.parametrize("objective", ["min", "max"])
    def test_skewed_scores_become_symmetric(self, objective):
        scores = np.random.default_rng(0).lognormal(size=500)
        values = evened_out(scores, objective)
        assert abs(stats.skew(values)) < 0.5 < 3 < stats.skew(scores)
        assert values.mean() == pytest.approx(0, abs=1e-9)
        assert values.std() == pytest.approx(1)

    def test_one_that_is_far_out_leaves_room_for_the_others(self):
        values = evened_out(np.array([*range(20), 1e9]), "min")
        assert np.ptp(values[:20]) > 2
        assert values[20] == values.min()

    def test_failed_samples_are_as_bad_as_the_worst(self):
        values = evened_out(np.array([*range(20), NAN, -1e9]), "max")
        assert values[20] == values[21] < values[:20].min()

    @pytest.mark.parametrize("scores", [[], [NAN, NAN], [0.0, 0.0, 0.0], [5.0], [1e300, 1e300]])
    def test_of_equal_scores_nothing_is_left(self, scores):
        assert evened_out(np.array(scores), "max").tolist() == [0.0] * len(scores)
