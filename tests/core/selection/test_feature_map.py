"""FeatureMap: samples where distances mean something."""

from __future__ import annotations

import numpy as np
import pytest

from pyshac.core.dataset.objective import MAX
from pyshac.core.hyperparameters import (
    AbstractHyperParameter,
    DiscreteHP,
    HyperParameterList,
    LogUniformHP,
    UniformHP,
)
from pyshac.core.selection.feature_map import FeatureMap
from pyshac.core.selection.surrogate import Surrogate


class OwnHP(AbstractHyperParameter):
    """A user's own type: any number."""

    def sample(self):
        return 1.0

    def encode(self, x):
        return x

    def decode(self, x):
        return x


def test_numbers_are_mapped_by_their_prior():
    space = HyperParameterList(
        [UniformHP("x", -5, 15), LogUniformHP("rate", 1e-4, 1), DiscreteHP("n", [1, 2, 4, 8])]
    )
    points = FeatureMap(space, space.draw(3, np.random.SeedSequence(0)))
    assert points.columns.tolist() == [0, 1, 2]
    rows = np.array([space.encode([-5.0, 1e-4, 1]), space.encode([5.0, 1e-2, 4])])
    assert points(rows) == pytest.approx(np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))


def test_numbers_of_own_types_are_scaled_to_what_was_seen():
    points = FeatureMap(
        HyperParameterList([OwnHP("a"), OwnHP("b")]), np.array([[-5.0, 7], [15, 7]])
    )
    assert points(np.array([[-5.0, 7], [5, 7], [25, 8]])).tolist() == [
        [0, 0],
        [0.5, 0],
        [1.5, 0.5],
    ]


def test_the_largest_numbers_do_no_harm():
    space = HyperParameterList([OwnHP("a")])
    rows = np.array([[-1.7e308], [1.7e308], [0.0], [5e-324]])
    for seen, scores in ((rows[2:], [1.0, 2]), (rows, [1.0, 2, 3, 4])):
        expected, deviation = Surrogate(seen, np.array(scores), MAX, space).predict(rows)
        assert np.isfinite(expected).all()
        assert np.isfinite(deviation).all()


def test_two_choices_are_as_far_apart_as_any_other_two():
    space = HyperParameterList([UniformHP("x", 0, 1), DiscreteHP("kind", ["a", "b", "c", "d"])])
    points = FeatureMap(space, np.array([[0.0, 0], [1, 2], [1, 2]]))
    assert points.columns.tolist() == [0, 1, 1, 1]
    # The last two values were not seen.
    rows = points(np.array([[0.0, 0], [0, 2], [0, 1], [0, 3]]))
    distances = ((rows[:, None] - rows) ** 2).sum(axis=2)
    expected = 1 - np.eye(4)
    expected[2, 3] = expected[3, 2] = 0
    assert distances == pytest.approx(expected)


class TestConditional:
    SPACE = HyperParameterList(
        [
            UniformHP("x", 0, 10).when("kind", "a"),
            DiscreteHP("sort", ["p", "q", "r"]).when("kind", "b"),
            OwnHP("own").when("kind", ["a", "b"]),
            DiscreteHP("kind", ["a", "b", "c"]),
        ]
    )

    def distance(self, first, second):
        known = self.SPACE.draw(50, np.random.SeedSequence(0))
        known[:5, 2] = [0.0, 1, 2, 3, 4]
        points = FeatureMap(self.SPACE, known)
        rows = np.array([[*first, 0.0], [*second, 0.0]])
        return np.linalg.norm(np.diff(points(rows), axis=0))

    @pytest.mark.parametrize("column", range(3))
    def test_inactive_is_like_itself_and_equally_unlike_any_value(self, column):
        nothing = [np.nan, np.nan, np.nan]
        assert self.distance(nothing, nothing) == 0
        for value in (0.0, 1.0, 2.0):
            given = nothing.copy()
            given[column] = value
            assert self.distance(nothing, given) == pytest.approx(1)

    def test_values_keep_their_distances(self):
        ends = [self.distance([x, np.nan, np.nan], [0, np.nan, np.nan]) for x in (1, 5, 10)]
        assert ends == sorted(ends)
        assert ends[-1] == pytest.approx(1)
        assert ends[0] == pytest.approx(0.1, rel=0.06)

    def test_the_features_of_a_column_share_its_length_scale(self):
        points = FeatureMap(self.SPACE, self.SPACE.draw(50, np.random.SeedSequence(0)))
        assert points.columns.tolist() == [0] * 2 + [1] * 5 + [2] * 2 + [3] * 4
