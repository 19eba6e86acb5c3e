"""A small search with all that trackers get to see, and a tracker in memory."""

from __future__ import annotations

import importlib.metadata
import math
import threading
from typing import Any

import pyshac
from pyshac import SHAC, DiscreteHP, MultiUniformHP, UniformHP
from pyshac.integrations.tracking.tracker import Session, Tracker


def has_all_of_mlflow() -> bool:
    """Whether MLflow is installed with its server, and not its client alone."""
    try:
        return bool(importlib.metadata.version("mlflow"))
    except importlib.metadata.PackageNotFoundError:
        return False


class Network:
    """An object as a choice."""


def space() -> list[Any]:
    return [
        UniformHP("x", 0, 1),
        DiscreteHP("kind", {"a network": Network(), "none": None}),
        UniformHP("rate", 0, 1).when("kind", "none"),
        MultiUniformHP("weights", 0, 1, sample_count=2),
        DiscreteHP("choice", [None, 1, "a", (3, 3), True]),
    ]


def evaluate(worker_id: int, parameters: dict[str, Any]) -> dict[str, Any]:
    """Scores x; fails above 0.9, and has a curve, numbers and texts."""
    for step in (1, 3, 9):
        pyshac.report(step, parameters["x"] * step / 9 if step > 1 else math.nan)
    if parameters["x"] > 0.9:
        raise ValueError("too high")
    return {"score": parameters["x"], "loss": 1 - parameters["x"], "name": "ü", "is_good": True}


def make_search(path: Any, budget: int = 12, batches: int = 2, **options: Any) -> SHAC:
    evaluators = options.pop("evaluators", 2)
    search = SHAC(evaluate, space(), budget, batches, save_dir=path / "search", **options)
    search.set_seed(5)
    search.concurrent_evaluators()
    search.set_num_parallel_evaluators(evaluators)
    return search


def fit(search: SHAC, *callbacks: Any, **options: Any) -> Any:
    return search.fit(callbacks=[*callbacks], catch=ValueError, verbose=0, **options)


class Records(Session):
    """What a tracker has of one search."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.standings: list[Any] = []
        self.endings: list[Any] = []
        self.closed: list[Any] = []
        self.refused: set[int] = set()
        self.is_down = False
        self.num_calls = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def logged(self) -> set[int]:
        return {row.number for row in self.rows}

    def log(self, evaluation: Any, standing: Any) -> None:
        self.num_calls += 1
        self.may_answer.wait()
        if self.is_down or evaluation.number in self.refused:
            raise ConnectionError("no answer")
        self.rows.append(evaluation)
        self.standings.append(standing)

    def close(self, ending: Any, evaluations: Any, standing: Any) -> None:
        self.may_answer.wait()
        if self.is_down:
            raise ConnectionError("no answer")
        self.endings.append(ending)
        self.closed.append((evaluations, standing))


class MemoryTracker(Tracker):
    """Logs to `records`."""

    name = "Memory"

    def __init__(self) -> None:
        super().__init__()
        self.records = Records()

    def _open(self, engine: Any) -> Session:
        if self.records.is_down:
            raise ConnectionError("no answer")
        return self.records
