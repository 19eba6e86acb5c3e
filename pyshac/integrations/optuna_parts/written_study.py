"""WrittenStudy: a study of Optuna in which a search is written down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import optuna
from optuna.exceptions import OptunaError
from optuna.storages import BaseStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from pyshac.core.dataset import Dataset, Evaluation
from pyshac.core.dataset.data_frame import free_names
from pyshac.core.dataset.objective import Objective
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.integrations.optuna_parts.columns import columns_of, params_of
from pyshac.looking.snapshot import take_snapshot

# The attribute of a trial that has the number of its sample.
NUMBER = "pyshac:number"
_ASKED_STORAGE = (
    "storage must be a storage of Optuna, or the address of a database, such as "
    "'sqlite:///study.db'."
)
STATES = {
    "complete": TrialState.COMPLETE,
    "failed": TrialState.FAIL,
    "pruned": TrialState.PRUNED,
}


def export_study(
    source: Any, storage: str | BaseStorage, study_name: str, objective: str | None = None
) -> tuple[int, int]:
    """Writes the evaluations of a search into a study of Optuna; those that are there stay.

    Args:
        source: An engine, or the path of a save directory.
        storage: A storage of Optuna or its address, such as 'sqlite:///study.db'.
        study_name: The name of the study, which is made if there is none.
        objective: As for `take_snapshot`.

    Returns:
        The number of evaluations that were added, and of those that the search has.

    Raises:
        TypeError: If `source`, `storage` or `study_name` is something else.
        ValueError: If the storage cannot be opened, the name is empty, or the study holds another
            search.
    """
    snapshot = take_snapshot(source, objective)
    study = WrittenStudy(storage, study_name, snapshot.space, snapshot.objective)
    study.check(snapshot.dataset)
    return study.add_new(snapshot.dataset), len(snapshot.dataset)


class WrittenStudy:
    """A study of Optuna in which a search is written down.

    Args:
        storage: As for `export_study`.
        study_name: As for `export_study`.
        space: The search space.
        objective: Which scores are better.

    Raises:
        TypeError: As `export_study` does.
        ValueError: As `export_study` does.
    """

    def __init__(
        self,
        storage: str | BaseStorage,
        study_name: str,
        space: HyperParameterList,
        objective: Objective,
    ) -> None:
        self._columns = columns_of(space)
        self._objective = objective
        self._study = _open_study(storage, study_name, objective)
        self._known = {
            trial.system_attrs[NUMBER]: trial
            for trial in self._study.get_trials(deepcopy=False)
            if trial.system_attrs.get(NUMBER, -1) >= 0
        }

    def add_new(self, dataset: Dataset) -> int:
        """Writes what a dataset has more than the study; returns the number of evaluations.

        Raises:
            ValueError: If the study has other samples under their numbers.
        """
        number = 0
        for place, each in enumerate(dataset.ids):
            trial = self._known.get(each)
            if trial is None or not trial.state.is_finished():
                self._write(dataset.evaluation(place), dataset.X[place], trial)
                number += 1
        return number

    def check(self, dataset: Dataset) -> None:
        """Raises `ValueError` if the study holds another search than that of a dataset."""
        rows = dict(zip(dataset.ids, dataset.X, strict=True))
        for number, trial in self._known.items():
            if number in rows:
                self._check_same(trial, rows[number])
            elif trial.state.is_finished():
                self._refuse(number)

    def begin(self, number: int, row: Sequence[Any]) -> None:
        """Writes that a sample runs; one that ran before, or is retried, is not written twice."""
        params, distributions, others = params_of(self._columns, row)
        known = self._known.get(number)
        if known is not None and known.params == params:
            return
        if known is not None:
            self._forget(known)
        trial = optuna.trial.create_trial(
            state=TrialState.RUNNING,
            params=params,
            distributions=distributions,
            user_attrs=others,
            system_attrs={NUMBER: number},
        )
        self._known[number] = self._add(trial)

    def end_running(self) -> None:
        """Marks the samples that run as failed; they are written anew if they run again."""
        for number, trial in [*self._known.items()]:
            if not trial.state.is_finished():
                self._forget(trial)
                del self._known[number]

    def _write(self, evaluation: Evaluation, row: Sequence[Any], known: FrozenTrial | None) -> None:
        if known is not None:
            self._check_same(known, row)
        params, distributions, others = params_of(self._columns, row)
        curve, state = evaluation.curve, STATES[evaluation.state]
        points = {} if curve is None else dict(zip(curve.steps, curve.scores, strict=True))
        value = None if math.isnan(evaluation.score) else evaluation.score
        if state == TrialState.PRUNED and curve is not None and math.isfinite(curve.scores[-1]):
            value = curve.scores[-1]
        trial = optuna.trial.create_trial(
            state=state,
            value=value,
            params=params,
            distributions=distributions,
            user_attrs={**others, **_attributes(evaluation)},
            system_attrs={NUMBER: evaluation.number},
            intermediate_values=points,
        )
        trial.datetime_start, trial.datetime_complete = _times(evaluation)
        is_ended = known is not None and self._end(known, trial)
        self._known[evaluation.number] = trial if is_ended else self._add(trial)

    def _end(self, known: FrozenTrial, trial: FrozenTrial) -> bool:
        """Writes the end of a sample that runs; returns whether nobody else has ended it."""
        storage, trial_id = self._study._storage, known._trial_id
        if storage.get_trial(trial_id).state.is_finished():
            return False
        for step, score in trial.intermediate_values.items():
            storage.set_trial_intermediate_value(trial_id, step, score)
        for name, value in trial.user_attrs.items():
            storage.set_trial_user_attr(trial_id, name, value)
        storage.set_trial_state_values(trial_id, trial.state, trial.values)
        return True

    def _add(self, trial: FrozenTrial) -> FrozenTrial:
        storage = self._study._storage
        trial._validate()
        trial_id = storage.create_new_trial(self._study._study_id, template_trial=trial)
        return storage.get_trial(trial_id)

    def _forget(self, trial: FrozenTrial) -> None:
        """Ends a trial whose sample has not ended, so that its number is free again."""
        storage = self._study._storage
        if not storage.get_trial(trial._trial_id).state.is_finished():
            storage.set_trial_system_attr(trial._trial_id, NUMBER, -1)
            storage.set_trial_user_attr(trial._trial_id, "failure", "it has not ended")
            storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)

    def _check_same(self, trial: FrozenTrial, row: Sequence[Any]) -> None:
        if trial.params != params_of(self._columns, row)[0]:
            self._refuse(trial.system_attrs[NUMBER])

    def _refuse(self, number: int) -> None:
        raise ValueError(
            f"study_name must be that of a study of this search, or a new one. The study "
            f"{self._study.study_name!r} has another sample {number}: choose another name."
        )


def _attributes(evaluation: Evaluation) -> dict[str, Any]:
    """Returns what is known of an evaluation beside its score, as JSON can hold it."""
    own = {"slot": evaluation.slot, "failure": evaluation.failure}
    attributes: dict[str, Any] = {name: each for name, each in own.items() if each is not None}
    names = free_names([*evaluation.extras], own)
    for name, value in zip(names, evaluation.extras.values(), strict=True):
        is_finite = not isinstance(value, float) or math.isfinite(value)
        attributes[name] = value if is_finite else str(value)
    return attributes


def _times(evaluation: Evaluation) -> tuple[datetime, datetime]:
    """Returns begin and end, in local time, as Optuna has them; now if they are not known."""
    if evaluation.started is None:
        return datetime.now(), datetime.now()
    start = evaluation.started.astimezone().replace(tzinfo=None)
    return start, start + timedelta(seconds=evaluation.seconds or 0.0)


def check_storage(storage: Any) -> None:
    """Raises `TypeError` or `ValueError` for what is neither a storage nor an address of one."""
    if not isinstance(storage, (str, BaseStorage)):
        raise TypeError(f"{_ASKED_STORAGE} Got {storage!r} instead.")
    if isinstance(storage, str) and "://" not in storage:
        raise ValueError(f"{_ASKED_STORAGE} Got {storage!r} instead.")


def check_study_name(name: Any) -> None:
    """Raises `TypeError` or `ValueError` for what is no name of a study."""
    if not isinstance(name, str):
        raise TypeError(f"study_name must be a str. Got {name!r} instead.")
    if not name:
        raise ValueError("study_name must not be empty. Give the study a name, such as 'search'.")


def _open_study(storage: Any, study_name: Any, objective: Objective) -> Study:
    check_storage(storage)
    check_study_name(study_name)
    is_max = objective.name == "max"
    direction = StudyDirection.MAXIMIZE if is_max else StudyDirection.MINIMIZE
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(level, optuna.logging.WARNING))
    try:
        study = optuna.create_study(
            storage=storage, study_name=study_name, direction=direction, load_if_exists=True
        )
    except ImportError:
        raise
    except (OptunaError, OSError, ValueError, _database_errors()) as error:
        raise ValueError(
            f"{_ASKED_STORAGE} It cannot be opened: {type(error).__name__}: {error}"
        ) from error
    finally:
        optuna.logging.set_verbosity(level)
    if study.directions != [direction]:
        found = " and ".join(each.name.lower() for each in study.directions)
        raise ValueError(
            f"study_name must be that of a study with the direction {direction.name.lower()!r}. "
            f"{study_name!r} has {found!r}: choose another name."
        )
    return study


def _database_errors() -> type[Exception]:
    """Returns the errors of the package that opens databases."""
    from sqlalchemy.exc import SQLAlchemyError

    return SQLAlchemyError
