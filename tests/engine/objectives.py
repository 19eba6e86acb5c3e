"""Objectives for the tests of the engine. Worker processes import this module: keep it light."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def evaluate(worker_id: int, parameters: Mapping[str, Any]) -> float:
    """A smooth objective on `make_space`; its best value is 0, at x = 1, kind '1', w = 0."""
    kind = 0.0 if parameters["kind"] == "1" else 1.0
    return (parameters["x"] - 1.0) ** 2 + kind + sum(parameters["w"])


def branin(worker_id: int, parameters: Mapping[str, Any]) -> float:
    """Branin's function of h1 and h2; its minimum is 0.397887."""
    x, y = parameters["h1"], parameters["h2"]
    bowl = (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
    return bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


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


class Attempts:
    """Counts attempts across processes, with a file for each."""

    def __init__(self, directory: Path) -> None:
        self.directory = str(directory)

    def next(self, x: object) -> int:
        """Notes one more attempt at x and returns its number, from 1."""
        number = 1
        while True:
            try:
                path = os.path.join(self.directory, f"{x}-{number}")
                os.close(os.open(path, os.O_CREAT | os.O_EXCL))
                return number
            except FileExistsError:
                number += 1

    def of(self, x: object) -> int:
        """Returns how many attempts at x were made."""
        return len(list(Path(self.directory).glob(f"{x}-*")))


def kill_self() -> None:
    """Ends the process as the system does when memory runs out."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


class BadLearningRateError(ValueError):
    """What an objective raises."""


def raises_at_two(worker_id: int, parameters: Mapping[str, Any]) -> float:
    """An objective of x that cannot do 2."""
    if parameters["x"] == 2:
        raise ValueError("diverged")
    return float(parameters["x"])
