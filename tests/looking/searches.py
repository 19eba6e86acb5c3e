"""Searches to look at: quick, the same on every run, with every kind of axis and failed samples.

One has branches, each with parameters of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyshac import (
    SHAC,
    AbstractHyperParameter,
    Dataset,
    DiscreteHP,
    IntegerHP,
    LogUniformHP,
    MultiDiscreteHP,
    NormalHP,
    UniformHP,
    set_custom_parameter_class,
)

Score = Callable[[int, Mapping[str, Any]], float]


def mixed_space() -> list[AbstractHyperParameter]:
    """Eight columns: logarithmic, linear, whole, unbounded, and choices with long names."""
    return [
        LogUniformHP("rate", 1e-5, 1e-1),
        UniformHP("dropout", 0.0, 0.6),
        IntegerHP("units", 16, 512, log=True),
        IntegerHP("layers", 1, 8),
        DiscreteHP("optimizer", ["adam", "sgd", "sgd with Nesterov's accelerated gradient"]),
        MultiDiscreteHP("kernels", [1, 3, 5], sample_count=2),
        NormalHP("shift", 0, 1),
    ]


def mixed_score(worker_id: int, parameters: Mapping[str, Any]) -> float:
    """Best at a rate of 1e-3 with adam; many layers at a high rate fail."""
    if parameters["rate"] > 1e-2 and parameters["layers"] > 5:
        return math.nan
    score = 0.9 - 0.05 * abs(math.log10(parameters["rate"]) + 3)
    score -= (parameters["dropout"] - 0.25) ** 2 + 0.01 * abs(parameters["layers"] - 4)
    return score if parameters["optimizer"] == "adam" else score - 0.05


class WholeTens(AbstractHyperParameter):
    """A user's own type: 0, 10, 20 and so on, up to 90."""

    def sample(self) -> int:
        return 10 * int(self.random.randint(10))

    def encode(self, x: int) -> float:
        return x / 10

    def decode(self, x: float) -> int:
        return 10 * round(x)


set_custom_parameter_class(WholeTens)


def branching_space() -> list[AbstractHyperParameter]:
    """Fourteen columns, ten of them conditional: all types, nested, and with several values."""
    return [
        DiscreteHP("optimizer", ["adam", "sgd", "none"]),
        LogUniformHP("rate", 1e-5, 1e-1).when("optimizer", ["adam", "sgd"]),
        UniformHP("momentum", 0, 1).when("optimizer", "sgd"),
        DiscreteHP("nesterov", [True, False]).when("optimizer", "sgd"),
        UniformHP("boost", 1, 2).when("nesterov", True),
        DiscreteHP("steps", [1, 2, 4]).when("optimizer", "adam"),
        DiscreteHP("decay", [None, "slow", "fast"]).when("optimizer", "adam"),
        WholeTens("tens").when("optimizer", "none"),
        IntegerHP("layers", 1, 4),
        IntegerHP("width_2", 4, 64).when("layers", at_least=2),
        IntegerHP("width_3", 4, 64, log=True).when("layers", at_least=3),
        MultiDiscreteHP("kernels", [1, 3, 5], sample_count=2).when("layers", at_least=3),
        DiscreteHP("padding", ["same", "valid"]).when("kernels_2", [3, 5]),
    ]


def branching_score(worker_id: int, parameters: Mapping[str, Any]) -> float:
    """Best with sgd, much momentum and three layers; four layers with little momentum fail."""
    score = {"adam": 0.6, "sgd": 0.5, "none": 0.3}[parameters["optimizer"]]
    score += 0.2 * parameters.get("momentum", 0) - 0.1 * abs(parameters["layers"] - 3)
    score -= 0.02 * abs(math.log10(parameters.get("rate", 1e-3)) + 3)
    if parameters["layers"] == 4 and parameters.get("momentum", 1) < 0.6:
        return math.nan
    return score + 0.001 * parameters.get("width_3", 0)


def run_search(
    path: Path | str,
    space: Sequence[AbstractHyperParameter] | None = None,
    score: Score = mixed_score,
    budget: tuple[int, int] = (60, 6),
    seed: int = 0,
    skip_cv_checks: bool = False,
    **options: Any,
) -> tuple[SHAC, dict[str, list[Any]]]:
    """Runs a seeded search in this process; returns the engine and its history."""
    engine = SHAC(space or mixed_space(), *budget, save_dir=path, **options)
    engine.set_num_parallel_evaluators(1)
    engine.concurrent_evaluators()
    engine.set_seed(seed)
    return engine, engine.fit(score, skip_cv_checks, verbose=0).history


def make_dataset(scores: Sequence[float]) -> Dataset:
    """A dataset of one parameter x in [0, 1), with these scores."""
    dataset = Dataset([UniformHP("x", 0, 1)])
    for number, score in enumerate(scores):
        dataset.add_sample([number / len(scores)], score)
    return dataset
