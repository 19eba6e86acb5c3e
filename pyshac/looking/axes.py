"""Columns: the columns of a search space as axes of a plot have them: values, scale and ticks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters import (
    AbstractHyperParameter,
    DiscreteHyperParameter,
    IntegerHyperParameter,
)
from pyshac.core.hyperparameters.base import ColumnHyperParameter
from pyshac.core.hyperparameters.multi import MultiHyperParameter
from pyshac.looking.labels import plain_label, printable
from pyshac.looking.snapshot import Snapshot

LARGEST_DRAWN = 1e300


@dataclass(frozen=True)
class Column:
    """One column of a search space, as an axis.

    Attributes:
        index: Its place among the columns.
        name: Its name, `name_2` for the second value of a multi parameter.
        parameter: What draws its values.
    """

    index: int
    name: str
    parameter: AbstractHyperParameter

    @property
    def is_log(self) -> bool:
        """Whether its encoded form is a logarithm, so that a logarithmic axis suits it."""
        flags = [getattr(self.parameter, name, False) for name in ("log", "log_encode")]
        return self.is_built_in and any(flags)

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers."""
        is_integer = isinstance(self.parameter, IntegerHyperParameter)
        return is_integer or getattr(self.parameter, "is_discrete", False) is True

    @property
    def categories(self) -> list[str] | None:
        """The names of its values if these are a choice, which stand at 0, 1, 2 and so on."""
        if not isinstance(self.parameter, DiscreteHyperParameter):
            return None
        return [printable(self.parameter.to_text(value)) for value in self.parameter.values]

    @property
    def is_built_in(self) -> bool:
        """Whether the library knows its distribution; a user's own type is shown encoded."""
        return isinstance(self.parameter, ColumnHyperParameter)

    @property
    def label(self) -> str:
        """What stands beside the axis."""
        name = plain_label(self.name)
        return name if self.is_built_in else f"{name} (encoded)"

    def positions(self, encoded: FloatArray) -> FloatArray:
        """Returns where encoded values of this column, shape (n,), stand on its axis.

        Raises:
            ValueError: If one is too large to be drawn.
        """
        positions = np.exp(encoded) if self.is_log else encoded
        if len(positions) and np.abs(positions).max() > LARGEST_DRAWN:
            raise ValueError(
                f"Values of {self.name!r} beyond {LARGEST_DRAWN:g} in size cannot be drawn."
            )
        return positions


def columns_of(snapshot: Snapshot) -> list[Column]:
    """Returns the columns of a search space."""
    columns: list[Column] = []
    names = snapshot.space.get_parameter_names()
    for parameter in snapshot.space:
        element = parameter.element if isinstance(parameter, MultiHyperParameter) else parameter
        for _ in range(getattr(parameter, "sample_count", 1)):
            columns.append(Column(len(columns), names[len(columns)], element))
    return columns


def find_columns(snapshot: Snapshot, names: Iterable[str]) -> list[Column]:
    """Returns columns by their names; a multi parameter's name stands for all of its columns.

    Raises:
        TypeError: If `names` is not a list of names.
        ValueError: If there is no such column, or no name is given.
    """
    if isinstance(names, str):
        raise TypeError(f"parameters must be a list of names. Got {names!r} instead.")
    columns, found = columns_of(snapshot), []
    for name in names:
        matching = [c for c in columns if name in (c.name, c.parameter.name)]
        if not matching:
            raise ValueError(
                f"parameters must be among {[c.name for c in columns]!r}. Got {name!r} instead."
            )
        found += matching
    if not found:
        raise ValueError("parameters must name at least one parameter. Got none.")
    return found


def one_column(snapshot: Snapshot, name: str) -> Column:
    """Returns the one column with a name.

    Raises:
        ValueError: If there is none, or the name stands for several.
    """
    found = find_columns(snapshot, [name])
    if len(found) > 1:
        raise ValueError(
            f"parameter must be one column of {name!r}: one of {[c.name for c in found]!r}."
        )
    return found[0]


def first_columns(ranking: Sequence[str], columns: Sequence[Column], limit: int) -> list[Column]:
    """Returns at most `limit` columns in their order, those of the first parameters in a ranking.

    Args:
        ranking: Names of parameters, the most important first; those that it lacks come last.
        columns: The columns.
        limit: How many to return.
    """
    places = {name: place for place, name in enumerate(ranking)}
    by_rank = sorted(columns, key=lambda c: (places.get(c.parameter.name, len(places)), c.index))
    return sorted(by_rank[:limit], key=lambda c: c.index)
