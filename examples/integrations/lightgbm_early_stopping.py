"""Tunes LightGBM with early stopping: the search ends hopeless trainings, LightGBM the others.

Each round of boosting is a step. Run it again, and it goes on with what its folder holds.
Needs the package "lightgbm".
"""

import lightgbm
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

import pyshac
from pyshac import SHAC, IntegerHP, LogUniformHP, UniformHP

MAX_ROUNDS = 500
BUDGET, BATCHES = 60, 6
SPACE = [
    LogUniformHP("learning_rate", 1e-2, 1.0),
    IntegerHP("num_leaves", 2, 32, log=True),
    IntegerHP("min_child_samples", 1, 100, log=True),
    UniformHP("feature_fraction", 0.1, 1.0),
    LogUniformHP("lambda_l2", 1e-3, 1e2),
]
inputs, labels = load_breast_cancer(return_X_y=True)
parts = train_test_split(inputs, labels, test_size=0.4, random_state=0, stratify=labels)
train_inputs, valid_inputs, train_labels, valid_labels = parts


class Report:
    """A callback of LightGBM that reports the best loss so far, which is what counts in the end."""

    def __init__(self):
        self.best = float("inf")

    def __call__(self, env):
        loss = env.evaluation_result_list[0][2]
        self.best = min(self.best, loss)
        pyshac.report(env.iteration + 1, self.best)


def evaluate(worker_id, parameters):
    """Returns the loss on the validation set after the best round."""
    training = lightgbm.Dataset(train_inputs, train_labels)
    fixed = {
        "objective": "binary",
        "num_threads": 1,
        "seed": 0,
        "deterministic": True,
        "verbosity": -1,
    }
    model = lightgbm.train(
        {**fixed, **parameters},
        training,
        MAX_ROUNDS,
        valid_sets=[lightgbm.Dataset(valid_inputs, valid_labels, reference=training)],
        callbacks=[lightgbm.early_stopping(20, verbose=False), Report()],
    )
    loss = model.best_score["valid_0"]["binary_logloss"]
    return {"score": loss, "rounds": model.best_iteration}


def main():
    shac = SHAC(
        evaluate, SPACE, BUDGET, BATCHES, objective="min", save_dir="lightgbm-search", resume=True
    )
    shac.set_seed(0)
    # Where learning rates differ, early rounds tell little; this rule is the careful one.
    shac.fit(skip_cv_checks=True, pruning="median")
    rounds = [evaluation.curve.last_step for evaluation in shac.evaluations]
    pruned = [evaluation.state for evaluation in shac.evaluations].count("pruned")
    best = shac.top(1)[0]
    print(f"best loss        {best.score:.6f} after {best.extras['rounds']} rounds")
    print(f"loss of defaults {evaluate(0, {})['score']:.6f}")
    print(f"best parameters  {dict(best.parameters)}")
    print(f"share pruned     {pruned / BUDGET:.6f}")
    print(f"share of rounds  {sum(rounds) / (BUDGET * MAX_ROUNDS):.6f}")


if __name__ == "__main__":
    main()
