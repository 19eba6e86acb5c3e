"""Predictions for no rows, which XGBoost 3.4 gives shape (0, 0) and scikit-learn refuses."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from pyshac import SHAC, DiscreteHP, IntegerHP
from pyshac.core.basics import seeding
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.features import UNSCALED
from pyshac.core.classifiers.user_classifier import UserClassifier
from pyshac.core.dataset.objective import MAX
from pyshac.core.hyperparameters import HyperParameterList, MultiUniformHP
from pyshac.core.selection.process_rankings import BoundRanking, ImprovementRanking
from pyshac.core.selection.surrogate import Surrogate
from pyshac.core.selection.tree_ranking import TreeRanking

RANDOM = np.random.default_rng(3)
ROWS = RANDOM.random((40, 3)).astype(np.float32)
LABELS = ROWS[:, 0] > 0.5
NONE = ROWS[:0]
KINDS = {
    "boosted trees": BoostedTrees,
    "a user's forest": lambda: UserClassifier(RandomForestClassifier(5), 1),
    "a user's regression": lambda: UserClassifier(LogisticRegression(), 1),
}


@pytest.fixture(params=KINDS)
def classifier(request):
    return KINDS[request.param]().fit(ROWS, LABELS)


def test_every_classifier_has_no_predictions_for_them(classifier):
    for _ in ("as trained", "compact"):
        assert classifier.predict(NONE).shape == (0,)
        assert classifier.predict(NONE).dtype == bool
        assert classifier.predict(ROWS).dtype == bool
        classifier.compact()


def test_margins_have_one_dimension():
    classifier = BoostedTrees().fit(ROWS, LABELS)
    for count in (0, 1, 2):
        assert classifier.margin(ROWS[:count]).shape == (count,)
        assert classifier.margin(ROWS[:count]).dtype == np.float32


def test_untrained_trees_have_none_either():
    with pytest.raises(RuntimeError, match="call fit first"):
        BoostedTrees().predict(NONE)


def test_cascades_and_rankings_have_none(classifier):
    for number in (1, 2):
        assert Cascade([classifier] * number).accepts(NONE.astype(float)).shape == (0,)
    stream = seeding.stream(0, seeding.Purpose.TRAIN)
    rows, scores = ROWS.astype(float), ROWS[:, 1].astype(float)
    space = HyperParameterList([MultiUniformHP("x", 0, 1, sample_count=3)])
    surrogate = Surrogate(rows, scores, MAX, space)
    trees = TreeRanking(rows, scores, MAX, UNSCALED, stream)
    for ranking in (trees, BoundRanking(), ImprovementRanking()):
        assert ranking(NONE.astype(float), surrogate).shape == (0,)


@pytest.mark.parametrize("method", ["default", "paper"])
@pytest.mark.parametrize(
    ("space", "size"),
    [
        ([DiscreteHP("a", [1, 2]), DiscreteHP("b", ["x", "y", "z"])], 6),
        ([DiscreteHP("a", list(range(6))), IntegerHP("i", 1, 3)], 18),
        ([IntegerHP("i", 1, 30)], 30),
    ],
)
def test_spaces_in_which_a_ranking_has_no_candidates_left_are_searched(
    tmp_path, space, size, method
):
    score = lambda worker_id, p: float(len(str(p)) + sum(map(ord, str([*p.values()]))) % 97)  # noqa: E731
    engine = SHAC(score, space, 60, 6, save_dir=tmp_path, method=method)
    engine.set_seed(1)
    engine.concurrent_evaluators()
    engine.set_num_parallel_evaluators(1)
    engine.fit(verbose=0, skip_cv_checks=True)
    assert len(engine.dataset) == (60 if method == "paper" else size)
    assert len({str(row) for row in engine.dataset.X}) <= size
