"""The cover changes which proposals are made, and nothing about the accepted samples.

For every task of benchmarks/sampling.py 20,000 samples drawn from the cover are compared with as
many from plain rejection: each column by itself and every pair's correlation. A comparison fails
below a probability of 1e-3, divided by the number of comparisons (Bonferroni).
"""

import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.hyperparameters import (
    HyperParameterList,
    IntegerHP,
    OrdinalHP,
    SimplexHP,
    UniformHP,
)
from pyshac.core.sampling.proposals import Proposals
from tests.cascades import covers_of, trained_cascade

ROOT = Path(__file__).parents[3]
NUM_SAMPLES = 20_000
NUM_CLASSIFIERS = 5
ALPHA = 1e-3

spec = importlib.util.spec_from_file_location("tasks", ROOT / "benchmarks" / "tasks.py")
tasks = importlib.util.module_from_spec(spec)
sys.modules["tasks"] = tasks
spec.loader.exec_module(tasks)

ROWS = [
    (tasks.branin, 10),
    (tasks.hartmann6, 10),
    pytest.param(tasks.hartmann6, 50, marks=pytest.mark.long),
    (tasks.levy, 20),
    pytest.param(tasks.levy, 100, marks=pytest.mark.long),
    (tasks.choices, 10),
    pytest.param(tasks.mixed50, 50, marks=pytest.mark.long),
]


def draw(proposals: Proposals, cascade: Cascade, seed: int) -> np.ndarray:
    found, block = [], 0
    while sum(map(len, found)) < NUM_SAMPLES:
        stream = np.random.SeedSequence((seed, block))
        found.append(proposals.accepted(cascade, 2**15, stream))
        block += 1
    return np.concatenate(found)[:NUM_SAMPLES]


def discrete_columns(space) -> list[bool]:
    return [kind.num_values < math.inf for kind in space.column_kinds]


def same_column(ours: np.ndarray, plain: np.ndarray, is_discrete: bool) -> float:
    """The probability of columns this different if their distribution is the same."""
    if not is_discrete:
        return stats.ks_2samp(ours, plain).pvalue
    values = np.union1d(ours, plain)
    table = [[(column == value).sum() for value in values] for column in (ours, plain)]
    return 1.0 if len(values) == 1 else stats.chi2_contingency(table).pvalue


def same_correlations(ours: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """For each pair of columns the probability of correlations this different (Fisher's z)."""
    varied = (ours.std(axis=0) > 0) & (plain.std(axis=0) > 0)
    pairs = np.triu_indices(varied.sum(), 1)
    z = [np.arctanh(np.corrcoef(rows[:, varied].T)[pairs]) for rows in (ours, plain)]
    return 2 * stats.norm.sf(np.abs(z[0] - z[1]) / np.sqrt(2 / (NUM_SAMPLES - 3)))


class SharesAndSteps:
    """Two mixtures, numbers at equal distances, and sizes; values near some have the best score."""

    def __init__(self) -> None:
        self.space = HyperParameterList(
            [
                SimplexHP("mixture", 4),
                SimplexHP("weighted", 3, [1, 2, 0.5]),
                UniformHP("x", 0, 1, step=0.05),
                IntegerHP("width", 8, 64, step=8),
                OrdinalHP("size", ["S", "M", "L"]),
            ]
        )

    def score(self, rows: np.ndarray) -> np.ndarray:
        """The lower, the better, as of all tasks."""
        return np.array([self._score(self.space.decode(row)) for row in rows])

    def _score(self, row: list) -> float:
        off = (row[0] - 0.2) ** 2 + (row[1] - 0.5) ** 2 + (row[4] - 0.3) ** 2
        return off + abs(row[7] - 0.3) + abs(row[8] - 40) / 80 + 0.1 * (row[9] != "M")


ROWS.append((SharesAndSteps, 20))


@pytest.mark.slow
@pytest.mark.parametrize(("make_task", "batch_size"), ROWS)
def test_samples_from_the_cover_are_those_of_plain_rejection(make_task, batch_size):
    task = make_task()
    cascade = trained_cascade(
        task.space, lambda rows: -task.score(rows), NUM_CLASSIFIERS, 2 * batch_size
    )
    for classifier in cascade:
        classifier.compact()
    cover = covers_of(task.space).cover(cascade)
    assert len(cover) > 1
    ours = draw(Proposals(task.space, cover), cascade, 1)
    plain = draw(Proposals(task.space), cascade, 2)
    assert cascade.accepts(ours).all()
    columns = [
        same_column(ours[:, number], plain[:, number], is_discrete)
        for number, is_discrete in enumerate(discrete_columns(task.space))
    ]
    assert min(columns) > ALPHA / len(columns)
    correlations = same_correlations(ours, plain)
    assert len(correlations) == 0 or correlations.min() > ALPHA / len(correlations)
