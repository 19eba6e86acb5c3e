"""Condition: the values of another parameter for which a parameter is active."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyshac.core.basics import plain_values

_KEYS = {"parent", "values", "at_least", "at_most"}


@dataclass(frozen=True)
class Condition:
    """The values of another parameter, the parent, for which a parameter is active.

    Attributes:
        parent: The name of the parent, or of one column of a multi parameter.
        values: The values; None if there are bounds.
        at_least: The lowest value, or None.
        at_most: The highest value, or None.
    """

    parent: str
    values: tuple[Any, ...] | None = None
    at_least: Any = None
    at_most: Any = None

    def __str__(self) -> str:
        if self.values is not None:
            texts = [repr(value) for value in self.values]
            return f"{self.parent!r} is {' or '.join(texts)}"
        bounds = ("at least", self.at_least), ("at most", self.at_most)
        texts = [f"{word} {bound!r}" for word, bound in bounds if bound is not None]
        return f"{self.parent!r} is {' and '.join(texts)}"

    def get_config(self) -> dict[str, Any]:
        """Returns the condition in a form that JSON can hold."""
        config: dict[str, Any] = {"parent": self.parent}
        if self.values is not None:
            config["values"] = list(self.values)
        bounds = {"at_least": self.at_least, "at_most": self.at_most}
        return {**config, **{name: bound for name, bound in bounds.items() if bound is not None}}


def condition_of(name: str, parent: Any, values: Any, at_least: Any, at_most: Any) -> Condition:
    """Returns the condition that the arguments of `when` describe.

    Args:
        name: The name of the parameter, for errors.
        parent: As for `AbstractHyperParameter.when`.
        values: As for `when`.
        at_least: As for `when`.
        at_most: As for `when`.

    Raises:
        TypeError: If the parent is not a str, or a value has a type that no parameter has.
        ValueError: If there are neither values nor bounds, or both.
    """
    if not isinstance(parent, str):
        raise TypeError(
            f"A condition of {name!r} must name its parent, such as when('optimizer', 'sgd'). "
            f"Got {parent!r} instead."
        )
    what = f"A condition of {name!r} on {parent!r}"
    has_bounds = at_least is not None or at_most is not None
    if has_bounds and values is not None:
        raise ValueError(f"{what} must have values or bounds, not both: chain two calls of when().")
    if has_bounds:
        bounds = [
            None if bound is None else _checked(bound, f"{what}: a bound")
            for bound in (at_least, at_most)
        ]
        return Condition(parent, None, *bounds)
    # A tuple is one value.
    given = values if isinstance(values, list) else [values]
    if not given:
        raise ValueError(f"{what} must have at least one value.")
    checked = (_checked(value, f"{what}: a value") for value in given)
    return Condition(
        parent, tuple({plain_values.identity(each): each for each in checked}.values())
    )


def _checked(value: Any, what: str) -> Any:
    try:
        return plain_values.check_value(value, what)
    except TypeError as error:
        raise TypeError(f"{error} A choice that is an object counts by its name.") from None


def conditions_from_config(name: str, config: Any) -> tuple[Condition, ...]:
    """Returns the conditions of a parameter from the results of `get_config`.

    Raises:
        TypeError: If a value has the wrong type.
        ValueError: If an entry is not a condition.
    """
    conditions = []
    for entry in config if isinstance(config, list) else [config]:
        is_known = isinstance(entry, Mapping) and {"parent"} < entry.keys() <= _KEYS
        if not is_known or not isinstance(entry.get("values", []), list):
            raise ValueError(f"{entry!r} is no condition of {name!r}.")
        bounds = entry.get("at_least"), entry.get("at_most")
        conditions.append(condition_of(name, entry["parent"], entry.get("values"), *bounds))
    return tuple(conditions)
