"""Columns of a search space as Optuna's distributions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from pyshac.core.basics import plain_values
from pyshac.core.basics.plain_values import INACTIVE
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.hyperparameters.column_kind import ColumnKind

# The share of a distribution without bounds that lies outside those which Optuna needs.
LEAST_SHARE = 1e-12
PLAIN = (type(None), bool, int, float, str)


@dataclass(frozen=True)
class Column:
    """A column of a search space.

    Attributes:
        name: Its name.
        kind: Its kind.
        distribution: Its distribution; None for a user's own type, of which nothing is known.
        has_texts: Whether choices are given by their texts, since Optuna takes some of them for
            equal, such as 1 and True, or stores them as something else, such as tuples.
    """

    name: str
    kind: ColumnKind
    distribution: BaseDistribution | None
    has_texts: bool = False

    def value_in(self, value: Any) -> Any:
        """Returns a value of a row as Optuna stores it."""
        return plain_values.to_text(value) if self.has_texts else value

    def value_from(self, value: Any) -> Any:
        """Returns the value that Optuna's stands for; itself if the column has no such value."""
        kind = self.kind
        if kind.choices is not None:
            same = (each for each in kind.choices if _is_same(each, value))
            texts = (each for each in kind.choices if plain_values.to_text(each) == value)
            return next(same, next(texts, value))
        if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
            return value
        if kind.steps is not None:
            matching = kind.steps.matching(value)
            value = value if matching is None else matching
        is_int = kind.is_whole and math.isfinite(value) and float(value).is_integer()
        return int(value) if is_int else float(value)

    def containing(self, value: Any) -> BaseDistribution | None:
        """Returns the distribution, wide enough for a value; None if there is none."""
        known = self.distribution
        if not isinstance(known, (FloatDistribution, IntDistribution)):
            return known
        if known.low <= value <= known.high:
            return known
        low, high = min(known.low, value), max(known.high, value)
        return type(known)(low, high, log=known.log and low > 0)


def columns_of(space: HyperParameterList) -> list[Column]:
    """Returns the columns of a search space."""
    names, kinds = space.get_parameter_names(), space.column_kinds
    pairs = zip(names, kinds, strict=True)
    return [_column(space, place, *pair) for place, pair in enumerate(pairs)]


def _column(space: HyperParameterList, place: int, name: str, kind: ColumnKind) -> Column:
    if not kind.is_built_in:
        return Column(name, kind, None)
    if kind.choices is not None:
        has_texts = not _are_plain(kind.choices)
        choices = [plain_values.to_text(each) if has_texts else each for each in kind.choices]
        return Column(name, kind, CategoricalDistribution(choices), has_texts)
    if kind.is_relative:
        return Column(name, kind, FloatDistribution(0.0, 1.0))
    step: Any = None
    if kind.steps is not None:
        low, high = kind.steps.low, kind.steps.high
        step = kind.steps.step / 10**kind.steps.digits
    else:
        low, high = _bounds(space, place, kind)
    is_log = kind.is_log and low > 0 and step is None
    if kind.is_whole:
        distribution: BaseDistribution = IntDistribution(
            int(low), int(high), log=is_log, step=int(step or 1)
        )
    else:
        distribution = FloatDistribution(float(low), float(high), log=is_log, step=step)
    return Column(name, kind, distribution)


def _bounds(space: HyperParameterList, place: int, kind: ColumnKind) -> tuple[float, float]:
    """Returns the bounds of the values of numbers; nearly all of them, if they have none."""
    ends = space.column_from_unit(place, [LEAST_SHARE, 1 - LEAST_SHARE]).tolist()
    if kind.is_log:
        ends = [math.exp(end) for end in ends]
    low = kind.low if math.isfinite(kind.low) else ends[0]
    high = kind.high if math.isfinite(kind.high) else ends[1]
    return low, high


def _are_plain(choices: Sequence[Any]) -> bool:
    """Returns whether Optuna stores choices as they are, and tells them apart."""
    is_plain = all(type(each) in PLAIN for each in choices)
    # As Optuna compares them: 1, 1.0 and True are equal.
    return is_plain and all(
        first != second for place, first in enumerate(choices) for second in choices[:place]
    )


def _is_same(first: Any, second: Any) -> bool:
    return type(first) is type(second) and bool(first == second)


def params_of(
    columns: Sequence[Column], row: Sequence[Any]
) -> tuple[dict[str, Any], dict[str, BaseDistribution], dict[str, Any]]:
    """Returns what a row is in a trial: its parameters, their distributions, and the others.

    Inactive parameters have no value. The others are those of a user's own types, as texts.
    """
    params, distributions, others = {}, {}, {}
    for column, value in zip(columns, row, strict=True):
        if value is INACTIVE:
            continue
        distribution = column.containing(value)
        if distribution is None:
            others[column.name] = plain_values.to_text(value)
            continue
        params[column.name] = column.value_in(value)
        distributions[column.name] = distribution
    return params, distributions, others
