"""Estimates of the share of the prior that cascades accept."""

import numpy as np
import pytest

from pyshac import HyperParameterList, MultiUniformHP
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.sampling.accepted_share import MIN_ROWS, PILOT_ROWS, ShareEstimator


class Below:
    """Accepts rows whose value in a column is below an edge."""

    def __init__(self, column, edge=0.5):
        self._column, self._edge = column, edge

    def predict(self, rows):
        return rows[:, self._column] < self._edge


@pytest.fixture
def space():
    return HyperParameterList([MultiUniformHP("m", 0, 1, sample_count=12)])


def halving(number):
    return [Below(column) for column in range(number)]


@pytest.mark.parametrize("number", [0, 1, 3, 8])
def test_shares_that_the_pilot_tells_are_counted(space, number):
    share = 2.0**-number
    error = np.sqrt(share * (1 - share) / PILOT_ROWS)
    assert ShareEstimator(space)(Cascade(halving(number))) == pytest.approx(share, abs=4 * error)


def test_shares_below_that_go_on_as_they_began(space):
    # After nine halvings some 16 of the pilot's rows are left: to a factor of two each way, the
    # twelfth is known.
    assert 2.0**-14 < ShareEstimator(space)(Cascade(halving(12))) < 2.0**-10


def test_no_share_is_nothing(space):
    never = Below(0, -1.0)
    assert 0 < ShareEstimator(space)(Cascade([never])) < MIN_ROWS / PILOT_ROWS
    assert ShareEstimator(space)(Cascade([never] * 1000)) > 0


def test_it_is_the_same_whatever_was_asked_before(space):
    classifiers = halving(6)
    whole = Cascade(classifiers)
    other = Cascade([*classifiers[:2], Below(8, 0.1)])
    busy = ShareEstimator(space)
    for cascade in (whole, whole.first(3), other, whole, whole.first(2), Cascade()):
        assert busy(cascade) == ShareEstimator(space)(cascade)
