"""Evaluation functions with curves, which workers import."""

from __future__ import annotations

import contextlib
import math
import os

import pyshac


def climbing(worker_id, parameters):
    """Reports x * step / 10 at the steps 1 to 10; the score is x."""
    x = parameters["x"]
    for step in range(1, 11):
        pyshac.report(step, x * step / 10)
    return {"score": x, "process": os.getpid()}


def swallowing(worker_id, parameters):
    """Goes on after it was pruned."""
    x = parameters["x"]
    for step in range(1, 11):
        with contextlib.suppress(pyshac.Pruned):
            pyshac.report(step, x * step / 10)
    return x


def giving_up(worker_id, parameters):
    """Gives up by itself, without a report for odd numbers."""
    if parameters["x"] % 2 == 0:
        pyshac.report(3, parameters["x"])
    raise pyshac.Pruned


def diverging(worker_id, parameters):
    pyshac.report(1, math.nan)
    pyshac.report(2, math.inf)
    return math.nan


def failing(worker_id, parameters):
    pyshac.report(1, 0.5)
    raise ValueError("no memory")
