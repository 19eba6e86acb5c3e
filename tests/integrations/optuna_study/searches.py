"""Searches that are written into studies."""

from __future__ import annotations

import math
import os
import signal

from pyshac import (
    SHAC,
    DiscreteHP,
    DistributionHP,
    IntegerHP,
    LogUniformHP,
    MultiIntegerHP,
    NormalHP,
    SimplexHP,
    UniformHP,
)


def space():
    """A space with all that columns can be."""
    import scipy.stats

    return [
        UniformHP("x", -5, 5),
        LogUniformHP("rate", 1e-5, 1),
        IntegerHP("n", 1, 20),
        IntegerHP("even", 2, 20, step=2),
        UniformHP("drop", 0, 0.5, step=0.05),
        NormalHP("g", 0, 1),
        DistributionHP("beta", scipy.stats.beta(5, 1)),
        DiscreteHP("same", [1, 1.0, True, None, (1, 2)]),
        DiscreteHP("call", {"sqrt": math.sqrt, "exp": math.exp}),
        MultiIntegerHP("k", 1, 5, 3),
        SimplexHP("share", 3),
        UniformHP("momentum", 0, 1).when("n", at_least=10),
    ]


def evaluate(worker_id, parameters):
    """Fails for some samples, and returns extras."""
    if parameters["x"] > 4:
        raise ValueError("too large")
    return {"score": -((parameters["x"] - 1) ** 2), "bound": math.inf, "slot": 3, "note": "é"}


def engine_in(path, total_budget=40, num_batches=4, **kwargs):
    """An engine whose evaluations run in this process, one at a time."""
    engine = SHAC(None, space(), total_budget, num_batches, save_dir=path, **kwargs)
    engine.set_seed(1)
    engine.concurrent_evaluators()
    engine.set_num_parallel_evaluators(1)
    return engine


def killed_in_the_middle(path, address):
    """Runs a mirrored search that ends like one that is killed, in its 14th evaluation."""
    from pyshac.integrations.optuna import OptunaMirror

    calls = []

    def function(worker_id, parameters):
        calls.append(1)
        if len(calls) == 14:
            os.kill(os.getpid(), signal.SIGKILL)
        return evaluate(worker_id, parameters)

    engine_in(path).fit(function, catch=ValueError, callbacks=[OptunaMirror(address)], verbose=0)
