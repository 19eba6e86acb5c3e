"""Surrogate: a Gaussian process of the scores."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from pyshac.core.dataset.objective import MAX, MIN
from pyshac.core.hyperparameters import DiscreteHP, HyperParameterList, UniformHP
from pyshac.core.selection import surrogate as surrogate_module
from pyshac.core.selection.surrogate import MAX_SAMPLES, Surrogate

NAN = np.nan


@pytest.fixture
def space():
    return HyperParameterList(
        [UniformHP("x", 0, 1), UniformHP("y", 0, 100), DiscreteHP("kind", ["a", "b", "c"])]
    )


@pytest.fixture
def rows(space):
    return space.draw(60, np.random.SeedSequence(1))


@pytest.fixture
def scores(rows):
    scores = np.exp(rows[:, 0]) + 0.01 * rows[:, 1] + (rows[:, 2] == 1)
    scores[[3, 40, 55]] = NAN
    return scores


@pytest.fixture
def others(space):
    return space.draw(50, np.random.SeedSequence(2))


def from_scratch(surrogate, rows, scores):
    """The surrogate of all samples on the scales of another one, with its logarithms."""
    whole = copy.copy(surrogate)
    process = copy.copy(surrogate._told)
    process._points, process._values = surrogate._features(rows), surrogate._transform(scores)
    process._solve()
    whole._take(process, process._points)
    return whole


def assert_agree(ours, theirs, others):
    for one, other in zip(ours.predict(others), theirs.predict(others), strict=True):
        assert one == pytest.approx(other, abs=1e-8)


class TestTold:
    def test_as_if_fitted_to_all_from_scratch(self, space, rows, scores, others):
        surrogate = Surrogate(rows[:40], scores[:40], MIN, space)
        told = surrogate.told(rows[40:50], scores[40:50]).told(rows[50:], scores[50:])
        whole = from_scratch(surrogate, rows, scores)
        assert_agree(told, whole, others)
        assert told.best == pytest.approx(whole.best)

    def test_the_best_is_the_best_of_all(self, space, rows, scores):
        surrogate = Surrogate(rows[:40], scores[:40], MIN, space)
        assert surrogate.best == surrogate.predict(rows[:40])[0].max()
        told = surrogate.told(rows[40:41], np.array([-20.0]))
        assert told.best > surrogate.best
        # One that is worse does not become the best, and none is lost.
        assert surrogate.told(rows[40:41], np.array([NAN])).best >= surrogate.best - 0.5

    def test_nothing_new(self, space, rows, scores):
        surrogate = Surrogate(rows, scores, MIN, space)
        assert surrogate.told(rows[:0], scores[:0]) is surrogate

    def test_beliefs_end_when_scores_come(self, space, rows, scores, others):
        surrogate = Surrogate(rows[:40], scores[:40], MIN, space)
        believing = surrogate.believing(rows[40:41]).believing(rows[41:42])
        told = believing.told(rows[40:42], scores[40:42])
        assert_agree(told, surrogate.told(rows[40:42], scores[40:42]), others)


class TestBelieving:
    def test_as_if_it_turned_out_as_expected(self, space, rows, scores, others):
        surrogate = believing = Surrogate(rows[:40], scores[:40], MAX, space)
        for row in rows[40:45]:
            believing = believing.believing(row[None])
        process = surrogate._told.told(
            surrogate._features(rows[40:45]), surrogate.predict(rows[40:45])[0]
        )
        expected, deviation = process.predict(surrogate._features(others))
        ours = believing.predict(others)
        assert ours[0] == pytest.approx(expected, abs=1e-8)
        assert ours[1] == pytest.approx(deviation, abs=1e-8)
        # Nothing is expected of them that was not expected before.
        assert ours[0] == pytest.approx(surrogate.predict(others)[0], abs=1e-8)
        assert believing.best == surrogate.best

    def test_few_beliefs_all_count_everywhere(self, space, rows, scores):
        surrogate = Surrogate(rows[:40], scores[:40], MAX, space).believing(rows[40:41])
        assert surrogate.near(rows[0]) is surrogate

    def test_of_many_beliefs_the_nearest_count(self, monkeypatch, space, rows, scores, others):
        monkeypatch.setattr(surrogate_module, "MAX_BELIEVED", 8)
        surrogate = believing = Surrogate(rows[:20], scores[:20], MIN, space)
        # Of features whose length scales are the same, the distance of points decides.
        surrogate._told._logarithms[:-2] = 0.0
        surrogate._told._solve()
        running = rows[20:]
        for row in running:
            believing = believing.believing(row[None])
        points, near = surrogate._features(running), surrogate._features(others[:1])
        nearest = np.argsort(np.linalg.norm(points - near, axis=1))[:8]
        expected = surrogate
        for row in running[np.sort(nearest)]:
            expected = expected.believing(row[None])
        assert_agree(believing.near(others[0]), expected, others)
        # Elsewhere it asks others.
        deviation = believing.near(others[1]).predict(others)[1]
        assert deviation != pytest.approx(expected.predict(others)[1], abs=1e-6)


class TestFitting:
    def test_of_many_samples_the_best_are_kept(self):
        # A peak that few of very many samples have seen.
        space = HyperParameterList([UniformHP("x", 0, 1)])
        rows = np.random.default_rng(5).random((20 * MAX_SAMPLES, 1))
        scores = np.maximum(0.01 - np.abs(rows[:, 0] - 0.321), 0) + 1e-6 * rows[:, 0]
        others = np.linspace(0, 1, 1001).reshape(-1, 1)
        expected, _ = Surrogate(rows, scores, MAX, space).predict(others)
        assert abs(others[np.argmax(expected), 0] - 0.321) < 0.01

    @pytest.mark.parametrize("scores", [[NAN], [3.0], [0.0, 0.0], [NAN, NAN]])
    def test_of_nothing_nothing_is_expected(self, space, rows, others, scores):
        surrogate = Surrogate(rows[: len(scores)], np.array(scores), MIN, space)
        assert surrogate.predict(others)[0].tolist() == [0.0] * len(others)
        assert surrogate.best == 0.0
