"""Tasks whose parameters exist only where others have certain values.

Which branch holds the optimum, where it lies in each branch, and how many layers are best differ
from seed to seed. Scores see encoded rows with NaN where a parameter is inactive.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tasks

from pyshac import DiscreteHP, HyperParameterList, IntegerHP, LogUniformHP, UniformHP

BRANCHES = "abcd"
MAX_LAYERS = 6
# What the best of each branch lies above the best of all, in an order that depends on the seed.
OFFSETS = (0.0, 0.1, 0.3, 0.5)
# What a layer too many or too few costs.
LAYER_COST = 0.1


def _branch_parameters() -> list[UniformHP]:
    return [
        UniformHP(f"{branch}{number}", 0, 1).when("branch", branch)
        for branch in BRANCHES
        for number in range(4)
    ]


def _layers() -> list[IntegerHP]:
    widths = [IntegerHP(f"width{number}", 8, 512, log=True) for number in range(1, MAX_LAYERS + 1)]
    for number, width in enumerate(widths[1:], 2):
        width.when("layers", at_least=number)
    return [IntegerHP("layers", 1, MAX_LAYERS), *widths]


def _in_unit(space: HyperParameterList, rows: tasks.Rows) -> tasks.Rows:
    """Returns rows in the unit cube, NaN where inactive, both of shape (n, columns)."""
    return np.where(np.isnan(rows), np.nan, space.to_unit(np.nan_to_num(rows)))


def _bowls(random: np.random.Generator) -> Callable[[tasks.Rows, tasks.Rows], tasks.Rows]:
    """Returns a function of branches, shape (n,), and units of the 16 parameters, shape (n, 16)."""
    offset, centre = random.permutation(OFFSETS), random.uniform(0.1, 0.9, 16)
    weight = random.uniform(0.5, 2.0, 16)

    def score(branch: tasks.Rows, unit: tasks.Rows) -> tasks.Rows:
        return offset[branch.astype(int)] + np.nansum(weight * (unit - centre) ** 2, axis=1)

    return score


def _depths(random: np.random.Generator) -> Callable[[tasks.Rows, tasks.Rows], tasks.Rows]:
    """Returns a function of numbers of layers, shape (n,), and units of widths, shape (n, 6)."""
    best, depth = random.uniform(0.1, 0.9, MAX_LAYERS), random.integers(1, MAX_LAYERS + 1)

    def score(layers: tasks.Rows, unit: tasks.Rows) -> tasks.Rows:
        return LAYER_COST * np.abs(layers - depth) + np.nanmean((unit - best) ** 2, axis=1)

    return score


def branches(seed: int) -> tasks.Task:
    """A choice of four with four numbers each; a bowl in every branch, and minimum 0."""
    space = HyperParameterList([DiscreteHP("branch", list(BRANCHES)), *_branch_parameters()])
    bowls = _bowls(tasks.random_of(seed, "branches"))

    def score(rows: tasks.Rows) -> tasks.Rows:
        return bowls(rows[:, 0], _in_unit(space, rows)[:, 1:])

    return tasks.Task("4 branches of 4", space, score)


def functions(seed: int) -> tasks.Task:
    """A choice of four functions of four numbers: hilly, bent, and with valleys in each number."""
    random = tasks.random_of(seed, "functions")
    space = HyperParameterList([DiscreteHP("branch", list(BRANCHES)), *_branch_parameters()])
    kinds = [tasks.ACKLEY, tasks.LEVY, tasks.ROSENBROCK, tasks.STYBLINSKI]
    # Each has about the same scores at the quarter of random points that is best.
    order, offset = random.permutation(4), random.permutation(OFFSETS)
    place = random.uniform(0.1, 0.9, (4, 4))
    scale = [_scale(kind) for kind in kinds]

    def score(rows: tasks.Rows) -> tasks.Rows:
        unit, found = _in_unit(space, rows)[:, 1:].reshape(-1, 4, 4), np.empty(len(rows))
        for branch, kind in enumerate(order):
            is_in = rows[:, 0] == branch
            points = unit[is_in, branch] - place[branch]
            found[is_in] = offset[branch] + _above_optimum(kinds[kind], points) / scale[kind]
        return found

    return tasks.Task("4 functions of 4", space, score)


def _above_optimum(function: tasks.Function, steps: tasks.Rows) -> tasks.Rows:
    """Returns how far above its optimum a function is, some parts of its box away, shape (n,)."""
    low, optimum = np.array(function.low[:4]), np.array(function.optimum[:4])
    span = np.array(function.high[:4]) - low
    lowest = function.value(optimum[None])
    return function.value(optimum + span * steps) - lowest


def _scale(function: tasks.Function) -> float:
    """Returns what a quarter of random points stays below."""
    steps = np.random.default_rng(0).uniform(-0.5, 0.5, (1000, 4))
    return float(np.quantile(_above_optimum(function, steps), 0.25))


def layers(seed: int) -> tasks.Task:
    """One to six layers with a width each; the best number and widths have the minimum 0."""
    space = HyperParameterList(_layers())
    depths = _depths(tasks.random_of(seed, "layers"))

    def score(rows: tasks.Rows) -> tasks.Rows:
        return depths(rows[:, 0], _in_unit(space, rows)[:, 1:])

    return tasks.Task("1 to 6 layers", space, score)


def both(seed: int) -> tasks.Task:
    """Branches and layers in one space: 24 parameters, of which six to eleven are active."""
    random = tasks.random_of(seed, "both")
    space = HyperParameterList(
        [DiscreteHP("branch", list(BRANCHES)), *_branch_parameters(), *_layers()]
    )
    bowls, depths = _bowls(random), _depths(random)

    def score(rows: tasks.Rows) -> tasks.Rows:
        unit = _in_unit(space, rows)
        return bowls(rows[:, 0], unit[:, 1:17]) + depths(rows[:, 17], unit[:, 18:])

    return tasks.Task("branches and layers", space, score)


def network(seed: int) -> tasks.Task:
    """A network's space: an optimizer with its own numbers, layers with a width and a dropout.

    The best rate depends on the optimizer, a layer's best width on the width before it, and dropout
    is worth more the wider its layer.
    """
    random = tasks.random_of(seed, "network")
    space = HyperParameterList(_network_parameters())
    number = {name: place for place, name in enumerate(space.get_parameter_names())}
    rates, worth = random.uniform(0.2, 0.8, 3), random.permutation([0.0, 0.05, 0.15])
    own, narrowing = random.uniform(0.1, 0.9, 5), random.uniform(0.6, 1.0)
    first, depth = random.uniform(0.4, 0.9), random.integers(1, 5)

    def score(rows: tasks.Rows) -> tasks.Rows:
        unit = _in_unit(space, rows)
        optimizer, found = rows[:, 0].astype(int), LAYER_COST * np.abs(rows[:, 7] - depth)
        found = found + worth[optimizer] + 2 * (unit[:, 1] - rates[optimizer]) ** 2
        found += np.nansum((unit[:, 2:7] - own) ** 2, axis=1) / 2
        best = np.full(len(rows), first)
        for layer in range(1, 5):
            width, dropout = unit[:, number[f"width{layer}"]], unit[:, number[f"dropout{layer}"]]
            found += np.nan_to_num((width - best) ** 2 + (dropout - width / 2) ** 2 / 2)
            best = narrowing * width
        return found

    return tasks.Task("network", space, score)


def _network_parameters() -> list[DiscreteHP | IntegerHP | LogUniformHP | UniformHP]:
    optimizer = DiscreteHP("optimizer", ["sgd", "adam", "rmsprop"])
    own = [
        UniformHP("momentum", 0, 0.99).when("optimizer", ["sgd", "rmsprop"]),
        DiscreteHP("nesterov", [False, True]).when("optimizer", "sgd"),
        LogUniformHP("beta1", 1e-3, 0.3).when("optimizer", "adam"),
        LogUniformHP("beta2", 1e-5, 0.1).when("optimizer", "adam"),
        LogUniformHP("smoothing", 1e-3, 0.3).when("optimizer", "rmsprop"),
    ]
    layers = [
        parameter if layer == 1 else parameter.when("layers", at_least=layer)
        for layer in range(1, 5)
        for parameter in (
            IntegerHP(f"width{layer}", 8, 512, log=True),
            UniformHP(f"dropout{layer}", 0, 0.8),
        )
    ]
    return [optimizer, LogUniformHP("rate", 1e-5, 1), *own, IntegerHP("layers", 1, 4), *layers]


# Each takes the seed of the run.
CONDITIONAL: dict[str, Callable[[int], tasks.Task]] = {
    "4 branches of 4": branches,
    "4 functions of 4": functions,
    "1 to 6 layers": layers,
    "branches and layers": both,
    "network": network,
}
