"""Records of evaluations, and of a search, in values that every tracker takes."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pyshac.core.basics.plain_values import INACTIVE
from pyshac.core.basics.results.details import Extra
from pyshac.core.basics.results.extras import is_extra
from pyshac.core.dataset import Dataset, Evaluation
from pyshac.core.dataset.data_frame import free_names
from pyshac.core.dataset.objective import Objective, get_objective
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.version import __version__


def evaluation_of(dataset: Dataset, number: int) -> Evaluation | None:
    """Returns the record of an evaluation, with parameters for trackers; see `trackable`.

    Args:
        dataset: The evaluated samples.
        number: The sample's number.

    Returns:
        None if the sample has no score, not even NaN.
    """
    place = bisect.bisect_left(dataset.ids, number)
    if place == len(dataset) or dataset.ids[place] != number or dataset.parameters is None:
        return None
    return _at(dataset, dataset.parameters, place)


def evaluations_of(dataset: Dataset) -> list[Evaluation]:
    """Returns the records of all evaluations, in the order in which they ended.

    Those whose end is not known come first, in the order of their numbers.
    """
    present = dataset.copy()
    space = present.parameters
    if space is None:
        return []
    return sorted((_at(present, space, place) for place in range(len(present))), key=_end)


def _at(dataset: Dataset, space: HyperParameterList, place: int) -> Evaluation:
    details = dataset.details[place]
    parameters = trackable(space.get_parameter_names(), dataset.X[place])
    return Evaluation.of(dataset.ids[place], parameters, dataset.Y[place], details)


def _end(evaluation: Evaluation) -> tuple[float, int]:
    if evaluation.started is None:
        return -math.inf, evaluation.number
    return evaluation.started.timestamp() + (evaluation.seconds or 0.0), evaluation.number


def trackable(names: Iterable[str], row: Iterable[Any]) -> dict[str, Extra]:
    """Returns the values of a row by the names of their columns, as trackers take them.

    Multi parameters are `name_1` to `name_n`, objects are their names, and other values, such as
    None and tuples, are texts. Inactive parameters are left out.
    """
    pairs = zip(names, row, strict=True)
    return {
        name: value if is_extra(value) else str(value)
        for name, value in pairs
        if value is not INACTIVE
    }


def settings_of(engine: Any) -> dict[str, Extra]:
    """Returns the settings of a search, and its space, a text for each parameter."""
    return {
        "objective": engine.objective,
        "total_budget": engine.total_budget,
        "batch_size": engine.num_workers,
        "method": engine.method,
        "pace": engine.pace,
        "save_dir": engine.save_dir,
        "pyshac": __version__,
        **{f"space.{parameter.name}": str(parameter) for parameter in engine.parameters or ()},
    }


def numbers_and_texts(
    extras: Mapping[str, Extra], taken: Iterable[str] = ()
) -> tuple[dict[str, float], dict[str, str]]:
    """Returns extras as numbers, which a tracker draws, and as texts; bools are texts.

    Args:
        extras: The extras.
        taken: Names that the tracker has for something else: `extra_` is put before them.
    """
    named = dict(zip(free_names([*extras], taken), extras.values(), strict=True))
    is_number = {
        name: isinstance(value, (int, float)) and not isinstance(value, bool)
        for name, value in named.items()
    }
    numbers = {name: float(value) for name, value in named.items() if is_number[name]}
    return numbers, {name: str(value) for name, value in named.items() if not is_number[name]}


@dataclass(frozen=True)
class Standing:
    """How a search stands after some of its evaluations.

    Attributes:
        objective: Which scores are better.
        count: Number of evaluations.
        best: The best of them; None if none has a score.
    """

    objective: Objective
    count: int = 0
    best: Evaluation | None = None

    @classmethod
    def of(cls, objective: str, evaluations: Iterable[Evaluation]) -> Standing:
        """Returns the standing after evaluations."""
        standing = cls(get_objective(objective))
        for evaluation in evaluations:
            standing = standing.after(evaluation)
        return standing

    def after(self, evaluation: Evaluation) -> Standing:
        """Returns the standing after one more evaluation."""
        best, score = self.best, evaluation.score
        sign = self.objective.sign
        if not math.isnan(score) and (best is None or sign * score > sign * best.score):
            best = evaluation
        return Standing(self.objective, self.count + 1, best)

    @property
    def best_score(self) -> float | None:
        """The best score; None if there is none."""
        return None if self.best is None else self.best.score
