"""The parameter types that a saved search may name: the built-in ones and those a user adds."""

from __future__ import annotations

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

DiscreteHP = DiscreteHyperParameter
IntegerHP = IntegerHyperParameter
UniformHP = UniformContinuousHyperParameter
LogUniformHP = LogUniformContinuousHyperParameter
NormalHP = NormalContinuousHyperParameter
DistributionHP = DistributionHyperParameter
MultiDiscreteHP = MultiDiscreteHyperParameter
MultiUniformHP = MultiUniformContinuousHyperParameter
MultiNormalHP = MultiNormlHP = MultiNormalContinuousHyperParameter

_BUILT_IN: dict[str, type[AbstractHyperParameter]] = {
    "DiscreteHP": DiscreteHP,
    "IntegerHP": IntegerHP,
    "UniformHP": UniformHP,
    "LogUniformHP": LogUniformHP,
    "NormalHP": NormalHP,
    "DistributionHP": DistributionHP,
    "MultiDiscreteHP": MultiDiscreteHP,
    "MultiUniformHP": MultiUniformHP,
    "MultiNormalHP": MultiNormalHP,
    "MultiNormlHP": MultiNormlHP,
}
_BUILT_IN.update({cls.__name__: cls for cls in list(_BUILT_IN.values())})
_custom: dict[str, type[AbstractHyperParameter]] = {}


def set_custom_parameter_class(cls: type[AbstractHyperParameter]) -> None:
    """Registers a user's own parameter type, so that saved searches that use it can be restored.

    Args:
        cls: A subclass of `AbstractHyperParameter`. Registering a name again replaces its class.

    Raises:
        TypeError: If `cls` is not such a class.
        ValueError: If it has the name of a built-in type.
    """
    if not (isinstance(cls, type) and issubclass(cls, AbstractHyperParameter)):
        raise TypeError(f"cls must be a subclass of AbstractHyperParameter. Got {cls!r} instead.")
    if cls.__name__ in _BUILT_IN:
        raise ValueError(f"cls must not have the name of a built-in type, {cls.__name__!r}.")
    _custom[cls.__name__] = cls


def get_parameter(name: str) -> type[AbstractHyperParameter]:
    """Returns the parameter type with a class name or alias.

    Raises:
        ValueError: If there is none.
    """
    try:
        return _custom[name] if name in _custom else _BUILT_IN[name]
    except (KeyError, TypeError):
        raise ValueError(
            f"There is no hyperparameter type {name!r}. A type of your own must be registered "
            "with set_custom_parameter_class before its search is restored."
        ) from None
