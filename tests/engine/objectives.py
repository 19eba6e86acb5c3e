"""Objectives for the tests of the engine. Worker processes import this module: keep it light."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
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
