"""Shares that sum to 1."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind
from pyshac.core.hyperparameters.multi import check_length, check_sample_count
from pyshac.core.hyperparameters.number_checks import check_finite
from pyshac.core.hyperparameters.registry import built_in
from pyshac.core.hyperparameters.unit_map import ColumnMaps

# Beyond these, nearly all draws are a corner, or a point, of the simplex.
WEIGHTS = (1e-3, 1e6)
# Shares that were written with six digits sum to one up to this times their number.
SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Break:
    """The share that is broken off the remaining stick: a number with a beta distribution.

    Attributes:
        weight: The weight of the piece that is broken off.
        later: The sum of the weights of the remaining pieces; 0 for the last piece, which is the
            whole remainder.
    """

    weight: float
    later: float

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        """See `UnitMap.from_unit`."""
        unit = np.asarray(unit, dtype=np.float64)
        if not self.later:
            return np.ones_like(unit)
        if self.weight == 1:
            return -np.expm1(np.log1p(-unit) / self.later)
        from scipy import special

        return np.asarray(special.betaincinv(self.weight, self.later, unit))

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        """See `UnitMap.to_unit`."""
        values = np.asarray(encoded, dtype=np.float64)
        if not self.later:
            return np.where(values > 1, 1.0, 0.0)
        values = np.clip(values, 0.0, 1.0)
        if self.weight == 1:
            with np.errstate(divide="ignore"):
                return -np.expm1(np.log1p(-values) * self.later)
        from scipy import special

        return np.asarray(special.betainc(self.weight, self.later, values))

    @property
    def mean(self) -> float:
        """The mean."""
        return self.weight / (self.weight + self.later)


@built_in("SimplexHP")
class SimplexHyperParameter(AbstractHyperParameter):
    """A list of shares that sum to 1, such as the parts of a mixture.

    By default, the distribution is uniform over all such lists. The parameter has `sample_count`
    columns in a dataset: `name_1`, `name_2` and so on. The encoded form of a share is its fraction
    of what the earlier shares leave. These fractions are independent and have beta distributions.
    The last share is the remainder.

    Example:
        ```python
        pyshac.SimplexHP("mixture", sample_count=3)
        pyshac.SimplexHP("mostly_first", sample_count=3, weights=[8, 1, 1])
        ```

    Args:
        name: Name, unique in its search space.
        sample_count: Number of shares.
        weights: One concentration of a Dirichlet distribution for each share. The mean of a share
            is its weight divided by the sum of the weights. Larger weights reduce the variance.
            None means 1 for each share: the uniform distribution.
        seed: Seed of `sample`.

    Raises:
        TypeError: If `sample_count` is not an int, or a weight is not a number.
        ValueError: If `sample_count` is not in [2, 100000], `weights` has another length, or a
            weight is not in [0.001, 1000000].
    """

    def __init__(
        self,
        name: str,
        sample_count: int,
        weights: Iterable[float] | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(name, None, seed)
        self.sample_count: int = check_sample_count(name, sample_count)
        if self.sample_count < 2:
            raise ValueError(f"sample_count of {name!r} must be at least 2. Got 1 instead.")
        self.weights = None if weights is None else self._check_weights(weights)
        each = self.weights or (1.0,) * self.sample_count
        sums = [*itertools.accumulate(reversed(each), initial=0.0)]
        self._breaks = [*map(Break, each, sums[-2::-1])]

    def _check_weights(self, weights: Any) -> tuple[float, ...]:
        # A set has no order, and a mapping would count by its keys.
        has_no_order = isinstance(weights, (str, bytes, Mapping, Set))
        if has_no_order or not isinstance(weights, Iterable):
            raise TypeError(
                f"weights of {self.name!r} must be a list of numbers. Got {weights!r} instead."
            )
        checked = tuple(check_finite(self.name, "A weight", weight) for weight in weights)
        low, high = WEIGHTS
        if len(checked) != self.sample_count or not all(low <= each <= high for each in checked):
            raise ValueError(
                f"weights of {self.name!r} must be {self.sample_count} numbers, one for each "
                f"share, in [{low:g}, {high:g}]. Got {list(checked)!r} instead."
            )
        return checked

    @property
    def column_kind(self) -> ColumnKind:
        return ColumnKind(low=0.0, high=1.0, scale=None, is_relative=True)

    @property
    def unit_map(self) -> ColumnMaps:
        return ColumnMaps(self._breaks)

    def sample(self) -> list[float]:
        """Draws the shares."""
        unit = self.random.random_sample((1, self.sample_count))
        return self.decode(self.unit_map.from_unit(unit)[0])

    def encode(self, x: Sequence[Any]) -> list[float]:
        """Returns each share as a fraction of what the earlier shares leave.

        If they leave nothing, the result is the mean of that fraction.

        Raises:
            TypeError: If `x` is not a list, or a share is not a number.
            ValueError: If the number of shares is wrong, a share is not in [0, 1], or the sum
                differs from 1 by more than 1e-6 for each share.
        """
        shares = [self._check_share(share) for share in check_length(self.name, x, self._length)]
        total, tolerance = sum(shares), SUM_TOLERANCE * self._length
        if abs(total - 1) > tolerance:
            raise ValueError(
                f"The shares of {self.name!r} must sum to one, within {tolerance:g}. Got "
                f"{shares!r} with the sum {total!r} instead: divide each by their sum."
            )
        rests = [*itertools.accumulate(reversed(shares))][::-1]
        return [
            share / rest if rest else part.mean
            for share, rest, part in zip(shares, rests, self._breaks, strict=True)
        ]

    @property
    def _length(self) -> int:
        return len(self._breaks)

    def decode(self, x: Sequence[float] | FloatArray) -> list[float]:
        """Returns the shares."""
        shares, rest = [], 1.0
        for part in check_length(self.name, [*x], self._length)[:-1]:
            bounded = min(max(float(part), 0.0), 1.0)
            shares.append(rest * bounded)
            rest *= 1.0 - bounded
        return [*shares, rest]

    def decode_many(self, encoded: FloatArray) -> npt.NDArray[Any]:
        shares, rest = np.empty(encoded.shape), np.ones(len(encoded))
        for place, part in enumerate(np.clip(encoded[:, :-1], 0.0, 1.0).T):
            shares[:, place] = rest * part
            rest = rest * (1.0 - part)
        shares[:, -1] = rest
        return shares

    def _check_share(self, share: Any) -> float:
        value = check_finite(self.name, "A share", share)
        if not 0 <= value <= 1:
            raise ValueError(f"A share of {self.name!r} must be in [0, 1]. Got {value!r} instead.")
        return value

    def from_text(self, text: str) -> float:
        """Returns one share from its column's text."""
        return self._check_share(float(text))

    def get_config(self) -> dict[str, Any]:
        weights = {} if self.weights is None else {"weights": list(self.weights)}
        return {**super().get_config(), "sample_count": self.sample_count, **weights}


SimplexHP = SimplexHyperParameter
