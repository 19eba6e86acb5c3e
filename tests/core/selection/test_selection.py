"""Selection: which of the accepted samples are evaluated."""

from __future__ import annotations

import numpy as np

from pyshac.core.hyperparameters import HyperParameterList, UniformHP
from pyshac.core.selection.climbing import Climber
from pyshac.core.selection.selection import Selection


class By:
    """Ranks by a function."""

    num_steps = 0

    def __init__(self, function):
        self._function = function

    def __call__(self, rows):
        return self._function(rows)

    def believing(self, rows, near):
        return self


by_sum = By(lambda rows: rows.sum(axis=1))


class Region:
    """The regions of 0, 1, 2 ... classifiers, as functions; a stand-in for `AcceptedRegion`."""

    def __init__(self, draw, accepts, num_classifiers):
        self._draw, self._accepts = draw, accepts
        self.cascade = range(num_classifiers)

    def first(self, num_classifiers):
        return Region(self._draw, self._accepts, num_classifiers)

    def draw(self, n, stream, patience):
        return self._draw(len(self.cascade), n)

    def accepts(self, rows):
        return self._accepts(len(self.cascade), rows)


def accepts_all(num_classifiers, rows):
    return np.ones(len(rows), dtype=bool)


def select(draw, num_classifiers, n, num_choices, evaluated, *rankings):
    space = HyperParameterList([UniformHP("x", 0, 400)])
    climber = Climber(space, np.random.default_rng(0))
    selection = Selection(rankings or [by_sum], num_choices, climber)
    region = Region(draw, accepts_all, num_classifiers)
    return selection.select(region, n, evaluated, np.random.SeedSequence(0))


def drawing_from(*regions):
    """Draws from one list of rows for each number of classifiers, over and over, from the start."""

    def draw(num_classifiers, n):
        rows = np.array(regions[num_classifiers], dtype=float).reshape(-1, 1)
        return rows[np.arange(n) % len(rows)]

    return draw


NOTHING = np.empty((0, 1))


class TestSelect:
    def test_the_best_of_each_group_is_chosen(self):
        draw = drawing_from([[0]], [1, 2, 3, 4, 5, 6])
        # Dealt out in turn: 1, 3, 5 and 2, 4, 6.
        assert select(draw, 1, 2, 3, NOTHING).tolist() == [[5], [6]]

    def test_rankings_take_turns(self):
        draw = drawing_from([[0]], [1, 2, 3, 4, 5, 6])
        rankings = [by_sum, By(lambda rows: -rows.sum(axis=1))]
        assert select(draw, 1, 2, 3, NOTHING, *rankings).tolist() == [[5], [2]]
        # In batches of one as well.
        assert select(draw, 1, 1, 3, np.array([[0.0]]), *rankings).tolist() == [[1]]
        assert select(draw, 1, 1, 3, np.array([[0.0], [9.0]]), *rankings).tolist() == [[3]]

    def test_what_was_evaluated_is_not_chosen(self):
        draw = drawing_from([[0]], [1, 2, 3, 4, 5, 6])
        evaluated = np.array([[6.0], [5.0]])
        assert select(draw, 1, 2, 3, evaluated).tolist() == [[3], [4]]

    def test_nothing_is_chosen_twice(self):
        draw = drawing_from([[0]], [1, 1, 1, 2, 2, 2])
        assert sorted(select(draw, 1, 2, 3, NOTHING).tolist()) == [[1], [2]]

    def test_what_a_region_lacks_comes_from_the_next_larger(self):
        draw = drawing_from([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4], [1, 2])
        assert select(draw, 2, 3, 4, NOTHING).tolist() == [[1], [2], [4]]
        chosen = select(draw, 2, 6, 4, NOTHING).tolist()
        assert chosen[:4] == [[1], [2], [3], [4]]
        # Dealt out to the two that are missing: 5, 7 and 6.
        assert chosen[4:] == [[7], [6]]

    def test_one_in_ten_looks_back(self):
        draw = drawing_from(range(100), range(200, 300), range(300, 400))
        chosen = select(draw, 2, 20, 4, NOTHING).ravel()
        assert len(chosen) == 20
        # Of the region of one classifier, half of two.
        assert [value // 100 for value in chosen] == [3] * 18 + [2] * 2

    def test_what_is_rare_is_found_before_anything_is_evaluated_again(self):
        region = [0] * 4000 + [1]
        evaluated = np.array([[0.0]])
        assert select(drawing_from(region), 0, 1, 2, evaluated).tolist() == [[1]]

    def test_where_nothing_else_is_left_samples_are_evaluated_again(self):
        draw = drawing_from([1, 2], [2])
        evaluated = np.array([[1.0], [2.0]])
        chosen = select(draw, 1, 3, 2, evaluated)
        # Those that the whole cascade accepts.
        assert chosen.tolist() == [[2], [2], [2]]


class Peaked(By):
    """Highest at a place that draws miss, and told what is being evaluated."""

    num_steps = 30

    def __init__(self, place):
        super().__init__(lambda rows: -np.abs(rows[:, 0] - place))
        self.told = []

    def believing(self, rows, near):
        self.told.append(rows.ravel().tolist())
        return self


class TestClimbing:
    def select(self, ranking, accepts, n=3, evaluated=NOTHING):
        space = HyperParameterList([UniformHP("x", 0, 1)])
        climber = Climber(space, np.random.default_rng(0))
        region = Region(drawing_from([0.1, 0.2, 0.3, 0.9]), accepts, 0)
        stream = np.random.SeedSequence(0)
        return Selection([ranking], 2, climber).select(region, n, evaluated, stream)

    def test_what_is_chosen_is_improved(self):
        chosen = self.select(Peaked(0.6), lambda depth, rows: rows[:, 0] > 0)
        assert np.abs(chosen - 0.6).max() < 0.01
        assert len(np.unique(chosen)) == 3

    def test_only_within_the_region(self):
        chosen = self.select(Peaked(0.6), lambda depth, rows: rows[:, 0] < 0.5)
        assert 0.49 < chosen[0, 0] < 0.5
        assert all(value < 0.5 or value == 0.9 for value in chosen.ravel())

    def test_only_to_what_was_not_evaluated(self):
        # Where a draw itself is the best there is.
        accepts_draws = lambda depth, rows: np.isin(rows[:, 0], [0.1, 0.2, 0.3, 0.9])  # noqa: E731
        chosen = self.select(Peaked(0.2), accepts_draws, 2, np.array([[0.2]]))
        assert sorted(chosen.ravel()) == [0.1, 0.3]

    def test_a_ranking_learns_what_was_chosen_before(self):
        ranking = Peaked(0.6)
        chosen = self.select(ranking, lambda depth, rows: rows[:, 0] > 0).ravel().tolist()
        assert ranking.told == [[], chosen[:1], chosen[:2]]
