"""Small searches with curves, for several tests."""

from __future__ import annotations

import math

import pyshac
from pyshac import HyperParameterList, UniformHP
from tests.engine.engine_helpers import make_engine

STEPS = 9


def rising(worker_id, parameters):
    """Approaches the score x (1 - x) + y / 10 in nine steps."""
    score = final_of(parameters)
    for step in range(1, STEPS + 1):
        pyshac.report(step, score * (1 - 0.5**step))
    return {"score": score, "x_is_low": parameters["x"] < 0.5}


def falling(worker_id, parameters):
    """The loss that belongs to it."""
    score = final_of(parameters)
    for step in range(1, STEPS + 1):
        pyshac.report(step, 1 - score * (1 - 0.5**step))
    return 1 - score


def final_of(parameters):
    return parameters["x"] * (1 - parameters["x"]) + parameters["y"] / 10


def space():
    return HyperParameterList([UniformHP("x", 0.0, 1.0), UniformHP("y", 0.0, 1.0)])


def engine_in(path, function=rising, budget=40, batches=5, **kwargs):
    kwargs.setdefault("objective", "max")
    return make_engine(path, function, space, budget, batches, **kwargs)


def states_of(engine):
    return [evaluation.state for evaluation in engine.evaluations]


def rows_of(engine):
    """All that two equal runs have in common."""
    return [
        (each.number, each.parameters, repr(each.score), each.state, each.curve, each.extras)
        for each in engine.evaluations
    ]


def nan_curve(curve):
    return all(map(math.isnan, curve.scores))
