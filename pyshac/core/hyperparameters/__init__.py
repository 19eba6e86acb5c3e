"""The hyperparameter types and the search space."""

from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.continuous import (
    DistributionHyperParameter,
    LogUniformContinuousHyperParameter,
    NormalContinuousHyperParameter,
    UniformContinuousHyperParameter,
)
from pyshac.core.hyperparameters.discrete import DiscreteHyperParameter, IntegerHyperParameter
from pyshac.core.hyperparameters.multi import (
    MultiDiscreteHyperParameter,
    MultiNormalContinuousHyperParameter,
    MultiUniformContinuousHyperParameter,
)
from pyshac.core.hyperparameters.registry import (
    DiscreteHP,
    DistributionHP,
    IntegerHP,
    LogUniformHP,
    MultiDiscreteHP,
    MultiNormalHP,
    MultiNormlHP,
    MultiUniformHP,
    NormalHP,
    UniformHP,
    get_parameter,
    set_custom_parameter_class,
)
from pyshac.core.hyperparameters.space import HyperParameterList

__all__ = [
    "AbstractHyperParameter",
    "DiscreteHP",
    "DiscreteHyperParameter",
    "DistributionHP",
    "DistributionHyperParameter",
    "HyperParameterList",
    "IntegerHP",
    "IntegerHyperParameter",
    "LogUniformContinuousHyperParameter",
    "LogUniformHP",
    "MultiDiscreteHP",
    "MultiDiscreteHyperParameter",
    "MultiNormalContinuousHyperParameter",
    "MultiNormalHP",
    "MultiNormlHP",
    "MultiUniformContinuousHyperParameter",
    "MultiUniformHP",
    "NormalContinuousHyperParameter",
    "NormalHP",
    "UniformContinuousHyperParameter",
    "UniformHP",
    "get_parameter",
    "set_custom_parameter_class",
]
