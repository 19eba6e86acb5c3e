"""What the tests of the engine share: a search space, objectives, small runs, and scripts."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pyshac import SHAC, DiscreteHP, HyperParameterList, MultiUniformHP, UniformHP

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "saved-by-pyshac-0.2"

HISTORY_KEYS = {
    "begin_run_index",
    "parameters",
    "evaluations",
    "device_ids",
    "dataset_index",
    "model",
    "generator_threads",
    "per_classifier_budget",
}
# Whose process and host they name is no part of a run.
NOT_OF_THE_RUN = {"lock", "lock.json"}


def make_space(seed: int | None = None) -> HyperParameterList:
    """A space with every kind of column: continuous, discrete of many types, and several."""
    return HyperParameterList(
        [
            UniformHP("x", -5.0, 5.0),
            DiscreteHP("kind", [1, 1.0, "1", True, None]),
            MultiUniformHP("w", 0.0, 1.0, sample_count=2),
        ],
        seed=seed,
    )


def evaluate(worker_id: int, parameters: Mapping[str, Any]) -> float:
    """A smooth objective on `make_space`; its best value is 0, at x = 1, kind '1', w = 0."""
    kind = 0.0 if parameters["kind"] == "1" else 1.0
    return (parameters["x"] - 1.0) ** 2 + kind + sum(parameters["w"])


def branin(worker_id: int, parameters: Mapping[str, Any]) -> float:
    """Branin's function of h1 and h2; its minimum is 0.397887."""
    x, y = parameters["h1"], parameters["h2"]
    bowl = (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
    return bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def branin_space() -> list[UniformHP]:
    return [UniformHP("h1", -5.0, 10.0), UniformHP("h2", 0.0, 15.0)]


def make_engine(
    save_dir: Path | str,
    function: Callable[..., Any] | None = evaluate,
    parameters: Any = make_space,
    total_budget: int = 18,
    num_batches: int = 3,
    seed: int | None = 7,
    backend: str = "threading",
    evaluators: int = 1,
    **kwargs: Any,
) -> SHAC:
    """A small engine; by default evaluations run in the caller's thread, one after the other."""
    space = parameters() if callable(parameters) else parameters
    kwargs.setdefault("objective", "min")
    engine = SHAC(function, space, total_budget, num_batches, save_dir=save_dir, **kwargs)
    if space is not None and seed is not None:
        engine.set_seed(seed)
    engine.evaluator_backend = backend
    engine.set_num_parallel_evaluators(evaluators)
    engine.set_num_parallel_generators(1)
    return engine


def restored(save_dir: Path | str, **kwargs: Any) -> SHAC:
    """A new engine that knows nothing but the save directory."""
    engine = make_engine(save_dir, parameters=None, **kwargs)
    engine.restore_data()
    return engine


def contents(save_dir: Path | str) -> dict[str, bytes]:
    """Every file of a save directory that belongs to the run, by its path there."""
    root = Path(save_dir)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name not in NOT_OF_THE_RUN
    }


def samples_of(engine: SHAC) -> list[tuple[int, list[Any], float]]:
    """Number, values and score of every sample."""
    dataset = engine.dataset
    return list(zip(dataset.ids, dataset.X, dataset.Y, strict=True))


class InterruptionError(Exception):
    """What an objective raises to interrupt a run."""


class InterruptedAt:
    """An objective that raises when it is called for the n-th time, counted from 1."""

    def __init__(self, call: int, function: Callable[..., float] = evaluate) -> None:
        self.call = call
        self.function = function
        self.calls = 0

    def __call__(self, worker_id: int, parameters: Mapping[str, Any]) -> float:
        self.calls += 1
        if self.calls == self.call:
            raise InterruptionError(f"call {self.call}")
        return self.function(worker_id, parameters)


def run_script(
    source: str, *arguments: object, timeout: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs a script in a new process that can import this package and these helpers."""
    return subprocess.run(
        [sys.executable, "-c", source, *map(str, arguments)],
        env=script_environment(**environment),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def script_environment(**environment: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **environment}
