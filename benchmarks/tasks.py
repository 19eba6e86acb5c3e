"""Tasks for the benchmarks: search spaces with functions to be minimised, all vectorised.

A task scores encoded rows, shape (n, columns), as the engine holds them.
"""

from __future__ import annotations

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
    MultiUniformHP,
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
    """

    name: str
    space: HyperParameterList
    score: Callable[[Rows], Rows]


def branin() -> Task:
    """Two dimensions, three equal minima of 0.397887."""
    space = HyperParameterList([UniformHP("x", -5, 10), UniformHP("y", 0, 15)])

    def score(rows: Rows) -> Rows:
        x, y = rows.T
        valley = y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6
        return valley**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10

    return Task("Branin", space, score)


def hartmann6() -> Task:
    """Six dimensions, minimum -3.32237."""
    space = HyperParameterList([MultiUniformHP("x", 0, 1, sample_count=6)])

    def score(rows: Rows) -> Rows:
        distance = (_HARTMANN_A * (rows[:, None, :] - _HARTMANN_P) ** 2).sum(axis=2)
        return -(_HARTMANN_ALPHA * np.exp(-distance)).sum(axis=1)

    return Task("Hartmann6", space, score)


def levy(dimensions: int = 10) -> Task:
    """Many local minima; the best is 0, at all ones."""
    space = HyperParameterList([MultiUniformHP("x", -10, 10, sample_count=dimensions)])

    def score(rows: Rows) -> Rows:
        w = 1 + (rows - 1) / 4
        first = np.sin(np.pi * w[:, 0]) ** 2
        middle = (w[:, :-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:, :-1] + 1) ** 2)
        last = (w[:, -1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[:, -1]) ** 2)
        return first + middle.sum(axis=1) + last

    return Task(f"Levy {dimensions}-d", space, score)


def choices(count: int = 8, values: int = 6, seed: int = 0) -> Task:
    """Choices without an order, every pair of which has an effect of its own."""
    space = HyperParameterList([MultiDiscreteHP("c", list("abcdefghij"[:values]), count)])
    effects = np.random.default_rng(seed).normal(size=(count, count, values, values)) / 3

    def score(rows: Rows) -> Rows:
        c = rows.astype(int)
        pairs = [effects[i, j, c[:, i], c[:, j]] for i in range(count) for j in range(i)]
        return np.sum(pairs, axis=0)

    return Task(f"{count} choices of {values}", space, score)


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
