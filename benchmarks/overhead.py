"""What a search itself costs: processor time of the engines, on a function that takes none.

    python benchmarks/overhead.py                    N = 1000 in batches of W = 10, K = 18
    python benchmarks/overhead.py --seeds 1
    python benchmarks/overhead.py --conditions       what conditions add to draws

The other one is Optuna's TPE, which benchmarks/contenders.txt installs. Both are measured in one
run, in turns, on one core; only their ratio means anything. So are draws of fifty parameters
without conditions, and with thirty. Prints a table in Markdown, and writes its rows to
benchmarks/results/overhead.csv or overhead-conditions.csv.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import contenders
import numpy as np
import quality_tasks
import tasks
from contenders import Budget
from threadpoolctl import threadpool_limits

from pyshac import SHAC
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampling.generators import ALONE
from pyshac.core.sampling.region import AcceptedRegion

RESULTS = Path(__file__).with_name("results")
BUDGET = Budget(1000, 10)
NAMES = ("PySHAC", "Optuna TPE")
SPACES = ("Branin", "Hartmann6", "8 mixed", "Rastrigin 10")
NUM_CONDITIONS = 30
# What `when` is told of a parent of each kind of `tasks.mixed50`, so that half of its values hold.
HALVES = (
    {"at_least": 0.0},
    {"at_least": 10**-2.5},
    {"at_least": 0.0},
    {"at_least": 8},
    {"values": ["a", "b"]},
)
NUM_DRAWS = (10, 100, 10_000)
# Batches of the published method, each of which trains a classifier that rejects about half.
NUM_CLASSIFIERS = 5


def trivial(rows: tasks.Rows) -> tasks.Rows:
    """Returns the sum of each row: next to no time, and a single best corner."""
    return rows.sum(axis=1)


def seconds(name: str, task: tasks.Task, seed: int) -> float:
    """Returns the processor time of one search."""
    started = time.process_time()
    contenders.CONTENDERS[name].search(task, BUDGET, seed, trivial)
    return time.process_time() - started


def with_conditions() -> HyperParameterList:
    """Returns the space of `tasks.mixed50`, with thirty of its parameters under a condition.

    Each has any parameter before it as its parent, so some are three levels deep.
    """
    space, random = tasks.mixed50().space, np.random.default_rng(0)
    for number, parameter in enumerate(space):
        if number >= len(space) - NUM_CONDITIONS:
            parent = int(random.integers(number))
            parameter.when(f"p{parent}", **HALVES[parent % len(HALVES)])
    return HyperParameterList(space)


def trained_region(space: HyperParameterList) -> AcceptedRegion:
    """Returns what a few classifiers accept, trained on the sum of all values in the unit cube."""
    with tempfile.TemporaryDirectory() as folder:
        batches = 2 * NUM_CLASSIFIERS
        engine = SHAC(space, 100 * batches, batches, "min", save_dir=folder, method="paper")
        engine.set_seed(0)
        engine.set_num_parallel_generators(1)
        while len(engine.classifiers) < NUM_CLASSIFIERS:
            samples = engine.ask()
            rows = np.array([space.encode(space.to_row(sample)) for sample in samples])
            scores = np.nansum(space.to_unit(rows), axis=1)
            engine.tell(samples, scores.tolist(), skip_cv_checks=True)
        search = engine._require_run().search
        return search.region(False, ALONE)


def in_turns(draws: list[Callable[[int], object]], repeats: int) -> list[float]:
    """Returns the median processor time of calls, made in turns with the number of the turn."""
    seconds: list[list[float]] = [[] for _ in draws]
    for turn in range(repeats):
        for place, draw in enumerate(draws):
            started = time.process_time()
            draw(turn)
            seconds[place].append(time.process_time() - started)
    return np.median(seconds, axis=1).tolist()


def write_table(heads: Sequence[str], rows: Iterable[tuple[str, float, float]], path: Path) -> None:
    """Prints a table of milliseconds, with their ratio, and writes it as CSV.

    Args:
        heads: Names of the first three columns.
        rows: A name, and two times in milliseconds.
        path: The file.
    """
    print("| " + " | ".join((*heads, "ratio")) + " |\n|---|---|---|---|")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(heads)
        for name, first, second in rows:
            print(markdown(name, first, second), flush=True)
            writer.writerow([name, f"{first:.4g}", f"{second:.4g}"])


def markdown(name: str, first: float, second: float) -> str:
    """Returns a row of a table: two times in milliseconds, and the longer by the shorter."""
    ratio = max(first, second) / min(first, second)
    return f"| {name} | {first:.2f} | {second:.2f} | {ratio:.2f} |"


def conditions() -> Iterable[tuple[str, float, float]]:
    """Yields what draws take without conditions and with them, in milliseconds."""
    spaces = [tasks.mixed50().space, with_conditions()]
    regions = [trained_region(space) for space in spaces]
    for what, drawn in (("prior", spaces), (f"{NUM_CLASSIFIERS} classifiers", regions)):
        for number in NUM_DRAWS if drawn is spaces else NUM_DRAWS[:2]:
            draws = [
                lambda turn, one=one, n=number: one.draw(n, np.random.SeedSequence(turn))
                for one in drawn
            ]
            plain, conditional = in_turns(draws, 20)
            yield f"{number} draws, {what}", 1000 * plain, 1000 * conditional


def searches(num_seeds: int) -> Iterable[tuple[str, float, float]]:
    """Yields what an evaluation costs each library, in milliseconds."""
    for space in SPACES:
        runs = [
            [seconds(name, quality_tasks.QUALITY[space](seed), seed) for name in NAMES]
            for seed in range(num_seeds)
        ]
        ours, theirs = (1000 * np.mean(runs, axis=0) / BUDGET.evaluations).tolist()
        yield space, ours, theirs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds; 3 by default")
    parser.add_argument("--conditions", action="store_true", help="only what conditions add")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        if arguments.conditions:
            heads = ("milliseconds", "50 parameters", "with 30 conditions")
            write_table(heads, conditions(), RESULTS / "overhead-conditions.csv")
        else:
            heads = ("milliseconds an evaluation", *NAMES)
            write_table(heads, searches(arguments.seeds), RESULTS / "overhead.csv")


if __name__ == "__main__":
    main()
