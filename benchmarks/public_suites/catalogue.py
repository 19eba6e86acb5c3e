"""All suites by name: their instances, their halves, and what scores mean in them.

`references.csv` has for each problem what random points reach, once for all, so that every result
is measured with the same rod, and the optimum where it is known. `public.py references` writes it.
"""

from __future__ import annotations

import csv
import functools
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tasks

from public_suites import bayesmark, coco, pbo, tables, yahpo
from public_suites.instances import Instance, half_of

REFERENCES = Path(__file__).with_name("references.csv")
_FIELDS = ("suite", "name", "best_of_64", "best_of_4096", "median_of_1024", "optimum")
# How near to the best of 4,096 random points, in parts of what lies between the median and that,
# the best of 64 is when the problem counts as solved by luck.
_LUCK = 1e-3


@dataclass(frozen=True)
class Suite:
    """A suite.

    Attributes:
        names: Returns the names of all its problems, sorted.
        instance: Returns a problem by its name.
        has_lucky: Whether problems that luck solves are left out.
        kept: How many of the others are kept, evenly spread; None for all.
    """

    names: Callable[[], list[str]]
    instance: Callable[[str], Instance]
    has_lucky: bool = False
    kept: int | None = None


def _yahpo(name: str, has_lucky: bool = False, kept: int | None = None) -> Suite:
    return Suite(
        functools.partial(yahpo.names, name),
        functools.partial(yahpo.instance, name),
        has_lucky,
        kept,
    )


def _coco(name: str) -> Suite:
    return Suite(functools.partial(coco.names, name), functools.partial(coco.instance, name))


SUITES = {
    "lcbench": _yahpo("lcbench"),
    "xgboost": _yahpo("xgboost", has_lucky=True),
    "xgboost-conditional": _yahpo("xgboost-conditional", has_lucky=True),
    "rpart": _yahpo("rpart", has_lucky=True, kept=10),
    "tables": Suite(tables.names, tables.instance),
    "bbob": _coco("bbob"),
    "mixint": _coco("mixint"),
    "noisy": _coco("noisy"),
    "pbo": Suite(pbo.names, pbo.instance),
}
# Suites whose problems are those of another one, told differently, so random points reach the same.
SAME_AS = {"xgboost-conditional": "xgboost"}
# Each problem once.
DISTINCT = [name for name in SUITES if name not in SAME_AS]


@dataclass(frozen=True)
class Reference:
    """What random points reach on a problem.

    Attributes:
        best_of_64: Lowest score of 64.
        best_of_4096: Lowest score of 4,096 others.
        median_of_1024: Median score of the first 1,024 of these.
        optimum: Lowest score there is, or None.
    """

    best_of_64: float
    best_of_4096: float
    median_of_1024: float
    optimum: float | None

    @property
    def lowest(self) -> float:
        """The lowest score that is known without any search."""
        return self.best_of_4096 if self.optimum is None else self.optimum

    @property
    def is_solved_by_luck(self) -> bool:
        """Whether 64 random points reach what 4,096 reach."""
        spread = self.median_of_1024 - self.best_of_4096
        return self.best_of_64 - self.best_of_4096 <= _LUCK * spread

    def regret(self, score: float, best: float) -> float:
        """Returns the normalised regret of a score: 0 for the best known, 1 for the median."""
        spread = self.median_of_1024 - best
        return min(max((score - best) / spread, 0.0), 1.0) if spread > 0 else 0.0


def instances(suite: str, half: str) -> list[str]:
    """Returns the names of the problems of a half of a suite.

    Args:
        suite: Name of the suite.
        half: "even" for development, "odd" for the report, or "all".

    Raises:
        ValueError: There is no such suite or half.
    """
    if suite not in SUITES:
        raise ValueError(f"suite must be one of {', '.join(SUITES)}. Got {suite!r} instead.")
    kept = SUITES[suite].names()
    if SUITES[suite].has_lucky:
        kept = [name for name in kept if not references()[suite, name].is_solved_by_luck]
    number = SUITES[suite].kept
    if number is not None:
        kept = [kept[place] for place in np.linspace(0, len(kept) - 1, number).round().astype(int)]
    return half_of(kept, half)


def instance(suite: str, name: str) -> Instance:
    """Returns a problem; those of Bayesmark, too, which have a score of their own."""
    return bayesmark.instance(name) if suite == bayesmark.SUITE else SUITES[suite].instance(name)


@functools.cache
def references() -> dict[tuple[str, str], Reference]:
    """Returns what random points reach, by suite and problem."""
    with REFERENCES.open(newline="") as file:
        found = {(row["suite"], row["name"]): _reference(row) for row in csv.DictReader(file)}
    same = {told: [key for key in found if key[0] == suite] for told, suite in SAME_AS.items()}
    return found | {(told, key[1]): found[key] for told, keys in same.items() for key in keys}


def _reference(row: dict[str, str]) -> Reference:
    few, many, median = (float(row[field]) for field in _FIELDS[2:5])
    return Reference(few, many, median, float(row["optimum"]) if row["optimum"] else None)


def measure(suite: str, name: str) -> Reference:
    """Draws random points on a problem and returns what they reach."""
    one = instance(suite, name)
    few, many = (_scores(one.task, count) for count in (64, 4096))
    return Reference(
        float(few.min()), float(many.min()), float(np.median(many[:1024])), one.optimum
    )


def _scores(task: tasks.Task, count: int) -> tasks.Rows:
    stream = np.random.SeedSequence([zlib.crc32(task.name.encode()), count])
    return task.score(task.space.draw(count, stream))


def write_references(suites: Iterable[str]) -> None:
    """Measures all problems of some suites and replaces their lines in `references.csv`."""
    found = dict(references()) if REFERENCES.exists() else {}
    measured = [suite for suite in suites if suite in DISTINCT]
    found = {
        key: reference
        for key, reference in found.items()
        if key[0] in DISTINCT and key[0] not in measured
    }
    for suite in measured:
        for name in SUITES[suite].names():
            found[suite, name] = measure(suite, name)
        print(f"{suite}: {len(SUITES[suite].names())} problems", flush=True)
    order = list(SUITES)
    with REFERENCES.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_FIELDS)
        for suite, name in sorted(found, key=lambda key: order.index(key[0])):
            writer.writerow([suite, name, *_texts(found[suite, name])])


def _texts(reference: Reference) -> list[str]:
    numbers = [reference.best_of_64, reference.best_of_4096, reference.median_of_1024]
    optimum = "" if reference.optimum is None else f"{reference.optimum:.9g}"
    return [*(f"{number:.9g}" for number in numbers), optimum]
