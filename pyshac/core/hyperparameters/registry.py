"""The types that a saved search may name: built-in types, and types that a user registers."""

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
        aliases: Further names under which saved searches may know it.

    Returns:
        A class decorator.
    """

    def register(cls: ParameterClass) -> ParameterClass:
        _built_in.update(dict.fromkeys((cls.__name__, *aliases), cls))
        return cls

    return register


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
    if cls.__name__ in _built_in:
        raise ValueError(f"cls must not have the name of a built-in type, {cls.__name__!r}.")
    _custom[cls.__name__] = cls


def get_parameter(name: str) -> type[AbstractHyperParameter]:
    """Returns the parameter type with a class name or alias.

    Raises:
        ValueError: If there is none.
    """
    try:
        return _custom[name] if name in _custom else _built_in[name]
    except (KeyError, TypeError):
        raise ValueError(
            f"There is no hyperparameter type {name!r}. A type of your own must be registered "
            "with set_custom_parameter_class before its search is restored."
        ) from None


def config_of(parameter: AbstractHyperParameter) -> list[Any]:
    """Returns `[class name, config]` of a parameter, and its conditions if it has any."""
    entry = [type(parameter).__name__, parameter.get_config()]
    conditions = [condition.get_config() for condition in parameter.conditions]
    return [*entry, conditions] if conditions else entry


def parameter_of(name: str, entry: Sequence[Any]) -> AbstractHyperParameter:
    """Builds the parameter of a name from the result of `config_of`.

    Raises:
        ValueError: If its type is unknown, or does not accept its config or its conditions.
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
