"""What searches find with the same budget: every contender, on every task, from many seeds.

    python benchmarks/quality.py                          everything that is still missing
    python benchmarks/quality.py --budgets 200x10         N = 200 in batches of W = 10
    python benchmarks/quality.py --contenders PySHAC 'Optuna TPE' --tasks Branin --seeds 5
    python benchmarks/quality.py --report                 only tables and plots, from the results

Each finished run adds a line to benchmarks/results/quality-NxW.csv, so that an interrupted
benchmark goes on where it stopped. `pip install -r benchmarks/contenders.txt` installs the other
libraries; one that is missing is left out, and said so.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import os
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import conditional_tasks
import contenders
import numpy as np
import quality_report
import quality_tasks
import tasks
from contenders import Budget
from threadpoolctl import threadpool_limits

RESULTS = Path(__file__).parent / "results"
TASKS = {**quality_tasks.QUALITY, **conditional_tasks.CONDITIONAL}
BUDGETS = {"200x10": Budget(200, 10), "100x10": Budget(100, 10), "400x50": Budget(400, 50)}
# What is tried while an engine is being developed uses seeds below 100.
FIRST_SEED = 1000
FIELDS = ("task", "contender", "version", "seed", "seconds", "curve")


@dataclass(frozen=True)
class Run:
    """One search.

    Attributes:
        contender: Name of the contender.
        task: Name of the task.
        budget: Name of the budget.
        seed: Its seed, which also shifts the task.
    """

    contender: str
    task: str
    budget: str
    seed: int


class Evaluations:
    """Scores the samples of one run and follows the best.

    Args:
        task: The task.
        seed: Seed of the noise.
    """

    def __init__(self, task: tasks.Task, seed: int) -> None:
        self._task = task
        self._random = np.random.default_rng([seed, 2])
        self.observed = np.empty(0)
        self.true = np.empty(0)

    def __call__(self, rows: tasks.Rows) -> tasks.Rows:
        """Returns the observed scores of encoded rows."""
        true = self._task.score(rows)
        observed = true + self._task.noise * self._random.standard_normal(len(true))
        self.true = np.append(self.true, true)
        self.observed = np.append(self.observed, observed)
        return observed

    def curve(self, num_points: int) -> tasks.Rows:
        """Returns the score, without noise, of what looked best after equal parts of the run."""
        ends = np.linspace(0, len(self.true), num_points + 1).astype(int)[1:]
        return np.array([self.true[np.argmin(self.observed[:end])] for end in ends])


def make(run: Run) -> list[str]:
    """Makes one search and returns its line of the results."""
    warnings.simplefilter("ignore")
    budget, task = BUDGETS[run.budget], TASKS[run.task](run.seed)
    evaluations = Evaluations(task, run.seed)
    # Processor time of this thread's process, so that other programs do not count.
    started = time.process_time()
    with threadpool_limits(1):
        contenders.ALL[run.contender].search(task, budget, run.seed, evaluations)
    seconds = time.process_time() - started
    curve = " ".join(f"{value:.6g}" for value in evaluations.curve(budget.num_batches))
    contender = contenders.ALL[run.contender]
    version = contender.version or metadata.version(contender.package)
    return [run.task, run.contender, version, str(run.seed), f"{seconds:.2f}", curve]


def path_of(budget: str) -> Path:
    """Returns the file with the results of a budget."""
    return RESULTS / f"quality-{budget}.csv"


def finished(path: Path, budget: str) -> set[Run]:
    """Returns the runs of a budget that a file has."""
    if not path.exists():
        return set()
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {Run(row["contender"], row["task"], budget, int(row["seed"])) for row in rows}


def missing(arguments: argparse.Namespace) -> Iterator[Run]:
    """Yields the runs that are asked for and have not been made, seed after seed."""
    for budget in arguments.budgets:
        done = finished(path_of(budget), budget)
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
            for task in arguments.tasks:
                for contender in arguments.contenders:
                    run = Run(contender, task, budget, seed)
                    if run not in done:
                        yield run


def make_all(runs: list[Run], workers: int, path_of: Callable[[str], Path] = path_of) -> None:
    """Makes runs side by side and appends each to the results as it ends.

    Args:
        runs: The runs.
        workers: Number of processes.
        path_of: Gives the file of a budget's results.
    """
    RESULTS.mkdir(exist_ok=True)
    os.environ["OMP_NUM_THREADS"] = "1"
    with futures.ProcessPoolExecutor(workers) as pool:
        waiting = {pool.submit(make, run): run for run in runs}
        for number, future in enumerate(futures.as_completed(waiting), 1):
            run = waiting[future]
            if error := future.exception():
                print(f"{run}: {type(error).__name__}: {error}", flush=True)
                continue
            _append(path_of(run.budget), future.result())
            print(f"{number}/{len(runs)} {run.contender}, {run.task}, seed {run.seed}", flush=True)


def _append(path: Path, line: list[str]) -> None:
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(FIELDS)
        writer.writerow(line)


def _installed() -> list[str]:
    names = []
    for name, contender in contenders.CONTENDERS.items():
        if importlib.util.find_spec(contender.module):
            names.append(name)
        else:
            print(f"{name} is left out: {contender.package} is not installed")
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budgets", nargs="+", choices=BUDGETS, default=list(BUDGETS))
    parser.add_argument("--contenders", nargs="+", choices=contenders.CONTENDERS)
    parser.add_argument(
        "--tasks", nargs="+", choices=quality_tasks.QUALITY, default=list(quality_tasks.QUALITY)
    )
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds; 20 unless told")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--report", action="store_true", help="only the tables and plots")
    arguments = parser.parse_args()
    arguments.contenders = arguments.contenders or _installed()
    if not arguments.report:
        make_all(list(missing(arguments)), arguments.workers)
    quality_report.write([path_of(budget) for budget in BUDGETS if path_of(budget).exists()])


if __name__ == "__main__":
    main()
