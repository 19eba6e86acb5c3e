"""The published procedure, and in what the default is another."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xgboost
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pyshac import DiscreteHP, SaveDirectoryError
from pyshac.looking.importances import parameter_importances
from tests.cascades import features_of
from tests.engine.engine_helpers import (
    branin,
    branin_space,
    contents,
    evaluate,
    make_engine,
    restored as restore,
)


def best_is_small(worker_id, parameters):
    return sum(parameters.values())


# The published procedure


def test_the_paper_s_classifiers_know_their_own_stage_only(tmp_path):
    engine = make_engine(tmp_path, branin, branin_space, 80, 4, method="paper")
    engine.fit(skip_cv_checks=True)
    assert len(engine.classifiers) == 3
    features = features_of(engine.parameters)
    probes = features(np.random.default_rng(0).uniform([-5, 0], [10, 15], (2000, 2)))
    for stage, classifier in enumerate(engine.classifiers):
        rows = engine.dataset.encoded[20 * stage : 20 * (stage + 1)]
        scores = engine.dataset.scores[20 * stage : 20 * (stage + 1)]
        # XGBoost as it comes, by its own scikit-learn interface.
        ours = xgboost.XGBClassifier(n_estimators=200, tree_method="exact", base_score=0.5)
        ours.fit(features(rows), scores < np.median(scores))
        assert (classifier.predict(probes) == ours.predict(probes)).mean() > 0.999


def test_the_paper_s_samples_are_evaluated_as_they_are_accepted(tmp_path):
    engine = make_engine(tmp_path, branin, branin_space, 40, 4, method="paper")
    batch = [[row["h1"], row["h2"]] for row in engine.ask(10)]
    # Nothing was learned yet: these are draws from the prior, under either method.
    other = make_engine(tmp_path / "other", branin, branin_space, 40, 4)
    assert batch == [[row["h1"], row["h2"]] for row in other.ask(10)]
    engine.fit(skip_cv_checks=True)
    cascade = engine._run.search.cascade
    for stage in range(1, len(cascade) + 1):
        rows = engine.dataset.encoded[10 * stage : 10 * (stage + 1)]
        assert cascade.first(stage).accepts(rows).all()


def test_the_paper_evaluates_equal_samples_again(tmp_path):
    space = [DiscreteHP("a", [0, 1, 2])]
    engine = make_engine(tmp_path, best_is_small, space, 12, 3, method="paper")
    engine.fit()
    assert len(engine.dataset) == 12


@pytest.mark.parametrize("method", ["PAPER", "", None, 1])
def test_a_method_that_there_is_not(tmp_path, method):
    with pytest.raises(ValueError, match=r"method must be one of \['default', 'paper'\]\. Got "):
        make_engine(tmp_path, method=method)


def test_a_run_goes_on_by_the_method_by_which_it_began(tmp_path):
    engine = make_engine(tmp_path, evaluate, method="paper")
    engine.fit()
    assert engine.method == "paper"
    assert restore(tmp_path, function=None, method="paper").method == "paper"
    before = contents(tmp_path)
    with pytest.raises(SaveDirectoryError, match="a search with method 'paper', not 'default'"):
        restore(tmp_path, function=None)
    assert contents(tmp_path) == before


# The default


def test_a_space_is_searched_to_its_end_before_anything_is_evaluated_twice(tmp_path):
    space = [DiscreteHP("a", list(range(4))), DiscreteHP("b", list(range(6)))]
    engine = make_engine(tmp_path, best_is_small, space, 28, 7)
    engine.fit(skip_cv_checks=True)
    every = sorted([a, b] for a, b in itertools.product(range(4), range(6)))
    assert sorted(engine.dataset.X[:24]) == every
    # And not in any order: what is promising comes first.
    assert np.median(engine.dataset.Y[8:16]) < np.median(engine.dataset.Y[16:24])


# Other classifiers

KINDS = {
    "forest": RandomForestClassifier(20),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
}


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("forest", "default"),
        ("pipeline", "paper"),
        pytest.param("forest", "paper", marks=pytest.mark.slow),
        pytest.param("pipeline", "default", marks=pytest.mark.slow),
    ],
)
def test_any_classifier_will_do(tmp_path, kind, method):
    options = {"method": method, "classifier": KINDS[kind]}
    engine = make_engine(tmp_path, best_is_small, branin_space, 60, 6, **options)
    engine.fit(skip_cv_checks=True)
    first, last = engine.dataset.scores[:10], engine.dataset.scores[50:]
    assert last.mean() < first.mean()
    assert {type(item.estimator) for item in engine.classifiers} == {type(KINDS[kind])}
    # It was copied.
    assert not hasattr(KINDS[kind], "classes_")
    assert list(tmp_path.glob("classifiers/*")) == []
    # Nothing of it was saved: it is trained again, to the same.
    again = restore(tmp_path, function=None, **options)
    rows = np.random.default_rng(0).uniform(size=(500, 2)).astype(np.float32)
    assert len(again.classifiers) == len(engine.classifiers)
    for ours, theirs in zip(again.classifiers, engine.classifiers, strict=True):
        assert (ours.predict(rows) == theirs.predict(rows)).all()


def test_an_interrupted_run_with_a_forest_ends_as_one_that_was_not(tmp_path):
    options = {"classifier": KINDS["forest"], "total_budget": 40, "num_batches": 4}
    whole = make_engine(tmp_path / "whole", **options)
    whole.fit(skip_cv_checks=True)
    part = make_engine(tmp_path / "part", **options)
    for _ in range(2):
        rows = part.ask(10)
        part.tell(rows, [evaluate(0, row) for row in rows], skip_cv_checks=True)
    again = restore(tmp_path / "part", **options)
    again.fit(skip_cv_checks=True)
    assert again.dataset.X == whole.dataset.X


def test_a_directory_does_not_say_what_kind_to_load(tmp_path):
    make_engine(tmp_path, classifier=KINDS["forest"]).fit(skip_cv_checks=True)
    before = contents(tmp_path)
    with pytest.raises(SaveDirectoryError, match="classifier 'RandomForestClassifier', not None"):
        restore(tmp_path, function=None)
    with pytest.raises(SaveDirectoryError, match="'RandomForestClassifier', not 'Pipeline'"):
        restore(tmp_path, function=None, classifier=KINDS["pipeline"])
    assert contents(tmp_path) == before


@pytest.mark.parametrize("value", [RandomForestClassifier, "forest", object(), StandardScaler])
def test_what_is_no_classifier(tmp_path, value):
    with pytest.raises(TypeError, match="classifier must be a classifier as in scikit-learn"):
        make_engine(tmp_path, classifier=value)


def test_importances_are_those_of_trees_only(tmp_path):
    engine = make_engine(tmp_path, classifier=KINDS["forest"])
    engine.fit(skip_cv_checks=True)
    with pytest.raises(ValueError, match="of your own kind"):
        parameter_importances(engine)
