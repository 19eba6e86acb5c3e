"""Bounded scores: what is learned from samples that were pruned."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pyshac import HyperParameterList, UniformHP
from pyshac.core.basics.results.curve import Curve
from pyshac.core.dataset.curves.bounded_scores import bounded_scores
from pyshac.core.dataset.curves.curves_table import CurveEnds
from pyshac.core.dataset.objective import MAX, MIN
from pyshac.core.search.given.added import Added, Learned
from tests.curves.searches import engine_in, rising, rows_of, states_of
from tests.curves.test_rules import dataset_of, line
from tests.engine.engine_helpers import make_engine

NAN = math.nan


def bounds(scores, steps, lasts, are_pruned, objective=MAX):
    ends = CurveEnds(np.array(steps), np.array(lasts, float), np.array(are_pruned, bool))
    return bounded_scores(np.array(scores, float), ends, objective).tolist()


def slow_bounds(scores, steps, lasts, are_pruned, sign):
    """The definition."""
    found = [sign * score for score in scores]
    known = [not math.isnan(last) for last in lasts]
    for place in np.flatnonzero(are_pruned):
        others = [other for other in range(len(scores)) if steps[other] >= steps[place]]
        passed = [sign * scores[other] for other in others if not math.isnan(scores[other])]
        later = [
            sign * lasts[other]
            for other in others
            if are_pruned[other] and known[other] and steps[other] > steps[place]
        ]
        last = sign * lasts[place]
        found[place] = min(passed or [last, *later]) if known[place] else NAN
    return [sign * value for value in found]


def test_the_worst_of_all_that_went_on():
    # Complete with 5 and 3, pruned at step 4 with 9 and 1, at step 2 with 2 and 0.5, failed.
    scores = [5, 3, NAN, NAN, NAN, NAN, NAN]
    steps, lasts = [9, 9, 4, 4, 2, 2, 3], [5, 3, 9, 1, 2, 0.5, 7]
    are_pruned = [False, False, True, True, True, True, False]
    found = bounds(scores, steps, lasts, are_pruned)
    assert found[:6] == [5, 3, 3, 3, 3, 3]
    assert math.isnan(found[6])


def test_lower_is_better():
    found = bounds([5, NAN, NAN], [9, 4, 4], [5, 1, 7], [False, True, True], MIN)
    assert found == [5, 5, 5]


def test_before_one_has_a_score_the_last_ones_count():
    found = bounds([NAN, NAN, NAN], [4, 2, 2], [3, 5, 1], [True, True, True])
    assert found == [3, 3, 1]


def test_a_curve_that_ended_with_nan_stays_without_a_score():
    found = bounds([5, NAN, NAN], [9, 4, 2], [5, NAN, 7], [False, True, True])
    assert found[0] == 5
    assert math.isnan(found[1])
    assert found[2] == 5


def test_samples_without_a_curve_are_no_bound():
    assert bounds([1, NAN], [-1, 4], [NAN, 7], [False, True]) == [1, 7]


@pytest.mark.parametrize("sign", [1, -1])
def test_as_defined(sign):
    generator = np.random.default_rng(5)
    for _ in range(200):
        number = int(generator.integers(1, 30))
        are_pruned = generator.random(number) < 0.6
        scores = np.where(
            are_pruned | (generator.random(number) < 0.2), NAN, generator.random(number)
        )
        steps = generator.integers(0, 6, number)
        lasts = np.where(generator.random(number) < 0.1, NAN, generator.random(number))
        found = bounds(scores, steps, lasts, are_pruned, MAX if sign > 0 else MIN)
        expected = slow_bounds(scores, steps, lasts, are_pruned, sign)
        assert np.array_equal(found, expected, equal_nan=True)


def test_many_samples():
    generator, number = np.random.default_rng(6), 100_000
    are_pruned = generator.random(number) < 0.7
    scores = np.where(are_pruned, NAN, generator.random(number))
    ends = CurveEnds(generator.integers(0, 100, number), generator.random(number), are_pruned)
    assert not np.isnan(bounded_scores(scores, ends, MAX)).any()


def test_what_was_learned_does_not_depend_on_later_samples():
    pruned = line(7, last=2, is_pruned=True)
    dataset = dataset_of((5.0, line(5)), (NAN, pruned), (1.0, line(1)), (NAN, pruned))
    learned = Learned.of(Added(dataset_of()), dataset, MAX)
    assert learned.first(2)[1].tolist() == [5.0, 5.0]
    assert learned.first(4)[1].tolist() == [5.0, 1.0, 1.0, 1.0]
    assert learned.between(2, 4)[1].tolist() == [1.0, 1.0]


def test_pruned_samples_are_neither_best_nor_in_the_top(tmp_path):
    engine = engine_in(tmp_path)
    engine.fit(pruning="median", verbose=0)
    assert "pruned" in states_of(engine)
    assert all(each.state == "complete" for each in engine.top(40))
    assert not math.isnan(engine.best_score)


def test_a_search_that_starts_from_another_learns_bounds(tmp_path):
    engine = engine_in(tmp_path / "first")
    engine.fit(pruning="median", verbose=0)
    second = engine_in(tmp_path / "second", start_from=tmp_path / "first")
    added = second._run.search.added.dataset
    pruned = engine.dataset.details.curves.are_pruned
    assert pruned.any()
    assert not np.isnan(added.scores).any()
    assert np.array_equal(added.scores[~pruned], engine.dataset.scores[~pruned])


def test_a_search_moved_to_another_space_keeps_its_curves(tmp_path):
    engine = engine_in(tmp_path)
    engine.fit(pruning="median", verbose=0)
    space = HyperParameterList([UniformHP("x", 0.0, 2.0), UniformHP("y", 0.0, 1.0)])
    moved = make_engine(tmp_path, rising, space, 48, 6, objective="max", resume=True)
    assert rows_of(moved) == rows_of(engine)
    moved.fit(pruning="median", verbose=0)
    assert rows_of(moved)[:40] == rows_of(engine)


def test_samples_with_and_without_a_curve():
    dataset = dataset_of((1.0, Curve((3,), (0.5,))), (2.0, None))
    assert dataset.details[0].curve == Curve((3,), (0.5,))
    assert dataset.details[1].curve is None
