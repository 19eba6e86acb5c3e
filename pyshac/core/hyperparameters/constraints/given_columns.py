"""GivenColumns: columns of samples in which some values are those that the user gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import plain_values
from pyshac.core.basics.arrays import FloatArray, as_array
from pyshac.core.hyperparameters.constraints.columns import Columns
from pyshac.core.hyperparameters.space.block import Block


class GivenColumns(Columns):
    """Columns of samples in which some values are those that the user gave, not decoded ones.

    Decoding may change the last digit of a number that is encoded as a logarithm or as a fraction
    of a remainder. A value that equals the bound of a constraint must not break it for that reason.

    Args:
        blocks: The blocks of the space.
        given: The values by column name; for a list, all of its columns or none.
    """

    def __init__(self, blocks: Sequence[Block], given: Mapping[str, Any]) -> None:
        super().__init__(blocks)
        self._given = given

    def values(self, encoded: FloatArray, name: str) -> npt.NDArray[Any]:
        if self._are_decoded(self._block_of[name], encoded):
            return super().values(encoded, name)
        return as_array([self._value(name)]).repeat(len(encoded))

    def _values_of(self, block: Block, encoded: FloatArray) -> npt.NDArray[Any]:
        if self._are_decoded(block, encoded):
            return super()._values_of(block, encoded)
        values = np.tile(as_array([*map(self._value, block.names)]), (len(encoded), 1))
        return values if block.is_list else values[:, 0]

    def _value(self, name: str) -> Any:
        return plain_values.check_value(self._given[name], f"A value of {name!r}")

    def _are_decoded(self, block: Block, encoded: FloatArray) -> bool:
        """Returns whether a block uses decoded values, as choices and inactive parameters do."""
        is_drawn = block.kind.choices is not None or block.names[0] not in self._given
        return is_drawn or not len(encoded) or bool(np.isnan(encoded[:, block.columns]).any())
