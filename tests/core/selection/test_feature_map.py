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
