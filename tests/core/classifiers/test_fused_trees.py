"""FusedTrees: several classifiers in one model."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pyshac.core.classifiers import cascade as cascade_module
from pyshac.core.classifiers.boosted_trees import BoostedTrees, Boosting
from pyshac.core.classifiers.cascade import MAX_FUSED_ROWS, Cascade
from pyshac.core.classifiers.fused_trees import FusedTrees
from tests.cascades import plainly_accepts, rejections


def trained(seed, num_trees=50, raised=0.0, is_compact=True):
    random = np.random.default_rng(seed)
    rows = random.random((30, 3)).astype(np.float32)
    labels = rows[:, seed % 3] + 0.4 * random.random(30) > 0.6
    classifier = BoostedTrees(seed, boosting=Boosting(num_trees=num_trees)).fit(rows, labels)
    classifier.raise_margin(raised)
    if is_compact:
        classifier.compact()
    return classifier


def accepting_all():
    rows = np.random.default_rng(0).random((9, 3)).astype(np.float32)
    return BoostedTrees(0).fit(rows, np.ones(9))


@pytest.fixture(scope="module")
def classifiers():
    """Of all kinds: raised, merged, with more or fewer trees, loaded, and one of a single leaf."""
    kinds = [trained(seed) for seed in range(10)]
    kinds[2] = trained(2, raised=1.5)
    kinds[3] = trained(3, num_trees=7, is_compact=False)
    kinds[5] = BoostedTrees.from_bytes(trained(5, raised=-0.3).to_bytes())
    kinds[7] = accepting_all()
    kinds[8] = trained(8, num_trees=200)
    return kinds


def rows_of(n, seed=0):
    return np.random.default_rng(seed).random((n, 3)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 2, 3, 10])
@pytest.mark.parametrize("n", [1, 5, 700])
def test_margins_are_exactly_those_of_single_ones(classifiers, count, n):
    fused = FusedTrees(classifiers[-count:])
    assert len(fused) == count
    margins = fused._booster.inplace_predict(rows_of(n), predict_type="margin")
    singly = np.stack([each.margin(rows_of(n)) for each in classifiers[-count:]], axis=1)
    np.testing.assert_array_equal(margins.reshape(n, count), singly)
    np.testing.assert_array_equal(fused.rejections(rows_of(n)), (singly <= 0).sum(axis=1))


def test_a_margin_of_exactly_0_is_a_rejection():
    # As many good samples as others, all in one place.
    undecided = BoostedTrees(0).fit(np.ones((20, 3), dtype=np.float32), np.arange(20) < 10)
    assert not undecided.margin(rows_of(50)).any()
    assert not undecided.predict(rows_of(50)).any()
    for count in (1, 2):
        assert (FusedTrees([undecided] * count).rejections(rows_of(50)) == count).all()


class TestInCascades:
    @given(count=st.integers(0, 10), n=st.integers(0, 20), forgiven=st.integers(0, 3))
    def test_few_rows_are_accepted_as_one_by_one(self, classifiers, count, n, forgiven):
        cascade = Cascade(classifiers[:count])
        accepted = cascade.accepts(rows_of(n, count), forgiven)
        np.testing.assert_array_equal(
            accepted, plainly_accepts(cascade, rows_of(n, count), forgiven)
        )

    @pytest.mark.parametrize("n", [MAX_FUSED_ROWS, MAX_FUSED_ROWS + 1])
    def test_many_rows_are_accepted_as_few_are(self, classifiers, n):
        cascade = Cascade(classifiers)
        for forgiven in (0, 1, 4):
            accepted = cascade.accepts(rows_of(n), forgiven)
            np.testing.assert_array_equal(accepted, plainly_accepts(cascade, rows_of(n), forgiven))

    def test_one_that_is_appended_counts_at_once(self, classifiers):
        cascade, rows = Cascade(), rows_of(200)
        for number, classifier in enumerate(classifiers):
            np.testing.assert_array_equal(cascade.accepts(rows), rejections(cascade, rows) == 0)
            cascade.append(classifier)
            assert len(cascade) == number + 1
            np.testing.assert_array_equal(cascade.accepts(rows), rejections(cascade, rows) == 0)

    @pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 10])
    def test_the_first_ones_decide_alone(self, classifiers, count):
        cascade, rows = Cascade(classifiers), rows_of(200)
        cascade.accepts(rows)
        first = cascade.first(count)
        for one in (first, cascade.first(count)):
            np.testing.assert_array_equal(one.accepts(rows), rejections(first, rows) == 0)
        # Others in their place are others, also if nobody asked in between.
        first, unasked = cascade.first(count), cascade.first(count)
        first.accepts(rows)
        unasked.append(classifiers[2])
        for forgiven in range(count):
            accepted = unasked.accepts(rows, forgiven)
            np.testing.assert_array_equal(accepted, plainly_accepts(unasked, rows, forgiven))
        first.append(classifiers[-1])
        cascade.append(classifiers[0])
        for one in (first, cascade):
            np.testing.assert_array_equal(one.accepts(rows), rejections(one, rows) == 0)

    def test_what_is_fused_is_fused_once(self, classifiers, monkeypatch):
        built = []

        class Noting(FusedTrees):
            def __init__(self, of):
                built.append(len(of))
                super().__init__(of)

        monkeypatch.setattr(cascade_module, "FusedTrees", Noting)
        cascade = Cascade(classifiers)
        for _ in range(3):
            cascade.accepts(rows_of(20), 99)
        cascade.first(len(classifiers)).accepts(rows_of(20))
        cascade.first(2).accepts(rows_of(20), 99)
        assert built == [len(classifiers), 2]

    def test_what_is_fused_is_not_sent_to_other_processes(self, classifiers):
        cascade = Cascade(classifiers)
        before = len(pickle.dumps(cascade))
        cascade.accepts(rows_of(9))
        assert len(pickle.dumps(cascade)) == before

    def test_copies_decide_the_same(self, classifiers):
        cascade, rows = Cascade(classifiers), rows_of(200)
        expected = cascade.accepts(rows)
        for other in (copy.deepcopy(cascade), pickle.loads(pickle.dumps(cascade))):
            np.testing.assert_array_equal(other.accepts(rows), expected)
