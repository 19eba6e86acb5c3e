"""The rankings: how promising samples are."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy import stats

from pyshac.core.classifiers.features import UNSCALED
from pyshac.core.dataset.objective import MAX, MIN
from pyshac.core.hyperparameters import HyperParameterList, MultiUniformHP, UniformHP
from pyshac.core.selection import process_ranking
from pyshac.core.selection.process_ranking import MAX_PROCESS_SAMPLES, ProcessRanking
from pyshac.core.selection.tree_ranking import TreeRanking

STREAM = np.random.SeedSequence(3)


def smooth(rows, scores, objective):
    space = HyperParameterList([MultiUniformHP("x", 0, 1, sample_count=rows.shape[1])])
    return ProcessRanking(rows, scores, objective, space, num_steps=0)


@pytest.fixture(params=[functools.partial(TreeRanking, features=UNSCALED, stream=STREAM), smooth])
def ranking(request):
    return request.param


@pytest.mark.parametrize("objective", [MIN, MAX])
def test_other_samples_are_ranked_as_their_scores_are(ranking, objective):
    random = np.random.default_rng(0)
    rows, others = random.random((80, 3)), random.random((500, 3))
    ranks = ranking(rows, objective.sign * rows[:, 0], objective)(others)
    assert stats.spearmanr(ranks, others[:, 0]).statistic > 0.7


def test_the_best_are_told_from_the_good(ranking):
    # What one split at the median cannot do.
    random = np.random.default_rng(1)
    rows, others = random.random((160, 2)), random.random((500, 2))
    ranks = ranking(rows, rows[:, 0], MAX)(others)
    assert others[np.argsort(ranks)[-25:], 0].min() > 0.8


def test_failed_samples_are_the_worst(ranking):
    random = np.random.default_rng(2)
    rows = random.random((60, 1))
    scores = np.where(rows[:, 0] > 0.5, np.nan, random.random(60))
    ranks = ranking(rows, scores, MAX)(np.array([[0.25], [0.75]]))
    assert ranks[0] > ranks[1]


@pytest.mark.parametrize("scores", [np.full(40, np.nan), np.zeros(40)])
def test_equal_scores_say_nothing_of_seen_samples(ranking, scores):
    rows = np.linspace(0, 1, len(scores)).reshape(-1, 1)
    ranks = ranking(rows, scores, MIN)(rows)
    assert np.ptp(ranks) < 0.1


def test_without_samples_all_are_equal(ranking):
    ranks = ranking(np.empty((0, 1)), np.empty(0), MIN)(np.random.default_rng(0).random((9, 1)))
    assert np.ptp(ranks) == 0


def test_one_sample_is_enough(ranking):
    ranks = ranking(np.zeros((1, 2)), np.zeros(1), MIN)(np.random.default_rng(0).random((9, 2)))
    assert np.isfinite(ranks).all()


def test_the_same_samples_give_the_same_ranks(ranking):
    rows = np.random.default_rng(3).random((50, 4))
    first, second = (ranking(rows, rows.sum(axis=1), MIN)(rows) for _ in range(2))
    assert (first == second).all()


def test_units_of_scores_do_not_matter(ranking):
    rows = np.random.default_rng(4).random((50, 2))
    scores = rows.sum(axis=1)
    first, second = (ranking(rows, s, MIN)(rows) for s in (scores, 1e6 * scores - 5e5))
    assert first == pytest.approx(second, abs=1e-3)


def test_outliers_do_not_matter(ranking):
    random = np.random.default_rng(5)
    rows, others = random.random((80, 2)), random.random((500, 2))
    scores = rows[:, 0].copy()
    scores[scores > 0.9] *= 1e12
    ranks = ranking(rows, scores, MIN)(others)
    assert stats.spearmanr(ranks, -others[:, 0]).statistic > 0.7


def test_trees_know_the_order_of_scores_only():
    rows = np.random.default_rng(4).random((50, 2))
    scores = rows.sum(axis=1)
    first, second = (
        TreeRanking(rows, scores, MIN, UNSCALED, STREAM)(rows),
        TreeRanking(rows, np.exp(9 * scores), MIN, UNSCALED, STREAM)(rows),
    )
    assert (first == second).all()


def test_what_is_being_evaluated_is_less_promising_if_anything(ranking):
    random = np.random.default_rng(6)
    rows, others = random.random((30, 2)), random.random((500, 2))
    before = ranking(rows, rows[:, 0], MAX)
    after = before.believing(others[:10], others[0])
    assert (after(others[:10]) <= before(others[:10]) + 1e-9).all()
    assert after(others) == pytest.approx(before(others), abs=0.5)
    assert before.believing(others[:0], others[0])(others).tolist() == before(others).tolist()


class TestProcessRanking:
    def test_between_equals_the_one_far_from_others_comes_first(self):
        rows = np.array([[0.0, 0.0], [0.1, 0.1], [0.2, 0.0], [1.0, 0.1], [0.9, 0.0], [0.8, 0.1]])
        ranks = smooth(rows, np.array([1.0, 2, 3, 3, 2, 1]), MAX)(np.array([[0.1, 0], [0.1, 1]]))
        assert ranks[1] > ranks[0]

    def test_a_sample_beside_one_that_is_being_evaluated_comes_last(self):
        ranking = smooth(np.array([[0.5]]), np.array([1.0]), MAX)
        assert np.ptp(ranking(np.array([[0.2], [0.8]]))) < 1e-9
        ranks = ranking.believing(np.array([[0.19]]), np.array([0.2]))(np.array([[0.2], [0.8]]))
        assert ranks[0] < ranks[1] - 0.01

    def test_of_many_samples_the_best_are_kept(self):
        # A peak that few of very many samples have seen.
        random = np.random.default_rng(5)
        rows = random.random((20 * MAX_PROCESS_SAMPLES, 1))
        scores = np.maximum(0.01 - np.abs(rows[:, 0] - 0.321), 0) + 1e-6 * rows[:, 0]
        others = np.linspace(0, 1, 1001).reshape(-1, 1)
        ranks = smooth(rows, scores, MAX)(others)
        assert abs(others[np.argmax(ranks), 0] - 0.321) < 0.01


def test_of_many_running_samples_the_nearest_count(monkeypatch):
    monkeypatch.setattr(process_ranking, "MAX_BELIEVED", 8)
    space = HyperParameterList([UniformHP("x", 0, 1), UniformHP("y", 0, 100)])
    rng = np.random.default_rng(2)
    evaluated = rng.random((20, 2)) * (1, 100)
    ranking = ProcessRanking(evaluated, evaluated[:, 0], MIN, space, 3)
    near, running = np.array([0.5, 50.0]), rng.random((40, 2)) * (1, 100)
    # Of features whose length scales are the same, the distance in the unit square decides.
    ranking._process._logarithms[:2] = 0.0
    distances = np.linalg.norm((running - near) / (1, 100), axis=1)
    nearest = running[np.sort(np.argsort(distances)[:8])]
    rows = rng.random((30, 2)) * (1, 100)
    expected = ranking.believing(nearest, near)(rows)
    assert ranking.believing(running, near)(rows).tolist() == expected.tolist()
    monkeypatch.setattr(process_ranking, "MAX_BELIEVED", 40)
    assert ranking.believing(running, near)(rows).tolist() != expected.tolist()
