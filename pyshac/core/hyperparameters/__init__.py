"""The hyperparameter types and the search space."""

from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.constraints import (
    Constraint,
    Forbidden,
    Less,
    LinearConstraint,
)
from pyshac.core.hyperparameters.earlier.continuous import (
    AbstractContinuousHyperParameter,
    AbstractMultiContinuousHyperParameter,
)
from pyshac.core.hyperparameters.registry import get_parameter, set_custom_parameter_class
from pyshac.core.hyperparameters.space.parameter_list import HyperParameterList
from pyshac.core.hyperparameters.types.discrete import (
    DiscreteHP,
    DiscreteHyperParameter,
    MultiDiscreteHP,
    MultiDiscreteHyperParameter,
    OrdinalHP,
    OrdinalHyperParameter,
)
from pyshac.core.hyperparameters.types.distributions.distribution import (
    DistributionHP,
    DistributionHyperParameter,
)
from pyshac.core.hyperparameters.types.integer import (
    IntegerHP,
    IntegerHyperParameter,
    MultiIntegerHP,
    MultiIntegerHyperParameter,
)
from pyshac.core.hyperparameters.types.log_uniform import (
    LogUniformContinuousHyperParameter,
    LogUniformHP,
    MultiLogUniformContinuousHyperParameter,
    MultiLogUniformHP,
)
from pyshac.core.hyperparameters.types.normal import (
    MultiNormalContinuousHyperParameter,
    MultiNormalHP,
    MultiNormlHP,
    NormalContinuousHyperParameter,
    NormalHP,
)
from pyshac.core.hyperparameters.types.simplex import SimplexHP, SimplexHyperParameter
from pyshac.core.hyperparameters.types.uniform import (
    MultiUniformContinuousHyperParameter,
    MultiUniformHP,
    UniformContinuousHyperParameter,
    UniformHP,
)

__all__ = [
    "AbstractContinuousHyperParameter",
    "AbstractHyperParameter",
    "AbstractMultiContinuousHyperParameter",
    "Constraint",
    "DiscreteHP",
    "DiscreteHyperParameter",
    "DistributionHP",
    "DistributionHyperParameter",
    "Forbidden",
    "HyperParameterList",
    "IntegerHP",
    "IntegerHyperParameter",
    "Less",
    "LinearConstraint",
    "LogUniformContinuousHyperParameter",
    "LogUniformHP",
    "MultiDiscreteHP",
    "MultiDiscreteHyperParameter",
    "MultiIntegerHP",
    "MultiIntegerHyperParameter",
    "MultiLogUniformContinuousHyperParameter",
    "MultiLogUniformHP",
    "MultiNormalContinuousHyperParameter",
    "MultiNormalHP",
    "MultiNormlHP",
    "MultiUniformContinuousHyperParameter",
    "MultiUniformHP",
    "NormalContinuousHyperParameter",
    "NormalHP",
    "OrdinalHP",
    "OrdinalHyperParameter",
    "SimplexHP",
    "SimplexHyperParameter",
    "UniformContinuousHyperParameter",
    "UniformHP",
    "get_parameter",
    "set_custom_parameter_class",
]
