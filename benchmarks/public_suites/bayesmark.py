"""Bayesmark's 108 problems, real training runs of scikit-learn's models, and its official score.

It needs packages of 2022, so an interpreter of its own evaluates them; `public.txt` says how it is
made. A run takes N trainings, which is minutes. The baseline is `baseline-16-8.json` of the starter
kit of the NeurIPS 2020 challenge: for each problem the best known loss, and the one from which on a
loss counts as total; a run's loss is its place between them.
"""

from __future__ import annotations

import functools
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tasks
from line_process import LineProcess

from public_suites.instances import Choice, Columns, Instance, Number, Parameter

SUITE = "bayesmark"
BUDGET = "128/8"
PYTHON_VARIABLE = "BAYESMARK_PYTHON"
# What a single run can gain beyond the best known is limited to this.
_LOWEST_LOSS = -1.0
_SEEN = "_visible_to_opt"


@dataclass(frozen=True)
class Baseline:
    """What is known of the problems.

    Attributes:
        names: Their names, sorted.
        best: Best known losses, by name.
        clip: Losses that count as total, by name.
        random: Mean losses of random search with 16 batches of 8, by name.
    """

    names: list[str]
    best: dict[str, float]
    clip: dict[str, float]
    random: dict[str, float]

    def loss(self, problem: str, found: float) -> float:
        """Returns the normalised loss of what a run found."""
        best = self.best[problem]
        loss = (found - best) / (self.clip[problem] - best)
        return min(max(loss, _LOWEST_LOSS), 1.0)


def read_baseline(path: Path) -> Baseline:
    """Reads the challenge's file."""
    data = json.loads(path.read_text())["data"]
    names = data["coords"]["function"]["data"]
    seen = data["coords"]["objective"]["data"].index(_SEEN)

    def by_name(variable: str) -> dict[str, float]:
        found = data["data_vars"][variable]
        # Of what has a course, the end.
        array = np.array(found["data"])[-1] if "iter" in found["dims"] else np.array(found["data"])
        dims = [dim for dim in found["dims"] if dim != "iter"]
        column = array.take(seen, axis=dims.index("objective"))
        return dict(zip(names, column.tolist(), strict=True))

    return Baseline(sorted(names), by_name("best"), by_name("clip"), by_name("mean"))


def score_lines(baseline: Baseline, runs: Iterable[tuple[str, str, float]]) -> Iterator[str]:
    """Yields a table of official scores, 100 for the best known everywhere, in Markdown.

    Args:
        baseline: The baseline.
        runs: Contender, problem and lowest loss of each run.
    """
    losses: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for contender, problem, found in runs:
        losses[contender][problem].append(baseline.loss(problem, found))
    yield "| | problems | runs | score | random search of the baseline on these |"
    yield "|---|---|---|---|---|"
    for contender, by_problem in losses.items():
        count = sum(map(len, by_problem.values()))
        ours = _score([np.mean(one) for one in by_problem.values()])
        random = _score([baseline.loss(one, baseline.random[one]) for one in by_problem])
        yield f"| {contender} | {len(by_problem)} | {count} | {ours:.2f} | {random:.2f} |"


def _score(losses: Iterable[Any]) -> float:
    return 100 * (1 - float(np.mean(list(losses))))


class Evaluator:
    """A process that evaluates problems, and lives as long as this one.

    Raises:
        FileNotFoundError: The environment names no interpreter.
    """

    def __init__(self) -> None:
        python = os.environ.get(PYTHON_VARIABLE, "")
        if not Path(python).is_file():
            raise FileNotFoundError(
                f"{PYTHON_VARIABLE} must name a Python with bayesmark. Got {python!r} instead. "
                "benchmarks/public.txt says how to make one."
            )
        variables = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        # Isolated, it does not take this module for the package of the same name.
        script = Path(__file__).with_name("inside_bayesmark.py")
        self._process = LineProcess([python, "-I", str(script)], variables)

    def ask(self, problem: str, points: list[dict[str, float]] | None) -> Any:
        """Returns the losses of points, or the space of a problem.

        Raises:
            RuntimeError: The process cannot evaluate them, or has ended.
        """
        try:
            reply = self._process.ask({"problem": problem, "points": points})
        except EOFError as error:
            reply = {"error": str(error)}
        if "error" in reply:
            raise RuntimeError(f"Bayesmark could not evaluate {problem}: {reply['error']}.")
        return reply["space"] if points is None else reply["losses"]


@functools.cache
def _evaluator() -> Evaluator:
    return Evaluator()


@functools.cache
def instance(name: str) -> Instance:
    """Returns a problem, named MODEL_DATASET_METRIC."""
    space = _evaluator().ask(name, None)
    parameters = tuple(_parameter(one, space[one]) for one in sorted(space))
    return Instance(SUITE, name, parameters, functools.partial(_losses, name, parameters))


def _parameter(name: str, config: dict[str, Any]) -> Parameter:
    if config["type"] == "bool":
        return Choice(name, (False, True))
    low, high = config["range"]
    return Number(name, low, high, config["type"] == "int", config["space"])


def _losses(name: str, parameters: tuple[Parameter, ...], columns: Columns) -> tasks.Rows:
    values = [_values(one, columns[one.name].tolist()) for one in parameters]
    names = [one.name for one in parameters]
    points = [dict(zip(names, point, strict=True)) for point in zip(*values, strict=True)]
    return np.array(_evaluator().ask(name, points))


def _values(parameter: Parameter, column: list[float]) -> list[Any]:
    if isinstance(parameter, Choice):
        return [parameter.values[int(place)] for place in column]
    return [int(value) for value in column] if parameter.is_whole else column
