"""Hierarchy: the conditions of a search space, as functions of arrays.

An encoded row is *complete* if it has a number in every column. In the rows of a search, inactive
parameters have NaN instead.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.hyperparameters.conditions.condition import Condition
from pyshac.core.hyperparameters.conditions.parent_values import (
    ParentValues,
    have_common,
    parent_values,
)
from pyshac.core.hyperparameters.space.block import Block


@dataclass(frozen=True)
class Rule:
    """A condition of a parameter.

    Attributes:
        condition: The condition.
        column: The column of the parent.
        values: The values for which it holds.
    """

    condition: Condition
    column: int
    values: ParentValues

    def refusal(self, name: str) -> str:
        """Returns the message for a parameter that has a value although the rule does not hold."""
        return f"{name!r} must be left out, since it is only active where {self.condition}."


class Hierarchy:
    """The conditions of a search space.

    Args:
        blocks: The columns of each parameter.

    Attributes:
        is_trivial: Whether there are no conditions.
        conditional: Which columns may be inactive, shape (columns,).
        order: The indices of the blocks, parents before their children; otherwise ascending.
        conditional_blocks: The indices of the blocks that may be inactive, in this order.
        rules: The rules of each block, all of which must hold.
        parents: The indices of the blocks on which others depend.

    Raises:
        TypeError: If a condition has a value that its parent cannot have.
        ValueError: If a parent is unknown, conditions can never hold, or parameters depend on one
            another in a circle.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        columns = {
            name: (block, column)
            for block in blocks
            for column, name in enumerate(block.names, block.columns.start)
        }
        self.rules = [
            [_rule(block, condition, columns) for condition in block.parameter.conditions]
            for block in blocks
        ]
        self.is_trivial = not any(self.rules)
        self._block_of = np.repeat(np.arange(len(blocks)), [block.width for block in blocks])
        self.conditional = np.array([bool(rules) for rules in self.rules], bool)[self._block_of]
        self.order = self._ordered()
        self.conditional_blocks = [number for number in self.order if self.rules[number]]
        self._check_possible()
        parents = {rule.column for rules in self.rules for rule in rules}
        self.parents = {int(self._block_of[column]) for column in parents}

    def _ordered(self) -> list[int]:
        parents = [{int(self._block_of[rule.column]) for rule in rules} for rules in self.rules]
        children: dict[int, list[int]] = {}
        for number, above in enumerate(parents):
            for parent in above:
                children.setdefault(parent, []).append(number)
        # Sorted, hence a heap.
        ready = [number for number, above in enumerate(parents) if not above]
        order: list[int] = []
        while ready:
            order.append(heapq.heappop(ready))
            for child in children.get(order[-1], ()):
                parents[child].discard(order[-1])
                if not parents[child]:
                    heapq.heappush(ready, child)
        if len(order) < len(self._blocks):
            left = sorted({*range(len(self._blocks))} - {*order})
            names = [self._blocks[each].parameter.name for each in left]
            raise ValueError(
                f"Conditions must not form a circle. Got one among {names!r}: each waits for "
                "another to be active."
            )
        return order

    def _check_possible(self) -> None:
        """Raises `ValueError` if conditions of a parameter and its parents are contradictory."""
        all_rules: dict[int, dict[int, list[Rule]]] = {}
        for number in self.conditional_blocks:
            by_column: dict[int, list[Rule]] = {}
            for rule in self.rules[number]:
                above = all_rules.get(int(self._block_of[rule.column]), {})
                for column, others in [(rule.column, [rule]), *above.items()]:
                    known = by_column.setdefault(column, [])
                    known += [other for other in others if other not in known]
            for rules in by_column.values():
                if len(rules) > 1 and not have_common([rule.values for rule in rules]):
                    name = self._blocks[number].parameter.name
                    texts = " and ".join(str(rule.condition) for rule in rules)
                    raise ValueError(
                        f"{name!r} can never be active: {texts}. Several conditions must hold at "
                        "once; for 'or', list the values in one."
                    )
            all_rules[number] = by_column

    @property
    def columns_in_order(self) -> list[int]:
        """The columns; those of parents come before those of their children."""
        slices = [self._blocks[number].columns for number in self.order]
        return [column for each in slices for column in range(each.start, each.stop)]

    def broken(self, number: int, row: FloatArray) -> Rule | None:
        """Returns the first rule of a block that does not hold; None if the block is active.

        Args:
            number: The index of the block.
            row: The columns of its parents, NaN where inactive; shape (columns,).
        """
        for rule in self.rules[number]:
            if not rule.values.hold(row[rule.column : rule.column + 1])[0]:
                return rule
        return None

    def active(self, encoded: FloatArray) -> BoolArray:
        """Returns where parameters of encoded rows are active; both have shape (n, columns)."""
        active = np.ones(encoded.shape, dtype=bool)
        for block, rules in self._conditional_blocks():
            for rule in rules:
                holds = active[:, rule.column] & rule.values.hold(encoded[:, rule.column])
                active[:, block.columns] &= holds[:, None]
        return active

    def deactivate(self, encoded: FloatArray) -> FloatArray:
        """Returns encoded rows with NaN where parameters are inactive."""
        if self.is_trivial:
            return encoded
        return np.where(self.active(encoded), encoded, np.nan)

    def bounds(self, low: FloatArray, high: FloatArray) -> tuple[BoolArray, BoolArray]:
        """Returns where parameters may be active, and where they may be inactive, in boxes.

        Args:
            low: Lower corners in the unit cube, shape (boxes, columns).
            high: Upper corners, exclusive, of the same shape.

        Returns:
            Two arrays of shape (boxes, columns). They may be true too often, but never too rarely.
        """
        active, inactive = np.ones(low.shape, dtype=bool), np.zeros(low.shape, dtype=bool)
        for block, rules in self._conditional_blocks():
            for rule in rules:
                column = rule.column
                can_hold, can_fail = rule.values.bounds(low[:, column], high[:, column])
                active[:, block.columns] &= (active[:, column] & can_hold)[:, None]
                inactive[:, block.columns] |= (inactive[:, column] | can_fail)[:, None]
        return active, inactive

    def edges(self, columns: Iterable[int]) -> list[tuple[int, float]]:
        """Returns the boundaries of activity: columns of parents, and unit values."""
        waiting: list[int] = [self._block_of[column] for column in columns]
        found: dict[tuple[int, float], None] = {}
        for number in waiting:
            for rule in self.rules[number]:
                waiting.append(self._block_of[rule.column])
                found.update(((rule.column, edge), None) for edge in rule.values.edges)
        return [*found]

    def _conditional_blocks(self) -> Iterator[tuple[Block, list[Rule]]]:
        for number in self.conditional_blocks:
            yield self._blocks[number], self.rules[number]


def _rule(block: Block, condition: Condition, columns: dict[str, tuple[Block, int]]) -> Rule:
    name = block.parameter.name
    if condition.parent not in columns:
        multi = next((b for b, _ in columns.values() if b.parameter.name == condition.parent), None)
        advice = (
            f"Name one of the columns {multi.names!r}" if multi else f"There are {[*columns]!r}"
        )
        raise ValueError(
            f"A condition of {name!r} must name a parameter with one value. Got "
            f"{condition.parent!r}. {advice}."
        )
    parent, column = columns[condition.parent]
    return Rule(condition, column, parent_values(name, condition, parent, column))
