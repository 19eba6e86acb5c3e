"""AskedSamples: the samples from `ask` that have no score from `tell` yet."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyshac.core.basics import plain_values
from pyshac.core.basics.plain_values import INACTIVE
from pyshac.core.basics.results.details import NOT_FINITE, Details
from pyshac.core.basics.results.extras import split_result
from pyshac.core.dataset import Dataset
from pyshac.core.evaluation.curves.anywhere import EvaluationResult, with_limits
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.search.search import Search


class AskedSamples:
    """The samples from `ask` that have no score from `tell` yet."""

    def __init__(self) -> None:
        self._identities: dict[int, Any] = {}
        # When each was handed out (`time.time`, and `time.perf_counter` for its duration).
        self._times: dict[int, tuple[float, float]] = {}

    def free(self, search: Search) -> list[int]:
        """Returns the numbers of open samples that `ask` has not returned, within the budget."""
        pending = search.open.pending
        # Others have scores: the disk failed after it was told, and they were never settled.
        self.settle(self._identities.keys() - pending)
        most = max(search.room - len(self._identities), 0)
        return [number for number in pending if number not in self._identities][:most]

    def hand_out(self, search: Search, numbers: Sequence[int]) -> list[OrderedDict[str, Any]]:
        """Marks samples as asked for, given their numbers; returns their parameters.

        Raises:
            RuntimeError: If there are none although budget is left: the next samples depend on
                missing scores.
        """
        if not numbers and not search.settings.pace.is_stream:
            raise RuntimeError(
                f"No further sample can be handed out: {len(self._identities)} have no score yet. "
                "Tell their scores before asking for more."
            )
        samples, sign = [], search.settings.objective.sign
        for number in numbers:
            batch = search.open.of(number)
            self._identities[number] = _identity(batch.row(number))
            self._times[number] = time.time(), time.perf_counter()
            parameters = search.space.to_parameters(batch.row(number))
            samples.append(with_limits(parameters, batch.limits, sign))
        return samples

    def find(self, space: HyperParameterList, samples: Sequence[Mapping[str, Any]]) -> list[int]:
        """Returns the numbers of samples. Equal samples get their numbers in the order of asking.

        Raises:
            ValueError: If a sample was not asked for, or already has a score.
        """
        asked: dict[Any, deque[int]] = {}
        for number, identity in self._identities.items():
            asked.setdefault(identity, deque()).append(number)
        numbers = []
        for sample in samples:
            equal = asked.get(_identity(space.to_row(sample)))
            if not equal:
                raise ValueError(
                    f"No sample with the parameters {dict(sample)!r} was asked for, or it has a "
                    "score already."
                )
            numbers.append(equal.popleft())
        return numbers

    def results(
        self, numbers: Sequence[int], samples: Sequence[Mapping[str, Any]], results: Sequence[Any]
    ) -> list[tuple[int, float, Details]]:
        """Returns the results of samples, each as (number, score, details).

        Args:
            numbers: The samples' numbers.
            samples: Their parameters.
            results: Their scores, mappings with scores and extras, or what `evaluate` returned.

        Raises:
            TypeError: If a result is none of these.
        """
        told = []
        for number, sample, result in zip(numbers, samples, results, strict=True):
            if isinstance(result, EvaluationResult):
                told.append((number, result.score, result.details))
                continue
            score, extras = split_result(result, f"sample {number}, {dict(sample)!r},")
            started, begin = self._times[number]
            seconds = round(time.perf_counter() - begin, 6)
            failure = NOT_FINITE if math.isnan(score) else None
            told.append((number, score, Details(round(started, 6), seconds, None, failure, extras)))
        return told

    def settle(self, numbers: Iterable[int]) -> None:
        """Removes samples that have received their scores."""
        for number in numbers:
            del self._identities[number], self._times[number]

    def clear(self) -> None:
        """Removes all samples, so that `ask` returns them again."""
        self._identities.clear()
        self._times.clear()


def as_lists(parameters: Any, scores: Any) -> tuple[list[Mapping[str, Any]], list[Any]]:
    """Returns the arguments of `tell`, one or several samples and their scores, as lists.

    Raises:
        TypeError: If a sample is not a mapping, or there is one score for several samples.
        ValueError: If there are more scores or fewer than samples.
    """
    samples = as_samples(parameters)
    if isinstance(parameters, Mapping):
        return samples, [scores]
    if isinstance(scores, Mapping) or not isinstance(scores, Iterable):
        raise TypeError(f"scores must be as many as parameters. Got {scores!r} instead.")
    values = list(scores)
    if len(samples) != len(values):
        raise ValueError(
            f"scores must be as many as parameters. Got {len(values)} scores for "
            f"{len(samples)} samples."
        )
    return samples, values


def as_samples(parameters: Any) -> list[Mapping[str, Any]]:
    """Returns one or several samples as a list; raises `TypeError` for anything else."""
    if isinstance(parameters, Mapping):
        return [parameters]
    samples = [*parameters] if isinstance(parameters, Iterable) else None
    if samples is None or not all(isinstance(sample, Mapping) for sample in samples):
        raise TypeError(
            "parameters must be a mapping from names to values, or a list of such. "
            f"Got {parameters!r} instead."
        )
    return list(samples)


def new_scores(
    dataset: Dataset, told: Sequence[tuple[int, float, Details]]
) -> list[tuple[int, float, Details]]:
    """Returns the scores that are new, each as (number, score, details).

    Args:
        dataset: The samples that have scores.
        told: Scores in the same form. After a disk failure, the dataset may already have some.

    Raises:
        ValueError: If a sample already has another score.
    """
    new: list[tuple[int, float, Details]] = []
    for number, score, details in told:
        known = dataset.score_of(number)
        if known is None:
            new.append((number, score, details))
        elif known != score and not (math.isnan(known) and math.isnan(score)):
            raise ValueError(
                f"Sample {number} has the score {known!r} already. Got {score!r} instead."
            )
    return new


def _identity(row: Sequence[Any]) -> Any:
    values = (
        value if value is INACTIVE else plain_values.check_value(value, "A value") for value in row
    )
    return plain_values.identity(tuple(values))
