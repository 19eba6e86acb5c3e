"""The functions of COCO, from the package coco-experiment: bbob, bbob-mixint and bbob-noisy.

The noisy ones are those of bbob under the noise that their definition gives (Finck, Hansen, Ros and
Auger, "Real-Parameter Black-Box Optimization Benchmarking 2009: Presentation of the Noisy
Functions"). It is made here, from the run's own random numbers, since the package's come from one
stream for the whole process; and so the score without noise is known.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tasks

from public_suites.instances import Columns, Instance, Number, Parameter

DIMENSIONS = (5, 10)
_NUM_FUNCTIONS = 24
# Ten of the thirty noisy functions, evenly spread, in five dimensions.
_NOISY = (101, 104, 107, 111, 114, 117, 120, 124, 127, 130)
# The function under the noise; each has three kinds of noise.
_UNDER_NOISE = (1, 8, 1, 8, 7, 10, 14, 17, 19, 21)
_FIRST_NOISY, _FIRST_SEVERE = 101, 107
# Below this distance to the optimum there is no noise.
_PRECISE = 1e-8


def names(suite: str) -> list[str]:
    """Returns the functions of a suite, as fNNN-dDD."""
    if suite == "noisy":
        return [f"f{number}-d05" for number in _NOISY]
    return sorted(
        f"f{number:03}-d{dimension:02}"
        for number in range(1, _NUM_FUNCTIONS + 1)
        for dimension in DIMENSIONS
    )


@functools.cache
def instance(suite: str, name: str) -> Instance:
    """Returns a function's first instance."""
    number, dimension = int(name[1:4]), int(name[-2:])
    if suite == "noisy":
        function = _UNDER_NOISE[(number - _FIRST_NOISY) // 3]
        problem = _problem("bbob", function, dimension)
        optimum = _optimum(problem)
        noise = functools.partial(NOISES[(number - _FIRST_NOISY) % 3], optimum, dimension)
        noise = functools.partial(noise, number >= _FIRST_SEVERE)
    else:
        problem, noise = _problem(suite, number, dimension), None
        optimum = _optimum(problem)
    score = functools.partial(_score, problem)
    return Instance(suite, name, _parameters(problem), score, optimum, noise)


@functools.cache
def _suite(suite: str) -> Any:
    import cocoex

    return cocoex.Suite({"mixint": "bbob-mixint"}.get(suite, suite), "", "instance_indices:1")


def _problem(suite: str, function: int, dimension: int) -> Any:
    return _suite(suite).get_problem_by_function_dimension_instance(function, dimension, 1)


def _parameters(problem: Any) -> tuple[Parameter, ...]:
    return tuple(
        Number(f"x{place:02}", low, high, place < problem.number_of_integer_variables)
        for place, (low, high) in enumerate(
            zip(problem.lower_bounds.tolist(), problem.upper_bounds.tolist(), strict=True)
        )
    )


def _score(problem: Any, columns: Columns) -> tasks.Rows:
    return np.array([problem(row) for row in np.stack(list(columns.values()), axis=1)], float)


def _optimum(problem: Any) -> float:
    """Returns the value at the best place, which the package tells by a file where it is called."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        problem._best_parameter("print")
        (file,) = os.listdir(folder)
        return float(problem(np.loadtxt(Path(file))))


def _gaussian(
    optimum: float, dimension: int, is_severe: bool, true: tasks.Rows, random: np.random.Generator
) -> tasks.Rows:
    beta = 1.0 if is_severe else 0.01
    factor = np.exp(beta * random.standard_normal(len(true)))
    return _noisy(optimum, true, (true - optimum) * factor)


def _uniform(
    optimum: float, dimension: int, is_severe: bool, true: tasks.Rows, random: np.random.Generator
) -> tasks.Rows:
    scale = 1.0 if is_severe else 0.01
    alpha, beta = scale * (0.49 + 1 / dimension), scale
    above = true - optimum
    down, up = random.random((2, len(true)))
    raised = np.maximum(1.0, (1e9 / (above + 1e-99)) ** (alpha * up))
    return _noisy(optimum, true, above * down**beta * raised)


def _cauchy(
    optimum: float, dimension: int, is_severe: bool, true: tasks.Rows, random: np.random.Generator
) -> tasks.Rows:
    alpha, share = (1.0, 0.2) if is_severe else (0.01, 0.05)
    over, under = random.standard_normal((2, len(true)))
    jumps = (random.random(len(true)) < share) * over / (np.abs(under) + 1e-199)
    return _noisy(optimum, true, true - optimum + alpha * np.maximum(0.0, 1000 + jumps))


def _noisy(optimum: float, true: tasks.Rows, above: tasks.Rows) -> tasks.Rows:
    return np.where(true - optimum < _PRECISE, true, optimum + above + 1.01 * _PRECISE)


# By the place of a function in its group of three.
NOISES: tuple[Any, ...] = (_gaussian, _uniform, _cauchy)
