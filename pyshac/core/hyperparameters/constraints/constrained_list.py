"""ConstrainedList: the constraints of a search space."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.errors import InfeasibleSpaceError
from pyshac.core.hyperparameters.constraints.columns import Columns
from pyshac.core.hyperparameters.constraints.constraint import Constraint, MissingConstraint
from pyshac.core.hyperparameters.constraints.given_columns import GivenColumns
from pyshac.core.hyperparameters.constraints.less import Less
from pyshac.core.hyperparameters.constraints.relation import Relation
from pyshac.core.hyperparameters.space.block import Block

# Draws of `sample`, each of which takes some tens of microseconds.
MAX_DRAWS = 100_000
# Each of these takes as long as a hundred in a block.
MAX_SINGLE_DRAWS = 100

# Files are not trusted to hold more.
MAX_CONSTRAINTS = 10_000

AnyConstraint = Constraint | MissingConstraint | Relation


class ConstrainedList:
    """The constraints of a search space, and their application to samples."""

    _blocks: list[Block]
    _constraints: tuple[AnyConstraint, ...] = ()
    _columns: Columns | None = None

    @property
    def constraints(self) -> tuple[AnyConstraint, ...]:
        """The constraints that every sample obeys."""
        return self._constraints

    @property
    def relations(self) -> list[Relation]:
        """The constraints that consist of data."""
        return [each for each in self._constraints if isinstance(each, Relation)]

    @property
    def columns(self) -> Columns:
        """The columns by name, with their values in encoded samples."""
        if self._columns is None or self._columns.blocks != self._blocks:
            self._columns = Columns([*self._blocks])
        return self._columns

    @property
    def has_slow_constraints(self) -> bool:
        """Whether a constraint is a function that receives one sample at a time."""
        return any(
            isinstance(each, Constraint) and not each.vectorized for each in self._constraints
        )

    def _constrain(self, constraints: Iterable[Any]) -> None:
        """Sets constraints, which must suit the parameters."""
        checked = _checked(constraints)
        for relation in checked:
            if isinstance(relation, Relation):
                relation.check(self.columns)
        _check_order([each for each in checked if isinstance(each, Less)])
        self._constraints = checked

    def take_functions(self, constraints: Sequence[Any]) -> None:
        """Restores the functions of constraints of which a file holds only the name.

        Args:
            constraints: Constraints, all of which must belong to the space.

        Raises:
            ValueError: If a constraint does not belong to the space.
        """
        given = {each.identity: each for each in _checked(constraints)}
        known = [each.identity for each in self._constraints]
        for identity, constraint in given.items():
            if identity not in known:
                raise ValueError(
                    "constraints must be among those of the saved search, "
                    f"{[*self._constraints]!r}. Got {constraint!r}. Functions count by their "
                    "names, lambdas by their places: hand over the same list, or give them these "
                    "names, as Constraint(function, name=...)."
                )
        self._constraints = tuple(given.get(each.identity, each) for each in self._constraints)

    def require_functions(self) -> None:
        """Raises `SaveDirectoryError` if the function of a constraint is missing."""
        for each in self._constraints:
            if isinstance(each, MissingConstraint):
                raise each.refusal()

    def _check_unrelated(self, name: str, columns: list[str]) -> None:
        """Raises `ValueError` if a relation uses a parameter that is to be removed."""
        for relation in self.relations:
            if not set(columns).isdisjoint(relation.columns):
                raise ValueError(f"{name!r} cannot be removed, since {relation!r} names it.")

    @abstractmethod
    def encode(self, x: Sequence[Any]) -> FloatArray: ...

    @abstractmethod
    def decode(self, x: Sequence[float] | FloatArray) -> list[Any]: ...

    @abstractmethod
    def draw(self, n: int, stream: np.random.SeedSequence) -> FloatArray: ...

    def _first_feasible(self, draw: Callable[[], list[Any]]) -> list[Any]:
        """Returns the first of many draws that obeys the constraints."""
        for _ in range(min(MAX_SINGLE_DRAWS, MAX_DRAWS)):
            row = draw()
            if self.feasible(self.encode(row)[None])[0]:
                return row
        random = self.columns.blocks[0].parameter.random
        drawn = size = MAX_SINGLE_DRAWS
        while drawn < MAX_DRAWS:
            size = min(2 * size, MAX_DRAWS - drawn)
            rows = self.draw(size, np.random.SeedSequence(random.randint(2**31, size=4).tolist()))
            allowed = self.feasible(rows)
            if allowed.any():
                return self.decode(rows[np.argmax(allowed)])
            drawn += size
        raise InfeasibleSpaceError(
            f"None of {MAX_DRAWS} draws obeys the constraints {list(self.constraints)!r}. An "
            "engine draws from less than sample() does where constraints are relations, such as "
            "Less, instead of functions; narrower ranges help, too."
        )

    def feasible(self, encoded: FloatArray) -> BoolArray:
        """Returns which encoded samples of shape (n, columns) obey all constraints, shape (n,)."""
        allowed = self.obeys_relations(encoded)
        if allowed.any():
            allowed[allowed] = self.obeys_functions(encoded[allowed])
        return allowed

    def obeys_relations(self, encoded: FloatArray, columns: Columns | None = None) -> BoolArray:
        """Returns which encoded samples obey the constraints that consist of data, shape (n,).

        Args:
            encoded: Shape (n, columns).
            columns: Their values; None for the decoded values.
        """
        allowed = np.ones(len(encoded), dtype=bool)
        for relation in self.relations:
            allowed &= relation.holds(columns or self.columns, encoded)
        return allowed

    def obeys_functions(self, encoded: FloatArray, columns: Columns | None = None) -> BoolArray:
        """Returns which samples obey the constraints that are functions; see `obeys_relations`."""
        allowed = np.ones(len(encoded), dtype=bool)
        for each in self._constraints:
            if not isinstance(each, Relation) and allowed.any():
                allowed[allowed] = each.holds(columns or self.columns, encoded[allowed])
        return allowed

    def check_constraints(self, row: Sequence[Any]) -> None:
        """Raises unless a row obeys all constraints.

        Raises:
            TypeError: If a value has the wrong type.
            ValueError: If the row breaks a constraint, or a value is outside the search space.
        """
        if not self._constraints:
            return
        encoded = self.encode(row)[None]
        columns = GivenColumns(self._blocks, dict(zip(self.columns.names, row, strict=True)))
        for each in self._constraints:
            if not each.holds(columns, encoded)[0]:
                shown = next(columns.parameters(encoded))
                raise ValueError(
                    f"A sample must obey the constraints of the search space. {shown!r} breaks "
                    f"{each.name if isinstance(each, Relation) else repr(each.name)}: change its "
                    "values, or the constraint."
                )


def _check_order(relations: Sequence[Less]) -> None:
    """Raises `InfeasibleSpaceError` if a parameter would have to be less than itself."""
    order: TopologicalSorter[str] = TopologicalSorter()
    for relation in relations:
        order.add(relation.high, relation.low)
    try:
        order.prepare()
    except CycleError as error:
        raise InfeasibleSpaceError(
            f"The constraints contradict each other: {' < '.join(error.args[1])}. Leave one of "
            "them out."
        ) from None


def _checked(constraints: Any) -> tuple[AnyConstraint, ...]:
    """Returns constraints with distinct names; functions become a `Constraint`."""
    is_list = isinstance(constraints, Iterable) and not isinstance(constraints, (str, bytes, dict))
    if not is_list or isinstance(constraints, type):
        raise TypeError(
            "constraints must be a list, such as [Less('low', 'high')], of functions and "
            f"relations. Got {constraints!r} instead."
        )
    checked: dict[str, AnyConstraint] = {}
    for place, each in enumerate(constraints, 1):
        if place > MAX_CONSTRAINTS:
            raise ValueError(
                f"There must be at most {MAX_CONSTRAINTS} constraints. Put some of them into one "
                "function."
            )
        if not isinstance(each, AnyConstraint):
            each = Constraint(each)
        if isinstance(each, Constraint) and not each.name:
            # A lambda has no name of its own.
            each = Constraint(each.function, f"constraint {place}", each.vectorized)
        if each.identity in checked:
            raise ValueError(
                f"constraints must be distinct. Got {each!r} twice: give functions names, as "
                "Constraint(function, name=...)."
            )
        checked[each.identity] = each
    return tuple(checked.values())
