"""The rankings: how promising samples are."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy import stats

from pyshac.core.hyperparameters import (
    AbstractHyperParameter,
    DiscreteHP,
    HyperParameterList,
    LogUniformHP,
    MultiUniformHP,
    UniformHP,
)
from pyshac.core.ranking import MAX_PROCESS_SAMPLES, Points, SmoothRanking, TreeRanking

STREAM = np.random.SeedSequence(3)


def smooth(rows, scores, objective):
    space = HyperParameterList([MultiUniformHP("x", 0, 1, sample_count=rows.shape[1])])
    return SmoothRanking(rows, scores, objective, space)


@pytest.fixture(params=[functools.partial(TreeRanking, stream=STREAM), smooth])
def ranking(request):
    return request.param


@pytest.mark.parametrize("objective", ["min", "max"])
def test_other_samples_are_ranked_as_their_scores_are(ranking, objective):
    random = np.random.default_rng(0)
    rows, others = random.random((80, 3)), random.random((500, 3))
    sign = 1 if objective == "max" else -1
    ranks = ranking(rows, sign * rows[:, 0], objective)(others)
    assert stats.spearmanr(ranks, others[:, 0]).statistic > 0.7


def test_the_best_are_told_from_the_good(ranking):
    # What one split at the median cannot do.
    random = np.random.default_rng(1)
    rows, others = random.random((160, 2)), random.random((500, 2))
    ranks = ranking(rows, rows[:, 0], "max")(others)
    assert others[np.argsort(ranks)[-25:], 0].min() > 0.8


def test_failed_samples_are_the_worst(ranking):
    random = np.random.default_rng(2)
    rows = random.random((60, 1))
    scores = np.where(rows[:, 0] > 0.5, np.nan, random.random(60))
    ranks = ranking(rows, scores, "max")(np.array([[0.25], [0.75]]))
    assert ranks[0] > ranks[1]


@pytest.mark.parametrize("scores", [np.full(40, np.nan), np.zeros(40)])
def test_equal_scores_say_nothing_of_seen_samples(ranking, scores):
    rows = np.linspace(0, 1, len(scores)).reshape(-1, 1)
    ranks = ranking(rows, scores, "min")(rows)
    assert np.ptp(ranks) < 0.1


def test_without_samples_all_are_equal(ranking):
    ranks = ranking(np.empty((0, 1)), np.empty(0), "min")(np.random.default_rng(0).random((9, 1)))
    assert np.ptp(ranks) == 0


def test_one_sample_is_enough(ranking):
    ranks = ranking(np.zeros((1, 2)), np.zeros(1), "min")(np.random.default_rng(0).random((9, 2)))
    assert np.isfinite(ranks).all()


def test_the_same_samples_give_the_same_ranks(ranking):
    rows = np.random.default_rng(3).random((50, 4))
    first, second = (ranking(rows, rows.sum(axis=1), "min")(rows) for _ in range(2))
    assert (first == second).all()


def test_only_the_order_of_scores_matters(ranking):
    rows = np.random.default_rng(4).random((50, 2))
    scores = rows.sum(axis=1)
    first, second = (
        ranking(rows, scores, "min")(rows),
        ranking(rows, np.exp(9 * scores), "min")(rows),
    )
    assert (first == second).all()


class TestSmoothRanking:
    def test_between_equals_the_one_far_from_others_comes_first(self):
        rows = np.array([[0.0, 0.0], [0.1, 0.1], [0.2, 0.0], [1.0, 0.1], [0.9, 0.0], [0.8, 0.1]])
        ranks = smooth(rows, np.array([1.0, 2, 3, 3, 2, 1]), "max")(np.array([[0.1, 0], [0.1, 1]]))
        assert ranks[1] > ranks[0]

    def test_of_many_samples_the_best_are_kept(self):
        # A peak that few of very many samples have seen.
        random = np.random.default_rng(5)
        rows = random.random((20 * MAX_PROCESS_SAMPLES, 1))
        scores = np.maximum(0.01 - np.abs(rows[:, 0] - 0.321), 0) + 1e-6 * rows[:, 0]
        others = np.linspace(0, 1, 1001).reshape(-1, 1)
        ranks = smooth(rows, scores, "max")(others)
        assert abs(others[np.argmax(ranks), 0] - 0.321) < 0.01


class OwnHP(AbstractHyperParameter):
    """A user's own type: any number."""

    def sample(self):
        return 1.0

    def encode(self, x):
        return x

    def decode(self, x):
        return x


class TestPoints:
    def test_numbers_are_mapped_by_their_prior(self):
        space = HyperParameterList(
            [UniformHP("x", -5, 15), LogUniformHP("rate", 1e-4, 1), DiscreteHP("n", [1, 2, 4, 8])]
        )
        points = Points(space, space.draw(3, np.random.SeedSequence(0)))
        assert points.columns.tolist() == [0, 1, 2]
        rows = np.array([space.encode([-5.0, 1e-4, 1]), space.encode([5.0, 1e-2, 4])])
        assert points(rows) == pytest.approx(np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))

    def test_numbers_of_own_types_are_scaled_to_what_was_seen(self):
        points = Points(
            HyperParameterList([OwnHP("a"), OwnHP("b")]), np.array([[-5.0, 7], [15, 7]])
        )
        assert points(np.array([[-5.0, 7], [5, 7], [25, 8]])).tolist() == [
            [0, 0],
            [0.5, 0],
            [1.5, 0.5],
        ]

    def test_the_largest_numbers_do_no_harm(self):
        space = HyperParameterList([OwnHP("a")])
        rows = np.array([[-1.7e308], [1.7e308], [0.0], [5e-324]])
        ranks = SmoothRanking(rows[2:], np.array([1.0, 2]), "max", space)(rows)
        assert np.isfinite(ranks).all()
        ranks = SmoothRanking(rows, np.array([1.0, 2, 3, 4]), "max", space)(rows)
        assert np.isfinite(ranks).all()

    def test_two_choices_are_as_far_apart_as_any_other_two(self):
        space = HyperParameterList([UniformHP("x", 0, 1), DiscreteHP("kind", ["a", "b", "c", "d"])])
        points = Points(space, np.array([[0.0, 0], [1, 2], [1, 2]]))
        assert points.columns.tolist() == [0, 1, 1, 1]
        # The last two values were not seen.
        rows = points(np.array([[0.0, 0], [0, 2], [0, 1], [0, 3]]))
        distances = ((rows[:, None] - rows) ** 2).sum(axis=2)
        expected = 1 - np.eye(4)
        expected[2, 3] = expected[3, 2] = 0
        assert distances == pytest.approx(expected)
