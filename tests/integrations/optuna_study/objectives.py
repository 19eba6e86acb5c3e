"""Objectives, and what runs them in other processes."""

from __future__ import annotations

import optuna

from pyshac.integrations.optuna import SHACSampler

CHOICES = [None, True, "a", 1.5]


def score(x, rate, n, choice):
    """A score to maximise."""
    return -((x - 1) ** 2) - 0.1 * (n - 7) ** 2 + (choice is None) - rate


def flat(trial):
    """An objective whose trials all have the same parameters."""
    return score(
        trial.suggest_float("x", -5, 5),
        trial.suggest_float("rate", 1e-5, 1, log=True),
        trial.suggest_int("n", 1, 20),
        trial.suggest_categorical("choice", CHOICES),
    )


def branching(trial):
    """An objective to minimise, some of whose trials have other parameters than others."""
    model = trial.suggest_categorical("model", ["tree", "net", None])
    if model == "tree":
        return (trial.suggest_int("depth", 1, 10) - 4) ** 2 + 1
    if model is None:
        return 20.0
    layers = trial.suggest_int("layers", 1, 3)
    widths = [trial.suggest_int(f"width_{n}", 1, 64) for n in range(layers)]
    return sum((width - 30) ** 2 / 100 for width in widths) + (layers - 2) ** 2


def work(address, number, seed):
    """Runs trials of the study 'shared' in a process of its own."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.load_study(
        study_name="shared", storage=address, sampler=SHACSampler(60, 10, seed)
    )
    study.optimize(flat, n_trials=number)
