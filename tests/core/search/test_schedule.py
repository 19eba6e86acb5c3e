"""The plan of a run: batches, stages and classifiers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pyshac.core.search.schedule import Schedule


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    batches = draw(st.integers(1, 60))
    return Schedule.in_batches(
        batches * draw(st.integers(1, 60)), batches, draw(st.integers(1, 30))
    )


@pytest.mark.parametrize(
    ("budget", "batches", "most", "workers", "classifiers", "per_classifier"),
    [
        (60, 6, 18, 10, 5, 10),
        (100, 1, 18, 100, 1, 100),
        (200, 10, 18, 20, 9, 20),
        (200, 20, 18, 10, 18, 10),
        (370, 37, 18, 10, 18, 10),
        (380, 38, 18, 10, 18, 20),
        (1000, 40, 18, 25, 18, 50),
        (200, 20, 30, 10, 19, 10),
        (200, 20, 5, 10, 5, 30),
        (100, 10, 18, 10, 9, 10),
        (100, 100, 18, 1, 18, 5),
        (1000, 10, 4, 100, 4, 200),
        (12, 3, 18, 4, 2, 4),
        (10, 1, 18, 10, 1, 10),
        (1, 1, 1, 1, 1, 1),
    ],
)
def test_known_schedules(budget, batches, most, workers, classifiers, per_classifier):
    schedule = Schedule.in_batches(budget, batches, most)
    assert schedule.batch_size == workers
    assert schedule.total_classifiers == classifiers
    assert schedule.per_classifier_budget == per_classifier


def test_eighteen_classifiers_unless_told_otherwise():
    assert Schedule.in_batches(1000, 100).total_classifiers == 18


@given(schedules())
def test_the_formulas_of_the_design(schedule):
    n, m = schedule.total_budget, schedule.num_batches
    w, k = n // m, min(max(m - 1, 1), schedule.max_classifiers)
    assert schedule.batch_size == w
    assert schedule.total_classifiers == k
    assert schedule.per_classifier_budget == max(w * math.floor(n / (w * (k + 1))), w)


@given(schedules())
def test_classifiers_are_due_at_the_ends_of_batches_and_all_of_them_in_time(schedule):
    batch = schedule.batch_size
    ends = [
        number * batch
        for number in range(1, schedule.num_batches + 1)
        if schedule.is_classifier_due((number - 1) * batch, number * batch)
    ]
    assert len(ends) >= schedule.total_classifiers
    assert ends[0] == schedule.per_classifier_budget
    assert set(np.diff(ends)) <= {schedule.per_classifier_budget}
    if schedule.num_batches > 1:
        assert ends[schedule.total_classifiers - 1] < schedule.total_budget


@pytest.mark.parametrize(
    ("before", "after", "is_due"), [(0, 9, 0), (9, 10, 1), (5, 25, 1), (10, 19, 0)]
)
def test_a_classifier_is_due_when_its_samples_are_in(before, after, is_due):
    assert Schedule.in_batches(100, 10, 9).is_classifier_due(before, after) is bool(is_due)


def test_numpy_ints_are_ints():
    schedule = Schedule.in_batches(np.int64(20), np.int32(2), np.uint8(5))
    assert [type(value) for value in vars(schedule).values()] == [int, int, int]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((10, 3), ValueError, "divisible by num_batches, but got (total_budget=10, num_batches=3)"),
        ((5, 10), ValueError, "(total_budget=5, num_batches=10)"),
        ((0, 1), ValueError, "total_budget must be an int of at least 1. Got 0"),
        ((-10, 1), ValueError, "total_budget must be an int of at least 1. Got -10"),
        ((10, 0), ValueError, "num_batches must be an int of at least 1. Got 0"),
        ((10, -1), ValueError, "num_batches must be an int of at least 1. Got -1"),
        ((10, 1, 0), ValueError, "max_classifiers must be an int of at least 1. Got 0"),
        ((10, 1, -3), ValueError, "max_classifiers must be an int of at least 1. Got -3"),
        ((10.5, 1), TypeError, "total_budget must be an int of at least 1. Got 10.5"),
        ((10, math.inf), TypeError, "num_batches must be an int of at least 1. Got inf"),
        ((10, 2, 1.5), TypeError, "max_classifiers must be an int of at least 1. Got 1.5"),
        (("10", 2), TypeError, "total_budget must be an int of at least 1. Got '10'"),
        ((None, 2), TypeError, "total_budget must be an int of at least 1. Got None"),
        ((10, None), TypeError, "num_batches must be an int of at least 1. Got None"),
        ((10, True), TypeError, "num_batches must be an int of at least 1. Got True"),
        ((math.nan, 1), TypeError, "total_budget must be an int of at least 1. Got nan"),
        ((10, 2, None), TypeError, "max_classifiers must be an int of at least 1. Got None"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error) as caught:
        Schedule.in_batches(*arguments)
    assert type(caught.value) is error
    assert message in str(caught.value)
