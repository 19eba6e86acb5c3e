"""A search in a directory goes on after a kill, and only with what it was begun with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("sklearn", "1.6")

from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import ShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from pyshac import SHAC, SaveDirectoryError, UniformHP
from pyshac.integrations.sklearn import SHACSearchCV
from pyshac.integrations.sklearn_parts.results import pack, unpack
from tests.scripts import PACKAGE_PARENT

X, y = load_iris(return_X_y=True)


class Interrupted(BaseException):
    pass


class Counted(DecisionTreeClassifier):
    """Counts its fits, and ends the process's search at one of them."""

    fits = 0
    last = None

    def fit(self, X, y, check_input=True):  # noqa: N803
        Counted.fits += 1
        if Counted.fits == Counted.last:
            raise Interrupted
        return super().fit(X, y, check_input=check_input)


@pytest.fixture(autouse=True)
def counts():
    Counted.fits, Counted.last = 0, None


def make(path, **options):
    arguments = {
        "estimator": Counted(random_state=0),
        "param_distributions": {
            "max_depth": stats.randint(1, 9),
            "ccp_alpha": stats.loguniform(1e-4, 0.1),
        },
        "n_iter": 10,
        "batch_size": 4,
        "cv": 3,
        "random_state": 0,
        "save_dir": path,
        **options,
    }
    return SHACSearchCV(**arguments)


def assert_same(one, other):
    assert one.keys() == other.keys()
    for key in one:
        if not key.endswith("_time"):
            np.testing.assert_array_equal(one[key], other[key], key)


MANY = {"scoring": ["accuracy", "f1_macro"], "refit": "f1_macro", "return_train_score": True}


@pytest.mark.parametrize("options", [{}, MANY, {"refit": False}, {"refit": lambda results: 2}])
def test_a_second_fit_only_refits(tmp_path, options):
    first = make(tmp_path, **options).fit(X, y)
    done, Counted.fits = Counted.fits, 0
    again = make(tmp_path, **options).fit(X, y)

    refits = int(bool(first.refit))
    assert (done, Counted.fits) == (30 + refits, refits)
    assert_same(first.cv_results_, again.cv_results_)
    same = ("multimetric_", "n_splits_", "best_index_", "best_score_", "best_params_", "scorer_")
    for name in same:
        assert str(getattr(first, name, None)) == str(getattr(again, name, None))
    times = first.cv_results_["mean_fit_time"], again.cv_results_["mean_fit_time"]
    np.testing.assert_allclose(*times, atol=1e-5)
    if refits:
        assert (first.predict(X) == again.predict(X)).all()


@pytest.mark.parametrize("at", [1, 2, 4, 12, 14, 29, 31])
def test_an_interrupted_search_goes_on(tmp_path, at):
    whole = make(tmp_path / "whole").fit(X, y)
    Counted.fits, Counted.last = 0, at
    with pytest.raises(Interrupted):
        make(tmp_path / "part").fit(X, y)
    Counted.fits, Counted.last = 0, None
    rest = make(tmp_path / "part").fit(X, y)

    # The candidate that was being fitted is fitted again, and the best one on all data.
    assert Counted.fits == 30 - (at - 1) // 3 * 3 + 1
    assert_same(whole.cv_results_, rest.cv_results_)


def test_saving_changes_nothing(tmp_path):
    assert_same(make(tmp_path).fit(X, y).cv_results_, make(None).fit(X, y).cv_results_)


def test_a_larger_n_iter_goes_on_and_a_smaller_one_is_refused(tmp_path):
    first = make(tmp_path, n_iter=3).fit(X, y)
    more = make(tmp_path, n_iter=11).fit(X, y)
    assert more.cv_results_["params"][:3] == first.cv_results_["params"]
    assert len(more.cv_results_["params"]) == 11
    with pytest.raises(ValueError, match=r"n_iter must be at least 11.*Got 10"):
        make(tmp_path).fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
def test_objects_and_failures_go_on(tmp_path):
    pipeline = Pipeline([("scale", StandardScaler()), ("model", SVC())])
    space = {
        "model": [SVC(), DecisionTreeClassifier(random_state=0), "nonsense"],
        "scale": [None, StandardScaler(), lambda: 0],
    }
    options = {"estimator": pipeline, "param_distributions": space}
    with pytest.warns(UserWarning, match="has 9 candidates"):
        first = make(tmp_path, **options).fit(X, y)
    with pytest.warns(UserWarning, match="has 9 candidates"):
        again = make(tmp_path, **options).fit(X, y)
    assert np.isnan(first.cv_results_["mean_test_score"]).any()
    np.testing.assert_array_equal(
        first.cv_results_["mean_test_score"], again.cv_results_["mean_test_score"]
    )


CHANGES = [
    ("X", {}, {"X": X + 1}),
    ("y", {}, {"y": y[::-1]}),
    ("fit parameters", {}, {"sample_weight": np.ones(len(y))}),
    ("cv", {"cv": 4}, {}),
    ("estimator", {"estimator": Counted(random_state=1)}, {}),
    ("scoring", {"scoring": "f1_macro"}, {}),
    ("batch_size", {"batch_size": 5}, {}),
    ("random_state", {"random_state": 1}, {}),
    ("error_score", {"error_score": 0.0}, {}),
    ("param_distributions", {"param_distributions": {"max_depth": [1, 2]}}, {}),
]


@pytest.mark.parametrize(("name", "options", "data"), CHANGES, ids=[each[0] for each in CHANGES])
def test_what_changed_is_named(tmp_path, name, options, data):
    make(tmp_path, n_iter=4).fit(X, y)
    with pytest.raises(SaveDirectoryError, match=f"begun with a different {name}"):
        make(tmp_path, n_iter=4, **options).fit(**{"X": X, "y": y, **data})


def test_other_searches_are_refused(tmp_path):
    engine = SHAC([UniformHP("a", 0, 1)], 4, 2, save_dir=tmp_path, resume=True)
    engine.tell(engine.ask(), [0.0, 1.0])
    with pytest.raises(SaveDirectoryError, match="SHACSearchCV did not begin"):
        make(tmp_path).fit(X, y)


@pytest.mark.parametrize("options", [{}, {"refit": False}, MANY])
def test_a_directory_of_failures_alone_is_refused(tmp_path, options):
    failing = {"param_distributions": {"max_depth": [-1, -2, -3]}, "n_iter": 3, **options}
    with (
        pytest.raises(ValueError, match="All the .* fits failed"),
        pytest.warns(FitFailedWarning),
    ):
        make(tmp_path, **failing).fit(X, y)
    with pytest.raises(ValueError, match="save_dir .* holds 3 candidates, all of which failed"):
        make(tmp_path, **failing).fit(X, y)


def test_a_file_in_place_of_the_directory_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="save_dir must be a folder"):
        make(tmp_path / "file").fit(X, y)


def test_an_empty_save_dir_is_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make("", n_iter=2).fit(X, y)
    assert (tmp_path / "search_cv.json").exists()


def test_a_damaged_file_is_named(tmp_path):
    make(tmp_path, n_iter=4).fit(X, y)
    (tmp_path / "search_cv.json").write_text("{")
    with pytest.raises(SaveDirectoryError, match=r"search_cv\.json"):
        make(tmp_path, n_iter=4).fit(X, y)


def test_splits_must_be_the_same_each_time(tmp_path):
    with pytest.raises(ValueError, match=r"cv must give the same splits.*random_state"):
        make(tmp_path, cv=ShuffleSplit(2)).fit(X, y)
    assert not list(tmp_path.iterdir())
    make(tmp_path, cv=ShuffleSplit(2, random_state=0), n_iter=2).fit(X, y)


def test_results_of_many_folds_fit_into_extras():
    scores = np.random.RandomState(0).rand(200)
    folds = [
        {"fit_time": 0.5, "score_time": 0.25, "test_scores": {"a": s, "b (c)[d]": np.nan}}
        for s in scores
    ]
    assert str(unpack(pack(folds))) == str([
        {**fold, "test_scores": {"a": float(fold["test_scores"]["a"]), "b (c)[d]": np.nan}}
        for fold in folds
    ])  # fmt: skip
    with pytest.raises(ValueError, match="fewer folds"):
        pack(folds * 20)


KILLED = """
import os
import sys

from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from pyshac.integrations.sklearn import SHACSearchCV


class Fragile(DecisionTreeClassifier):
    def fit(self, X, y):
        with open("fits", "a") as file:
            file.write("fit\\n")
        if len(open("fits").readlines()) == int(sys.argv[1]):
            os.kill(os.getpid(), 9)
        return super().fit(X, y)


space = {"max_depth": list(range(1, 20)), "min_samples_leaf": list(range(1, 20))}
search = SHACSearchCV(Fragile(random_state=0), space, 9, 3, cv=2, random_state=0, save_dir="saved")
search.fit(*load_iris(return_X_y=True))
print(search.cv_results_["params"])
"""


@pytest.mark.slow
def test_a_killed_process_goes_on(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(KILLED, encoding="utf-8")

    def run(folder: str, at: int) -> subprocess.CompletedProcess[str]:
        (tmp_path / folder).mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, str(script), str(at)],
            cwd=tmp_path / folder, env={"PYTHONPATH": str(PACKAGE_PARENT)},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    whole = run("whole", 0)
    assert whole.returncode == 0, whole.stderr
    assert run("part", 10).returncode == -9
    rest = run("part", 0)
    assert rest.returncode == 0, rest.stderr
    assert rest.stdout == whole.stdout
    # 18 fits, the refit, and the two of the candidate that was killed in its second one.
    assert len(Path(tmp_path / "part" / "fits").read_text().splitlines()) == 21
