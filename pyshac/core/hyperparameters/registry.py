"""The types that a saved search may use: built-in types and registered types of users."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pyshac.core.basics.messages.printable import printable
from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.conditions.condition import conditions_from_config

ParameterClass = TypeVar("ParameterClass", bound=type[AbstractHyperParameter])

_built_in: dict[str, type[AbstractHyperParameter]] = {}
_custom: dict[str, type[AbstractHyperParameter]] = {}


def built_in(*aliases: str) -> Callable[[ParameterClass], ParameterClass]:
    """Registers a built-in type under the name of its class.

    Args:
        aliases: Other names that saved searches may use for it.

    Returns:
        A class decorator.
    """

    def register(cls: ParameterClass) -> ParameterClass:
        _built_in.update(dict.fromkeys((cls.__name__, *aliases), cls))
        return cls

    return register


def set_custom_parameter_class(cls: type[AbstractHyperParameter]) -> None:
    """Registers a custom parameter type, so that saved searches that use it can be restored.

    Example:
        ```python
        class Coin(pyshac.DiscreteHP):
            def __init__(self, name, seed=None):
                super().__init__(name, ["heads", "tails"], seed)

        pyshac.set_custom_parameter_class(Coin)
        ```

    Args:
        cls: A subclass of `AbstractHyperParameter`. It replaces an earlier class with its name.

    Raises:
        TypeError: If `cls` is not such a class.
        ValueError: If a built-in type has its name.
    """
    if not (isinstance(cls, type) and issubclass(cls, AbstractHyperParameter)):
        raise TypeError(f"cls must be a subclass of AbstractHyperParameter. Got {cls!r} instead.")
    if cls.__name__ in _built_in:
        raise ValueError(f"cls must not have the name of a built-in type, {cls.__name__!r}.")
    _custom[cls.__name__] = cls


def get_parameter(name: str) -> type[AbstractHyperParameter]:
    """Returns the parameter type with a class name or alias.

    Raises:
        ValueError: If there is no such type.
    """
    try:
        return _custom[name] if name in _custom else _built_in[name]
    except (KeyError, TypeError):
        raise ValueError(
            f"There is no hyperparameter type {name!r}. A type of your own must be registered "
            "with set_custom_parameter_class before its search is restored."
        ) from None


def config_of(parameter: AbstractHyperParameter) -> list[Any]:
    """Returns `[class name, config]` of a parameter, with its conditions as a third item if any."""
    entry = [type(parameter).__name__, parameter.get_config()]
    conditions = [condition.get_config() for condition in parameter.conditions]
    return [*entry, conditions] if conditions else entry


def parameter_of(name: str, entry: Sequence[Any]) -> AbstractHyperParameter:
    """Builds the parameter with a given name from the result of `config_of`.

    Raises:
        ValueError: If the type is unknown, or rejects its config or conditions.
    """
    try:
        class_name, arguments, conditions = entry if len(entry) == 3 else [*entry, []]
        parameter = get_parameter(class_name).load_from_config(arguments)
        parameter.conditions = conditions_from_config(name, conditions)
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(
            f"{name!r} has no config of a hyperparameter: {printable(str(error))}"
        ) from error
    if parameter.name != name:
        raise ValueError(f"{name!r} has the config of {parameter.name!r}.")
    return parameter
