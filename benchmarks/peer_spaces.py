"""Search spaces as other libraries can be told of them: columns, conditions, and spaces without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tasks

from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.hyperparameters.column_kind import ColumnKind


@dataclass(frozen=True)
class Column:
    """A column of a search space, as any library can be told of it.

    Attributes:
        name: Its name.
        kind: 'real'; 'integer'; 'log integer', uniform in its logarithm; 'choice', without order.
        low: Lowest encoded real value, or lowest integer; 0 for a choice.
        high: Highest one; for a choice, the last index.
    """

    name: str
    kind: str
    low: float
    high: float

    def encode(self, value: Any) -> float:
        """Returns the encoded form of a value that a library proposes."""
        value = float(np.ravel(value)[0])
        if self.kind != "real":
            value = round(value)
        value = min(max(value, self.low), self.high)
        return float(np.log(value)) if self.kind == "log integer" else value

    @property
    def values(self) -> list[int]:
        """All values, if they are no real numbers."""
        return list(range(int(self.low), int(self.high) + 1))


def columns(space: HyperParameterList) -> list[Column]:
    """Returns the columns of a space; a choice among numbers, which have an order, as integers."""
    return [_column(space, place, kind) for place, kind in enumerate(space.column_kinds)]


def _column(space: HyperParameterList, place: int, kind: ColumnKind) -> Column:
    name = f"p{place}"
    if kind.choices is not None:
        what = "choice" if kind.is_unordered_choice else "integer"
        return Column(name, what, 0, len(kind.choices) - 1)
    if kind.is_whole:
        return Column(name, "log integer" if kind.is_log else "integer", kind.low, kind.high)
    # Uniform in the encoded form, which is the logarithm where that is what is uniform.
    low, high = space.column_from_unit(place, [0.0, 1.0]).tolist()
    return Column(name, "real", low, high)


@dataclass(frozen=True)
class Need:
    """What a column needs to be active.

    Attributes:
        child: Its place.
        parent: The place of a column that is no real number.
        values: The values with which that one lets it be active, as a library is told of them.
    """

    child: int
    parent: int
    values: list[int]


def needs(space: HyperParameterList) -> list[Need]:
    """Returns all conditions of a space, for those who want them beforehand."""
    found, spaces, start = [], columns(space), 0
    for number, parameter in enumerate(space):
        width = 1 if parameter.sample_count is None else parameter.sample_count
        for rule in space.hierarchy.rules[number]:
            parent = spaces[rule.column]
            holds = rule.values.hold(np.array([parent.encode(one) for one in parent.values]))
            values = [one for one, is_held in zip(parent.values, holds, strict=True) if is_held]
            found += [Need(start + place, rule.column, values) for place in range(width)]
        start += width
    return found


def row_of(
    space: HyperParameterList, spaces: Sequence[Column], suggest: Callable[[Column], Any]
) -> tasks.Rows:
    """Returns an encoded row, shape (columns,), asking only for columns that are active.

    Args:
        space: The search space.
        spaces: Its columns.
        suggest: Returns the value of a column; parents are asked for before their children.
    """
    if space.hierarchy.is_trivial:
        return np.array([column.encode(suggest(column)) for column in spaces])
    row = np.full(len(spaces), np.nan)
    for place in space.hierarchy.columns_in_order:
        if space.hierarchy.active(row[None])[0, place]:
            row[place] = spaces[place].encode(suggest(spaces[place]))
    return row


def without_conditions(space: HyperParameterList) -> HyperParameterList:
    """Returns a space of the same parameters, all of which are always active."""
    config = space.get_config()
    return HyperParameterList.load_from_config({name: config[name][:2] for name in config})


def rows_of(spaces: Sequence[Column], points: Sequence[Sequence[Any]]) -> tasks.Rows:
    """Returns encoded rows, shape (n, columns), of points with a value for each column."""
    return np.array([[c.encode(v) for c, v in zip(spaces, p, strict=True)] for p in points])
