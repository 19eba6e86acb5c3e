"""StudySearch: the search that follows the trials of one study."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from pyshac.core.basics import seeding
from pyshac.core.basics.seeding import Purpose
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.run.told_search import UNRANKED, Drawn, Told, ToldSearch
from pyshac.core.search.settings import Settings
from pyshac.integrations.optuna_parts.distributions import as_optuna
from pyshac.integrations.optuna_parts.learned_space import (
    LearnedSpace,
    Ranges,
    SeenTrial,
    row_of,
)
from pyshac.integrations.optuna_parts.results import details_of, score_of

# The attribute of a trial that has the number of the ranking which chose it.
RANKING = "pyshac:ranking"
# Larger numbers of rankings are none of ours.
MAX_RANKING = 100


@dataclass(frozen=True)
class Sample:
    """A sample for a trial.

    Attributes:
        values: Optuna's values by name; inactive parameters have none.
        chosen_by: Number of the ranking that chose it, or `UNRANKED`.
    """

    values: dict[str, Any]
    chosen_by: int


class StudySearch:
    """The search that follows the trials of one study.

    Its state is that of the study: the trials that have ended, in the order in which they did, make
    its batches, and each batch that is full is learned from. So all processes on one storage have
    the same search, and one that starts later catches up.

    Args:
        settings: The settings of the search.
        entropy: Its seed.
        known: Distributions that are known beforehand, by name.
    """

    def __init__(
        self, settings: Settings, entropy: int, known: Mapping[str, BaseDistribution]
    ) -> None:
        self._settings = settings
        self.entropy = entropy
        self._ranges = Ranges(known)
        self._seen: dict[int, SeenTrial] = {}
        self._latest: tuple[Any, LearnedSpace] | None = None
        self._told: list[int] = []
        # Optuna's numbers of samples whose trials may not show them yet.
        self._handed_out: dict[int, dict[str, float]] = {}
        self._space: LearnedSpace | None = None
        self._search: ToldSearch | None = None

    def space(self, trials: Sequence[FrozenTrial], number: int) -> LearnedSpace:
        """Returns the space that the trials before one show, and those that run beside it."""
        others = [trial for trial in trials if trial.number != number]
        for trial in others:
            if trial.state.is_finished() and trial.number not in self._seen:
                self._ranges.add(self._as_seen(trial))
        running = [self._as_seen(trial) for trial in others if not trial.state.is_finished()]
        # A trial asks twice: for the space, then for its sample.
        key = (len(self._seen), [(each.number, len(each.numbers)) for each in running])
        if self._latest is None or self._latest[0] != key:
            ranges = self._ranges.copy()
            for each in running:
                ranges.add(each)
            seen = [self._as_seen(trial) for trial in others]
            self._latest = key, LearnedSpace.of(seen, ranges)
        return self._latest[1]

    def sample(self, trials: Sequence[FrozenTrial], number: int) -> Sample | None:
        """Returns the sample for a trial, given all trials and its number.

        Returns:
            None if no space is known yet, or nothing is left of it.
        """
        space = self.space(trials, number)
        if not space.distributions:
            return None
        search = self._follow(space, trials)
        by_number = {trial.number: trial for trial in trials}
        told = {*self._told}
        # Another thread may have got a sample for a trial that began later.
        later = self._handed_out.keys() - {number}
        others = [
            trial for trial in trials
            if (trial.number < number or trial.number in later)
            and trial.number not in told and trial.state != TrialState.WAITING
        ]  # fmt: skip
        # Of these, the ones that began before the last batch ended belong to no draw of the next.
        ends = [by_number[each].datetime_complete for each in self._told]
        end = max((each for each in ends if each is not None), default=None)
        carried = [
            trial for trial in others
            if end is not None and trial.datetime_start is not None and trial.datetime_start < end
        ]  # fmt: skip
        rows = {trial.number: self._row(search, trial) for trial in others}
        key = tuple(trial.number for trial in carried)
        given, taken = [rows[each] for each in key], [*rows.values()]
        draw = functools.partial(search.sample, given=given, key=key)
        drawn = _first_new(search.space, draw, len(others) - len(key), taken)
        if drawn is None:
            return None
        sample = _as_sample(space, search, drawn)
        self._handed_out[number] = {
            name: float(space.distributions[name].to_internal_repr(value))
            for name, value in sample.values.items()
        }
        return sample

    def first_value(self, trial: FrozenTrial, name: str, distribution: BaseDistribution) -> Any:
        """Returns a value for the very first trial, whose space is not known yet.

        It is that of the first sample in the space of what was asked for so far. The first numbers
        of a draw are the same in a space that has more parameters, unless it is a small finite one.

        Returns:
            None if the search cannot hold the parameter.
        """
        distributions = {**trial.distributions, name: distribution}
        space = LearnedSpace.of([], Ranges(distributions))
        if name not in space.distributions:
            return None
        search = ToldSearch(space.as_list(self.entropy), self._settings)
        drawn = search.sample(0)
        return None if drawn is None else _as_sample(space, search, drawn).values[name]

    def _follow(self, space: LearnedSpace, trials: Sequence[FrozenTrial]) -> ToldSearch:
        """Returns the search after all batches of trials that have ended."""
        ended = {trial.number: trial for trial in trials if trial.state.is_finished()}
        is_same = space == self._space and {*self._told} <= ended.keys()
        if self._search is None or not is_same:
            self._search = ToldSearch(space.as_list(self.entropy), self._settings)
            self._space, self._told = space, []
        search, told = self._search, {*self._told}
        # What was told stays: clocks of several machines differ, and are set back.
        new = sorted(
            (trial for number, trial in ended.items() if number not in told),
            key=lambda trial: (str(trial.datetime_complete), trial.number),
        )
        while len(new) >= search.size_of_next:
            batch, new = new[: search.size_of_next], new[search.size_of_next :]
            search.tell([self._as_told(search, trial) for trial in batch])
            for trial in batch:
                self._told.append(trial.number)
                self._handed_out.pop(trial.number, None)
        return search

    def _as_seen(self, trial: FrozenTrial) -> SeenTrial:
        seen = self._seen.get(trial.number)
        if seen is None:
            distributions = dict(trial.distributions)
            numbers = {
                name: float(distributions[name].to_internal_repr(value))
                for name, value in [*trial.params.items()]
                if name in distributions
            }
            has_all = trial.state == TrialState.COMPLETE
            seen = SeenTrial(trial.number, numbers, distributions, has_all)
            if trial.state.is_finished():
                self._seen[trial.number] = seen
        return seen

    def _row(self, search: ToldSearch, trial: FrozenTrial) -> list[Any]:
        stream = seeding.stream(self.entropy, Purpose.ENQUEUE, trial.number)
        seen = self._as_seen(trial)
        if not trial.state.is_finished():
            handed_out = self._handed_out.get(trial.number, {})
            seen = replace(seen, numbers={**handed_out, **seen.numbers})
        row: list[Any] = row_of(search.space, seen, stream)
        return row

    def _as_told(self, search: ToldSearch, trial: FrozenTrial) -> Told:
        ranking = trial.system_attrs.get(RANKING)
        is_ours = type(ranking) is int and UNRANKED <= ranking <= MAX_RANKING
        row, ranking = self._row(search, trial), ranking if is_ours else None
        return Told(row, score_of(trial), details_of(trial), ranking)


def _first_new(
    space: HyperParameterList,
    draw: Callable[[int], Drawn | None],
    place: int,
    taken: Sequence[list[Any]],
) -> Drawn | None:
    """Returns the first sample that no other trial has.

    Trials that run side by side may come from draws that did not know of each other. So a sample
    of this draw may be taken, and one that is due to another trial may be free.

    Args:
        space: The search space.
        draw: Returns the sample of a place in the draw; None if nothing is left of the space.
        place: The place that is due.
        taken: The rows of the other trials.
    """
    known = {space.encode(row).tobytes() for row in taken}
    later = itertools.takewhile(lambda drawn: drawn, map(draw, itertools.count(place)))
    for drawn in itertools.chain(later, map(draw, range(place))):
        if drawn is not None and space.encode(drawn.row).tobytes() not in known:
            return drawn
    return None


def _as_sample(space: LearnedSpace, search: ToldSearch, drawn: Drawn) -> Sample:
    values = {
        name: as_optuna(search.space[name], space.distributions[name], value)
        for name, value in search.space.to_parameters(drawn.row, named=True).items()
    }
    return Sample(values, drawn.chosen_by)
