"""Tasks for the benchmarks: search spaces with functions to be minimised, all vectorised.

A task scores encoded rows, shape (n, columns), as the engine holds them. The functions are those
of https://www.sfu.ca/~ssurjano/optimization.html unless their docstring says otherwise.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyshac import (
    DiscreteHP,
    HyperParameterList,
    IntegerHP,
    LogUniformHP,
    MultiDiscreteHP,
    NormalHP,
    UniformHP,
)

Rows = npt.NDArray[np.float64]

_HARTMANN_ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
_HARTMANN_A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_HARTMANN_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


@dataclass(frozen=True)
class Task:
    """A function to be minimised.

    Attributes:
        name: Its name.
        space: Its search space.
        score: Maps encoded rows, shape (n, columns), to scores, shape (n,).
        noise: Standard deviation of what an evaluation adds to the score.
    """

    name: str
    space: HyperParameterList
    score: Callable[[Rows], Rows]
    noise: float = 0.0


@dataclass(frozen=True)
class Function:
    """A function of real numbers, over a box.

    Attributes:
        name: Its name.
        value: Maps rows of shape (n, dimensions) to values, shape (n,).
        low: Lower bounds.
        high: Upper bounds.
        optimum: Where it has a minimum.
    """

    name: str
    value: Callable[[Rows], Rows]
    low: list[float]
    high: list[float]
    optimum: list[float]

    def task(self, shift: Rows | float = 0.0, noise: float = 0.0, name: str = "") -> Task:
        """Returns the task whose minimum lies at `optimum - shift`."""
        columns = zip(self.low, self.high, strict=True)
        space = HyperParameterList(
            [UniformHP(f"x{i}", low, high) for i, (low, high) in enumerate(columns, 1)]
        )
        return Task(name or self.name, space, lambda rows: self.value(rows + shift), noise)

    def shifted(self, seed: int, noise: float = 0.0, name: str = "") -> Task:
        """Returns a task whose minimum lies anywhere but in the outermost tenths of the box.

        The function is continued beyond its usual box, where nothing is lower.
        """
        low, high = np.array(self.low), np.array(self.high)
        place = low + (high - low) * random_of(seed, self.name).uniform(0.1, 0.9, len(low))
        return self.task(np.array(self.optimum) - place, noise, name)


def random_of(seed: int, name: str) -> np.random.Generator:
    """What varies from seed to seed in a task; nothing that a contender draws has this stream."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _branin(rows: Rows) -> Rows:
    """Two dimensions, equal minima of 0.397887."""
    x, y = rows.T
    valley = y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6
    return valley**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10


def _hartmann6(rows: Rows) -> Rows:
    """Six dimensions, minimum -3.32237."""
    distance = (_HARTMANN_A * (rows[:, None, :] - _HARTMANN_P) ** 2).sum(axis=2)
    return -(_HARTMANN_ALPHA * np.exp(-distance)).sum(axis=1)


def _styblinski_tang(rows: Rows) -> Rows:
    """Two valleys in every dimension; the minimum is -39.166 times the dimensions."""
    return (rows**4 - 16 * rows**2 + 5 * rows).sum(axis=1) / 2


def _ackley(rows: Rows) -> Rows:
    """A plain of many pits with a funnel in it; the minimum is 0."""
    distance = np.sqrt((rows**2).mean(axis=1))
    pits = np.cos(2 * np.pi * rows).mean(axis=1)
    return 20 * (1 - np.exp(-distance / 5)) + np.e - np.exp(pits)


def _levy(rows: Rows) -> Rows:
    """Many local minima; the best is 0, at all ones."""
    w = 1 + (rows - 1) / 4
    first = np.sin(np.pi * w[:, 0]) ** 2
    middle = (w[:, :-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:, :-1] + 1) ** 2)
    last = (w[:, -1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[:, -1]) ** 2)
    return first + middle.sum(axis=1) + last


def _rosenbrock(rows: Rows) -> Rows:
    """A bent valley; the minimum is 0, at all ones."""
    step = rows[:, 1:] - rows[:, :-1] ** 2
    return (100 * step**2 + (1 - rows[:, :-1]) ** 2).sum(axis=1)


def _rastrigin(rows: Rows) -> Rows:
    """A bowl with a grid of pits; the minimum is 0."""
    return (rows**2 - 10 * np.cos(2 * np.pi * rows) + 10).sum(axis=1)


_HARTMANN_OPTIMUM = [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573]
BRANIN = Function("Branin", _branin, [-5, 0], [10, 15], [np.pi, 2.275])
HARTMANN = Function("Hartmann6", _hartmann6, [0] * 6, [1] * 6, _HARTMANN_OPTIMUM)
STYBLINSKI = Function("Styblinski-Tang 5", _styblinski_tang, [-5] * 5, [5] * 5, [-2.903534] * 5)
ACKLEY = Function("Ackley 6", _ackley, [-32.768] * 6, [32.768] * 6, [0] * 6)
LEVY = Function("Levy 10", _levy, [-10] * 10, [10] * 10, [1] * 10)
ROSENBROCK = Function("Rosenbrock 4", _rosenbrock, [-5] * 4, [10] * 4, [1] * 4)
RASTRIGIN = Function("Rastrigin 10", _rastrigin, [-5.12] * 10, [5.12] * 10, [0] * 10)


def branin() -> Task:
    """Two dimensions, three equal minima of 0.397887."""
    return BRANIN.task()


def hartmann6() -> Task:
    """Six dimensions, minimum -3.32237."""
    return HARTMANN.task()


def levy() -> Task:
    """Ten dimensions, many local minima; the best is 0, at all ones."""
    return LEVY.task(name="Levy 10-d")


def choices(seed: int = 0) -> Task:
    """Eight choices of six without an order, every pair of which has an effect of its own."""
    count, values = 8, 6
    space = HyperParameterList([MultiDiscreteHP("c", list("abcdef"), count)])
    effects = np.random.default_rng(seed).normal(size=(count, count, values, values)) / 3

    def score(rows: Rows) -> Rows:
        c = rows.astype(int)
        pairs = [effects[i, j, c[:, i], c[:, j]] for i in range(count) for j in range(i)]
        return np.sum(pairs, axis=0)

    return Task("8 choices of 6", space, score)


def mixed50(seed: int = 0) -> Task:
    """Fifty dimensions of all kinds; a quadratic in their unit values, half of them idle."""
    kinds = [
        lambda n: UniformHP(n, -1, 1),
        lambda n: LogUniformHP(n, 1e-5, 1),
        lambda n: NormalHP(n, 0, 1),
        lambda n: IntegerHP(n, 1, 64, log=True),
        lambda n: DiscreteHP(n, list("abcd")),
    ]
    space = HyperParameterList([kinds[i % 5](f"p{i}") for i in range(50)])
    random = np.random.default_rng(seed)
    optimum, weight = random.random(50), random.random(50) * (np.arange(50) % 2)

    def score(rows: Rows) -> Rows:
        return ((space.to_unit(rows) - optimum) ** 2 * weight).sum(axis=1)

    return Task("50 mixed", space, score)
