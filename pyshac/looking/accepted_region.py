"""The accepted region over two parameters: the accepted share of the other parameters' prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.classifiers.cascade import Cascade
from pyshac.looking.axes import Column
from pyshac.looking.snapshot import Snapshot

# Enough for smooth shares; drawing ends early once a cell has this many accepted draws.
MAX_ROUNDS = 16
ROWS_PER_ROUND = 2**17
ENOUGH_ACCEPTED = 200
MAX_CATEGORIES = 60
# The share of an unbounded prior that an axis leaves out at each end.
TAIL = 0.005


@dataclass(frozen=True)
class AcceptedShare:
    """The accepted share of the other parameters' prior, on a grid of two parameters.

    Attributes:
        x_edges: Edges of the cells along the first parameter's axis, shape (columns + 1,).
        y_edges: Edges along the second parameter's axis, shape (rows + 1,).
        share: Shape (rows, columns); NaN where one of the two was inactive in every draw.
        num_draws: Number of draws of the other parameters for each cell.
    """

    x_edges: FloatArray
    y_edges: FloatArray
    share: FloatArray
    num_draws: int


@dataclass(frozen=True)
class _Cells:
    """The cells of one axis: their edges on the axis, and the encoded values at their centres."""

    edges: FloatArray
    encoded: FloatArray


def can_be_cut(column: Column) -> bool:
    """Returns whether a column has a known range and, for choices, few enough categories."""
    return column.kind.is_built_in and len(column.categories or ()) <= MAX_CATEGORIES


def _cells(snapshot: Snapshot, column: Column, bins: int) -> _Cells:
    """Divides the range of a column into cells: one for each choice, or each of a few numbers.

    Raises:
        ValueError: If the column has a custom type or too many categories.
    """
    if not column.kind.is_built_in:
        raise ValueError(f"{column.name!r} is of a type of your own, whose range is not known.")
    if column.categories is not None:
        if len(column.categories) > MAX_CATEGORIES:
            raise ValueError(
                f"{column.name!r} has {len(column.categories)} values; "
                f"at most {MAX_CATEGORIES} can be told apart."
            )
        places = np.arange(len(column.categories), dtype=np.float64)
        return _Cells(np.append(places - 0.5, len(places) - 0.5), places)
    steps = column.kind.steps
    if steps is not None and 1 < steps.count <= bins:
        values = steps.all()
        half = (values[1] - values[0]) / 2
        return _Cells(np.append(values - half, values[-1] + half), values)
    low, high = _range(snapshot, column)
    if column.kind.is_whole:
        whole = _whole_numbers(low, high, bins, column.kind.is_log)
        edges = np.append(whole - 0.5, high + 0.5)
        middle = np.floor((whole + np.append(whole[1:] - 1, high)) / 2)
        return _Cells(edges, np.log(middle) if column.kind.is_log else middle)
    if low == high:
        return _one_cell(low, column.kind.is_log)
    if column.kind.is_log:
        logarithms = np.linspace(np.log(low), np.log(high), bins + 1)
        return _Cells(np.exp(logarithms), (logarithms[:-1] + logarithms[1:]) / 2)
    edges = np.linspace(low, high, bins + 1)
    return _Cells(edges, (edges[:-1] + edges[1:]) / 2)


def _one_cell(value: float, is_log: bool) -> _Cells:
    """Returns a cell around the only value of a column."""
    if is_log:
        return _Cells(np.array([value / 2, value * 2]), np.log([value]))
    margin = abs(value) / 2 or 0.5
    return _Cells(np.array([value - margin, value + margin]), np.array([value]))


def _range(snapshot: Snapshot, column: Column) -> tuple[float, float]:
    """Returns the range of values for an axis, without the tails of a prior that it cannot show."""
    low, high = column.kind.low, column.kind.high
    # A logarithmic axis has no place for 0.
    starts_at_0 = column.kind.is_log and low == 0
    if np.isfinite([low, high]).all() and not starts_at_0:
        column.drawable(np.array([low, high]))
        return low, high
    tails = snapshot.space.column_from_unit(column.index, [TAIL, 1 - TAIL])
    low, high = column.positions(tails)
    return float(low), float(high)


def _whole_numbers(low: float, high: float, bins: int, is_log: bool) -> FloatArray:
    """Returns the first integer of each cell. If there are few integers, each has its own cell."""
    if high - low < bins:
        return np.arange(low, high + 1)
    spaced = np.geomspace if is_log else np.linspace
    return np.unique(np.round(spaced(low, high + 1, bins + 1)[:-1]))


def accepted_share(
    snapshot: Snapshot, cascade: Cascade, x: Column, y: Column, bins: int = 40, seed: int = 0
) -> AcceptedShare:
    """Estimates the accepted share of the others' prior for each cell of two parameters.

    In each cell, the two parameters take the values at its centre. The other parameters are drawn
    from the prior, with the same draws for every cell, until one cell has enough accepted draws.
    Only draws in which both parameters are active count.

    Args:
        snapshot: The search.
        cascade: The classifiers.
        x: The first parameter.
        y: The second parameter.
        bins: Number of cells along an axis of numbers.
        seed: Seed of the draws.

    Raises:
        ValueError: If an axis cannot be cut into cells, or no draw has both parameters.
    """
    across, up = _cells(snapshot, x, bins), _cells(snapshot, y, bins)
    num_cells = len(across.encoded) * len(up.encoded)
    width = snapshot.space.num_columns
    # Without other parameters there is nothing to draw.
    per_round = max(ROWS_PER_ROUND // num_cells, 1) if width > 2 else 1
    accepted, active, num_draws = np.zeros(num_cells), np.zeros(num_cells), 0
    for stream in np.random.SeedSequence(seed).spawn(MAX_ROUNDS):
        # An inactive parameter may be active in another cell.
        others = snapshot.space.draw_complete(per_round, stream)
        rows = np.repeat(others, num_cells, axis=0)
        rows[:, x.index] = np.tile(np.tile(across.encoded, len(up.encoded)), per_round)
        rows[:, y.index] = np.tile(np.repeat(up.encoded, len(across.encoded)), per_round)
        has_both, accepts = _ask(snapshot, cascade, rows, [x.index, y.index])
        active += has_both.reshape(per_round, num_cells).sum(axis=0)
        accepted += accepts.reshape(per_round, num_cells).sum(axis=0)
        num_draws += per_round
        if width == 2 or accepted.max() >= ENOUGH_ACCEPTED:
            break
    if not active.any():
        raise ValueError(
            f"{x.name!r} and {y.name!r} are never active together in {num_draws} draws: name two "
            "parameters that a sample may have both."
        )
    share = np.full(num_cells, np.nan)
    np.divide(accepted, active, out=share, where=active > 0)
    shape = len(up.encoded), len(across.encoded)
    return AcceptedShare(across.edges, up.edges, share.reshape(shape), num_draws)


def _ask(
    snapshot: Snapshot, cascade: Cascade, rows: FloatArray, columns: list[int]
) -> tuple[BoolArray, BoolArray]:
    """Returns which rows have certain columns, and which of these are accepted; both shape (n,).

    Args:
        snapshot: The search.
        cascade: The classifiers.
        rows: Encoded rows with values for inactive parameters as well, shape (n, all columns).
        columns: The columns.
    """
    if snapshot.space.hierarchy.is_trivial:
        return np.ones(len(rows), dtype=bool), cascade.accepts(rows)
    rows = snapshot.space.hierarchy.deactivate(rows)
    has_all = np.logical_not(np.isnan(rows[:, columns]).any(axis=1))
    accepts = np.zeros(len(rows), dtype=bool)
    accepts[has_all] = cascade.accepts(rows[has_all])
    return has_all, accepts
