"""The rankings: how promising samples are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from pyshac.core.classifiers.features import UNSCALED
from pyshac.core.dataset.objective import MAX, MIN
from pyshac.core.hyperparameters import HyperParameterList, MultiUniformHP
from pyshac.core.selection.process_rankings import (
    FAR_BELOW,
    SMALLEST_DEVIATION,
    BoundRanking,
    ImprovementRanking,
    _log_improvement,
)
from pyshac.core.selection.surrogate import Surrogate
from pyshac.core.selection.tree_ranking import TreeRanking

STREAM = np.random.SeedSequence(3)


def surrogate_of(rows, scores, objective):
    space = HyperParameterList([MultiUniformHP("x", 0, 1, sample_count=rows.shape[1])])
    return Surrogate(rows, scores, objective, space)


def tree_ranks(rows, scores, objective, others):
    surrogate = surrogate_of(rows, scores, objective)
    return TreeRanking(rows, scores, objective, UNSCALED, STREAM)(others, surrogate)


def bound_ranks(rows, scores, objective, others):
    return BoundRanking()(others, surrogate_of(rows, scores, objective))


def improvement_ranks(rows, scores, objective, others):
    return ImprovementRanking()(others, surrogate_of(rows, scores, objective))


@pytest.fixture(params=[tree_ranks, bound_ranks, improvement_ranks])
def ranks_of(request):
    return request.param


@pytest.mark.parametrize("objective", [MIN, MAX])
def test_other_samples_are_ranked_as_their_scores_are(ranks_of, objective):
    random = np.random.default_rng(0)
    rows, others = random.random((80, 3)), random.random((500, 3))
    ranks = ranks_of(rows, objective.sign * rows[:, 0], objective, others)
    assert stats.spearmanr(ranks, others[:, 0]).statistic > 0.7


def test_the_best_are_told_from_the_good(ranks_of):
    # What one split at the median cannot do.
    random = np.random.default_rng(1)
    rows, others = random.random((160, 2)), random.random((500, 2))
    ranks = ranks_of(rows, rows[:, 0], MAX, others)
    assert others[np.argsort(ranks)[-25:], 0].min() > 0.8


def test_failed_samples_are_the_worst(ranks_of):
    random = np.random.default_rng(2)
    rows = random.random((60, 1))
    scores = np.where(rows[:, 0] > 0.5, np.nan, random.random(60))
    ranks = ranks_of(rows, scores, MAX, np.array([[0.25], [0.75]]))
    assert ranks[0] > ranks[1]


@pytest.mark.parametrize("scores", [np.full(40, np.nan), np.zeros(40)])
@pytest.mark.parametrize("ranks_of", [tree_ranks, bound_ranks])
def test_equal_scores_say_nothing_of_seen_samples(ranks_of, scores):
    rows = np.linspace(0, 1, len(scores)).reshape(-1, 1)
    assert np.ptp(ranks_of(rows, scores, MIN, rows)) < 0.1


def test_one_sample_is_enough(ranks_of):
    others = np.random.default_rng(0).random((9, 2))
    assert np.isfinite(ranks_of(np.zeros((1, 2)), np.zeros(1), MIN, others)).all()


def test_the_same_samples_give_the_same_ranks(ranks_of):
    rows = np.random.default_rng(3).random((50, 4))
    first, second = (ranks_of(rows, rows.sum(axis=1), MIN, rows) for _ in range(2))
    assert (first == second).all()


def test_units_of_scores_do_not_matter(ranks_of):
    rows = np.random.default_rng(4).random((50, 2))
    scores = rows.sum(axis=1)
    first, second = (ranks_of(rows, s, MIN, rows) for s in (scores, 1e6 * scores - 5e5))
    assert stats.spearmanr(first, second).statistic > 0.999


def test_outliers_do_not_matter(ranks_of):
    random = np.random.default_rng(5)
    rows, others = random.random((80, 2)), random.random((500, 2))
    scores = rows[:, 0].copy()
    scores[scores > 0.9] *= 1e12
    ranks = ranks_of(rows, scores, MIN, others)
    assert others[np.argsort(ranks)[-25:], 0].max() < 0.3


class TestTreeRanking:
    def test_trees_know_the_order_of_scores_only(self):
        rows = np.random.default_rng(4).random((50, 2))
        scores = rows.sum(axis=1)
        first, second = (
            tree_ranks(rows, scores, MIN, rows),
            tree_ranks(rows, np.exp(9 * scores), MIN, rows),
        )
        assert (first == second).all()

    def test_beliefs_do_not_matter(self):
        rows = np.random.default_rng(4).random((50, 2))
        surrogate = surrogate_of(rows, rows[:, 0], MIN)
        ranking = TreeRanking(rows, rows[:, 0], MIN, UNSCALED, STREAM)
        assert (ranking(rows, surrogate) == ranking(rows, surrogate.believing(rows[:1]))).all()

    @pytest.mark.parametrize("number", [1, 2, 9])
    def test_few_samples_are_all_equal(self, number):
        rows = np.random.default_rng(0).random((number, 2))
        assert np.ptp(tree_ranks(rows, rows[:, 0], MIN, np.eye(2))) == 0

    def test_the_classes_of_one_model_are_the_halves_of_halves(self):
        rows = np.linspace(0, 1, 80).reshape(-1, 1)
        ranking = TreeRanking(rows, rows[:, 0], MAX, UNSCALED, STREAM)
        margins = ranking._rungs.margins(UNSCALED(rows))
        assert margins.shape[1] >= 3
        for rung, margin in enumerate(margins.T, 1):
            # Which samples it takes for good, but for a few at the border.
            assert abs((margin > 0).sum() - 80 / 2**rung) <= 3
            assert margin[-3:].min() > 0 > margin[: 80 - 80 // 2**rung - 3].max()
        surrogate = surrogate_of(rows, rows[:, 0], MAX)
        assert ranking(rows, surrogate) == pytest.approx(margins.sum(axis=1))


class TestProcessRankings:
    @pytest.mark.parametrize("ranking", [BoundRanking(), ImprovementRanking()])
    def test_what_is_being_evaluated_is_less_promising_if_anything(self, ranking):
        random = np.random.default_rng(6)
        rows, others = random.random((30, 2)), random.random((500, 2))
        surrogate = surrogate_of(rows, rows[:, 0], MAX)
        before, believing = ranking(others, surrogate), surrogate
        for row in others[:10]:
            believing = believing.believing(row[None])
        after = ranking(others, believing)
        assert (after <= before + 1e-6).all()
        assert (after[:10] < before[:10]).all()

    def test_between_equals_the_one_far_from_others_comes_first(self):
        rows = np.array([[0.0, 0.0], [0.1, 0.1], [0.2, 0.0], [1.0, 0.1], [0.9, 0.0], [0.8, 0.1]])
        ranks = bound_ranks(
            rows, np.array([1.0, 2, 3, 3, 2, 1]), MAX, np.array([[0.1, 0], [0.1, 1]])
        )
        assert ranks[1] > ranks[0]

    @pytest.mark.parametrize("ranking", [BoundRanking(), ImprovementRanking()])
    def test_a_sample_beside_one_that_is_being_evaluated_comes_last(self, ranking):
        surrogate = surrogate_of(np.array([[0.5]]), np.array([1.0]), MAX)
        rows = np.array([[0.2], [0.8]])
        assert np.ptp(ranking(rows, surrogate)) < 1e-9
        ranks = ranking(rows, surrogate.believing(np.array([[0.19]])))
        assert ranks[0] < ranks[1] - 0.01


class Known:
    """A surrogate with given expectations and deviations."""

    def __init__(self, expected, deviation, best):
        self._prediction, self.best = (np.array(expected), np.array(deviation)), best

    def predict(self, encoded):
        return self._prediction


def improvement_by_integration(expected, deviation, best):
    """The log of the integral of (y - best) over what is above it, in units of the density there.

    For every y, density(y) / density(best) = exp(-(y - best) * (y + best - 2 * expected) / 2 s^2).
    """

    def integrand(y):
        exponent = -(y - best) * (y + best - 2 * expected) / (2 * deviation**2)
        return (y - best) * np.exp(exponent)

    # Wide enough for what matters: it falls off within this distance above best or the peak.
    far = max(best, expected) + 40 * deviation
    if best > expected:
        far = best + min(40 * deviation, 60 * deviation**2 / (best - expected))
    peak = [expected] if best < expected else None
    value = integrate.quad(integrand, best, far, epsabs=0, epsrel=1e-10, limit=500, points=peak)[0]
    return np.log(value) + stats.norm.logpdf(best, expected, deviation)


class TestExpectedImprovement:
    @pytest.mark.parametrize("z", [3.0, 0.5, 0.0, -1.0, -3.0, -4.9])
    @pytest.mark.parametrize("deviation", [0.1, 1.0, 4.0])
    def test_it_is_the_integral(self, z, deviation):
        ranks = ImprovementRanking()(
            np.zeros((1, 1)), Known([0.3], [deviation], 0.3 - z * deviation)
        )
        expected = improvement_by_integration(0.3, deviation, 0.3 - z * deviation)
        assert ranks == pytest.approx(expected, abs=1e-6)

    @pytest.mark.parametrize("z", [-5.5, -8.0, -20.0, -40.0, -1000.0])
    def test_far_below_it_is_the_integral_too_nearly(self, z):
        # The first term of a series; the next one is 3 / z^2 of it.
        ranks = ImprovementRanking()(np.zeros((1, 1)), Known([0.0], [1.0], -z))
        expected = improvement_by_integration(0.0, 1.0, -z)
        assert 0 <= ranks[0] - expected <= 1.1 * 3 / z**2

    def test_it_grows_all_the_way(self):
        z = np.concatenate([np.linspace(-1e4, 2 * FAR_BELOW, 500), np.linspace(-10, 10, 4001)])
        values = _log_improvement(z)
        assert np.isfinite(values).all()
        # But for one step where the formulas meet, which is as small as the next term.
        steps = np.diff(values)
        assert (steps > 0).sum() >= len(steps) - 2
        assert steps.min() > -3 / FAR_BELOW**2

    def test_without_any_doubt_it_is_finite(self):
        ranks = ImprovementRanking()(np.zeros((3, 1)), Known([2.0, 1, 0], [0.0, 0, 0], 1.0))
        assert np.isfinite(ranks).all()
        assert ranks[0] == pytest.approx(0.0, abs=1e-6)
        assert ranks[0] > ranks[1] > ranks[2]
        assert ranks[1] < np.log(SMALLEST_DEVIATION)
