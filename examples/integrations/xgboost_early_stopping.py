"""Tunes XGBoost with early stopping: the search ends hopeless trainings, XGBoost the others.

Each round of boosting is a step. Run it again, and it goes on with what its folder holds.
"""

import xgboost
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

import pyshac
from pyshac import SHAC, HalvingPruning, IntegerHP, LogUniformHP, UniformHP

MAX_ROUNDS = 500
BUDGET, BATCHES = 60, 6
SPACE = [
    LogUniformHP("learning_rate", 1e-2, 1.0),
    IntegerHP("max_depth", 1, 8),
    LogUniformHP("min_child_weight", 1e-1, 1e2),
    UniformHP("subsample", 0.3, 1.0),
    UniformHP("colsample_bytree", 0.2, 1.0),
    LogUniformHP("reg_lambda", 1e-3, 1e3),
]
inputs, targets = load_diabetes(return_X_y=True)
parts = train_test_split(inputs, targets, test_size=0.4, random_state=0)
train_inputs, valid_inputs, train_targets, valid_targets = parts


class Report(xgboost.callback.TrainingCallback):
    """Reports the best error so far, which is what counts in the end."""

    def after_iteration(self, model, epoch, evals_log):
        pyshac.report(epoch + 1, min(evals_log["validation_0"]["rmse"]))
        return False


def evaluate(worker_id, parameters):
    """Returns the root mean squared error on the validation set after the best round."""
    model = xgboost.XGBRegressor(
        n_estimators=MAX_ROUNDS,
        early_stopping_rounds=20,
        callbacks=[Report()],
        eval_metric="rmse",
        n_jobs=1,
        random_state=0,
        **parameters,
    )
    validation = [(valid_inputs, valid_targets)]
    model.fit(train_inputs, train_targets, eval_set=validation, verbose=False)
    return {"score": model.best_score, "rounds": model.best_iteration + 1}


def main():
    shac = SHAC(
        evaluate, SPACE, BUDGET, BATCHES, objective="min", save_dir="xgboost-search", resume=True
    )
    shac.set_seed(0)
    # The first rounds tell little where learning rates differ.
    shac.fit(skip_cv_checks=True, pruning=HalvingPruning(grace=10))
    rounds = [evaluation.curve.last_step for evaluation in shac.evaluations]
    pruned = [evaluation.state for evaluation in shac.evaluations].count("pruned")
    best = shac.top(1)[0]
    print(f"best error       {best.score:.6f} after {best.extras['rounds']} rounds")
    print(f"error of defaults {evaluate(0, {})['score']:.6f}")
    print(f"best parameters  {dict(best.parameters)}")
    print(f"share pruned     {pruned / BUDGET:.6f}")
    print(f"share of rounds  {sum(rounds) / (BUDGET * MAX_ROUNDS):.6f}")


if __name__ == "__main__":
    main()
