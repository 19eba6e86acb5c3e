"""The tasks on which search quality is measured: functions, made choices, and real training runs.

Optima are elsewhere for every seed, so that a contender which begins at the centre of the space, or
knows the functions, gains nothing by it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import real_tables
import tasks

from pyshac import (
    DiscreteHP,
    HyperParameterList,
    IntegerHP,
    LogUniformHP,
    MultiUniformHP,
    UniformHP,
)


def idle20(seed: int) -> tasks.Task:
    """Twenty dimensions of which five matter, each together with its neighbour; minimum 0."""
    random = tasks.random_of(seed, "idle")
    space = HyperParameterList([MultiUniformHP("x", 0, 1, sample_count=20)])
    used, optimum = random.permutation(20)[:5], random.uniform(0.1, 0.9, 5)
    together = np.eye(5) + np.eye(5, k=1) / 2

    def score(rows: tasks.Rows) -> tasks.Rows:
        return np.sqrt((((rows[:, used] - optimum) @ together) ** 2).sum(axis=1))

    return tasks.Task("20, 15 idle", space, score)


def mixed8(seed: int) -> tasks.Task:
    """A network's kind of space; which values are best depends on other parameters."""
    random = tasks.random_of(seed, "mixed")
    space = HyperParameterList(
        [
            LogUniformHP("learning_rate", 1e-5, 1),
            LogUniformHP("weight_decay", 1e-7, 1e-1),
            UniformHP("dropout", 0, 0.8),
            IntegerHP("layers", 1, 8),
            IntegerHP("width", 16, 1024, log=True),
            DiscreteHP("activation", ["relu", "tanh", "gelu", "elu"]),
            DiscreteHP("optimizer", ["sgd", "adam", "rmsprop"]),
            DiscreteHP("normalization", ["none", "batch"]),
        ]
    )
    best = random.uniform(0.15, 0.85, 5)
    rates, activations = random.normal(0, 0.2, 3), random.normal(0, 0.3, 4)
    pairs = random.normal(0, 0.15, (2, 4))

    def score(rows: tasks.Rows) -> tasks.Rows:
        rate, decay, dropout, layers, width = (space.to_unit(rows)[:, :5] - best).T
        activation, optimizer, normalization = rows[:, 5:].astype(int).T
        return (
            4 * (rate - rates[optimizer]) ** 2
            + decay**2 / 2
            + (dropout - width / 5) ** 2
            + layers**2
            + width**2
            + activations[activation]
            + pairs[normalization, activation]
        )

    return tasks.Task("8 mixed", space, score)


def trained(name: str) -> tasks.Task:
    """Real training runs, looked up in a table of `real_tables`."""
    grid = real_tables.GRIDS[name]
    space = HyperParameterList(
        [DiscreteHP(parameter, values) for parameter, values in grid.values.items()]
    )
    losses = np.array(real_tables.read_table(name)).reshape(
        [len(values) for values in grid.values.values()]
    )
    return tasks.Task(f"table {name}", space, lambda rows: losses[tuple(rows.astype(int).T)])


def _of_table(name: str) -> Callable[[int], tasks.Task]:
    return lambda seed: trained(name)


# What search quality is measured on; each takes the seed of the run.
QUALITY: dict[str, Callable[[int], tasks.Task]] = {
    **{
        function.name: function.shifted
        for function in (
            tasks.BRANIN,
            tasks.HARTMANN,
            tasks.STYBLINSKI,
            tasks.ACKLEY,
            tasks.LEVY,
            tasks.ROSENBROCK,
            tasks.RASTRIGIN,
        )
    },
    "8 choices of 6": tasks.choices,
    "20, 15 idle": idle20,
    "8 mixed": mixed8,
    "Hartmann6, noisy": lambda seed: tasks.HARTMANN.shifted(
        seed, noise=0.3, name="Hartmann6, noisy"
    ),
    **{f"table {name}": _of_table(name) for name in real_tables.made()},
}
