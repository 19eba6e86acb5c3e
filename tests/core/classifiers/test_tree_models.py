"""Reading trees, and merging those of equal shape."""

import numpy as np
import pytest

from pyshac.core.classifiers import boosted_trees
from pyshac.core.classifiers.boosted_trees import BoostedTrees, Boosting
from pyshac.core.classifiers.tree_models import read_trees
from tests.forests import Forest


def trained(num_rows: int, seed: int = 0) -> tuple[BoostedTrees, np.ndarray]:
    random = np.random.default_rng(seed)
    rows = random.random((num_rows, 4)).astype(np.float32)
    labels = rows[:, 0] + 0.3 * random.random(num_rows) > 0.6
    return BoostedTrees(seed).fit(rows, labels), random.random((5000, 4)).astype(np.float32)


@pytest.mark.parametrize("num_rows", [10, 30, 100])
def test_read_trees_are_the_classifier(num_rows):
    classifier, rows = trained(num_rows)
    forest = Forest()
    forest._trees = classifier.trees()
    np.testing.assert_allclose(forest.margin(rows), classifier.margin(rows), atol=1e-4)


@pytest.mark.parametrize("num_rows", [10, 30, 100])
def test_merged_trees_are_the_same_function(num_rows):
    classifier, rows = trained(num_rows)
    before = classifier.margin(rows)
    classifier.compact()
    # Two hundred leaves were added in another order, each rounded to one part in 2**24.
    np.testing.assert_allclose(classifier.margin(rows), before, atol=1e-4)


def test_without_training_data_the_margin_is_the_same():
    classifier, rows = trained(100)
    before = classifier.margin(rows)
    classifier.drop_training_data()
    np.testing.assert_array_equal(classifier.margin(rows), before)


def test_predictions_in_blocks_are_those_of_one_call(monkeypatch):
    classifier, rows = trained(100)
    before = classifier.margin(rows)
    monkeypatch.setattr(boosted_trees, "MAX_PREDICTED_ROWS", 7)
    np.testing.assert_array_equal(classifier.margin(rows), before)
    assert classifier.margin(rows[:0]).shape == (0,)


def test_few_samples_leave_few_different_trees():
    classifier, _ = trained(10)
    assert classifier.num_trees == Boosting().num_trees
    classifier.compact()
    assert classifier.num_trees <= Boosting().num_trees / 2


def test_merged_trees_have_different_shapes():
    classifier, _ = trained(30)
    classifier.compact()
    shapes = {
        (tuple(t.left), tuple(t.feature[t.left >= 0]), tuple(t.value[t.left >= 0]))
        for t in read_trees(classifier.booster)
    }
    assert len(shapes) == classifier.num_trees


def test_merged_trees_survive_their_bytes():
    classifier, rows = trained(20)
    classifier.compact()
    again = BoostedTrees.from_bytes(classifier.to_bytes())
    assert again.num_trees == classifier.num_trees
    np.testing.assert_array_equal(again.margin(rows), classifier.margin(rows))


def test_untrained_trees_say_so():
    with pytest.raises(RuntimeError, match="call fit first"):
        BoostedTrees().trees()


def test_bytes_that_are_no_model_are_refused():
    with pytest.raises(ValueError, match="not an XGBoost model"):
        BoostedTrees.from_bytes(b"not a model")
