"""What a search itself costs: processor time of the engines, on a function that takes none.

    python benchmarks/overhead.py                    N = 1000 in batches of W = 10, K = 18
    python benchmarks/overhead.py --seeds 1

Beside ours stands Optuna's TPE, which benchmarks/contenders.txt installs. Prints a table in
Markdown. Both are measured in one run, in turns, on one core; only their ratio means anything.
"""

from __future__ import annotations

import argparse
import time
import warnings

import contenders
import numpy as np
import quality_tasks
import tasks
from contenders import Budget
from threadpoolctl import threadpool_limits

BUDGET = Budget(1000, 10)
NAMES = ("PySHAC", "Optuna TPE")
SPACES = ("Branin", "Hartmann6", "8 mixed", "Rastrigin 10")


def trivial(rows: tasks.Rows) -> tasks.Rows:
    """Returns the sum of each row: next to no time, and a single best corner."""
    return rows.sum(axis=1)


def seconds(name: str, task: tasks.Task, seed: int) -> float:
    """Returns the processor time of one search."""
    started = time.process_time()
    contenders.CONTENDERS[name].search(task, BUDGET, seed, trivial)
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds; 3 unless told")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| milliseconds an evaluation | " + " | ".join(NAMES) + " | ratio |")
    print("|---" * (len(NAMES) + 2) + "|")
    with threadpool_limits(1):
        for space in SPACES:
            runs = [
                [seconds(name, quality_tasks.QUALITY[space](seed), seed) for name in NAMES]
                for seed in range(arguments.seeds)
            ]
            ours, theirs = 1000 * np.mean(runs, axis=0) / BUDGET.evaluations
            print(f"| {space} | {ours:.1f} | {theirs:.1f} | {ours / theirs:.2f} |", flush=True)


if __name__ == "__main__":
    main()
