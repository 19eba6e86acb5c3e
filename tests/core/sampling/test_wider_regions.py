"""Where a region holds too little: draws that end, wider regions, and relaxed checks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pyshac.core.hyperparameters import HyperParameterList, MultiUniformHP, UniformHP
from pyshac.core.sampling import covers, proposals as proposals_module, region as region_module
from pyshac.core.sampling.generators import Generators
from pyshac.core.sampling.region import PATIENCE, Limits
from pyshac.core.selection.selection import choose_at_random
from tests.cascades import (
    cascade_of,
    plainly_accepts,
    proposals,
    region,
    rejections,
    trained_cascade,
    unit_square,
)
from tests.core.sampling.test_region import (
    Scalar,
    assert_same_distribution,
    corner_cascade,
    decide,
    ends,
    hill,
    stream,
)


@pytest.fixture
def square():
    return unit_square()


@pytest.fixture
def cascade(square):
    return trained_cascade(square, hill, 4, num_rows=40)


class TestWider:
    def test_it_lacks_the_newest_check(self, square, cascade):
        wider = region(square, cascade).wider()
        assert list(wider.cascade) == list(cascade)[:3]
        assert (wider.num_checks, wider.forgiven) == (3, 0)

    def test_relaxed_it_overlooks_any_rejection(self, square, cascade):
        wider = region(square, cascade, relax_checks=True).wider().wider()
        assert list(wider.cascade) == list(cascade)
        assert (wider.num_checks, wider.forgiven) == (2, 2)
        rows = square.draw(2000, stream(1))
        assert (wider.accepts(rows) == (rejections(cascade, rows) <= 2)).all()

    @pytest.mark.parametrize("relax_checks", [False, True])
    def test_in_the_end_it_is_the_whole_space(self, square, cascade, relax_checks):
        widest = region(square, cascade, relax_checks)
        while widest.num_checks:
            widest = widest.wider()
        rows = widest.draw(500, stream(2))
        assert (rows == region(square, cascade.first(0)).draw(500, stream(2))).all()
        assert widest.accepts(square.draw(500, stream(3))).all()

    @pytest.mark.parametrize("use_cover", [False, True])
    def test_its_draws_are_those_of_plain_rejection(self, monkeypatch, square, cascade, use_cover):
        decide(monkeypatch, use_cover)
        drawn = region(square, cascade, relax_checks=True).wider().draw(3000, stream(4))
        assert plainly_accepts(cascade, drawn, forgiven=1).all()
        rows = next(proposals(square, seed=8, size=2**16))
        plain = rows[plainly_accepts(cascade, rows, forgiven=1)][:3000]
        assert len(plain) == 3000
        assert_same_distribution(drawn, plain)

    def test_generators_do_not_matter(self, square, cascade):
        wider = region(square, cascade, relax_checks=True).wider()
        others = region(
            square, cascade, relax_checks=True, generators=Generators(3, "threading")
        ).wider()
        assert (wider.draw(30, stream(5)) == others.draw(30, stream(5))).all()
        assert not (wider.draw(30, stream(6)) == wider.draw(30, stream(5))).any()


class TestLimits:
    LIMITS = Limits(patience=1000, enough=5, fruitless=10_000)

    @pytest.mark.parametrize(
        ("proposed", "accepted", "ends"),
        [
            (999, 500, False),
            (1000, 4, False),
            (1000, 5, True),
            (9999, 0, False),
            (10_000, 0, True),
            (20_000, 4, False),
            (20_000, 2, True),
        ],
    )
    def test_when_a_draw_ends(self, proposed, accepted, ends):
        assert self.LIMITS.are_reached(proposed, accepted) is ends

    def test_a_draw_that_has_enough_ends_early(self, monkeypatch):
        monkeypatch.setattr(proposals_module, "MAX_BLOCK_ROWS", 64)
        decide(monkeypatch, use_cover=False)
        space = HyperParameterList([MultiUniformHP("m", 0, 1, sample_count=3)])
        rare = corner_cascade(space, 3, edge=0.2)
        all_of_them = region(space, rare).draw(100, stream(28))
        limits = Limits(patience=64, enough=3, fruitless=math.inf)
        some = region(space, rare).draw(100, stream(28), limits)
        assert 3 <= len(some) < len(all_of_them) == 100
        np.testing.assert_array_equal(some, all_of_them[: len(some)])

    def test_a_fruitless_draw_ends_empty_and_says_nothing(self, square):
        accepted = region(square, ends(square))
        assert accepted.draw(9, stream(1), accepted.limits(PATIENCE, 1)).shape == (0, 2)

    def test_a_region_that_is_empty_is_found_so_without_a_cover(self, monkeypatch):
        monkeypatch.setattr(region_module, "MAX_FRUITLESS", 20_000)
        monkeypatch.setattr(region_module, "MAX_FRUITLESS_SLOW", 20_000)
        monkeypatch.setattr(covers, "least_cost", lambda _: np.inf)
        for first in (UniformHP("s", 0, 1), Scalar("s")):
            space = HyperParameterList([first, UniformHP("u", 0, 1)])
            accepted = region(space, ends(space))
            assert accepted.draw(9, stream(1), accepted.limits(PATIENCE, 1)).shape == (0, 2)

    def test_new_samples_are_different_and_not_seen(self, square, cascade):
        accepted = region(square, cascade)
        first = accepted.draw_new(20, 20, set(), stream(7))
        assert len(first) == 20
        seen = {row.tobytes() for row in first[::2]}
        second = accepted.draw_new(20, 10, seen, stream(7))
        assert (second == first[1::2]).all()
        # Too few are left of those that were drawn: others follow.
        third = accepted.draw_new(20, 20, seen, stream(7))
        assert (third[:10] == second).all()
        assert len(third) == 20
        assert len(np.unique(np.concatenate([first[::2], third]), axis=0)) == 30
        assert plainly_accepts(cascade, third).all()

    def test_draws_that_are_remembered_are_those_of_a_new_region(self, square, cascade):
        accepted = region(square, cascade, relax_checks=True)
        # Of other streams, numbers and cascades in between.
        for place, n, depth, forgiven in [(7, 9, 4, 0), (7, 9, 4, 0), (8, 9, 4, 0), (7, 5, 4, 0),
                                          (7, 9, 3, 0), (7, 9, 4, 1), (7, 9, 4, 0)]:  # fmt: skip
            ours, new = accepted.first(depth), region(square, cascade.first(depth), True)
            for _ in range(forgiven):
                ours, new = ours.wider(), new.wider()
            rows = ours.draw_new(n, n, set(), stream(place))
            assert (rows == new.draw_new(n, n, set(), stream(place))).all()
            assert plainly_accepts(ours.cascade, rows, forgiven).all()


def rare_cascade(space, num_columns, edge):
    """Accepts what is below `edge` in each of the first columns, one classifier a column."""
    rules = [lambda rows, c=c: rows[:, c] < edge for c in range(num_columns)]
    return cascade_of(space, *rules, num_rows=4000)


# Where rare regions are made by hand: a tenth of each of six columns, one in a million of all.
SEVEN = HyperParameterList([MultiUniformHP("m", 0, 1, sample_count=7)])


class TestRelaxedChecks:
    """A rejection is overlooked only where the cascade as it is accepts too little."""

    @pytest.fixture
    def rare(self):
        cascade = rare_cascade(SEVEN, 6, 0.1)
        edges = [classifier_edge(cascade, column) for column in range(6)]
        # As rare as it should be.
        assert 0.5e-6 < np.prod(edges) < 2e-6
        return cascade

    @pytest.mark.parametrize("use_cover", [True, pytest.param(False, marks=pytest.mark.slow), None])
    def test_one_in_a_million_is_found(self, monkeypatch, rare, use_cover):
        if use_cover is not None:
            decide(monkeypatch, use_cover)
        n = 8 if use_cover is False else 40
        choice = choose_at_random(region(SEVEN, rare, relax_checks=True), n, stream(30))
        assert choice.rows.shape == (n, 7)
        assert plainly_accepts(rare, choice.rows).mean() >= 0.75
        assert plainly_accepts(rare, choice.rows, len(rare) - choice.num_checks).all()

    def test_where_much_is_accepted_nothing_is_overlooked(self, square, cascade):
        relaxed = choose_at_random(region(square, cascade, relax_checks=True), 500, stream(31))
        assert plainly_accepts(cascade, relaxed.rows).all()
        assert relaxed.num_checks == 4
        assert (relaxed.rows == region(square, cascade).draw(500, stream(31))).all()

    @pytest.mark.parametrize("first", [UniformHP("s", 0, 1), Scalar("s")])
    def test_rejections_are_overlooked_one_at_a_time(self, first):
        # Of these three, no two accept the same, and the fourth one agrees with each.
        space = HyperParameterList([first, UniformHP("u", 0, 1)])
        cascade = cascade_of(
            space,
            lambda rows: rows[:, 1] > 0.5,
            lambda rows: rows[:, 0] < 0.2,
            lambda rows: (rows[:, 0] > 0.4) & (rows[:, 0] < 0.6),
            lambda rows: rows[:, 0] > 0.8,
            num_rows=2000,
        )
        assert not plainly_accepts(cascade, space.draw(20_000, stream(32)), forgiven=1).any()
        choice = choose_at_random(region(space, cascade, relax_checks=True), 30, stream(33))
        assert choice.num_checks == 2
        assert (rejections(cascade, choice.rows) == 2).all()


def classifier_edge(cascade, column):
    """Where the classifier of a column stops accepting."""
    features = np.full((10_001, 7), 0.05)
    features[:, column] = np.linspace(0, 1, 10_001)
    accepted = [*cascade][column].predict(cascade.features(features))
    return accepted.mean()
