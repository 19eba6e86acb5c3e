"""Columns: the columns of a search space by name, with their values in encoded samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.basics.checks import to_float
from pyshac.core.basics.plain_values import INACTIVE
from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind
from pyshac.core.hyperparameters.space.block import Block


class Columns:
    """The columns of a search space by name, with their values in encoded samples.

    Args:
        blocks: The blocks of the space.

    Attributes:
        blocks: The same blocks.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self._block_of = {name: block for block in blocks for name in block.names}
        self._place_of = {name: place for place, name in enumerate(self._block_of)}

    def check(self, owner: str, name: Any) -> None:
        """Raises `ValueError` unless a column has the name."""
        if name in self._block_of:
            return
        lists = {block.parameter.name: block for block in self.blocks if block.is_list}
        if name in lists:
            raise ValueError(
                f"{owner} must name one value of {name!r}, which is a list: {lists[name].names!r}."
            )
        raise ValueError(
            f"{owner} must name parameters of the search space, {list(self._block_of)!r}. "
            f"Got {name!r} instead."
        )

    def check_number(self, owner: str, name: Any) -> None:
        """Raises `ValueError` if a column is known not to hold numbers."""
        self.check(owner, name)
        choices = self._block_of[name].kind.choices
        if choices is not None and not all(type(value) in (int, float) for value in choices):
            raise ValueError(
                f"{owner} must name parameters whose values are numbers. Got {name!r}, with "
                f"{list(choices)!r}: take Forbidden, or a function of the parameters."
            )

    def place(self, name: str) -> int:
        """Returns the index of a column."""
        return self._place_of[name]

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [*self._block_of]

    def is_first(self, name: str) -> bool:
        """Returns whether a column is the first of its parameter."""
        return self._block_of[name].columns.start == self.place(name)

    def part(self, name: str) -> slice:
        """Returns the columns of a parameter."""
        return next(block.columns for block in self.blocks if block.parameter.name == name)

    def is_built_in(self, name: str) -> bool:
        """Returns whether a column's parameter is built in."""
        return self._block_of[name].kind.is_built_in

    def encode(self, name: str, value: Any) -> float:
        """Returns the encoded form of a value of a built-in column.

        Raises:
            TypeError: If the value has the wrong type.
            ValueError: If the column does not have the value.
        """
        return float(self._block_of[name].element.encode(value))

    def values(self, encoded: FloatArray, name: str) -> npt.NDArray[Any]:
        """Returns the values of a column, shape (n,); NaN or None where it is inactive."""
        block, place = self._block_of[name], self._place_of[name]
        if not block.are_independent:
            return self._values_of(block, encoded)[:, place - block.columns.start]
        column = np.asarray(encoded)[:, place]
        return _decoded(block.element, column, block.kind)

    def numbers(self, encoded: FloatArray, name: str) -> FloatArray:
        """Returns the numbers of a column, shape (n,); NaN where it is inactive.

        Raises:
            TypeError: If a value of a custom type is not a number.
        """
        values = self.values(encoded, name)
        if values.dtype != object:
            return np.asarray(values, dtype=np.float64)
        known = [value for value in values if value is not None]
        if not all(type(value) in (int, float) for value in known):
            raise TypeError(
                f"Values of {name!r} must be numbers, since a constraint calculates with them. "
                f"Got {known[:1]!r}."
            )
        return np.array([np.nan if value is None else to_float(value) for value in values])

    def all_values(self, encoded: FloatArray) -> dict[str, npt.NDArray[Any]]:
        """Returns the values of all parameters by name, shape (n,), or (n, k) for lists."""
        return {block.parameter.name: self._values_of(block, encoded) for block in self.blocks}

    def parameters(self, encoded: FloatArray) -> Iterator[dict[str, Any]]:
        """Yields the active parameters of each sample."""
        values = {block.parameter.name: self._listed(block, encoded) for block in self.blocks}
        for row in zip(*values.values(), strict=True):
            pairs = zip(values, row, strict=True)
            yield {name: value for name, value in pairs if value is not INACTIVE}

    def _listed(self, block: Block, encoded: FloatArray) -> list[Any]:
        """Returns a parameter's value in each sample, with the type that an evaluation receives."""
        is_active = np.asarray(~np.isnan(encoded[:, block.columns]).any(axis=1))
        known: list[Any] = self._values_of(block, encoded[is_active]).tolist()
        if len(known) == len(encoded):
            return known
        rest = iter(known)
        return [next(rest) if is_here else INACTIVE for is_here in is_active.tolist()]

    def _values_of(self, block: Block, encoded: FloatArray) -> npt.NDArray[Any]:
        part = np.asarray(encoded)[:, block.columns]
        part = part if block.is_list else part[:, 0]
        objects = _objects_of(block)
        if objects is not None:
            numbers = np.where(np.isnan(part), len(objects) - 1, part).astype(np.int64)
            return objects[numbers]
        return _decoded(block.parameter, part, block.kind)


def _objects_of(block: Block) -> npt.NDArray[Any] | None:
    """Returns the object for each choice, then None; returns None if all values are plain."""
    choices = block.kind.choices or ()
    received = [block.element.to_object(value) for value in choices]
    if all(one is other for one, other in zip(received, choices, strict=True)):
        return None
    objects = np.empty(len(received) + 1, dtype=object)
    for place, each in enumerate(received):
        objects[place] = each
    return objects


def _decoded(
    parameter: AbstractHyperParameter, encoded: FloatArray, kind: ColumnKind
) -> npt.NDArray[Any]:
    """Decodes values. Inactive ones, encoded as NaN, become NaN, or None for a choice."""
    is_active: BoolArray = ~np.isnan(encoded)
    if is_active.all():
        return parameter.decode_many(encoded)
    if encoded.ndim > 1:
        is_active = np.asarray(is_active.all(axis=1))
    known = parameter.decode_many(encoded[is_active])
    # Of none at all, the array does not tell what they are.
    is_number = kind.choices is None and (kind.is_built_in or known.dtype != object)
    values = np.full(
        encoded.shape, np.nan if is_number else None, np.float64 if is_number else object
    )
    values[is_active] = known
    return values
