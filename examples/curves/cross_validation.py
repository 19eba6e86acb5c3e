"""Tunes a classifier by cross validation whose folds are steps: hopeless ones skip the rest.

After each fold the evaluation reports the mean so far, and the search ends it if that is below the
median of the earlier ones.
"""

import tempfile

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

import pyshac
from pyshac import SHAC, DiscreteHP, LogUniformHP

FOLDS = 10
BUDGET, BATCHES = 48, 6
SPACE = [
    LogUniformHP("C", 1e-3, 1e3),
    LogUniformHP("gamma", 1e-5, 10.0),
    DiscreteHP("kernel", ["rbf", "poly", "sigmoid"]),
]
images, labels = load_digits(return_X_y=True)
images, labels = images[:400] / 16, labels[:400]


def evaluate(worker_id, parameters):
    """Returns the mean accuracy of all folds."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(images, labels)
    model = SVC(C=parameters["C"], gamma=parameters["gamma"], kernel=parameters["kernel"])
    scores = []
    for training, test in folds:
        fitted = clone(model).fit(images[training], labels[training])
        scores.append(fitted.score(images[test], labels[test]))
        pyshac.report(len(scores), np.mean(scores))
    return np.mean(scores)


def main():
    with tempfile.TemporaryDirectory() as save_dir:
        shac = SHAC(evaluate, SPACE, BUDGET, BATCHES, save_dir=save_dir)
        shac.set_seed(0)
        shac.fit(skip_cv_checks=True, pruning="median")
    folds = [evaluation.curve.last_step for evaluation in shac.evaluations]
    pruned = [evaluation.state for evaluation in shac.evaluations].count("pruned")
    print(f"best accuracy   {shac.best_score:.6f}, {dict(shac.best_parameters)}")
    print(f"share pruned    {pruned / BUDGET:.6f}")
    print(f"share of folds  {sum(folds) / (BUDGET * FOLDS):.6f}")


if __name__ == "__main__":
    main()
