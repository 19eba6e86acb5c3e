"""The columns of a search space as axes of a plot: values, scale and ticks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.basics.messages.printable import printable
from pyshac.core.hyperparameters import AbstractHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind
from pyshac.looking.labels import plain_label
from pyshac.looking.snapshot import Snapshot

LARGEST_DRAWN = 1e300


@dataclass(frozen=True)
class Column:
    """One column of a search space, as an axis.

    Attributes:
        index: Its index among the columns.
        name: Its name, such as `name_2` for the second value of a multi parameter.
        parameter: The parameter to which it belongs.
        kind: The kind of its encoded numbers. Axes show the encoded form of custom types' numbers,
            and shares as fractions of what the earlier shares leave.
    """

    index: int
    name: str
    parameter: AbstractHyperParameter
    kind: ColumnKind

    @property
    def categories(self) -> list[str] | None:
        """The names of a choice's values, at positions 0, 1, 2 and so on; None for numbers."""
        if self.kind.choices is None:
            return None
        return [printable(self.parameter.to_text(value)) for value in self.kind.choices]

    @property
    def label(self) -> str:
        """The label of the axis."""
        name = plain_label(self.name)
        if self.kind.is_relative:
            return f"{name} (of the rest)"
        return name if self.kind.is_built_in else f"{name} (encoded)"

    def positions(self, encoded: FloatArray) -> FloatArray:
        """Returns the positions of encoded values of this column on its axis, both of shape (n,).

        Inactive values are NaN in both.

        Raises:
            ValueError: If a position is too large to draw.
        """
        return self.drawable(np.exp(encoded) if self.kind.is_log else encoded)

    def drawable(self, positions: FloatArray) -> FloatArray:
        """Returns positions; raises `ValueError` if one is too large to draw."""
        if (np.abs(positions) > LARGEST_DRAWN).any():
            raise ValueError(
                f"Values of {self.name!r} beyond {LARGEST_DRAWN:g} in size cannot be drawn."
            )
        return positions


def columns_of(snapshot: Snapshot) -> list[Column]:
    """Returns the columns of a search space."""
    space = snapshot.space
    parameters = (p for p in space for _ in range(p.sample_count or 1))
    columns = zip(space.get_parameter_names(), parameters, space.column_kinds, strict=True)
    return [Column(index, *column) for index, column in enumerate(columns)]


def find_columns(snapshot: Snapshot, names: Iterable[str]) -> list[Column]:
    """Returns columns by name; the name of a multi parameter means all of its columns.

    Raises:
        TypeError: If `names` is not a list of names.
        ValueError: If a column does not exist, or `names` is empty.
    """
    if isinstance(names, str):
        raise TypeError(f"parameters must be a list of names. Got {names!r} instead.")
    columns, found = columns_of(snapshot), []
    for name in names:
        # A column may have the name of another parameter.
        matching = [c for c in columns if name == c.name]
        matching = matching or [c for c in columns if name == c.parameter.name]
        if not matching:
            raise ValueError(
                f"parameters must be among {[c.name for c in columns]!r}. Got {name!r} instead."
            )
        found += matching
    if not found:
        raise ValueError("parameters must name at least one parameter. Got none.")
    return found


def one_column(snapshot: Snapshot, name: str) -> Column:
    """Returns the only column with a name.

    Raises:
        ValueError: If no column, or more than one, has the name.
    """
    found = find_columns(snapshot, [name])
    if len(found) > 1:
        raise ValueError(
            f"parameter must be one column of {name!r}: one of {[c.name for c in found]!r}."
        )
    return found[0]


def first_columns(ranking: Sequence[str], columns: Sequence[Column], limit: int) -> list[Column]:
    """Returns at most `limit` columns of the first parameters in a ranking, in column order.

    Args:
        ranking: Names of parameters, the most important first; all others come last.
        columns: The columns.
        limit: Maximum number of columns.
    """
    places = {name: place for place, name in enumerate(ranking)}
    by_rank = sorted(columns, key=lambda c: (places.get(c.parameter.name, len(places)), c.index))
    return sorted(by_rank[:limit], key=lambda c: c.index)
