"""Selector: rankings that are fitted again when samples have grown enough."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pyshac.core.dataset import Dataset
from pyshac.core.dataset.objective import MIN
from pyshac.core.hyperparameters import HyperParameterList, UniformHP
from pyshac.core.search.given.added import Added, Learned
from pyshac.core.search.method import DEFAULT
from pyshac.core.search.schedule import Schedule
from pyshac.core.search.selector import SMALLEST_GROWTH, Selector, _last_fit
from pyshac.core.search.settings import Settings
from pyshac.core.search.shares import Shares
from pyshac.core.selection import surrogate as surrogate_module, tree_ranking
from pyshac.core.selection.process_rankings import ImprovementRanking
from pyshac.core.selection.surrogate import Surrogate
from pyshac.core.selection.tree_ranking import TreeRanking
from tests.cascades import features_of

SPACE = HyperParameterList([UniformHP("x", 0, 1), UniformHP("y", 0, 1)])
PLACE = np.random.SeedSequence(5)


def dataset_of(number):
    dataset = Dataset(SPACE)
    for row in SPACE.draw(number, np.random.SeedSequence(0)):
        dataset.add_sample(list(row), float((row[0] - 0.3) ** 2 + row[1]))
    return dataset


def learned_of(dataset):
    return Learned.of(Added(Dataset(SPACE)), dataset, MIN)


def selection_of(selector, dataset, count, batch_size=1, entropy=3, shares=None):
    settings = Settings(Schedule.in_batches(100 * batch_size, 100), MIN)
    learned = learned_of(dataset).until(count)
    return selector.selection(
        learned, settings, entropy, shares or Shares(), PLACE, learned.encoded[:0]
    )


def selector():
    return Selector(SPACE, features_of(SPACE))


class TestLastFit:
    @pytest.mark.parametrize("batch_size", [1, 3, 10])
    def test_after_every_batch_at_first(self, batch_size):
        few = int(batch_size / SMALLEST_GROWTH)
        for count in range(batch_size, few + 1, batch_size):
            assert _last_fit(count, batch_size) == count

    @pytest.mark.parametrize("batch_size", [1, 3, 10])
    def test_later_whenever_samples_have_grown_by_a_twentieth(self, batch_size):
        counts = range(batch_size, 200 * batch_size, batch_size)
        fits = [_last_fit(count, batch_size) for count in counts]
        for before, fit, count in zip(fits, fits[1:], list(counts)[1:], strict=False):
            # Either it is fitted to all, or what came since is less than a twentieth.
            assert fit == count or (fit == before and count - fit < max(fit / 20, batch_size))
            if fit == count:
                assert fit - before >= before / 20
        assert len(set(fits)) < len(fits) / 2

    def test_in_the_middle_of_the_first_batch(self):
        assert _last_fit(4, 10) == 4

    def test_samples_that_are_no_whole_batches(self):
        # A run that went on with batches of another size.
        assert _last_fit(17, 10) == 10
        assert _last_fit(20, 7) == 14


class TestSelection:
    def test_rankings_are_fitted_no_more_often(self, monkeypatch):
        fitted = []

        class Noting(tree_ranking.TreeRanking):
            def __init__(self, encoded, *arguments):
                fitted.append(len(encoded))
                super().__init__(encoded, *arguments)

        monkeypatch.setattr(tree_ranking, "TreeRanking", Noting)
        one, dataset = selector(), dataset_of(45)
        for count in range(1, 46):
            selection_of(one, dataset, count)
            selection_of(one, dataset, count)
        assert fitted == sorted({_last_fit(count, 1) for count in range(1, 46)})
        assert len(fitted) < 45

    def test_the_process_is_told_the_rest(self):
        dataset = dataset_of(45)
        count = next(count for count in range(30, 45) if _last_fit(count, 1) < count - 1)
        fitted = _last_fit(count, 1)
        selection = selection_of(selector(), dataset, count)
        encoded, scores = dataset.encoded, dataset.scores
        expected = Surrogate(encoded[:fitted], scores[:fitted], MIN, SPACE)
        untold = expected.predict(encoded)[0]
        expected = expected.told(encoded[fitted:count], scores[fitted:count])
        for ours, theirs in zip(
            selection.surrogate.predict(encoded), expected.predict(encoded), strict=True
        ):
            assert ours == pytest.approx(theirs, abs=1e-9)
        assert selection.surrogate.best == pytest.approx(expected.best)
        assert expected.predict(encoded)[0] != pytest.approx(untold, abs=1e-6)

    def test_a_new_selector_knows_the_same(self):
        old, dataset = selector(), dataset_of(45)
        for count in (10, 20, 30, 41):
            before = selection_of(old, dataset, count)
        after = selection_of(selector(), dataset, 41)
        rows = SPACE.draw(50, np.random.SeedSequence(8))
        for one, other in zip(before.rankings, after.rankings, strict=True):
            ours, theirs = one(rows, before.surrogate), other(rows, after.surrogate)
            assert (ours == theirs).all()

    def test_another_seed_fits_other_trees(self):
        one, dataset = selector(), dataset_of(40)
        rows = SPACE.draw(50, np.random.SeedSequence(8))
        ranks = [
            selection.rankings[0](rows, selection.surrogate)
            for selection in (selection_of(one, dataset, 40, entropy=seed) for seed in (3, 4, 3))
        ]
        assert not (ranks[0] == ranks[1]).all()
        assert (ranks[0] == ranks[2]).all()

    def test_shares_are_those_that_were_learned(self):
        shares = Shares([5.0, 5.0, 5.0], [0.0, 10.0, 0.0])
        selection = selection_of(selector(), dataset_of(10), 10, shares=shares)
        assert selection.shares == pytest.approx(shares.of(3))
        assert len(selection.rankings) == 3

    def test_a_method_may_have_other_rankings_that_share_equally(self):
        method = dataclasses.replace(
            DEFAULT, rankings=("improvement", "trees"), learns_shares=False
        )
        settings = Settings(Schedule.in_batches(100, 100), MIN, method)
        shares = Shares([5.0, 5.0], [0.0, 10.0])
        learned = learned_of(dataset_of(10))
        running = learned.encoded[:0]
        selection = selector().selection(learned, settings, 3, shares, PLACE, running)
        assert [type(one) for one in selection.rankings] == [ImprovementRanking, TreeRanking]
        assert selection.shares.tolist() == [0.5, 0.5]

    def test_samples_after_those_that_count_are_left_out(self, monkeypatch):
        seen = []
        real = surrogate_module.Surrogate.__init__

        def noting(self, encoded, *arguments):
            seen.append(len(encoded))
            real(self, encoded, *arguments)

        monkeypatch.setattr(surrogate_module.Surrogate, "__init__", noting)
        selection_of(selector(), dataset_of(30), 12)
        assert seen == [12]
