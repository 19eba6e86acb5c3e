"""Selection: which of the accepted samples are evaluated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.dataset.objective import MIN
from pyshac.core.errors import NothingAcceptedError
from pyshac.core.hyperparameters import DiscreteHP, HyperParameterList, UniformHP
from pyshac.core.sampling.proposal_planner import ProposalPlanner
from pyshac.core.sampling.region import LAST_DRAWS, AcceptedRegion
from pyshac.core.selection.branches import Branches
from pyshac.core.selection.climbing import Climber
from pyshac.core.selection.neighbours import Neighbours
from pyshac.core.selection.selection import Selection, choose_at_random
from pyshac.core.selection.surrogate import Surrogate
from tests.cascades import cascade_of, plainly_accepts, region as region_of, unit_square

STREAM = np.random.SeedSequence(0)
LINE = HyperParameterList([UniformHP("x", 0, 400)])


class By:
    """Ranks by a function."""

    def __init__(self, function, num_steps=0):
        self._function, self.num_steps = function, num_steps

    def __call__(self, rows, surrogate):
        return self._function(rows)


by_sum = By(lambda rows: rows.sum(axis=1))
by_less = By(lambda rows: -rows.sum(axis=1))


class Beliefs:
    """A surrogate that notes what it is told to believe, in order."""

    def __init__(self, *rows):
        self.rows = rows

    def believing(self, rows):
        return Beliefs(*self.rows, *map(float, rows[:, 0]))

    def near(self, row):
        return self


class Region(AcceptedRegion):
    """Stands in for a region: draws come from given rows for each number of checks.

    Args:
        rows: The rows of the region without checks, with one check, and so on.
        accepts: Accepts rows, given the number of checks; None to accept all.
    """

    def __init__(self, rows, accepts=None, num_checks=None, relax_checks=False):
        for name, value in (("rows", rows), ("rule", accepts), ("relax_checks", relax_checks)):
            object.__setattr__(self, name, value)
        count = len(rows) - 1 if num_checks is None else num_checks
        object.__setattr__(self, "count", count)

    @property
    def num_checks(self):
        return self.count

    def wider(self):
        return Region(self.rows, self.rule, self.count - 1, self.relax_checks)

    def draw_new(self, n, enough, seen, stream):
        rows = np.array(self.rows[self.count], dtype=float).reshape(-1, 1)
        return np.array([row for row in rows if row.tobytes() not in seen]).reshape(-1, 1)[:n]

    def accepts(self, rows):
        if self.rule is None:
            return np.ones(len(rows), dtype=bool)
        return self.rule(self.count, rows)


def selection_of(*rankings, num_choices=3, shares=None, surrogate=None, space=LINE):
    rankings = rankings or (by_sum,)
    shares = np.full(len(rankings), 1 / len(rankings)) if shares is None else np.array(shares)
    climber = Climber(Neighbours(space), np.random.default_rng(0))
    branches = Branches(space)
    return Selection(rankings, shares, surrogate or Beliefs(), num_choices, climber, branches)


def evaluated(*values):
    return np.array(values, dtype=float).reshape(-1, 1)


class TestSelect:
    def test_the_best_of_each_group_is_chosen(self):
        region = Region([[0], [1, 2, 3, 4, 5, 6]])
        # Dealt out in turn: 1, 3, 5 and 2, 4, 6.
        choice = selection_of().select(region, 2, evaluated(), STREAM)
        assert choice.rows.tolist() == [[5], [6]]
        assert choice.chosen_by == [0, 0]
        assert choice.num_checks == 1

    def test_several_rankings_share_the_samples(self):
        selection = selection_of(by_sum, by_less)
        region = Region([[0], [1, 2, 3, 4, 5, 6]])
        choice = selection.select(region, 2, evaluated(), STREAM)
        assert sorted(choice.chosen_by) == [0, 1]
        best = [[5, 6][group] if by == 0 else [1, 2][group] for group, by in
                enumerate(choice.chosen_by)]  # fmt: skip
        assert choice.rows.ravel().tolist() == best

    @pytest.mark.parametrize(
        ("num_running", "steps"), [(0, [12, 2]), (256, [12, 2]), (512, [6, 2]), (10_000, [3, 2])]
    )
    def test_climbs_are_short_where_many_samples_run(self, num_running, steps):
        noted = []

        class Noting:
            def climb(self, start, others, rank, num_steps, is_allowed):
                noted.append(num_steps)
                return start

        rankings = By(by_sum._function, 12), By(by_less._function, 2)
        selection = replace(selection_of(*rankings), climber=Noting(), num_running=num_running)
        selection.select(Region([[0], [1, 2, 3, 4, 5, 6]]), 2, evaluated(), STREAM)
        assert sorted(noted, reverse=True) == steps

    def test_what_was_evaluated_is_not_chosen(self):
        region = Region([[0], [1, 2, 3, 4, 5, 6]])
        choice = selection_of().select(region, 2, evaluated(6, 5), STREAM)
        # 1, 3 and 2, 4.
        assert choice.rows.tolist() == [[3], [4]]

    def test_what_a_region_lacks_comes_from_wider_ones(self):
        region = Region([[1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4], [1, 2]])
        selection = selection_of(num_choices=4)
        three = selection.select(region, 3, evaluated(), STREAM)
        assert three.rows.tolist() == [[1], [2], [4]]
        assert three.num_checks == 1
        six = selection.select(region, 6, evaluated(), STREAM)
        assert six.rows.ravel().tolist()[:4] == [1, 2, 3, 4]
        # Dealt out to the two that are missing: 5, 7 and 6.
        assert six.rows.ravel().tolist()[4:] == [7, 6]
        assert six.num_checks == 0

    def test_samples_that_are_due_lie_in_their_branch(self):
        space = HyperParameterList(
            [DiscreteHP("kind", ["a", "b"]), UniformHP("x", 0, 400).when("kind", "b")]
        )
        stream = np.random.SeedSequence(3)
        known = np.array([[0.0, np.nan]] * 20)
        selection = selection_of(By(lambda rows: -rows[:, 0], 5), num_choices=8, space=space)
        region = AcceptedRegion(ProposalPlanner(space), Cascade())
        rows = selection.select(region, 10, known, stream).rows
        assert rows[:, 0].tolist() == [1.0] * 10

    def test_no_more_than_there_are(self):
        choice = selection_of().select(Region([[1, 2], [2]]), 3, evaluated(1), STREAM)
        assert choice.rows.tolist() == [[2]]
        assert choice.num_checks == 0
        nothing = selection_of().select(Region([[1, 2], [2]]), 3, evaluated(1, 2), STREAM)
        assert nothing.rows.shape == (0, 1)

    def test_it_stays_in_the_region_if_it_may_not_widen(self):
        region = Region([[1, 2, 3], [1]])
        choice = selection_of().select(region, 3, evaluated(), STREAM, may_widen=False)
        assert choice.rows.tolist() == [[1]]
        assert choice.num_checks == 1

    def test_where_there_are_enough_it_does_not_widen(self):
        region = Region([[9, 8, 7], [1, 2, 3]])
        choice = selection_of().select(region, 3, evaluated(), STREAM)
        assert sorted(choice.rows.ravel()) == [1, 2, 3]
        assert choice.num_checks == 1


class TestTurns:
    @pytest.mark.parametrize("shares", [[0.2, 0.5, 0.3], [0.15, 0.7, 0.15]])
    @pytest.mark.parametrize("size", [1, 3, 7, 64])
    def test_rankings_choose_as_often_as_their_shares_say(self, shares, size):
        selection = selection_of(by_sum, by_sum, by_sum, shares=shares)
        turns = range(0, 630, size)
        chosen = np.concatenate([selection._rankings_of_groups(size, turn) for turn in turns])
        counts = np.bincount(chosen, minlength=3) / len(chosen)
        assert counts == pytest.approx(shares, abs=0.02)

    def test_within_a_batch_they_do(self):
        selection = selection_of(by_sum, by_sum, by_sum, shares=[0.2, 0.5, 0.3])
        for turn in range(50):
            counts = np.bincount(selection._rankings_of_groups(100, turn), minlength=3)
            assert np.abs(counts - [20, 50, 30]).max() <= 1


class TestClimbing:
    def select(self, ranking, accepts=None, n=3, seen=(), surrogate=None):
        space = HyperParameterList([UniformHP("x", 0, 1)])
        selection = selection_of(ranking, num_choices=2, surrogate=surrogate, space=space)
        region = Region([[0.1, 0.2, 0.3, 0.9]], accepts)
        return selection.select(region, n, evaluated(*seen), STREAM).rows.ravel()

    def peaked(self, place):
        return By(lambda rows: -np.abs(rows[:, 0] - place), num_steps=30)

    def test_what_is_chosen_is_improved(self):
        chosen = self.select(self.peaked(0.6))
        assert np.abs(chosen - 0.6).max() < 0.01
        assert len(np.unique(chosen)) == 3

    def test_only_within_the_region(self):
        chosen = self.select(self.peaked(0.6), lambda depth, rows: rows[:, 0] < 0.5)
        assert 0.49 < chosen[0] < 0.5
        assert all(value < 0.5 or value == 0.9 for value in chosen)

    def test_only_to_what_was_not_evaluated(self):
        # Where a draw itself is the best there is.
        accepts = lambda depth, rows: np.isin(rows[:, 0], [0.1, 0.2, 0.3, 0.9])  # noqa: E731
        chosen = self.select(self.peaked(0.2), accepts, 2, [0.2])
        assert sorted(chosen) == [0.1, 0.3]

    def test_all_that_there_are_are_chosen_though_one_is_improved_to_another(self):
        # From 0.2 it climbs to 0.1, so 0.2 itself is left, and must not be forgotten.
        accepts = lambda depth, rows: np.isin(rows[:, 0], [0.1, 0.2, 0.3, 0.9])  # noqa: E731
        for place in (0.1, 0.2, 0.3, 0.9):
            assert sorted(self.select(self.peaked(place), accepts, 9)) == [0.1, 0.2, 0.3, 0.9]

    def test_what_was_chosen_before_is_believed(self):
        told = []

        class Noting(Beliefs):
            def believing(self, rows):
                return Noting(*self.rows, *map(float, rows[:, 0]))

            def near(self, row):
                told.append(self.rows)
                return self

        chosen = tuple(self.select(self.peaked(0.6), surrogate=Noting()))
        assert told == [(), chosen[:1], chosen[:2]]


class TestPredict:
    REGION = Region([[1, 2, 3, 4, 5, 6], [1, 2, 3, 4]])

    def predict(self, region, n, seen=(), *rankings, **kwargs):
        selection = selection_of(*rankings, **kwargs)
        return selection.predict(region, n, evaluated(*seen), STREAM).ravel().tolist()

    def test_the_most_promising_comes_first(self):
        assert self.predict(self.REGION, 4) == [4, 3, 2, 1]
        assert self.predict(self.REGION, 4, (), by_less) == [1, 2, 3, 4]

    def test_rankings_order_them_together_by_their_shares(self):
        rankings = by_sum, by_less
        assert self.predict(self.REGION, 4, (), *rankings, shares=[0.7, 0.3]) == [4, 3, 2, 1]
        assert self.predict(self.REGION, 4, (), *rankings, shares=[0.3, 0.7]) == [1, 2, 3, 4]

    def test_evaluated_ones_fill_up_and_no_others(self):
        assert self.predict(self.REGION, 3, [4]) == [3, 2, 1]
        assert self.predict(self.REGION, 4, [4]) == [4, 3, 2, 1]
        assert self.predict(self.REGION, 9, [4]) == [4, 3, 2, 1]

    def test_relaxed_it_widens(self):
        region = Region([[1, 2, 3, 4, 5, 6], [1, 2, 3, 4]], relax_checks=True)
        assert self.predict(region, 6) == [6, 5, 4, 3, 2, 1]


class TestRealRegions:
    """With a cascade and a Gaussian process."""

    def selection(self, space, rows):
        surrogate = Surrogate(rows, rows.sum(axis=1), MIN, space)
        return selection_of(
            By(lambda rows: -rows.sum(axis=1), 3), num_choices=8, surrogate=surrogate, space=space
        )

    def test_all_that_is_chosen_is_accepted_and_new(self):
        space = unit_square()
        cascade = cascade_of(space, lambda r: r[:, 0] > 0.6, lambda r: r[:, 1] > 0.7)
        rows = space.draw(20, STREAM)
        choice = self.selection(space, rows).select(region_of(space, cascade), 15, rows, STREAM)
        assert choice.rows.shape == (15, 2)
        assert plainly_accepts(cascade, choice.rows).all()
        assert len(np.unique(np.concatenate([choice.rows, rows]), axis=0)) == 35
        assert choice.num_checks == 2

    @pytest.mark.parametrize("relax_checks", [False, True])
    def test_where_nothing_is_accepted_one_check_fewer_is_asked(self, relax_checks):
        space = unit_square()
        rules = (lambda r: r[:, 1] > 0.5, lambda r: r[:, 0] < 0.2, lambda r: r[:, 0] > 0.8)
        cascade = cascade_of(space, *rules)
        rows = space.draw(20, STREAM)
        region = region_of(space, cascade, relax_checks)
        choice = self.selection(space, rows).select(region, 15, rows, STREAM)
        assert choice.num_checks == 2
        if relax_checks:
            assert plainly_accepts(cascade, choice.rows, forgiven=1).all()
        else:
            assert plainly_accepts(cascade.first(2), choice.rows).all()

    def test_a_last_resort_looks_hard_for_what_was_not_seen(self):
        space = unit_square()
        region = region_of(space, cascade_of(space))
        seen = {row.tobytes() for row in region.draw(LAST_DRAWS - 1, STREAM)}
        assert len(region.draw_new(1, 1, seen, STREAM)) == 1


class TestChooseAtRandom:
    RULES = (lambda r: r[:, 0] < 0.2, lambda r: r[:, 0] > 0.8)

    def test_accepted_draws_as_they_come(self):
        space = unit_square()
        region = region_of(space, cascade_of(space, self.RULES[0]))
        choice = choose_at_random(region, 9, STREAM)
        assert (choice.rows == region.draw(9, STREAM)).all()
        assert (choice.chosen_by, choice.num_checks) == ([], 1)

    def test_nothing_accepted(self):
        space = unit_square()
        cascade = cascade_of(space, *self.RULES)
        with pytest.raises(NothingAcceptedError):
            choose_at_random(region_of(space, cascade), 9, STREAM)
        relaxed = choose_at_random(region_of(space, cascade, relax_checks=True), 9, STREAM)
        assert relaxed.rows.shape == (9, 2)
        assert relaxed.num_checks == 1
        assert plainly_accepts(cascade, relaxed.rows, forgiven=1).all()
        assert not plainly_accepts(cascade, relaxed.rows).any()
