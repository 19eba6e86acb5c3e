"""One run on the clock, and the file in which finished ones are kept.

A line of the file is a run: instance, slots, contender, seed, the engine's own seconds of processor
time, the share of the slots' time in which they trained, how many evaluations began, how many of
them trained all epochs, and the incumbents, each as SHARE:SCORE: since which share of the horizon,
and its true score after all epochs. Runs that are in the file are not made again.
"""

from __future__ import annotations

import csv
import functools
import multiprocessing
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent import futures
from dataclasses import astuple, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from hours_runs import ours, peers
from hours_runs.clock import Engine, Outcome, Simulation
from hours_runs.problems import Problem, references

FIELDS = (
    *("instance", "slots", "contender", "seed"),
    *("seconds", "busy", "started", "complete", "trace"),
)
# Before the first run of a contender in a process, a part of it is made for nothing, since first
# calls import.
_WARM_UP = 0.15
_WARM_UP_SLOTS = 8


@dataclass(frozen=True)
class Contender:
    """A search.

    Attributes:
        make: Takes a search space, a number of slots and a seed.
        module: What is imported for it.
    """

    make: Callable[..., Engine]
    module: str = "pyshac"


def _pyshac(pace: str, pruning: str | None = None) -> Contender:
    return Contender(functools.partial(ours.PySHAC, pace=pace, pruning=pruning))


def _optuna(sampler: str, pruner: str | None = None, **options: Any) -> Contender:
    made = functools.partial(peers.Optuna, sampler=sampler, pruner=pruner, **options)
    return Contender(made, "optuna")


def _syne_tune(scheduler: str) -> Contender:
    return Contender(functools.partial(peers.SyneTune, scheduler=scheduler), "syne_tune")


CONTENDERS = {
    "PySHAC batch": _pyshac("batch"),
    "PySHAC pipeline": _pyshac("pipeline"),
    "PySHAC stream": _pyshac("stream"),
    "PySHAC batch, halving": _pyshac("batch", "halving"),
    "PySHAC pipeline, halving": _pyshac("pipeline", "halving"),
    "PySHAC stream, halving": _pyshac("stream", "halving"),
    "PySHAC stream, median": _pyshac("stream", "median"),
    "PySHAC stream, forecast": _pyshac("stream", "forecast"),
    "random": Contender(ours.RandomSearch),
    "Optuna TPE": _optuna("TPESampler"),
    "Optuna GP": _optuna("GPSampler"),
    "Optuna TPE, Hyperband": _optuna("TPESampler", "HyperbandPruner", max_resource=52),
    "Optuna TPE, median": _optuna("TPESampler", "MedianPruner"),
    "SMAC3, Hyperband": Contender(peers.Smac, "smac"),
    "Syne Tune ASHA": _syne_tune("ASHA"),
    "Syne Tune BOHB": _syne_tune("BOHB"),
}


@dataclass(frozen=True)
class Run:
    """A run that is asked for.

    Attributes:
        instance: Name of the data set.
        slots: Number of slots.
        contender: Name of the search.
        seed: Its seed.
    """

    instance: str
    slots: int
    contender: str
    seed: int


@dataclass(frozen=True)
class Result:
    """A finished run.

    Attributes:
        run: What was asked for.
        outcome: What became of it.
    """

    run: Run
    outcome: Outcome

    def score(self, share: float) -> float:
        """Returns what the incumbent at a share of the horizon is worth; infinity if none is."""
        found = [score for since, score in self.outcome.trace if since <= share]
        return found[-1] if found else float("inf")


def is_installed(contender: str) -> bool:
    """Tells whether this interpreter can run a contender."""
    return find_spec(CONTENDERS[contender].module) is not None


def make(run: Run, problem: Problem, horizon: float) -> Result:
    """Makes a run.

    Args:
        run: What is asked for.
        problem: Its problem.
        horizon: Seconds on the clock.
    """
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        engine = CONTENDERS[run.contender].make(problem.space, run.slots, run.seed)
        try:
            return Result(run, Simulation(engine, problem, run.slots, horizon).run())
        finally:
            engine.close()


@functools.cache
def _warm_up(contender: str, instance: str) -> None:
    horizon = _WARM_UP * references()[instance].horizon
    make(Run(instance, _WARM_UP_SLOTS, contender, 0), Problem(instance), horizon)


def _make_warm(run: Run) -> Result:
    _warm_up(run.contender, next(iter(references())))
    return make(run, Problem(run.instance), references()[run.instance].horizon)


def make_all(wanted: Sequence[Run], path: Path, workers: int) -> None:
    """Makes the runs that a file lacks, side by side, and appends each as it ends."""
    done = {result.run for result in read(path)}
    missing = [run for run in wanted if run not in done]
    os.environ["OMP_NUM_THREADS"] = "1"
    # A forked child would inherit thread pools without their threads.
    context = multiprocessing.get_context("spawn")
    with futures.ProcessPoolExecutor(workers, context) as pool:
        waiting = {pool.submit(_make_warm, run): run for run in missing}
        for number, future in enumerate(futures.as_completed(waiting), 1):
            run = waiting[future]
            if error := future.exception():
                print(f"{run}: {type(error).__name__}: {error}", flush=True)
                continue
            append(path, future.result())
            print(f"{number}/{len(missing)} {' '.join(map(str, astuple(run)))}", flush=True)


def read(path: Path) -> list[Result]:
    """Returns the results of a file; one that is not there has none."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [_result(row) for row in csv.DictReader(file)]


def _result(row: dict[str, str]) -> Result:
    run = Run(row["instance"], int(row["slots"]), row["contender"], int(row["seed"]))
    pairs = [point.split(":") for point in row["trace"].split()]
    trace = tuple((float(share), float(score)) for share, score in pairs)
    numbers = float(row["seconds"]), float(row["busy"]), int(row["started"]), int(row["complete"])
    return Result(run, Outcome(*numbers, trace))


def append(path: Path, result: Result) -> None:
    """Adds a result to a file."""
    is_new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    outcome = result.outcome
    trace = " ".join(f"{share:.5f}:{score:.9g}" for share, score in outcome.trace)
    numbers = f"{outcome.seconds:.3f}", f"{outcome.busy:.4f}", outcome.started, outcome.complete
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(FIELDS)
        writer.writerow([*astuple(result.run), *numbers, trace])
