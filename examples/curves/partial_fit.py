"""Tunes a linear classifier of scikit-learn whose epochs are steps: hopeless ones end early.

`partial_fit` makes one pass over the data at a time. After each, the evaluation reports its score,
and the search ends it if the best third of the earlier ones were better at that step.
"""

import tempfile

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier

import pyshac
from pyshac import SHAC, DiscreteHP, LogUniformHP

EPOCHS = 9
BUDGET, BATCHES = 48, 6
SPACE = [
    LogUniformHP("alpha", 1e-7, 10.0),
    LogUniformHP("learning_rate", 1e-5, 10.0),
    DiscreteHP("loss", ["hinge", "log_loss", "modified_huber"]),
    DiscreteHP("penalty", ["l2", "l1", "elasticnet"]),
]
images, labels = load_digits(return_X_y=True)
images = images / 16


def evaluate(worker_id, parameters):
    """Returns the accuracy on the validation set after the last epoch."""
    model = SGDClassifier(
        loss=parameters["loss"],
        penalty=parameters["penalty"],
        alpha=parameters["alpha"],
        eta0=parameters["learning_rate"],
        learning_rate="constant",
        random_state=0,
    )
    for epoch in range(1, EPOCHS + 1):
        model.partial_fit(images[:1200], labels[:1200], classes=np.arange(10))
        accuracy = model.score(images[1200:], labels[1200:])
        pyshac.report(epoch, accuracy)
    return accuracy


def main():
    with tempfile.TemporaryDirectory() as save_dir:
        shac = SHAC(evaluate, SPACE, BUDGET, BATCHES, save_dir=save_dir)
        shac.set_seed(0)
        shac.fit(skip_cv_checks=True, pruning="halving")
    epochs = [evaluation.curve.last_step for evaluation in shac.evaluations]
    pruned = [evaluation.state for evaluation in shac.evaluations].count("pruned")
    print(f"best accuracy    {shac.best_score:.6f}, {dict(shac.best_parameters)}")
    print(f"share pruned     {pruned / BUDGET:.6f}")
    print(f"share of epochs  {sum(epochs) / (BUDGET * EPOCHS):.6f}")


if __name__ == "__main__":
    main()
