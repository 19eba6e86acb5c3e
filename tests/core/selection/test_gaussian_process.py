"""Gaussian processes, beside scikit-learn's."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import threadpoolctl
from scipy import optimize
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from pyshac.core.selection import gaussian_process
from pyshac.core.selection.gaussian_process import GaussianProcess


@pytest.fixture
def points():
    return np.random.default_rng(0).random((40, 3))


@pytest.fixture
def values(points):
    values = (
        np.sin(5 * points[:, 0]) + points[:, 1] + 0.1 * np.random.default_rng(1).normal(size=40)
    )
    return (values - values.mean()) / values.std()


@pytest.fixture
def process(points, values):
    return GaussianProcess(points, np.arange(3), values)


def peer(process, points, values):
    """Scikit-learn's, with the same kernel."""
    *scales, variance, noise = np.exp(process._logarithms)
    kernel = ConstantKernel(variance) * Matern(scales, nu=2.5) + WhiteKernel(noise)
    return GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None).fit(points, values)


def test_predictions_are_those_of_scikit_learn(process, points, values):
    others = np.random.default_rng(2).random((25, 3))
    expected, deviation = process.predict(others)
    theirs, their_deviation = peer(process, points, values).predict(others, return_std=True)
    noise = np.exp(process._logarithms[-1])
    assert expected == pytest.approx(theirs, abs=1e-8)
    assert deviation == pytest.approx(np.sqrt(their_deviation**2 - noise), abs=1e-6)


def test_what_it_believes_makes_it_surer_and_no_wiser(process, points, values):
    random = np.random.default_rng(3)
    believed, others = random.random((5, 3)), random.random((25, 3))
    expected, deviation = process.predict(others)
    surer = process.believing(believed)
    assert surer.predict(others)[0] == pytest.approx(expected, abs=1e-8)
    assert (surer.predict(others)[1] < deviation).all()
    all_points = np.concatenate([points, believed])
    all_values = np.concatenate([values, process.predict(believed)[0]])
    _, theirs = peer(process, all_points, all_values).predict(others, return_std=True)
    noise = np.exp(process._logarithms[-1])
    assert surer.predict(others)[1] == pytest.approx(np.sqrt(theirs**2 - noise), abs=1e-6)
    # The process itself is as it was.
    assert (process.predict(others)[1] == deviation).all()


def from_scratch(process, points, values):
    """A process with the same logarithms, which factorises its whole covariance at once."""
    other = copy.copy(process)
    other._points, other._values = points, values
    other._solve()
    return other


def test_what_it_is_told_is_as_if_it_had_been_there_from_the_start(process, points, values):
    random = np.random.default_rng(3)
    told, others = random.random((7, 3)), random.random((25, 3))
    of_told = random.normal(size=7)
    more = process.told(told[:3], of_told[:3]).told(told[3:], of_told[3:])
    whole = from_scratch(process, np.concatenate([points, told]), np.concatenate([values, of_told]))
    for ours, expected in zip(more.predict(others), whole.predict(others), strict=True):
        assert ours == pytest.approx(expected, abs=1e-9)
    assert (more._logarithms == process._logarithms).all()
    # The process itself is as it was.
    assert len(process._points) == len(process._values) == 40


def test_beliefs_are_told_samples_that_turned_out_as_expected(process):
    random = np.random.default_rng(4)
    believed, others = random.random((6, 3)), random.random((25, 3))
    one_by_one = process
    for point in believed:
        one_by_one = one_by_one.believing(point[None])
    told = process.told(believed, process.predict(believed)[0])
    for ours, expected in zip(one_by_one.predict(others), told.predict(others), strict=True):
        assert ours == pytest.approx(expected, abs=1e-9)


def test_the_nearest_are_those_by_the_length_scales(process):
    process._logarithms = np.array([0.0, np.log(10), 0.0, 0.0, -3.0])
    points = np.array([[0.5, 0, 0], [0, 1, 0], [0, 0, 0.2], [0, 6, 0]])
    assert process.nearest_first(np.zeros(3), points).tolist() == [1, 2, 0, 3]


def test_the_loss_is_the_likelihood_of_scikit_learn_and_the_priors(process, points, values):
    def theirs(scale):
        process._logarithms = np.array([scale, 0.3, -0.2, 0.1, -3.0])
        return peer(process, points, values).log_marginal_likelihood_value_

    mean, width = process._prior_means[0], process._prior_widths[0]
    change = process.loss(np.array([1.0, 0.3, -0.2, 0.1, -3.0]))[0]
    change -= process.loss(np.array([-1.0, 0.3, -0.2, 0.1, -3.0]))[0]
    prior = ((1.0 - mean) ** 2 - (-1.0 - mean) ** 2) / width**2 / 2
    assert change == pytest.approx(theirs(-1.0) - theirs(1.0) + prior)


def test_the_gradient_is_that_of_the_loss_with_scales_that_are_alike(points, values):
    process = GaussianProcess(points, np.arange(3), values, np.array([True, False, True]), 2.0)
    logarithms = np.array([0.5, -0.5, 1.5, 0.1, -3.0])
    numeric = optimize.approx_fprime(logarithms, lambda x: process.loss(x)[0], 1e-6)
    assert process.loss(logarithms)[1] == pytest.approx(numeric, rel=1e-4, abs=1e-4)


def test_a_column_without_values_takes_the_scale_of_those_that_are_alike(points, values):
    unseen = points * [1, 1, 0]
    scales = [
        GaussianProcess(unseen, np.arange(3), values, alike)._logarithms[:3]
        for alike in (None, np.array([True, False, True]))
    ]
    assert scales[0][0] < 0.5
    assert scales[0][2] == pytest.approx(np.sqrt(2) + np.log(3) / 2, abs=0.05)
    assert scales[1][2] == pytest.approx(scales[1][0], abs=1.0)


def test_the_gradient_is_that_of_the_loss(process):
    for logarithms in np.random.default_rng(3).uniform(-1.5, 1, (5, 5)):
        numeric = optimize.approx_fprime(logarithms, lambda x: process.loss(x)[0], 1e-6)
        assert process.loss(logarithms)[1] == pytest.approx(numeric, rel=1e-4, abs=1e-4)


def test_features_of_a_column_share_a_length_scale(points, values):
    process = GaussianProcess(points, np.array([0, 0, 1]), values)
    numeric = optimize.approx_fprime(
        np.array([0.1, -0.5, 0.2, -2.0]), lambda x: process.loss(x)[0], 1e-6
    )
    gradient = process.loss(np.array([0.1, -0.5, 0.2, -2.0]))[1]
    assert gradient == pytest.approx(numeric, rel=1e-4, abs=1e-4)


def test_what_does_not_matter_gets_the_longest_scale(process):
    assert np.argmax(process._logarithms[:3]) == 2


def test_many_points_are_predicted_as_few_are(process):
    others = np.random.default_rng(4).random((gaussian_process.MAX_ROWS + 10, 3))
    whole, tail = process.predict(others), process.predict(others[-5:])
    assert whole[0][-5:] == pytest.approx(tail[0])
    assert whole[1][-5:] == pytest.approx(tail[1])


def test_expected_values_alone_are_those_of_predictions(process):
    others = np.random.default_rng(4).random((50, 3))
    assert process.expected(others) == pytest.approx(process.predict(others)[0], abs=1e-12)
    assert process.expected(others[:0]).shape == (0,)


def test_of_many_points_some_decide_the_scales_and_all_are_learned(points):
    number = 2 * gaussian_process.MAX_FITTED + 10
    random = np.random.default_rng(5)
    many, columns = random.random((number, 3)), np.arange(3)
    of_many = np.sin(5 * many[:, 0]) + 0.01 * random.normal(size=number)
    process = GaussianProcess(many, columns, of_many)
    some = GaussianProcess(many[::3], columns, of_many[::3])
    assert process._logarithms.tolist() == some._logarithms.tolist()
    assert len(process._points) == len(process._values) == number
    left_out = np.flatnonzero(np.arange(number) % 3)
    assert (process.predict(many[left_out])[1] < some.predict(many[left_out])[1]).all()


def test_equal_points_and_values_do_no_harm():
    process = GaussianProcess(np.ones((20, 2)), np.arange(2), np.zeros(20))
    expected, deviation = process.predict(np.array([[1.0, 1.0], [0.0, 0.0]]))
    assert expected == pytest.approx([0, 0])
    assert deviation[0] < deviation[1]


def test_the_number_of_threads_changes_nothing(points, values):
    predictions = []
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads, user_api="blas"):
            process = GaussianProcess(points.repeat(8, 0), np.arange(3), values.repeat(8))
            predictions.append(process.predict(points)[0])
    assert (predictions[0] == predictions[1]).all()
