"""Neighbours: samples that differ from a given one in some columns."""

from __future__ import annotations

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray, IntArray
from pyshac.core.hyperparameters import HyperParameterList

# Number of neighbours, and how many of them at most are single changes.
NUM_NEIGHBOURS = 128
NUM_CHANGES = 64
# Columns with at most this many values are changed value by value.
MAX_VALUES = 16
# Other neighbours differ in one column, in this share of them, or in any number between.
LARGEST_SHARE = 0.5
# Range of the standard deviation of a difference on the unit interval.
STEP_SIZES = (0.001, 0.3)


class Neighbours:
    """Draws neighbours of samples.

    Some neighbours have a single change: a choice, or an integer with few values, takes another
    value. The others differ in one or several columns. Half of them take the values of another
    sample there; the other half take slightly larger or smaller values. Choices and custom types
    always take values of other samples. A parameter that becomes active takes the value of another
    sample, or a draw from its prior.

    Args:
        space: The search space.
    """

    def __init__(self, space: HyperParameterList) -> None:
        self._space = space
        self._has_steps = space.maps_to_unit & ~space.is_choice
        kinds = [kind if kind.num_values <= MAX_VALUES else None for kind in space.column_kinds]
        values = [np.empty(0) if kind is None else kind.all_values() for kind in kinds]
        # The column and the value of each single change.
        self._columns = np.repeat(np.arange(len(values)), [len(each) for each in values])
        self._values = np.concatenate(values)

    def __call__(
        self, row: FloatArray, others: FloatArray, generator: np.random.Generator
    ) -> FloatArray:
        """Returns neighbours of a sample.

        Args:
            row: Encoded sample, shape (columns,).
            others: Encoded samples, shape (n, columns).
            generator: Draws the neighbours.

        Returns:
            Shape (NUM_NEIGHBOURS, columns).
        """
        changed = self._single_changes(row, generator)
        number = NUM_NEIGHBOURS - len(changed)
        theirs = others[generator.integers(len(others), size=number)]
        is_step = self._has_steps & ~np.isnan(row) & (generator.random((number, 1)) < 0.5)
        values = np.where(is_step, self._steps(row, number, generator), theirs)
        differs = _columns_that_differ(number, len(row), generator)
        rows = np.concatenate([changed, np.where(differs, values, row)])
        if self._space.hierarchy.is_trivial:
            return rows
        donors = others[generator.integers(len(others), size=len(changed))]
        return self._completed(rows, np.concatenate([donors, theirs]), generator)

    def _completed(
        self, rows: FloatArray, donors: FloatArray, generator: np.random.Generator
    ) -> FloatArray:
        """Returns rows whose active parameters all have values, from donors where possible."""
        stream = np.random.SeedSequence(generator.integers(2**63))
        rows = np.where(np.isnan(rows), donors, rows)
        drawn = self._space.draw_complete(len(rows), stream)
        return self._space.hierarchy.deactivate(np.where(np.isnan(rows), drawn, rows))

    def _single_changes(self, row: FloatArray, generator: np.random.Generator) -> FloatArray:
        """Returns up to NUM_CHANGES rows with a single change each."""
        present = row[self._columns]
        places: IntArray = np.flatnonzero((self._values != present) & ~np.isnan(present))
        if len(places) > NUM_CHANGES:
            places = generator.choice(places, NUM_CHANGES, replace=False)
        rows = np.tile(row, (len(places), 1))
        rows[np.arange(len(places)), self._columns[places]] = self._values[places]
        return rows

    def _steps(self, row: FloatArray, number: int, generator: np.random.Generator) -> FloatArray:
        """Returns samples that differ by a step in all columns, shape (number, columns)."""
        if not self._has_steps.any():
            return row[None]
        noise = generator.standard_normal((number, len(row)))
        sizes = _log_uniform(*STEP_SIZES, number, generator)
        unit = self._space.to_unit_where_possible(np.nan_to_num(row[None])) + noise * sizes
        # Reflected at the ends of the unit interval, which excludes 1.
        unit = np.abs((unit + 1) % 2 - 1)
        return self._space.from_unit_where_possible(np.minimum(unit, np.nextafter(1, 0)))


def _columns_that_differ(
    number: int, num_columns: int, generator: np.random.Generator
) -> BoolArray:
    """Returns where neighbours differ, shape (number, columns)."""
    largest = max(LARGEST_SHARE, 1 / num_columns)
    shares = _log_uniform(1 / num_columns, largest, number, generator)
    differs = generator.random((number, num_columns)) < shares
    differs[np.arange(number), generator.integers(num_columns, size=number)] = True
    return differs


def _log_uniform(
    low: float, high: float, number: int, generator: np.random.Generator
) -> FloatArray:
    """Returns log-uniform numbers from an interval, shape (number, 1)."""
    return np.exp(generator.uniform(np.log(low), np.log(high), (number, 1)))
