"""Relation: a constraint that consists of data, so that files can store it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from pyshac.core.basics import plain_values
from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.hyperparameters.constraints.columns import Columns


class Relation(ABC):
    """A constraint that consists of data. Two relations with the same content are equal."""

    @property
    def name(self) -> str:
        """The text that names it in messages."""
        return repr(self)

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The names of the columns in the relation."""

    @abstractmethod
    def check(self, columns: Columns) -> None:
        """Raises `TypeError` or `ValueError` if the relation does not suit a search space."""

    @abstractmethod
    def holds(self, columns: Columns, encoded: FloatArray) -> BoolArray:
        """Returns which encoded samples of shape (n, columns) satisfy it, shape (n,)."""

    @abstractmethod
    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments in a form that JSON can hold."""

    @classmethod
    @abstractmethod
    def load_from_config(cls, config: Mapping[str, Any]) -> Relation:
        """Builds a relation from the result of `get_config`."""

    @property
    def identity(self) -> str:
        """A text that identifies the relation. Equal relations have equal texts."""
        return json.dumps([type(self).__name__, self.get_config()], sort_keys=True)

    def __eq__(self, other: object) -> bool:
        return self.identity == other.identity if isinstance(other, Relation) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.identity)


def check_column_name(owner: str, name: Any) -> str:
    """Returns the name of a column; raises `TypeError` if it is not a str."""
    if not isinstance(name, str):
        raise TypeError(f"{owner} must name parameters by str. Got {name!r} instead.")
    if not plain_values.is_storable(name):
        raise ValueError(f"{owner} must name parameters. Got {plain_values.shorten(name)} instead.")
    return name


def check_mapping(owner: str, given: Any, example: str) -> dict[str, Any]:
    """Returns a mapping from column names as a dict; raises if it is empty or not a mapping."""
    if not isinstance(given, Mapping):
        raise TypeError(f"{owner} takes a mapping, such as {example}. Got {given!r} instead.")
    if not given:
        raise ValueError(f"{owner} must name at least one parameter, such as {example}.")
    return {check_column_name(owner, name): value for name, value in given.items()}
