"""LearnedSpace: the search space of a study, as its trials show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from pyshac.core.hyperparameters import HyperParameterList
from pyshac.integrations.optuna_parts.distributions import (
    covering,
    hull,
    parameter_of,
    value_of,
)

# Number of parents on which one parameter may depend.
MAX_PARENTS = 3


@dataclass(frozen=True)
class SeenTrial:
    """What a trial shows of the space.

    Attributes:
        number: Its number.
        numbers: Optuna's number, its internal representation, of each parameter that it has, in
            the order in which the objective has asked for them.
        distributions: Their distributions.
        has_all: Whether it has all that its objective asks for with these values; not sure of one
            that failed, was pruned or runs.
    """

    number: int
    numbers: Mapping[str, float]
    distributions: Mapping[str, BaseDistribution]
    has_all: bool


class Ranges:
    """The distributions of the parameters of trials, each over all that the trials hold.

    Args:
        known: Distributions that are known beforehand; they come first.
    """

    def __init__(self, known: Mapping[str, BaseDistribution]) -> None:
        self._found = dict(known)
        # The trial that had a parameter first, and its place there.
        self._first = {name: (-1, place) for place, name in enumerate(known)}

    def copy(self) -> Ranges:
        """Returns the ranges of this moment."""
        copied = Ranges({})
        copied._found, copied._first = {**self._found}, {**self._first}
        return copied

    def add(self, trial: SeenTrial) -> None:
        """Adds the parameters of a trial."""
        for place, (name, distribution) in enumerate(trial.distributions.items()):
            wide = hull(self._found.get(name, distribution), distribution)
            self._found[name] = covering(wide, trial.numbers[name])
            first = (trial.number, place)
            self._first[name] = min(self._first.get(name, first), first)

    def in_order(self) -> dict[str, BaseDistribution]:
        """Returns the distributions by name, in the order in which trials had them."""
        return {
            name: self._found[name] for name in sorted(self._first, key=self._first.__getitem__)
        }


@dataclass(frozen=True)
class Rule:
    """A condition of a parameter, in the terms of `AbstractHyperParameter.when`.

    Attributes:
        parent: The name of the parent.
        arguments: The other arguments of `when`; of choices, their places.
        explained: Numbers of the trials that lack the parameter because of it.
    """

    parent: str
    arguments: Mapping[str, Any]
    explained: frozenset[int] = field(compare=False)


@dataclass(frozen=True)
class LearnedSpace:
    """The search space of a study.

    It has each parameter that a trial had, in the order in which they appeared. A parameter that
    some trials lack gets conditions if other parameters tell which. Where none do, it is always
    active, and trials that lack it count with a draw in its place. A condition that a later trial
    refutes is learned anew.

    Attributes:
        distributions: The distributions by name, each over all that those of the trials hold.
        conditions: The conditions of the parameters that have some.
    """

    distributions: Mapping[str, BaseDistribution]
    conditions: Mapping[str, Sequence[Rule]]

    @classmethod
    def of(cls, trials: Sequence[SeenTrial], ranges: Ranges) -> LearnedSpace:
        """Returns the space that trials show.

        Args:
            trials: The trials, in the order of their numbers.
            ranges: Their distributions.
        """
        found = ranges.in_order()
        usable = {name: each for name, each in found.items() if parameter_of(name, each)}
        complete = [trial for trial in trials if trial.has_all]
        partial = [name for name in usable if any(name not in t.numbers for t in complete)]
        conditions = {name: _conditions(name, trials, complete, usable) for name in partial}
        return cls(usable, {name: rules for name, rules in conditions.items() if rules})

    def __eq__(self, other: object) -> bool:
        # The order of parameters counts: draws depend on it.
        return isinstance(other, LearnedSpace) and (
            [*self.distributions.items()] == [*other.distributions.items()]
            and self.conditions == other.conditions
        )

    def as_list(self, seed: int) -> HyperParameterList:
        """Returns the space as that of an engine."""
        found = ((name, parameter_of(name, each)) for name, each in self.distributions.items())
        parameters = {name: parameter for name, parameter in found if parameter is not None}
        for name, rules in self.conditions.items():
            for rule in rules:
                choices = parameters[rule.parent].column_kind.choices
                arguments = dict(rule.arguments)
                if choices is not None:
                    arguments["values"] = [choices[place] for place in arguments["values"]]
                parameters[name].when(rule.parent, **arguments)
        return HyperParameterList([*parameters.values()], seed=seed)


def row_of(space: HyperParameterList, trial: SeenTrial, stream: np.random.SeedSequence) -> Any:
    """Returns the row of a trial in a space.

    Args:
        space: A space that was learned from it, and others.
        trial: The trial.
        stream: Where values are drawn from that it lacks, such as those that were not asked for
            before it failed.
    """
    known = {
        name: value_of(space[name], number)
        for name, number in trial.numbers.items()
        if name in {each.name for each in space}
    }
    if len(known) == len(space):
        return space.to_row(known, named=True, leave_out=True)
    drawn = space.draw_complete(1, stream)[0]
    lacking = {
        each.name: each.decode(encoded)
        for each, encoded in zip(space, drawn, strict=True)
        if each.name not in known
    }
    return space.to_row({**known, **lacking}, named=True, leave_out=True)


def _conditions(
    name: str,
    trials: Sequence[SeenTrial],
    complete: Sequence[SeenTrial],
    space: Mapping[str, BaseDistribution],
) -> list[Rule]:
    """Returns the conditions that tell which complete trials lack a parameter; [] if none do."""
    having = [trial for trial in trials if name in trial.numbers]
    lacking = [trial for trial in complete if name not in trial.numbers]
    if not having:
        return []
    # Choices decide more often than numbers do.
    parents = sorted(
        (parent for parent in _asked_before(name, having) if parent in space),
        key=lambda parent: not isinstance(space[parent], CategoricalDistribution),
    )
    rules = [rule for each in parents for rule in _rules(each, space[each], having, lacking)]
    found: list[Rule] = []
    left = {trial.number for trial in lacking}
    while left and rules and len(found) < MAX_PARENTS:
        best = max(rules, key=lambda rule: len(rule.explained & left))
        if not best.explained & left:
            break
        found.append(best)
        left -= best.explained
    return [] if left else found


def _asked_before(name: str, having: Sequence[SeenTrial]) -> list[str]:
    """Returns what all trials that have a parameter were asked for before it, the latest first."""
    before: list[str] = []
    for number, trial in enumerate(having):
        names = [*trial.numbers]
        names = names[: names.index(name)]
        before = names if not number else [each for each in before if each in {*names}]
    return before[::-1]


def _rules(
    parent: str,
    distribution: BaseDistribution,
    having: Sequence[SeenTrial],
    lacking: Sequence[SeenTrial],
) -> Iterable[Rule]:
    """Yields rules with one parent, and what they explain.

    Without its parent, a parameter is inactive, too.
    """
    orphans = {trial.number for trial in lacking if parent not in trial.numbers}
    others = {t.number: t.numbers[parent] for t in lacking if parent in t.numbers}
    present = {trial.numbers[parent] for trial in having}
    if isinstance(distribution, CategoricalDistribution):
        absent = {n: value for n, value in others.items() if value not in present}
        values = {*range(len(distribution.choices))} - {int(value) for value in absent.values()}
        yield Rule(parent, {"values": sorted(values)}, frozenset(orphans | absent.keys()))
        return
    if not others and isinstance(distribution, (FloatDistribution, IntDistribution)):
        yield Rule(parent, {"at_least": distribution.low}, frozenset(orphans))
        return
    is_whole = isinstance(distribution, IntDistribution)
    low, high = min(present), max(present)
    below = {n: value for n, value in others.items() if value < low}
    above = {n: value for n, value in others.items() if value > high}
    if below:
        # Whole numbers in between count as active, until a trial shows otherwise.
        bound = int(max(below.values())) + 1 if is_whole else low
        yield Rule(parent, {"at_least": bound}, frozenset(orphans | below.keys()))
    if above:
        bound = int(min(above.values())) - 1 if is_whole else high
        yield Rule(parent, {"at_most": bound}, frozenset(orphans | above.keys()))
