"""What each difference from the published procedure is worth, on problems that others know.

    python benchmarks/differences.py                     what is missing of everything
    python benchmarks/differences.py --suites tables pbo   of some suites
    python benchmarks/differences.py --report            only the table, from the results

One difference at a time is reverted in the default method; the last line declares a larger
budget and stops early. The problems are those of
benchmarks/public.py that are for development, N = 128 in batches of W = 8. Finished runs are kept
in benchmarks/results/differences.csv. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import tasks
from contenders import Budget, Evaluate, Search, run_batch
from public_runs import comparison, runs
from public_suites import catalogue, yahpo

from pyshac import SHAC
from pyshac.core.classifiers.boosted_trees import Boosting
from pyshac.core.search.method import DEFAULT, PAPER, Method

RESULTS = Path(__file__).parent / "results" / "differences.csv"
BUDGET = "128/8"
DECLARED_FACTOR = 8
DECLARED = "N = 1,024 declared, stopped after 128"
METHODS: dict[str, Method] = {
    "default": DEFAULT,
    "classifiers learn from their own stage only": replace(DEFAULT, reuse_samples=False),
    "classifiers reject all that they think is not good": replace(DEFAULT, is_lenient=False),
    "200 trees": replace(DEFAULT, trees=Boosting(num_trees=200)),
    "min_child_weight=1": replace(DEFAULT, trees=Boosting(min_child_weight=1.0)),
    "no choice among samples": replace(DEFAULT, num_choices=1),
    "trees alone choose": replace(DEFAULT, rankings=("trees",)),
    "the upper bound alone chooses": replace(DEFAULT, rankings=("bound",)),
    "expected improvement alone chooses": replace(DEFAULT, rankings=("improvement",)),
    "equal shares for all rankings": replace(DEFAULT, learns_shares=False),
    "paper": PAPER,
    DECLARED: DEFAULT,
}


def find(name: str) -> Search:
    """Returns the search by one of the methods, or random search."""
    if name == comparison.RANDOM:
        return runs.find_contender(name)

    def search(task: tasks.Task, budget: Budget, seed: int, evaluate: Evaluate) -> None:
        factor = DECLARED_FACTOR if name == DECLARED else 1
        with tempfile.TemporaryDirectory() as folder:
            engine = SHAC(
                task.space,
                factor * budget.evaluations,
                factor * budget.num_batches,
                "min",
                save_dir=folder,
            )
            engine.set_seed(seed)
            engine.set_num_parallel_generators(1)
            inner = engine._require_run().search
            inner.settings = replace(inner.settings, method=METHODS[name])
            for _ in range(budget.num_batches):
                run_batch(engine, task, evaluate)

    return search


def wanted(suites: list[str], seeds: int) -> Iterator[tuple[runs.Run, str]]:
    """Yields all runs, seed after seed."""
    for seed in range(seeds):
        for suite in suites:
            for instance in catalogue.instances(suite, "even"):
                for name in (comparison.RANDOM, *METHODS):
                    yield runs.Run(suite, instance, BUDGET, name, seed), name


def report() -> None:
    """Prints how each difference that is reverted compares with the default."""
    finals = comparison.Finals(runs.read([RESULTS]), BUDGET)
    print("| reverted | " + " | ".join(comparison.COLUMNS) + " |")
    print("|---" * (len(comparison.COLUMNS) + 1) + "|")
    for name in finals.contenders:
        if name in METHODS and name != "default":
            print(f"| {name} | {comparison.row(finals, 'default', name)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suites", nargs="+", choices=catalogue.DISTINCT)
    parser.add_argument("--seeds", type=int, default=1, help="number of seeds; 1 unless told")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--yahpo", help=f"folder of YAHPO Gym's data; {yahpo.FOLDER_VARIABLE}")
    parser.add_argument("--report", action="store_true", help="only the table")
    arguments = parser.parse_args()
    if arguments.yahpo:
        os.environ[yahpo.FOLDER_VARIABLE] = arguments.yahpo
    if not arguments.report:
        suites = arguments.suites or catalogue.DISTINCT
        runs.make_all(wanted(suites, arguments.seeds), RESULTS, arguments.workers, find)
    report()


if __name__ == "__main__":
    main()
