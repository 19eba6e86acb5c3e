"""Rules: which curves go on, told from those of evaluations that have ended."""

from __future__ import annotations

import math

import pytest

from pyshac import Curve, ForecastPruning, HalvingPruning, MedianPruning, UniformHP
from pyshac.core.basics.results.details import Details
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.curves.curves import MAX_STEPS, Curves
from pyshac.core.dataset.objective import MAX, MIN
from pyshac.core.search.pruning.limits import limits_of
from pyshac.core.search.pruning.rule import get_pruning

NAN = math.nan


def line(score, last=9, *, is_pruned=False, first=1):
    """A curve that stays at a score."""
    steps = tuple(range(first, last + 1))
    return Curve(steps, (float(score),) * len(steps), is_pruned)


def dataset_of(*evaluations):
    """A dataset of scores and curves."""
    dataset = Dataset([UniformHP("x", -1e9, 1e9)], None)
    for number, (score, curve) in enumerate(evaluations):
        dataset.add_sample([float(number)], score, details=Details(curve=curve))
    return dataset


class TestHalving:
    def test_the_best_third_goes_on_at_powers_of_eta(self):
        limits = HalvingPruning().limits([line(score) for score in range(7)], MAX)
        # Of 7, 3 go on. Step 9 is the last.
        assert limits == {1: 4.0, 3: 4.0}
        assert HalvingPruning().limits([line(score) for score in range(7)], MIN) == {1: 2.0, 3: 2.0}

    def test_grace_and_eta(self):
        curves = [line(score, last=40) for score in range(4)]
        assert HalvingPruning(eta=4, grace=2).limits(curves, MAX) == {2: 3.0, 8: 3.0, 32: 3.0}

    def test_no_limit_among_fewer_than_eta(self):
        curves = [line(5), line(6), line(0, last=2, is_pruned=True)]
        assert HalvingPruning().limits(curves, MAX) == {1: 6.0}

    def test_nan_is_worst(self):
        curves = [line(NAN), line(1), line(NAN), line(NAN)]
        # The second best of the four is NaN, than which nothing is worse.
        assert HalvingPruning().limits(curves, MAX) == {}
        assert HalvingPruning(eta=4).limits(curves, MIN) == {1: 1.0, 4: 1.0}

    def test_curves_that_begin_later_or_leave_out_steps(self):
        curves = [Curve((2, 9), (float(n), 0.0)) for n in range(3)]
        assert HalvingPruning().limits(curves, MAX) == {3: 2.0}

    def test_without_curves(self):
        assert HalvingPruning().limits([], MAX) == {}


class TestMedian:
    def test_the_median_of_the_best_so_far(self):
        curves = [Curve((1, 2, 3), (float(n), n - 1.0, 0.0)) for n in range(5)]
        assert MedianPruning().limits(curves, MAX) == {1: 2.0, 2: 2.0}
        # Lower is better: the best so far is the last.
        assert MedianPruning().limits(curves, MIN) == {1: 2.0, 2: 1.0}

    def test_grace_and_number_of_curves(self):
        curves = [line(n, last=4) for n in range(3)]
        assert MedianPruning().limits(curves, MAX) == {}
        limits = MedianPruning(grace=3, min_curves=3).limits(curves, MAX)
        assert limits == {3: 1.0}
        assert MedianPruning(grace=0, min_curves=3).limits(
            [line(n, last=2, first=0) for n in range(3)], MAX
        ) == {0: 1.0, 1: 1.0}

    def test_few_steps_of_many(self):
        limits = MedianPruning().limits([line(n, last=5_000) for n in range(4)], MAX)
        assert len(limits) == MAX_STEPS
        assert (min(limits), max(limits)) == (1, 4_999)

    def test_nan_is_worst(self):
        curves = [line(NAN), line(NAN), line(1), line(2), line(3)]
        assert MedianPruning().limits(curves, MAX)[1] == 1.0
        assert MedianPruning().limits([line(NAN)] * 4, MAX) == {}

    def test_without_curves(self):
        assert MedianPruning().limits([], MAX) == {}


class TestLimitsOfASearch:
    RULE = MedianPruning(min_curves=1)

    def test_pruned_curves_count_and_failed_ones_do_not(self):
        dataset = dataset_of(
            (5.0, line(5)), (NAN, line(9)), (NAN, line(1, last=4, is_pruned=True)), (7.0, None)
        )
        limits = dict(limits_of(self.RULE, dataset, 4, MAX))
        assert (limits[3], limits[5]) == (3.0, 5.0)

    def test_only_samples_that_the_draw_has_learned_from(self):
        dataset = dataset_of((5.0, line(5)), (6.0, line(6)), (9.0, line(9)))
        assert dict(limits_of(self.RULE, dataset, 2, MAX))[1] == 5.5

    @pytest.mark.parametrize(("objective", "best"), [(MAX, 4.0), (MIN, 2.0)])
    def test_never_stricter_than_the_best_score(self, objective, best):
        # The curves were better on their way.
        way = 9.0 if objective is MAX else 0.0
        dataset = dataset_of((2.0, line(way)), (4.0, line(way)))
        assert {limit for _, limit in limits_of(self.RULE, dataset, 2, objective)} == {best}

    def test_none_without_a_score(self):
        dataset = dataset_of(*[(NAN, line(1, is_pruned=True))] * 4)
        assert limits_of(self.RULE, dataset, 4, MAX) == []
        assert limits_of(self.RULE, dataset_of((1.0, None)), 1, MAX) == []
        assert limits_of(None, dataset, 4, MAX) is None

    def test_a_rule_of_ones_own(self):
        class Own:
            def limits(self, curves, objective):
                assert [curve.last_step for curve in curves] == [9, 9]
                assert curves[0].value_at(3) == 1.0
                return {3: 0.5, 2: NAN, 9: 0.1, 100: 0.0, 1: 77}

        dataset = dataset_of((1.0, line(1)), (2.0, line(2)))
        assert limits_of(Own(), dataset, 2, MAX) == [(1, 2.0), (3, 0.5)]

    @pytest.mark.parametrize(
        ("returned", "error", "message"),
        [
            ([1], TypeError, "must return a mapping of steps to scores"),
            ({1.5: 2.0}, TypeError, "A step of .* must be an int from 0"),
            ({-1: 2.0}, ValueError, "A step of .* must be an int from 0"),
            ({1: "x"}, TypeError, "score of a step of .* must be a number"),
            (dict.fromkeys(range(10_001), 1.0), ValueError, "at most 10000 limits. Got 10001"),
        ],
    )
    def test_rules_that_return_something_else(self, returned, error, message):
        class Own:
            def limits(self, curves, objective):
                return returned

        with pytest.raises(error, match=message):
            limits_of(Own(), dataset_of((1.0, line(1))), 1, MAX)


class TestMisuse:
    @pytest.mark.parametrize(
        ("steps", "scores", "error", "message"),
        [
            ((), (), ValueError, "1 to 10000 steps, and as many scores. Got 0 and 0"),
            ((1,), (0.5, 0.5), ValueError, "as many scores. Got 1 and 2"),
            ((2, 1), (0.5, 0.5), ValueError, r"steps must ascend strictly.*Got \(2, 1\)"),
            ((-1,), (0.5,), ValueError, "steps must ascend strictly, from 0 on"),
            ([1], (0.5,), TypeError, r"steps must be a tuple of ints. Got \[1\]"),
            ((True,), (0.5,), TypeError, "steps must be a tuple of ints"),
            ((1,), (1,), TypeError, "scores must be a tuple of floats"),
        ],
    )
    def test_curves(self, steps, scores, error, message):
        with pytest.raises(error, match=message):
            Curve(steps, scores)

    def test_names(self):
        assert get_pruning("halving") == HalvingPruning()
        assert get_pruning("median") == MedianPruning()
        assert get_pruning(None) is None
        assert get_pruning(rule := MedianPruning(2)) is rule

    @pytest.mark.parametrize(
        ("pruning", "error"),
        [("hyperband", ValueError), (True, TypeError), (3, TypeError), (HalvingPruning, TypeError)],
    )
    def test_others(self, pruning, error):
        with pytest.raises(
            error, match=r"pruning must be None, one of \['halving', 'median', 'forecast'\]"
        ):
            get_pruning(pruning)

    @pytest.mark.parametrize(
        ("make", "error", "name"),
        [
            (lambda: HalvingPruning(eta=1), ValueError, "eta"),
            (lambda: HalvingPruning(eta=2.5), TypeError, "eta"),
            (lambda: HalvingPruning(grace=0), ValueError, "grace"),
            (lambda: MedianPruning(grace=-1), ValueError, "grace"),
            (lambda: MedianPruning(min_curves=0), ValueError, "min_curves"),
            (lambda: MedianPruning(min_curves="4"), TypeError, "min_curves"),
        ],
    )
    def test_arguments(self, make, error, name):
        with pytest.raises(error, match=f"{name} must be an int of at least"):
            make()


def test_curves_as_columns_read_like_a_list():
    curves = [Curve((1, 2), (0.5, 0.25)), Curve((4,), (1.0,), is_pruned=True)]
    columns = Curves.of(curves)
    assert columns == curves
    assert columns[-1] == curves[1]
    assert columns[:1] == curves[:1]
    for step in range(6):
        seen = [each for each in curves if each.value_at(step) is not None]
        seen = [each for each in seen if each.last_step >= step]
        assert columns.values_at(step).tolist() == [each.value_at(step) for each in seen]
        for sign in (1, -1):
            bests = [each.best_by(step, sign) for each in seen]
            assert columns.bests_by(step, sign).tolist() == bests


class TestForecast:
    RULE = ForecastPruning(min_curves=4)

    def test_the_gain_of_the_best_tenth_is_granted(self):
        # Curves begin at 0 and end at n: nine in ten have gained no more than 9, the best is 10.
        curves = [Curve((1, 2, 3), (0.0, n / 2, float(n))) for n in range(11)]
        limits = self.RULE.limits(curves, MAX)
        assert limits == {1: pytest.approx(9.0 - 9.0), 2: pytest.approx(9.0 - 4.5)}

    def test_lower_is_better(self):
        curves = [Curve((1, 2), (20.0, 20.0 - n)) for n in range(11)]
        assert self.RULE.limits(curves, MIN) == {1: pytest.approx(11.0 + 9.0)}

    def test_few_complete_curves_give_up_nothing(self):
        pruned = Curve((1,), (0.0,), is_pruned=True)
        assert self.RULE.limits([Curve((1, 2), (0.0, 1.0))] * 3 + [pruned] * 9, MAX) == {}

    def test_grace_and_curves_that_skip_steps(self):
        curves = [Curve((2, 9), (float(n), n + 1.0)) for n in range(10)]
        limits = ForecastPruning(grace=3, min_curves=4).limits(
            [*curves, Curve((5, 9), (0.0, 1.0))], MAX
        )
        assert set(limits) == {5}
        assert limits[5] == pytest.approx(9.0 - 1.0)

    def test_nan_is_no_gain(self):
        curves = [Curve((1, 2), (NAN, 1.0))] * 5
        assert self.RULE.limits(curves, MAX) == {}
