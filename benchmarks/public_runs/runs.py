"""One search on one problem, and the files in which finished ones are kept.

A line of a file is a run: suite, instance, budget, contender, seed, the contender's own seconds of
processor time, and the best score after each batch. Runs that are in the file are not made again.
"""

from __future__ import annotations

import csv
import multiprocessing
import os
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent import futures
from dataclasses import astuple, dataclass
from pathlib import Path

import contenders
import numpy as np
import tasks
from contenders import Budget, Search
from public_suites import catalogue
from public_suites.instances import Instance
from threadpoolctl import threadpool_limits

FIELDS = ("suite", "instance", "budget", "contender", "seed", "seconds", "curve")
# Gives the search of a contender by its name; is called where the run is made.
Find = Callable[[str], Search]


@dataclass(frozen=True)
class Run:
    """A search that is asked for.

    Attributes:
        suite: Name of the suite.
        instance: Name of the problem within the suite.
        budget: N/W, evaluations in all and at once.
        contender: What its result is called.
        seed: Its seed, also of the noise.
    """

    suite: str
    instance: str
    budget: str
    contender: str
    seed: int


@dataclass(frozen=True)
class Result:
    """A finished run.

    Attributes:
        run: What was asked for.
        seconds: Processor time of the search, without the evaluations.
        curve: Best score so far after each batch, without noise.
    """

    run: Run
    seconds: float
    curve: tuple[float, ...]

    @property
    def final(self) -> float:
        """The score, without noise, of what looked best at the end."""
        return self.curve[-1]


def budget_of(text: str) -> Budget:
    """Returns the budget N/W.

    Raises:
        ValueError: The text is no such budget, or W does not divide N.
    """
    parts = text.split("/")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) for part in parts):
        raise ValueError(f"A budget must be N/W, such as 128/8. Got {text!r} instead.")
    evaluations, batch = map(int, parts)
    if evaluations % batch:
        raise ValueError(f"W must divide N. Got {text!r} instead.")
    return Budget(evaluations, batch)


class Evaluations:
    """Scores the samples of a run, follows the best and takes the time.

    Args:
        instance: The problem.
        seed: Seed of the noise.
    """

    def __init__(self, instance: Instance, seed: int) -> None:
        self._instance = instance
        self._random = np.random.default_rng([seed, 2])
        self._observed = np.empty(0)
        self._true = np.empty(0)
        self.seconds = 0.0

    def __call__(self, rows: tasks.Rows) -> tasks.Rows:
        """Returns the observed scores of encoded rows, shape (n,)."""
        started = time.process_time()
        true = self._instance.task.score(rows)
        noise = self._instance.noise
        observed = true if noise is None else noise(true, self._random)
        self._true = np.append(self._true, true)
        self._observed = np.append(self._observed, observed)
        self.seconds += time.process_time() - started
        return observed

    def curve(self, num_points: int) -> tuple[float, ...]:
        """Returns the true score of what looked best after equal parts of the run."""
        ends = np.linspace(0, len(self._true), num_points + 1).astype(int)[1:]
        return tuple(float(self._true[np.argmin(self._observed[:end])]) for end in ends)


def make(run: Run, search: Search) -> Result:
    """Makes a run."""
    warnings.simplefilter("ignore")
    budget = budget_of(run.budget)
    instance = catalogue.instance(run.suite, run.instance)
    evaluations = Evaluations(instance, run.seed)
    with threadpool_limits(1):
        started = time.process_time()
        search(instance.task, budget, run.seed, evaluations)
        seconds = time.process_time() - started - evaluations.seconds
    return Result(run, seconds, evaluations.curve(budget.num_batches))


def find_contender(name: str) -> Search:
    """Returns a contender of `contenders`."""
    return contenders.ALL[name].search


def read(paths: Iterable[Path]) -> list[Result]:
    """Returns the results of some files; one that is not there has none."""
    found = []
    for path in paths:
        if path.exists():
            with path.open(newline="") as file:
                found += [_result(row) for row in csv.DictReader(file)]
    return found


def _result(row: dict[str, str]) -> Result:
    run = Run(row["suite"], row["instance"], row["budget"], row["contender"], int(row["seed"]))
    curve = tuple(float(value) for value in row["curve"].split())
    return Result(run, float(row["seconds"]), curve)


def append(path: Path, result: Result) -> None:
    """Adds a result to a file."""
    is_new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    curve = " ".join(f"{value:.9g}" for value in result.curve)
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(FIELDS)
        writer.writerow([*astuple(result.run), f"{result.seconds:.3f}", curve])


def make_all(wanted: Iterable[tuple[Run, str]], path: Path, workers: int, find: Find) -> None:
    """Makes the runs that a file lacks, side by side, and appends each as it ends.

    Args:
        wanted: Runs, and what `find` is asked for in each.
        path: The file.
        workers: Number of processes.
        find: A function of a module, that gives the search of a contender.
    """
    done = {result.run for result in read([path])}
    missing = [(run, contender) for run, contender in wanted if run not in done]
    os.environ["OMP_NUM_THREADS"] = "1"
    # A forked child would inherit thread pools without their threads.
    context = multiprocessing.get_context("spawn")
    with futures.ProcessPoolExecutor(workers, context) as pool:
        waiting = {pool.submit(_make_with, run, one, find): run for run, one in missing}
        for number, future in enumerate(futures.as_completed(waiting), 1):
            run = waiting[future]
            if error := future.exception():
                print(f"{run}: {type(error).__name__}: {error}", flush=True)
                continue
            append(path, future.result())
            print(f"{number}/{len(missing)} {' '.join(map(str, astuple(run)))}", flush=True)


def _make_with(run: Run, contender: str, find: Find) -> Result:
    return make(run, find(contender))
