"""Reading: the trials of a study as evaluations from which a search may start."""

from __future__ import annotations

from typing import Any

from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.run.elsewhere import Elsewhere, Evaluated
from pyshac.integrations.optuna_parts.columns import Column, columns_of
from pyshac.integrations.optuna_parts.results import details_of, score_of

ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


def read(source: Any, space: HyperParameterList) -> Elsewhere | None:
    """Returns the trials of a study that have ended, for a search in a space.

    Args:
        source: The study.
        space: The search space. A parameter that is a list takes those of its columns, `name_1`,
            `name_2` and so on.

    Returns:
        None if it is another object of Optuna.

    Raises:
        ValueError: If the study has several objectives.
    """
    if not isinstance(source, Study):
        return None
    if len(source.directions) > 1:
        raise ValueError(
            "start_from must be a study with one objective. Got "
            f"{source.study_name!r} with {len(source.directions)}."
        )
    columns = {column.name: column for column in columns_of(space)}
    trials = source.get_trials(deepcopy=False, states=ENDED)
    return Elsewhere(
        f"the study {source.study_name!r}",
        "max" if source.direction == StudyDirection.MAXIMIZE else "min",
        [
            Evaluated(_parameters(trial, space, columns), score_of(trial), details_of(trial))
            for trial in trials
        ],
    )


def _parameters(
    trial: FrozenTrial, space: HyperParameterList, columns: dict[str, Column]
) -> dict[str, Any]:
    """Returns the parameters of a trial, in the values that a space has for them."""
    values = {
        name: columns[name].value_from(value) if name in columns else value
        for name, value in trial.params.items()
    }
    for parameter in space:
        if parameter.sample_count is None:
            continue
        names = [f"{parameter.name}_{number + 1}" for number in range(parameter.sample_count)]
        if {*names} <= values.keys():
            values[parameter.name] = [values.pop(name) for name in names]
    return values
