"""SHACSearchCV against RandomizedSearchCV and HalvingRandomSearchCV, on scikit-learn's data sets.

python benchmarks/sklearn_search.py [--seeds 20] [--output benchmarks/results/sklearn-search.csv]

For each of the six data sets that scikit-learn ships, and for each seed, part of the data is held
out, and three searches choose among the same hyperparameters by the same splits of the rest:

- SHACSearchCV and RandomizedSearchCV with 60 candidates each;
- HalvingRandomSearchCV with 60 candidates, begun again with other seeds until as much time has
  passed as SHACSearchCV took. The last begun may end, and the best of each is evaluated on all
  data, out of the count.

What is compared was laid down before the first run: the best mean score of cross-validation, by a
one-sided Wilcoxon signed-rank test over the seeds, at 1 % for each data set. A sign test over all
pairs of all data sets was added afterwards. The scores on the data
held out are noted, too, and Halving's best after the time of RandomizedSearchCV, which is nearly
all training: there SHACSearchCV's own seconds do not count.

Seconds are processor time of one core, so that other programs on the machine do not count. A run
that was ended goes on where it was. All lines in the CSV are reported.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Before NumPy loads: what is compared is one core's work.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy as np
from scipy import stats
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import (
    HalvingRandomSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC

from pyshac.integrations.sklearn import SHACSearchCV

N_ITER = 60
SIGNIFICANCE = 0.01
# Seeds below 1000 are for trying out.
FIRST_SEED = 1000
RESULTS = Path(__file__).parent / "results" / "sklearn-search.csv"


@dataclass(frozen=True)
class Problem:
    """A data set, an estimator, and what is searched for.

    Attributes:
        load: Returns the data.
        estimator: The estimator.
        space: Its `param_distributions`.
        scoring: The score, of which more is better.
        rows: How many rows are used; None for all.
    """

    load: Any
    estimator: Any
    space: dict[str, Any]
    scoring: str
    rows: int | None = None


PROBLEMS = {
    "iris": Problem(
        datasets.load_iris,
        make_pipeline(StandardScaler(), PolynomialFeatures(), LogisticRegression(max_iter=100)),
        {
            "polynomialfeatures__degree": [1, 2, 3],
            "polynomialfeatures__interaction_only": [True, False],
            "logisticregression__C": stats.loguniform(1e-4, 1e4),
            "logisticregression__class_weight": [None, "balanced"],
        },
        "neg_log_loss",
    ),
    "wine": Problem(
        datasets.load_wine,
        make_pipeline(StandardScaler(), MLPClassifier(solver="lbfgs", max_iter=40, random_state=0)),
        {
            "mlpclassifier__hidden_layer_sizes": stats.randint(2, 33),
            "mlpclassifier__activation": ["logistic", "tanh", "relu"],
            "mlpclassifier__alpha": stats.loguniform(1e-6, 1e2),
        },
        "neg_log_loss",
    ),
    "breast_cancer": Problem(
        datasets.load_breast_cancer,
        make_pipeline(StandardScaler(), SVC()),
        {
            "svc__kernel": ["rbf", "poly", "sigmoid"],
            "svc__C": stats.loguniform(1e-3, 1e3),
            "svc__gamma": stats.loguniform(1e-5, 1e1),
            "svc__coef0": stats.uniform(-1, 2),
        },
        "roc_auc",
    ),
    "digits": Problem(
        datasets.load_digits,
        make_pipeline(
            StandardScaler(), SGDClassifier(loss="log_loss", max_iter=8, tol=None, random_state=0)
        ),
        {
            "sgdclassifier__alpha": stats.loguniform(1e-6, 1e1),
            "sgdclassifier__penalty": ["l2", "l1", "elasticnet"],
            "sgdclassifier__learning_rate": ["optimal", "constant", "adaptive"],
            "sgdclassifier__eta0": stats.loguniform(1e-4, 1e0),
            "sgdclassifier__average": [False, True],
        },
        "neg_log_loss",
        300,
    ),
    "diabetes": Problem(
        datasets.load_diabetes,
        HistGradientBoostingRegressor(max_iter=30, random_state=0),
        {
            "learning_rate": stats.loguniform(1e-2, 1e0),
            "max_leaf_nodes": stats.randint(2, 33),
            "min_samples_leaf": stats.randint(2, 81),
            "l2_regularization": stats.loguniform(1e-4, 1e3),
            "max_features": stats.uniform(0.2, 0.8),
        },
        "neg_mean_squared_error",
    ),
    "linnerud": Problem(
        datasets.load_linnerud,
        make_pipeline(StandardScaler(), KernelRidge()),
        {
            "kernelridge__kernel": ["rbf", "laplacian", "poly", "sigmoid"],
            "kernelridge__alpha": stats.loguniform(1e-3, 1e3),
            "kernelridge__gamma": stats.loguniform(1e-5, 1e1),
            "kernelridge__coef0": stats.uniform(-1, 2),
        },
        "neg_mean_absolute_error",
    ),
}


@dataclass(frozen=True)
class Task:
    """A problem with one seed: data and splits."""

    problem: Problem
    seed: int

    def __post_init__(self) -> None:
        X, y = self.problem.load(return_X_y=True)  # noqa: N806
        X, y = X[: self.problem.rows], y[: self.problem.rows]  # noqa: N806
        is_classes = y.ndim == 1 and y.dtype.kind == "i"
        parts = train_test_split(
            X, y, test_size=0.3, random_state=self.seed, stratify=y if is_classes else None
        )
        splitter = StratifiedKFold if is_classes else KFold
        folds = splitter(3, shuffle=True, random_state=self.seed)
        vars(self).update(parts=parts, folds=folds)

    def search(self, kind: Any, seed: int, **options: Any) -> Any:
        """Returns a search that was fitted, and the seconds that it took."""
        problem, (X, _, y, _) = self.problem, self.parts  # noqa: N806
        search = kind(
            problem.estimator,
            problem.space,
            scoring=problem.scoring,
            cv=self.folds,
            random_state=seed,
            refit=False,
            **options,
        )
        begin = time.process_time()
        search.fit(X, y)
        return search, time.process_time() - begin

    def halving(self, seconds: float) -> Iterator[tuple[float, float, dict[str, Any]]]:
        """Yields what Halving has found: seconds so far, mean score on all data, parameters."""
        problem, (X, _, y, _) = self.problem, self.parts  # noqa: N806
        spent, number = 0.0, 0
        while spent < seconds:
            seed = self.seed + 100_000 * number
            search, took = self.search(HalvingRandomSearchCV, seed, n_candidates=N_ITER)
            spent, number = spent + took, number + 1
            best = search.best_params_
            estimator = clone_with(problem.estimator, best)
            scores = cross_val_score(estimator, X, y, cv=self.folds, scoring=problem.scoring)
            yield spent, float(np.mean(scores)), best

    def held_out(self, parameters: dict[str, Any]) -> float:
        """Returns the score of parameters on the data held out."""
        from sklearn.metrics import get_scorer

        X, X_out, y, y_out = self.parts  # noqa: N806
        estimator = clone_with(self.problem.estimator, parameters).fit(X, y)
        return float(get_scorer(self.problem.scoring)(estimator, X_out, y_out))


def clone_with(estimator: Any, parameters: dict[str, Any]) -> Any:
    from sklearn.base import clone

    return clone(estimator).set_params(**parameters)


def run(name: str, seed: int) -> dict[str, Any]:
    """Returns the line of a data set and a seed."""
    task = Task(PROBLEMS[name], seed)
    ours, seconds = task.search(SHACSearchCV, seed, n_iter=N_ITER)
    random, random_seconds = task.search(RandomizedSearchCV, seed, n_iter=N_ITER)
    found = [*task.halving(seconds)]
    until = next(place for place, each in enumerate(found, 1) if each[0] >= random_seconds)
    best = max(found, key=lambda each: each[1])
    return {
        "data": name,
        "seed": seed,
        "shac": ours.best_score_,
        "random": random.best_score_,
        "halving": best[1],
        "halving_in_time_of_random": max(each[1] for each in found[:until]),
        "shac_held_out": task.held_out(ours.best_params_),
        "random_held_out": task.held_out(random.best_params_),
        "halving_held_out": task.held_out(best[2]),
        "shac_seconds": round(seconds, 3),
        "random_seconds": round(random_seconds, 3),
        "halvings": len(found),
    }


def p_value(ours: np.ndarray, other: np.ndarray) -> float:
    """The one-sided p-value that ours is not better; 1 where nothing differs."""
    if not np.any(ours - other):
        return 1.0
    return float(stats.wilcoxon(ours, other, alternative="greater", zero_method="zsplit").pvalue)


def report(rows: list[dict[str, str]]) -> None:
    others = ("random", "halving", "halving_in_time_of_random")
    for name in PROBLEMS:
        mine = [row for row in rows if row["data"] == name]
        if not mine:
            continue
        columns = {
            key: np.array([float(row[key]) for row in mine]) for key in mine[0] if key != "data"
        }
        print(
            f"{name}, {len(mine)} seeds, {PROBLEMS[name].scoring}: "
            f"SHAC {columns['shac'].mean():.5f}"
        )
        for other in others:
            p = p_value(columns["shac"], columns[other])
            better = int((columns["shac"] > columns[other]).sum())
            worse = int((columns["shac"] < columns[other]).sum())
            print(
                f"  {other:26} {columns[other].mean():.5f}  better {better:2}, worse {worse:2}, "
                f"p = {p:.2g}{'  ahead' if p < SIGNIFICANCE else ''}"
            )
        for other in ("random", "halving"):
            p = p_value(columns["shac_held_out"], columns[f"{other}_held_out"])
            print(
                f"  held out: SHAC {columns['shac_held_out'].mean():.4f}, {other} "
                f"{columns[f'{other}_held_out'].mean():.4f}, p = {p:.2g}"
            )
        print(
            f"  seconds: SHAC {columns['shac_seconds'].mean():.1f}, random "
            f"{columns['random_seconds'].mean():.1f}; Halving begun "
            f"{columns['halvings'].mean():.1f} times"
        )
    for other in others[:2]:
        pairs = [float(row["shac"]) - float(row[other]) for row in rows]
        better, worse = sum(each > 0 for each in pairs), sum(each < 0 for each in pairs)
        p = stats.binomtest(better, better + worse, alternative="greater").pvalue
        print(f"all, {other}: better {better}, worse {worse}, p = {p:.2g} (sign test)")


def read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [*csv.DictReader(file)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=FIRST_SEED)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"
    for seed in range(options.first, options.first + options.seeds):
        for name in PROBLEMS:
            rows = read(options.output)
            if any(row["data"] == name and row["seed"] == str(seed) for row in rows):
                continue
            line = run(name, seed)
            with open(options.output, "a", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, line)
                if not rows:
                    writer.writeheader()
                writer.writerow(line)
    report(read(options.output))


if __name__ == "__main__":
    main()
