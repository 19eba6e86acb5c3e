"""Learning curves of YAHPO Gym's lcbench: cross-entropies and seconds of trainings of 52 epochs.

`references.csv` has for each data set what random configurations reach, and how long they take;
`hours.py references` writes it.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tasks
from public_suites import yahpo
from public_suites.instances import Space, half_of

from pyshac.core.hyperparameters import HyperParameterList

SUITE = "lcbench"
EPOCHS = 52
# Places among the outputs of the model.
_SECONDS, _CROSS_ENTROPY = 0, 2
REFERENCES = Path(__file__).with_name("references.csv")
_FIELDS = ("instance", "best", "median", "mean_seconds")
_NUM_RANDOM = 20_000


@dataclass(frozen=True)
class Curve:
    """A training.

    Attributes:
        scores: Validation cross-entropies after 1 to 52 epochs, shape (52,).
        seconds: Seconds that these take from the start, shape (52,).
    """

    scores: tasks.Rows
    seconds: tasks.Rows


@dataclass(frozen=True)
class Reference:
    """What random configurations reach on a data set.

    Attributes:
        best: The lowest score of 20,000 after all epochs.
        median: Their median.
        mean_seconds: Mean time of a whole training.
    """

    best: float
    median: float
    mean_seconds: float

    @property
    def horizon(self) -> float:
        """Seconds that 100 whole trainings take in 8 slots."""
        return 100 * self.mean_seconds / 8


class Problem:
    """A data set.

    Args:
        name: Its name.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._surrogate = yahpo.surrogate_of(SUITE)
        self._space = Space(self._surrogate.parameters(), f"{SUITE}/{name}")

    @property
    def space(self) -> HyperParameterList:
        """The search space."""
        return self._space.hyperparameters

    def curve(self, row: tasks.Rows) -> Curve:
        """Returns the training of an encoded sample, shape (columns,).

        The surrogate's time falls here and there from one epoch to the next, and does not on the
        clock.
        """
        columns = self._space.columns(np.repeat(row[None], EPOCHS, axis=0))
        epochs = np.arange(1.0, EPOCHS + 1)
        outputs = self._surrogate.outputs(self._name, {**columns, "epoch": epochs})
        return Curve(outputs[:, _CROSS_ENTROPY], np.maximum.accumulate(outputs[:, _SECONDS]))

    def measure(self) -> Reference:
        """Draws random configurations and returns what they reach."""
        columns = self._space.columns(self.space.draw(_NUM_RANDOM, np.random.SeedSequence(0)))
        outputs = self._surrogate.outputs(self._name, {**columns, "epoch": np.array(float(EPOCHS))})
        scores = outputs[:, _CROSS_ENTROPY]
        return Reference(
            float(scores.min()), float(np.median(scores)), float(outputs[:, _SECONDS].mean())
        )


def names(half: str) -> list[str]:
    """Returns the data sets of a half: "even" for development, "odd" for the report, or "all"."""
    return half_of(list(references()), half)


@functools.cache
def references() -> dict[str, Reference]:
    """Returns what random configurations reach, by data set, sorted by number."""
    with REFERENCES.open(newline="") as file:
        return {
            row["instance"]: Reference(*(float(row[field]) for field in _FIELDS[1:]))
            for row in csv.DictReader(file)
        }


def write_references(chosen: Sequence[str] | None = None) -> None:
    """Measures data sets, all unless told, and writes `references.csv`."""
    with REFERENCES.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_FIELDS)
        for name in yahpo.names(SUITE) if chosen is None else chosen:
            found = Problem(name).measure()
            numbers = (found.best, found.median, found.mean_seconds)
            writer.writerow([name, *(f"{number:.9g}" for number in numbers)])
