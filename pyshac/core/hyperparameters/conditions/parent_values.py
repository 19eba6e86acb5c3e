"""ParentValues: the values of a parent for which a condition holds, as intervals."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyshac.core.basics import plain_values
from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.basics.checks import to_float
from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind
from pyshac.core.hyperparameters.conditions.condition import Condition
from pyshac.core.hyperparameters.space.block import Block
from pyshac.core.hyperparameters.unit_map import UnitMap, unit_edges


class ParentValues:
    """The values of a column for which a condition holds.

    Args:
        low: Lower ends of disjoint intervals of encoded values, ascending, shape (intervals,).
        high: Their upper ends, inclusive, of the same shape.
        unit_map: The map of the column; None if it has none.
    """

    def __init__(self, low: FloatArray, high: FloatArray, unit_map: UnitMap | None) -> None:
        self._low, self._high, self._unit_map = low, high, unit_map

    @property
    def starts(self) -> FloatArray:
        """The lower ends of the intervals."""
        return self._low

    def hold(self, encoded: FloatArray) -> BoolArray:
        """Returns which encoded values are in an interval, shape (n,); NaN is not."""
        place = np.maximum(np.searchsorted(self._low, encoded, side="right") - 1, 0)
        return (self._low[place] <= encoded) & (encoded <= self._high[place])

    @functools.cached_property
    def _in_unit(self) -> tuple[FloatArray, FloatArray]:
        """The ends of the same intervals on the unit interval; upper ends are exclusive."""
        from_unit = self._require_map().from_unit
        starts = unit_edges(lambda unit: from_unit(unit) < self._low, len(self._low))
        stops = unit_edges(lambda unit: from_unit(unit) <= self._high, len(self._high))
        starts, stops = starts[starts < stops], stops[starts < stops]
        ends_apart = starts[1:] != stops[:-1]
        begins, ends = np.append(True, ends_apart), np.append(ends_apart, True)
        return starts[begins[: len(starts)]], stops[ends[: len(stops)]]

    def _require_map(self) -> UnitMap:
        if self._unit_map is None:
            raise TypeError("A column without a unit map has no edges.")
        return self._unit_map

    @property
    def edges(self) -> list[float]:
        """The unit values inside the unit interval at which the condition begins or ends."""
        if self._unit_map is None:
            return []
        return [edge for ends in self._in_unit for edge in ends.tolist() if 0 < edge < 1]

    def bounds(self, low: FloatArray, high: FloatArray) -> tuple[BoolArray, BoolArray]:
        """Returns where the condition may hold, and where it may fail, each of shape (n,).

        Args:
            low: Lower ends of parts of the unit interval, shape (n,).
            high: Their upper ends, exclusive, of the same shape.
        """
        if self._unit_map is None:
            return np.ones(len(low), dtype=bool), np.ones(len(low), dtype=bool)
        starts, stops = (ends[:, None] for ends in self._in_unit)
        overlaps, covers = (starts < high) & (stops > low), (starts <= low) & (stops >= high)
        return np.any(overlaps, axis=0), ~np.any(covers, axis=0)


def have_common(all_values: Sequence[ParentValues]) -> bool:
    """Returns whether several conditions share a value of a column."""
    # If there is one, so is the highest lower end of the intervals that contain it.
    starts = np.concatenate([values.starts for values in all_values])
    return bool(np.all([values.hold(starts) for values in all_values], axis=0).any())


def parent_values(name: str, condition: Condition, parent: Block, column: int) -> ParentValues:
    """Returns the values of a parent's column for which a condition of a parameter holds.

    Args:
        name: The name of the parameter, for errors.
        condition: The condition.
        parent: The columns of the parent.
        column: The column of the space.

    Raises:
        TypeError: If a value has a type that the parent's values do not have.
        ValueError: If the condition never holds, or needs an order that the parent lacks.
    """
    if not parent.are_independent:
        raise ValueError(
            f"A condition of {name!r} must name a parameter with one value, or a column of "
            f"independent values. Got a column of {parent.parameter!r}."
        )
    what, element = f"The condition of {name!r} that {condition}", parent.element
    if condition.values is not None:
        low = high = _listed(what, condition.values, element)
    elif parent.kind.choices is not None:
        low = high = _choices_between(what, condition, parent.kind)
    else:
        low, high = _numbers_between(what, condition, element)
    unit_map = parent.map_of(column) if parent.unit_map is not None else None
    return ParentValues(low, high, unit_map)


def _listed(what: str, values: tuple[Any, ...], element: AbstractHyperParameter) -> FloatArray:
    kind = element.column_kind
    if kind.is_built_in and not kind.is_separate:
        raise ValueError(
            f"{what} almost never holds, since a real number is seldom exactly some value: use "
            "at_least or at_most."
        )
    try:
        return np.unique([float(element.encode(value)) for value in values])
    except (TypeError, ValueError) as error:
        hint = " A tuple is one value: list several." if tuple in map(type, values) else ""
        raise type(error)(f"{what} never holds. {error}{hint}") from None


def _choices_between(what: str, condition: Condition, kind: ColumnKind) -> FloatArray:
    """Returns the choices between two bounds: by value if all are numbers, otherwise by order."""
    choices = kind.choices or ()
    bounds = (condition.at_least, condition.at_most)
    if all(type(value) in (int, float) for value in choices):
        keys: list[Any] = list(choices)
        limits = [None if bound is None else _number(what, bound) for bound in bounds]
    elif kind.is_ordered:
        keys, names = [*range(len(choices))], [*map(plain_values.identity, choices)]
        limits = [None if bound is None else _place(what, bound, names) for bound in bounds]
    else:
        raise ValueError(
            f"{what} needs an order, which its values {list(choices)!r} do not have: list the "
            "values, or make it an OrdinalHP."
        )
    low, high = (default if limit is None else limit
                 for limit, default in zip(limits, (-math.inf, math.inf), strict=True))  # fmt: skip
    found = [place for place, key in enumerate(keys) if low <= key <= high]
    return np.array(_some(what, found, f"the values are {list(choices)!r}"), dtype=np.float64)


def _place(what: str, bound: Any, names: list[Any]) -> int:
    key = plain_values.identity(bound)
    if key not in names:
        raise ValueError(f"{what} must have bounds among {[each[1] for each in names]!r}.")
    return names.index(key)


def _numbers_between(
    what: str, condition: Condition, element: AbstractHyperParameter
) -> tuple[FloatArray, FloatArray]:
    kind = element.column_kind
    if not kind.is_built_in:
        raise ValueError(
            f"{what} needs a parent whose order is known: list the values if it is of a type of "
            "your own."
        )
    low = -math.inf if condition.at_least is None else to_float(_number(what, condition.at_least))
    high = math.inf if condition.at_most is None else to_float(_number(what, condition.at_most))
    if kind.is_whole:
        low, high = (math.ceil(low) if math.isfinite(low) else low,
                     math.floor(high) if math.isfinite(high) else high)  # fmt: skip
    is_possible = low <= high and low <= kind.high and high >= kind.low
    if kind.steps is not None:
        # There may be too many to list.
        place = kind.steps.first_not_below(max(low, kind.low))
        is_possible &= bool(place < kind.steps.count and kind.steps.at(place) <= high)
    _some(what, [0] * is_possible, f"its range is [{kind.low!r}, {kind.high!r}]")
    ends = [-math.inf if low <= kind.low else low, math.inf if high >= kind.high else high]
    encoded = [_logarithm(end, element) if kind.is_log else end for end in ends]
    return np.array(encoded[:1]), np.array(encoded[1:])


def _logarithm(end: float, element: AbstractHyperParameter) -> float:
    """Returns the logarithm of an end; if that is too low, the number that represents 0."""
    if math.isinf(end):
        return end
    least = float(element.encode(0.0)) if element.column_kind.low == 0 else -math.inf
    return max(float(np.log(end)), least) if end > 0 else least


def _number(what: str, bound: Any) -> Any:
    if type(bound) not in (int, float):
        raise TypeError(f"{what} must have numbers as bounds.")
    return bound


def _some(what: str, found: list[int], why: str) -> list[int]:
    if not found:
        raise ValueError(f"{what} never holds: {why}.")
    return found
