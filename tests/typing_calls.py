"""Calls as type checkers see them; `test_typing.py` runs mypy on this file, and nobody runs it.

A line that must be refused ends with `# refused`; the types of the others are as asserted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typing_extensions import assert_type

import pyshac
from pyshac import (
    SHAC,
    DiscreteHP,
    HyperParameterList,
    IntegerHP,
    KerasSHAC,
    Less,
    MultiIntegerHP,
    MultiLogUniformHP,
    OrdinalHP,
    SimplexHP,
    TorchSHAC,
    UniformHP,
)


def evaluate(worker_id: int, parameters: Mapping[str, Any]) -> float:
    return 0.5


def evaluate_in_session(session: Any, worker_id: int, parameters: Mapping[str, Any]) -> float:
    return 0.5


SPACE = [UniformHP("x", 0, 1), DiscreteHP("kind", ["a", "b"])]

DiscreteHP("kind", {"exact": evaluate, "none": None})
OrdinalHP("size", ("S", "M", "L"))
UniformHP("x", 0, 1, step=0.05)
UniformHP("x", 1, 2, log=True)
IntegerHP("n", 0, 64, step=8)
MultiIntegerHP("n", 0, 64, sample_count=2, step=8)
MultiLogUniformHP("x", 1, 2, 3)
assert_type(SimplexHP("mixture", 3, weights=[1, 2, 0.5]).sample(), list[float])

IntegerHP("n", 0, 64, step="8")  # refused
UniformHP("x", 0, 1, False, 3, True)  # refused
DiscreteHP("kind", {1: evaluate})  # refused

# The function first, or left out; by position and by keyword.
SHAC(evaluate, SPACE, 100, 10)
SHAC(evaluate, HyperParameterList(SPACE), total_budget=100, num_batches=10, objective="min")
SHAC(SPACE, 100, 10, "max", 18, Path("shac"), method="paper")
SHAC(None, 100, 10)
SHAC(None, None, 100, 10)
SHAC(hyperparameter_list=SPACE, total_budget=100, num_batches=10, evaluation_function=evaluate)
SHAC(SPACE, total_budget=100, num_batches=10, evaluation_function=evaluate)
SHAC(evaluate, SPACE, 100, batch_size=16, resume=True, start_from=Path("old"))
SHAC(evaluate, SPACE, 100, 4, constraints=[Less("a", "b"), lambda p: p["a"] < 1])
SHAC(SPACE, total_budget=100, batch_size=16, save_dir="shac", resume=True)
TorchSHAC(evaluate, SPACE, 100, 10, 2)
TorchSHAC(SPACE, 100, batch_size=16, max_gpu_evaluators=2)
KerasSHAC(SPACE, 100, 10, max_gpu_evaluators=0, max_cpu_evaluators=2)

SHAC(evaluate, SPACE, "100", 10)  # refused
SHAC(SPACE, 100, batch_size="10")  # refused
SHAC(SPACE, 100, 10, resume="yes")  # refused
SHAC(SPACE, 100, 10, objectiv="min")  # refused
SHAC(SPACE, 100, 10, save_dir=3)  # refused
SHAC(evaluate, ["x"], 100, 10)  # refused
TorchSHAC(evaluate, SPACE, 100, 10, "2")  # refused

shac = SHAC(evaluate, SPACE, 100, 10)
assert_type(shac.fit(), pyshac.History)
assert_type(shac.fit(evaluate, True, callbacks=pyshac.History()), pyshac.History)
assert_type(shac.fit(True, early_stop=True), pyshac.History)
shac.fit(
    skip_cv_checks=True, timeout=3.5, catch=(ValueError, OSError), evaluation_function=evaluate
)
shac.fit(catch=ValueError, fresh_process=True, verbose=0)

shac.tell(shac.ask()[0], {"score": 0.5, "loss": 1.5, "note": "warm start"})
shac.tell(shac.ask(), [0.5, {"score": 0.5, "is_deep": True}])
assert_type(shac.top(3)[0], pyshac.Evaluation)
assert_type(shac.evaluations[0].parameters, dict[str, Any])
assert_type(shac.evaluations[0].seconds, float | None)

shac.top("3")  # refused
shac.tell(shac.ask()[0], "0.5")  # refused
shac.fit(3)  # refused
shac.fit(timeout="3")  # refused
shac.fit(callbacks=[print])  # refused
shac.fit(skip_checks=True)  # refused

assert_type(SHAC.load("shac"), SHAC)
assert_type(SHAC.load("shac", evaluate, hyperparameter_list=SPACE), SHAC)
assert_type(TorchSHAC.load(Path("shac"), evaluate, max_gpu_evaluators=2), TorchSHAC)
assert_type(shac.enqueue({"x": 0.5}), int)
assert_type(shac.add([{"x": 0.5, "kind": "a"}], [0.5]), int)
shac.total_budget = 200
shac.fit(max_seconds=8 * 3600)
shac.fit(max_seconds="8h")  # refused

assert_type(shac.ask(3), list[OrderedDict[str, Any]])
shac.tell(shac.ask(), [0.5, 0.25])
assert_type(shac.predict(num_samples=2), list[OrderedDict[str, Any]])
assert_type(shac.best_score, float | None)
assert_type(shac.num_parallel_evaluators, int)
with shac.as_deterministic(3) as same:
    assert_type(same, SHAC)

# Curves and pruning.
pyshac.report(3, 0.5)
pyshac.report(step=3, score=0.5)
sample = shac.ask(pruning="median")[0]
assert_type(pyshac.evaluate(evaluate, sample), pyshac.EvaluationResult)
shac.tell(sample, pyshac.evaluate(evaluate, sample, 2))
shac.tell([sample], [pyshac.evaluate(evaluate, sample)])
shac.fit(pruning=pyshac.HalvingPruning(eta=4), total_steps=1_000)
shac.fit(True, pruning=pyshac.MedianPruning(), verbose=0)
assert_type(shac.evaluations[0].curve, pyshac.Curve | None)
assert_type(pyshac.write_report(shac, "report.html"), Path)

shac.fit(pruning=3)  # refused
shac.fit(total_steps="100")  # refused
pyshac.report("shac", "report.html")  # refused
