"""What conditional parameters are worth: with them, flattened, and beside others, from many seeds.

    python benchmarks/conditional.py                     everything that is still missing
    python benchmarks/conditional.py --contenders PySHAC --tasks network --seeds 5
    python benchmarks/conditional.py --report            only the tables, from the results

N = 100 in batches of W = 10. Flattened, all parameters of a space always have values, and the
function ignores those that it does not use. Optuna's TPE with group=True is asked only for active
parameters, define by run. Each finished run adds a line to benchmarks/results/conditional.csv, or
to --out. Seeds below 100 are for development. Prints tables in Markdown.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import conditional_tasks
import contenders
import numpy as np
import quality
import quality_report
from quality_report import OURS, Floats, Results
from scipy import stats

RESULTS = Path(__file__).parent / "results" / "conditional.csv"
BUDGET = "100x10"
NAMES = ("PySHAC", *contenders.WITH_CONDITIONS, "random", "random 2N")


def missing(arguments: argparse.Namespace) -> Iterator[quality.Run]:
    """Yields the runs that are asked for and have not been made, seed after seed."""
    done = quality.finished(arguments.out, BUDGET)
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        for task in arguments.tasks:
            for contender in arguments.contenders:
                run = quality.Run(contender, task, BUDGET, seed)
                if run not in done:
                    yield run


def differences(results: Results, task: str, baseline: str) -> Floats:
    """Returns our score less another's, for each seed that both have, shape (seeds,)."""
    ours, theirs = results.final(task, OURS), results.final(task, baseline)
    return np.array([ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())])


def p_of_all(results: Results, baseline: str) -> tuple[float, float]:
    """Returns how likely we would be as far ahead by chance, over all tasks.

    Returns:
        The p of the sign test over all pairs of runs, and that of Wilcoxon's signed rank test over
        seeds, whose scores are ranks on each task, averaged.
    """
    found = [differences(results, task, baseline) for task in results.tasks]
    every = np.concatenate(found)
    won, lost = int((every < 0).sum()), int((every > 0).sum())
    sign = stats.binomtest(won, won + lost, alternative="greater").pvalue if won + lost else 1.0
    # Ranks, as scores of different tasks are no measure for one another.
    ranks = [np.sign(one) * stats.rankdata(np.abs(one)) for one in found]
    seeds = min(map(len, ranks))
    mean = np.mean([one[:seeds] for one in ranks], axis=0)
    return float(sign), float(stats.wilcoxon(mean, alternative="less").pvalue)


def tests(results: Results) -> Iterator[str]:
    """Yields the lines of the table of paired tests, in Markdown."""
    others = [name for name in results.contenders if name != OURS]
    yield f"| p that {OURS} is ahead by chance | " + " | ".join(others) + " |"
    yield "|---" * (len(others) + 1) + "|"
    columns = [quality_report.p_values(results, other) for other in others]
    for task, *row in zip(results.tasks, *columns, strict=True):
        yield f"| {task} | " + " | ".join(f"{p:.2g}" for p in row) + " |"
    for test, place in (("all, signs", 0), ("all, Wilcoxon", 1)):
        row = [p_of_all(results, other)[place] for other in others]
        yield f"| {test} | " + " | ".join(f"{p:.2g}" for p in row) + " |"
    found = {o: np.concatenate([differences(results, t, o) for t in results.tasks]) for o in others}
    cells = [f"{int((one < 0).sum())} to {int((one > 0).sum())}" for one in found.values()]
    yield "| runs won and lost | " + " | ".join(cells) + " |"
    yield ""


def report(path: Path) -> None:
    """Prints the tables of a file of results."""
    results = replace(quality_report.read(path), budget=BUDGET)
    print("\n".join([*quality_report.tables(results), *tests(results)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    tasks = conditional_tasks.CONDITIONAL
    parser.add_argument("--contenders", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--tasks", nargs="+", choices=tasks, default=list(tasks))
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds; 20 unless told")
    parser.add_argument("--first-seed", type=int, default=quality.FIRST_SEED)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"the file; {RESULTS.name}")
    parser.add_argument("--report", action="store_true", help="only the tables")
    arguments = parser.parse_args()
    if not arguments.report:
        runs = list(missing(arguments))
        quality.make_all(runs, arguments.workers, lambda budget: arguments.out)
    report(arguments.out)


if __name__ == "__main__":
    main()
