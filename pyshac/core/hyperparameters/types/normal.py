"""Real numbers with a normal distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.column_kind import ColumnKind
from pyshac.core.hyperparameters.multi import MultiHyperParameter
from pyshac.core.hyperparameters.number_checks import check_finite
from pyshac.core.hyperparameters.registry import built_in
from pyshac.core.hyperparameters.types.continuous import ContinuousHyperParameter


@built_in("NormalHP")
class NormalContinuousHyperParameter(ContinuousHyperParameter):
    """A real number with a normal distribution.

    Example:
        ```python
        pyshac.NormalHP("bias", mean=0.0, std=1.0)
        ```

    Args:
        name: Name, unique in its search space.
        mean: Mean.
        std: Standard deviation.
        seed: Seed of `sample`.

    Raises:
        TypeError: If `mean` or `std` is not a number.
        ValueError: If `mean` or `std` is not finite, or `std <= 0`.
    """

    def __init__(self, name: str, mean: float, std: float, seed: int | None = None) -> None:
        super().__init__(name, None, seed)
        self.mean = check_finite(name, "mean", mean)
        self.std = check_finite(name, "std", std)
        if self.std <= 0:
            raise ValueError(f"std of {name!r} must be above 0. Got {self.std!r} instead.")
        if not math.isfinite(abs(self.mean) + 10 * self.std):
            raise ValueError(
                f"All draws of {name!r} must be finite, but got "
                f"(mean={self.mean!r}, std={self.std!r})."
            )

    @property
    def column_kind(self) -> ColumnKind:
        return ColumnKind(scale=(self.mean, self.std))

    def draw(self, random: np.random.RandomState, n: int) -> list[float]:
        return random.normal(self.mean, self.std, n).tolist()

    def _quantile(self, unit: FloatArray) -> FloatArray:
        from scipy import special

        # Unit values are multiples of 2**-53; the quantile of 0 would be minus infinity.
        return np.asarray(self.mean + self.std * special.ndtri(np.maximum(unit, 2.0**-54)))

    def _probability(self, value: FloatArray) -> FloatArray:
        from scipy import special

        return np.asarray(special.ndtr((value - self.mean) / self.std))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "std": self.std}


NormalHP = NormalContinuousHyperParameter


@built_in("MultiNormalHP", "MultiNormlHP")
class MultiNormalContinuousHyperParameter(MultiHyperParameter):
    """A list of real numbers with one normal distribution; see `NormalContinuousHyperParameter`.

    Example:
        ```python
        pyshac.MultiNormalHP("biases", mean=0.0, std=1.0, sample_count=3)
        ```

    Args:
        name: Name, unique in its search space.
        mean: Mean of each value.
        std: Standard deviation of each value.
        sample_count: Number of values.
        seed: Seed of `sample`.
    """

    def __init__(
        self, name: str, mean: float, std: float, sample_count: int = 1, seed: int | None = None
    ) -> None:
        element = NormalContinuousHyperParameter(name, mean, std)
        super().__init__(element, sample_count, seed)
        self.mean, self.std, self.log_encode = element.mean, element.std, element.log_encode


MultiNormalHP = MultiNormlHP = MultiNormalContinuousHyperParameter
