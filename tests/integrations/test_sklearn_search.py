"""SHACSearchCV: what it searches, what it follows, and how it fails."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("sklearn", "1.6")

import joblib
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import (
    GroupKFold,
    ShuffleSplit,
    cross_val_score,
)
from sklearn.tree import DecisionTreeClassifier

from pyshac import SHAC, IntegerHP
from pyshac.integrations.sklearn import SHACSearchCV

X, y = load_iris(return_X_y=True)
TREE = DecisionTreeClassifier(random_state=0)
SPACE = {"max_depth": stats.randint(1, 9), "ccp_alpha": stats.loguniform(1e-4, 1e-1)}


class Scripted(ClassifierMixin, BaseEstimator):
    """Fails where its parameter is above one half; `predict_proba` is its parameter."""

    def __init__(self, a=0.0):
        self.a = a

    def fit(self, X, y):  # noqa: N803
        if self.a > 0.5:
            raise RuntimeError("above one half")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):  # noqa: N803
        return np.zeros(len(X), int)


def value(estimator, X, y):  # noqa: N803
    return estimator.a


def searched(estimator=TREE, space=SPACE, n_iter=8, batch_size=4, **options):
    options = {"cv": 3, "random_state": 0, **options}
    return SHACSearchCV(estimator, space, n_iter, batch_size, **options).fit(X, y)


def params(search):
    return search.cv_results_["params"]


def test_it_has_the_attributes_of_a_search():
    search = searched(n_iter=7, return_train_score=True)
    results = search.cv_results_

    assert len(params(search)) == 7
    assert results["rank_test_score"][search.best_index_] == 1
    assert search.best_score_ == results["mean_test_score"].max()
    assert search.best_estimator_.get_params()["max_depth"] == search.best_params_["max_depth"]
    assert {"split2_train_score", "mean_fit_time", "param_ccp_alpha"} <= results.keys()
    assert search.n_splits_ == 3
    assert search.score(X, y) > 0.9
    assert pickle.loads(pickle.dumps(search)).predict(X[:2]).tolist() == [0, 0]


def test_the_candidates_are_those_of_the_engine(tmp_path):
    space = [IntegerHP("max_depth", 1, 30), IntegerHP("min_samples_leaf", 1, 30)]
    search = searched(space=space, n_iter=12)
    engine = SHAC(space, 12, batch_size=4, save_dir=tmp_path, resume=True)
    engine.set_seed(0)
    told = iter(search.cv_results_["mean_test_score"])
    while samples := engine.ask():
        engine.tell(samples, [next(told) for _ in samples])

    assert params(search) == [each.parameters for each in engine.evaluations]


def test_it_learns_from_the_batches():
    found = searched(Scripted(), {"a": stats.uniform(-1, 1)}, 60, 10, scoring=value)
    scores = found.cv_results_["mean_test_score"]

    assert np.median(scores[-10:]) > np.median(scores[:10])
    assert found.best_score_ > -0.01


def test_the_same_seed_gives_the_same_candidates_for_any_number_of_jobs():
    one = searched()
    assert params(one) == params(searched(n_jobs=2))
    assert params(one) != params(searched(random_state=1))
    states = [searched(random_state=np.random.RandomState(5)) for _ in range(2)]
    assert params(states[0]) == params(states[1])


def test_none_takes_the_global_state_of_numpy():
    found = []
    for _ in range(2):
        np.random.seed(3)
        found.append(params(searched(random_state=None, n_iter=4)))
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", [dict, list])
def test_a_small_space_ends_early_with_a_warning(kind):
    space = {"max_depth": [1, 2, 2, None], "criterion": ["gini", "entropy"]}
    with pytest.warns(UserWarning, match=r"has 6 candidates, fewer than n_iter=20"):
        search = searched(space=space if kind is dict else [space], n_iter=20)
    assert len({str(sorted(map(str, each.items()))) for each in params(search)}) == 6


def test_all_candidates_have_the_same_splits():
    seen = []

    def score(estimator, X, y):  # noqa: N803
        seen.append(X.sum())
        return 0.5

    searched(cv=ShuffleSplit(2, test_size=0.3), scoring=score, n_iter=8, batch_size=2)
    assert len(set(seen)) == 2


def test_groups_go_to_the_splitter():
    search = SHACSearchCV(TREE, SPACE, 4, 4, cv=GroupKFold(3), random_state=0)
    assert search.fit(X, y, groups=np.arange(len(y)) % 6).n_splits_ == 3
    with pytest.raises(ValueError, match="groups"):
        search.fit(X, y)


METRICS = {"low": lambda e, *data: -e.a, "high": lambda e, *data: e.a}


def metrics_at_once(estimator, X, y):  # noqa: N803
    return {name: score(estimator, X, y) for name, score in METRICS.items()}


@pytest.mark.parametrize("scoring", [METRICS, metrics_at_once])
@pytest.mark.parametrize(
    ("refit", "sign"), [("high", 1), ("low", -1), (False, -1), (lambda results: 3, -1)]
)
def test_it_follows_the_metric_that_refit_names_or_else_the_first(scoring, refit, sign):
    space = {"a": stats.uniform(-1, 1.5)}
    search = searched(Scripted(), space, 60, 10, scoring=scoring, refit=refit)
    last = [each["a"] for each in params(search)[-20:]]

    assert np.median(last) * sign > np.median([-1, 0.5]) * sign
    assert search.multimetric_
    if callable(refit):
        assert search.best_index_ == 3


def test_failed_candidates_rank_last_and_the_search_goes_on():
    with pytest.warns(FitFailedWarning):
        search = searched(Scripted(), {"a": stats.uniform(0, 1)}, 12, 3, scoring=value)
    failed = np.array([each["a"] > 0.5 for each in params(search)])

    assert 0 < failed.sum() < 12
    np.testing.assert_array_equal(np.isnan(search.cv_results_["mean_test_score"]), failed)
    assert search.cv_results_["rank_test_score"][failed].min() == 13 - failed.sum()
    assert search.best_params_["a"] <= 0.5


@pytest.mark.parametrize("scoring", [value, METRICS, metrics_at_once])
def test_batches_in_which_all_fits_fail_are_no_end(scoring):
    with pytest.warns(FitFailedWarning):
        search = searched(
            Scripted(), {"a": [0.9, 0.8, 0.2]}, 3, 1, scoring=scoring, refit=False,
            error_score=-7.0, return_train_score=True,
        )  # fmt: skip
    kinds = ["score"] if scoring is value else ["low", "high"]
    for name in [f"{kind}_{metric}" for kind in ("test", "train") for metric in kinds]:
        means = search.cv_results_[f"mean_{name}"]
        assert [mean == -7 for mean in means] == [each["a"] > 0.5 for each in params(search)]


def test_if_all_fits_fail_it_raises():
    with pytest.warns(FitFailedWarning), pytest.raises(ValueError, match="fits failed"):
        searched(Scripted(), {"a": stats.uniform(0.6, 0.3)}, 6, 2)
    with pytest.raises(RuntimeError, match="above one half"):
        searched(Scripted(), {"a": [0.9, 0.1]}, 2, 2, error_score="raise")


@pytest.mark.parametrize("score", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_failures(score):
    def scoring(estimator, X, y):  # noqa: N803
        return score if estimator.a > 0.25 else estimator.a

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = searched(Scripted(), {"a": stats.uniform(0, 0.5)}, 12, 4, scoring=scoring)
    assert len(params(search)) == 12


@pytest.mark.slow
def test_it_nests():
    inner = SHACSearchCV(TREE, SPACE, 4, 2, cv=2, random_state=0)
    assert (cross_val_score(inner, X, y, cv=2, n_jobs=2) > 0.8).all()
    outer = SHACSearchCV(inner, {"estimator__criterion": ["gini", "entropy"]}, 2, 2, cv=2)
    assert outer.fit(X, y).best_estimator_.best_score_ > 0.8
    assert clone(outer).get_params()["estimator__n_iter"] == 4


@pytest.mark.slow
def test_fits_run_where_joblib_runs_them():
    distributed = pytest.importorskip("distributed")
    expected = params(searched())
    with (
        distributed.Client(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ),
        joblib.parallel_config(backend="dask"),
    ):
        assert params(searched()) == expected
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert params(searched()) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_iter": 0}, "'n_iter' parameter"),
        ({"batch_size": 0}, "'batch_size' parameter"),
        ({"method": "random"}, "'method' parameter"),
        ({"save_dir": 3}, "'save_dir' parameter"),
        ({"space": "max_depth"}, "'param_distributions' parameter"),
        ({"scoring": ["accuracy", "f1_macro"]}, "refit must be set to a scorer key"),
        ({"space": {"depth": [1]}}, "Invalid parameter 'depth'"),
    ],
)
def test_misuse_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        searched(**options)
