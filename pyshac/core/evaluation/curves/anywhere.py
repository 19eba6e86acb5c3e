"""Evaluates samples from `ask` anywhere, in another process or on another host."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyshac.core.basics.checks import check_int, check_score
from pyshac.core.basics.plain_values import copied
from pyshac.core.basics.results.curve import Curve, Limit
from pyshac.core.basics.results.details import NOT_FINITE, Details, Extra
from pyshac.core.basics.results.extras import split_result
from pyshac.core.errors import Pruned
from pyshac.core.evaluation.curves.reporter import WITHOUT_REPORTS, reporting


class AskedParameters(OrderedDict[str, Any]):
    """Parameters of a sample that may be pruned. They equal a dict and print as one.

    Copies and pickles keep the limits. A dict made from them loses the limits, so its evaluation is
    never pruned.

    Attributes:
        limits: The limits of its curve, by ascending steps.
        sign: 1 if higher scores are better, -1 if lower ones are.
    """

    limits: tuple[Limit, ...] = ()
    sign: int = 1

    def __repr__(self) -> str:
        return repr(dict(self))

    def copy(self) -> AskedParameters:
        """Returns a copy."""
        return _asked(self, self.limits, self.sign)


def _asked(parameters: Mapping[str, Any], limits: tuple[Limit, ...], sign: int) -> AskedParameters:
    asked = AskedParameters(parameters)
    asked.limits, asked.sign = limits, sign
    return asked


def with_limits(
    sample: OrderedDict[str, Any], limits: Sequence[Limit] | None, sign: int
) -> OrderedDict[str, Any]:
    """Returns the parameters of a sample with the limits of its batch; None means no limits."""
    return sample if limits is None else _asked(sample, tuple(limits), sign)


@dataclass(frozen=True)
class EvaluationResult:
    """The outcome of an evaluation, for `tell`. It can be pickled.

    Attributes:
        score: The score; NaN if the evaluation failed or was pruned.
        details: The other known facts: its start, duration, failure, extras and curve.

    Raises:
        TypeError: If the score is not a number.
        ValueError: If the evaluation was pruned and has a score.
    """

    score: float
    details: Details

    def __post_init__(self) -> None:
        object.__setattr__(self, "score", check_score(self.score, "an evaluation"))
        if self.is_pruned and not math.isnan(self.score):
            raise ValueError(
                f"score must be NaN for an evaluation that was pruned. Got {self.score!r} instead."
            )

    @property
    def is_pruned(self) -> bool:
        """Whether the evaluation ended early because of its curve."""
        return self.details.is_pruned

    @property
    def curve(self) -> Curve | None:
        """The scores that the evaluation reported; None if it reported none."""
        return self.details.curve

    @property
    def extras(self) -> Mapping[str, Extra]:
        """The values that the evaluation returned besides its score, by name."""
        return self.details.extras


def evaluate(
    function: Callable[..., Any], parameters: Mapping[str, Any], worker_id: int = 0
) -> EvaluationResult:
    """Evaluates a sample from `ask` as `fit` would, in any process on any host.

    `report` works in the function. If `ask` was called with `pruning`, a hopeless curve ends the
    evaluation. An exception of the function, other than `Pruned`, is raised as it is.

    Args:
        function: The evaluation function.
        parameters: The parameters of the sample, as `ask` returned them or after pickling.
        worker_id: The number that the function receives as `worker_id`.

    Returns:
        The result. `tell` takes it in place of a score.

    Raises:
        TypeError: If an argument has the wrong type, or the function returned no score.
        ValueError: If `worker_id` is negative.

    Example:
        ```python
        while samples := shac.ask(pruning="median"):
            shac.tell(samples, [pyshac.evaluate(function, sample) for sample in samples])
        ```
    """
    if not callable(function):
        raise TypeError(f"function must be callable. Got {function!r} instead.")
    if not isinstance(parameters, Mapping):
        raise TypeError(
            "parameters must be one of the samples that ask() returned, a mapping. "
            f"Got {parameters!r} instead."
        )
    check_int("worker_id", worker_id, "an int of at least 0", lambda number: number >= 0)
    own = OrderedDict((name, copied(value)) for name, value in parameters.items())
    asked = parameters if isinstance(parameters, AskedParameters) else AskedParameters()
    started, begin = time.time(), time.perf_counter()
    result, is_pruned = math.nan, False
    with reporting(asked.limits, asked.sign) as reporter:
        try:
            result = function(worker_id, own)
        except Pruned:
            is_pruned = True
    seconds, curve = time.perf_counter() - begin, reporter.curve(is_pruned)
    score, extras = split_result(result, f"the sample {dict(parameters)!r}")
    failure = None
    if math.isnan(score) and (curve is None or not is_pruned):
        failure = WITHOUT_REPORTS if is_pruned else NOT_FINITE
    details = Details(round(started, 6), round(seconds, 6), None, failure, extras, curve)
    return EvaluationResult(score, details)
