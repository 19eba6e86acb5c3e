"""Conditional parameters in covers, grids and regions: exact draws, whatever is inactive."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from pyshac import DiscreteHP, HyperParameterList, IntegerHP, LogUniformHP, UniformHP
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.sampling import grid as grid_module
from pyshac.core.sampling.grid import grid_of
from pyshac.core.sampling.proposals import Proposals
from tests.cascades import covers_of, rejection_sample, trained_cascade
from tests.goodness_of_fit import LEVEL, NUM_DRAWS, assert_same_rows, chi_square


def branches() -> HyperParameterList:
    """Four branches with two parameters each, and one to four layers with widths of their own."""
    return HyperParameterList(
        [
            *(UniformHP(f"{k}{n}", 0, 1).when("branch", k) for k in "abcd" for n in range(2)),
            DiscreteHP("branch", list("abcd")),
            *(IntegerHP(f"w{n}", 8, 64, log=True).when("layers", at_least=n) for n in (2, 3, 4)),
            IntegerHP("layers", 1, 4),
            LogUniformHP("rate", 1e-4, 1),
            UniformHP("decay", 0, 1).when("rate", at_least=1e-2),
        ]
    )


def score(rows: np.ndarray) -> np.ndarray:
    known = np.nan_to_num(rows, nan=0.3)
    return -((known - known.mean(axis=0)) ** 2 / (known.var(axis=0) + 1e-9)).sum(axis=1)


@pytest.fixture(scope="module")
def cascade() -> Cascade:
    return trained_cascade(branches(), score, 4, 60)


def test_a_hundred_thousand_draws_are_those_of_plain_rejection():
    space = branches()
    ours = space.draw(NUM_DRAWS, np.random.SeedSequence(1))
    unit = np.random.default_rng(2).random((NUM_DRAWS // 5, space.num_columns))
    plain = []
    for row in space.from_unit(unit):
        given = dict(zip(space.get_parameter_names(), row, strict=True))
        is_active = {
            **{f"{k}{n}": given["branch"] == "abcd".index(k) for k in "abcd" for n in range(2)},
            **{f"w{n}": given["layers"] >= n for n in (2, 3, 4)},
            "decay": given["rate"] >= np.log(1e-2),
        }
        plain.append([v if is_active.get(name, True) else np.nan for name, v in given.items()])
    assert_same_rows(ours, np.array(plain))


@pytest.mark.slow
def test_draws_from_the_cover_are_those_of_plain_rejection(cascade):
    space = branches()
    cover = covers_of(space).cover(cascade)
    assert cover.volume < 0.5
    ours, block = [], 0
    while sum(map(len, ours)) < NUM_DRAWS:
        stream = np.random.SeedSequence((1, block))
        ours.append(Proposals(space, cover).accepted(cascade, 2**16, stream))
        block += 1
    plain = rejection_sample(space, cascade, NUM_DRAWS, 3, 2**16)
    assert_same_rows(np.concatenate(ours)[:NUM_DRAWS], plain)


def test_trees_learn_what_is_missing(cascade):
    # The first stage's samples differ in what they have, so some tree must send NaN both ways.
    rows = branches().draw(4000, np.random.SeedSequence(4))
    accepted = cascade.accepts(rows)
    assert 0 < accepted.mean() < 0.5
    defaults = {bool(d) for each in cascade.trees for tree in each.trees()
                for d in tree.default_left[tree.left >= 0]}  # fmt: skip
    assert defaults == {True, False}


class TestGrid:
    SPACE = HyperParameterList(
        [
            IntegerHP("w2", 1, 3).when("layers", at_least=2),
            IntegerHP("w3", 1, 3).when("layers", at_least=3).when("kind", "a"),
            IntegerHP("layers", 1, 3),
            DiscreteHP("kind", ["a", "b"]),
        ]
    )

    def test_points_are_all_different_samples(self):
        rows = [self.SPACE.decode(point) for point in grid_of(self.SPACE).points]
        expected = {
            repr(self.SPACE.to_row(p, leave_out=True))
            for w2, w3, layers, kind in itertools.product((1, 2, 3), (1, 2, 3), (1, 2, 3), "ab")
            for p in [{"w2": w2, "w3": w3, "layers": layers, "kind": kind}]
        }
        assert {repr(row) for row in rows} == expected
        assert len(rows) == len(expected) == 2 + 2 * 3 + 3 + 9

    def test_they_have_the_bits_of_draws(self):
        points = {point.tobytes() for point in grid_of(self.SPACE).points}
        drawn = self.SPACE.draw(5000, np.random.SeedSequence(0))
        assert {row.tobytes() for row in drawn} == points
        again = {self.SPACE.encode(self.SPACE.decode(row)).tobytes() for row in drawn}
        assert again == points

    def test_the_first_draw_follows_the_prior(self):
        grid = grid_of(self.SPACE)
        places = {point.tobytes(): n for n, point in enumerate(grid.points)}
        everything = np.ones(len(grid), dtype=bool)
        firsts = [
            places[grid.draw(everything, 1, np.random.SeedSequence(seed))[0].tobytes()]
            for seed in range(4000)
        ]
        drawn = self.SPACE.draw(NUM_DRAWS, np.random.SeedSequence(1))
        prior = np.bincount([places[row.tobytes()] for row in drawn], minlength=len(grid))
        p_value = stats.chi2_contingency([np.bincount(firsts, minlength=len(grid)), prior]).pvalue
        assert p_value > LEVEL
        assert np.exp(grid._log_priors).sum() == pytest.approx(1)
        assert chi_square(prior, np.exp(grid._log_priors)) > LEVEL

    def test_only_samples_count_not_combinations(self, monkeypatch):
        monkeypatch.setattr(grid_module, "MAX_POINTS", 20)
        assert len(grid_of(self.SPACE)) == 20
        monkeypatch.setattr(grid_module, "MAX_POINTS", 19)
        assert grid_of(self.SPACE) is None
