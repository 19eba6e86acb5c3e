"""CandidateSpace: what scikit-learn calls `param_distributions`, as a search space."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

import numpy as np

from pyshac.core.basics import plain_values
from pyshac.core.hyperparameters import (
    AbstractHyperParameter,
    DiscreteHP,
    DistributionHP,
    HyperParameterList,
    IntegerHP,
)
from pyshac.core.hyperparameters.types.distributions.scipy_distributions import is_frozen
from pyshac.core.hyperparameters.types.object_texts import text_of
from pyshac.integrations.sklearn_parts.drawn import DrawnHyperParameter

# The parameter that chooses one of several dicts.
CHOICE = "param_distributions"
_ALLOWED = (
    "lists of values, distributions with a method rvs, or hyperparameters of this library such as "
    "LogUniformHP"
)


class CandidateSpace:
    """The search space of `param_distributions`, and the way from its samples to candidates.

    Of several dicts, a parameter chooses one, and the parameters of each dict are active only with
    it. What several dicts have in common is one parameter.

    Args:
        given: A dict, a list of dicts, a `HyperParameterList` or a list of hyperparameters.

    Attributes:
        parameters: The search space.

    Raises:
        TypeError: If it is none of these, or a value is nothing to choose from.
        ValueError: If it is empty, or a parameter has no values.
    """

    def __init__(self, given: Any) -> None:
        self._names: dict[str, str] = {}
        if isinstance(given, HyperParameterList):
            self.parameters = given
        elif isinstance(given, Mapping):
            self.parameters = self._union([given])
        elif not isinstance(given, Sequence) or isinstance(given, str) or not given:
            raise _refusal(given)
        elif all(isinstance(each, AbstractHyperParameter) for each in given):
            self.parameters = HyperParameterList(given)
        elif all(isinstance(each, Mapping) for each in given):
            self.parameters = self._union(given)
        else:
            raise _refusal(given)

    def candidate(self, sample: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the parameters of the estimator that a sample stands for."""
        names = self._names
        return {names.get(name, name): sample[name] for name in sample if name != CHOICE}

    def _union(self, dicts: Sequence[Mapping[str, Any]]) -> HyperParameterList:
        read = [{name: _parameter(name, each[name]) for name in sorted(each)} for each in dicts]
        if len(read) == 1 and read[0]:
            return HyperParameterList([*read[0].values()])
        owners = {
            name: [place for place, each in enumerate(read) if name in each]
            for name in dict.fromkeys(name for each in read for name in each)
        }
        if CHOICE in owners:
            raise ValueError(f"No parameter of the estimator may be called {CHOICE!r}.")
        shared = {
            name
            for name, places in owners.items()
            if all(_is_same(read[places[0]][name], read[place][name]) for place in places[1:])
        }
        parameters: list[AbstractHyperParameter] = [DiscreteHP(CHOICE, [*range(len(read))])]
        for place, each in enumerate(read):
            new = {name: f"{name} [{place}]" for name in each if name not in shared}
            self._names |= {own: name for name, own in new.items()}
            for name in each:
                places = owners[name] if name in shared else [place]
                if place == places[0]:
                    parameters.append(_conditional(each[name], places, new))
        return HyperParameterList(parameters)


def _conditional(
    parameter: AbstractHyperParameter, owners: list[int], new: Mapping[str, str]
) -> AbstractHyperParameter:
    """Returns a parameter as it is in some of the dicts alone, where others have new names."""
    own = copy.deepcopy(parameter)
    own.name = new.get(own.name, own.name)
    own.conditions = tuple(
        replace(each, parent=new.get(each.parent, each.parent)) for each in own.conditions
    )
    return own.when(CHOICE, owners)


def _is_same(one: AbstractHyperParameter, other: AbstractHyperParameter) -> bool:
    if isinstance(one, DrawnHyperParameter) or one.conditions or other.conditions:
        return False
    if repr(one) != repr(other):
        return False
    # Objects of one name may still be different ones.
    values = getattr(one, "values", ())
    return all(one.to_object(value) is other.to_object(value) for value in values)


def _parameter(name: Any, given: Any) -> AbstractHyperParameter:
    """Returns the parameter of a name.

    Raises:
        TypeError: If the name is no str, or there is nothing to choose from.
        ValueError: If a hyperparameter has another name.
    """
    if not isinstance(name, str):
        raise TypeError(f"The names in param_distributions must be str. Got {name!r} instead.")
    if isinstance(given, AbstractHyperParameter):
        if given.name != name:
            raise ValueError(
                f"The hyperparameter of {name!r} in param_distributions must have the same name. "
                f"Got {given.name!r} instead."
            )
        return given
    if hasattr(given, "rvs"):
        return _of_distribution(name, given)
    if isinstance(given, Mapping):
        return DiscreteHP(name, given)
    if isinstance(given, (str, bytes, Set)) or not isinstance(given, (Sequence, np.ndarray)):
        values = getattr(given, "array", None)
        if values is None:
            raise TypeError(
                f"Parameter grid for parameter {name!r} is not iterable or a distribution "
                f"(value={given!r}). param_distributions must have {_ALLOWED}."
            )
        given = values
    return _choice(name, given)


def _of_distribution(name: str, given: Any) -> AbstractHyperParameter:
    if not is_frozen(given):
        return DrawnHyperParameter(name, given)
    if given.dist.name == "randint":
        # Of whole numbers in a range, the search knows when all of them have been evaluated.
        low, high = given.support()
        if np.isfinite(low) and np.isfinite(high):
            return IntegerHP(name, int(low), int(high))
    return DistributionHP(name, given)


def _choice(name: str, values: Iterable[Any]) -> AbstractHyperParameter:
    """Returns a choice among values of any kind; what is repeated counts once."""
    different: dict[Any, Any] = {}
    has_lists = False
    for value in values:
        try:
            plain = plain_values.check_value(value, name)
            # Lists would come back as tuples, which not every estimator takes for them.
            is_same = bool(plain == value)
        # An object is the same as itself alone.
        except Exception:
            different.setdefault(("object", id(value)), value)
        else:
            has_lists |= not is_same
            different.setdefault((plain_values.identity(plain), is_same), value)
    try:
        if not has_lists:
            return DiscreteHP(name, [*different.values()])
    except (TypeError, ValueError):
        if not different:
            raise
    return DiscreteHP(name, _named(different.values()))


def _named(values: Iterable[Any]) -> dict[str, Any]:
    """Returns objects by their texts, or by types and places where they have none of their own."""
    named: dict[str, Any] = {}
    for place, value in enumerate(values):
        try:
            text = text_of(value)
        except ValueError:
            text = ""
        is_free = text and text not in named
        named[text if is_free else f"{type(value).__name__} {place}"] = value
    return named


def _refusal(given: Any) -> TypeError:
    return TypeError(
        "param_distributions must be a dict of " + _ALLOWED + "; a list of such dicts; a "
        f"HyperParameterList; or a list of hyperparameters. Got {given!r} instead."
    )
