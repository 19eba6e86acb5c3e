"""Shares: the rankings whose samples were good choose more of them."""

from __future__ import annotations

import numpy as np
import pytest

from pyshac.core.dataset.objective import MAX, MIN
from pyshac.core.search.shares import MEMORY, SMALLEST_SHARE, WORTH_OF_BEST, Shares

BEFORE = np.arange(100.0)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_at_first_all_are_equal(number):
    assert Shares().of(number) == pytest.approx([1 / number] * number)


def test_success_is_rewarded():
    shares = Shares().learn([0, 1, 2], BEFORE, np.array([10.0, 95.0, 50.0]), MAX)
    assert shares.of(3).argmax() == 1
    assert shares.of(3).sum() == pytest.approx(1)
    low = Shares().learn([0, 1, 2], BEFORE, np.array([10.0, 95.0, 50.0]), MIN)
    assert low.of(3).argmax() == 0


def test_what_a_sample_is_worth():
    # In the best quarter, not in it, the best of all, and failed.
    for score, worth in [(80.0, 1), (70.0, 0), (200.0, 1 + WORTH_OF_BEST), (np.nan, 0)]:
        shares = Shares().learn([1], BEFORE, np.array([score]), MAX)
        assert shares.chosen == [0, 1]
        assert shares.good == [0, worth]


def test_earlier_samples_count_less_and_less():
    first = Shares().learn([0], BEFORE, np.array([80.0]), MAX)
    second = first.learn([1, 1], BEFORE, np.array([0.0, 0.0]), MAX)
    assert second.chosen == pytest.approx([MEMORY**2, 1 + MEMORY])
    assert second.good == pytest.approx([MEMORY**2, 0])
    # The first is as it was.
    assert (first.chosen, first.good) == ([1], [1])


def test_samples_that_none_chose_change_nothing():
    some = Shares().learn([0, 1], BEFORE, np.array([80.0, 0.0, 200.0]), MAX)
    assert some == Shares().learn([0, 1], BEFORE, np.array([80.0, 0.0]), MAX)
    assert some.learn([], BEFORE, np.array([300.0]), MAX) == some


def test_a_score_after_failures_only_is_the_best():
    before = np.full(3, np.nan)
    shares = Shares().learn([0], before, np.array([1.0]), MIN)
    assert shares.good == [1 + WORTH_OF_BEST]
    assert Shares().learn([0], before, np.array([np.nan]), MIN).chosen == [1]


def test_of_more_rankings_than_there_are_the_first_count():
    shares = Shares([1.0, 2.0, 3.0, 4.0], [1.0, 0.0, 0.0, 4.0])
    assert shares.of(2) == pytest.approx(Shares([1.0, 2.0], [1.0, 0.0]).of(2))


def test_none_is_ever_left_out():
    shares = Shares()
    for _ in range(200):
        shares = shares.learn([0, 1, 2], BEFORE, np.array([1000.0, 0.0, 0.0]), MAX)
    of_all = shares.of(3)
    assert of_all.sum() == pytest.approx(1)
    # The others' shares were raised to this before all were brought to 1.
    assert of_all.min() >= SMALLEST_SHARE / (1 + 2 * SMALLEST_SHARE)
    assert of_all.argmax() == 0
    assert of_all[1] == pytest.approx(of_all[2])
