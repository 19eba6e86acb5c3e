"""Which contenders are compared on which problems, from how many seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import contenders
import numpy as np
from public_suites import catalogue

from public_runs.runs import Run

# What is tried while an engine is being developed uses seeds below 100.
FIRST_SEED = 1000
BUDGETS = ("128/8", "64/8", "256/32")
NUM_SEEDS = 3
# These take a minute a run and more: one seed, and fewer problems.
DEAR = ("Optuna GP", "SMAC3", "HEBO", "HEBO, warped")
_NUM_DEAR_PROBLEMS = {"128/8": 60}
_FEWER_DEAR_PROBLEMS = 30
CHEAP = (
    *("random", "random 2N", "Optuna TPE", "Nevergrad"),
    *("PySHAC 0.3.5.1", "PySHAC, paper", "PySHAC"),
)
CONTENDERS = (*CHEAP, *DEAR)

# A problem: its suite and its name.
Problem = tuple[str, str]


def path_of(folder: Path, budget: str) -> Path:
    """Returns the file of a budget's results."""
    return folder / f"public-{budget.replace('/', 'x')}.csv"


def problems(suites: Sequence[str]) -> list[Problem]:
    """Returns the half of some suites that reports use."""
    return [(suite, name) for suite in suites for name in catalogue.instances(suite, "odd")]


def few_problems(suites: Sequence[str], count: int) -> list[Problem]:
    """Returns so many of `problems`, of each suite as many, or all that it has.

    Args:
        suites: Names of suites.
        count: How many are returned if there are as many.
    """
    names = {suite: catalogue.instances(suite, "odd") for suite in suites}
    shares: Counter[str] = Counter()
    while shares.total() < min(count, sum(map(len, names.values()))):
        has_more = [suite for suite in suites if shares[suite] < len(names[suite])]
        shares.update(has_more[: count - shares.total()])
    return [(suite, name) for suite in suites for name in spread(names[suite], shares[suite])]


def spread(names: Sequence[str], count: int) -> list[str]:
    """Returns so many of some names, evenly spread."""
    places = np.linspace(0, len(names) - 1, count).round().astype(int)
    return [names[place] for place in places]


def wanted(
    chosen: Sequence[str], budgets: Sequence[str], suites: Sequence[str], num_seeds: int
) -> Iterator[tuple[Run, str]]:
    """Yields the runs of a report, budget after budget and seed after seed.

    Args:
        chosen: Names of contenders.
        budgets: Budgets, N/W.
        suites: Names of suites.
        num_seeds: Seeds of contenders that are not dear.
    """
    all_problems = problems(suites)
    for budget in budgets:
        few = few_problems(suites, _NUM_DEAR_PROBLEMS.get(budget, _FEWER_DEAR_PROBLEMS))
        for seed in range(FIRST_SEED, FIRST_SEED + num_seeds):
            for contender in chosen:
                is_dear = contender in DEAR
                if is_dear and seed > FIRST_SEED:
                    continue
                for suite, name in few if is_dear else all_problems:
                    yield Run(suite, name, budget, contender, seed), contender


def is_installed(contender: str) -> bool:
    """Tells whether this interpreter can run a contender."""
    from importlib.util import find_spec

    return find_spec(contenders.ALL[contender].module) is not None
