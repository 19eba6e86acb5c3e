"""Reporter: receives the reports of one evaluation, and ends it if its curve is hopeless.

Worker processes import this module, so it imports little.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any

from pyshac.core.basics.checks import check_int, check_score
from pyshac.core.basics.results.curve import MAX_POINTS, STEP_LIMIT, Curve, Limit
from pyshac.core.errors import Pruned

# The reason if an evaluation gave itself up before it reported anything: there is no curve.
WITHOUT_REPORTS = "it raised Pruned before its first report"


class Reporter:
    """Receives the reports of one evaluation.

    Args:
        limits: The limits of its curve. None or an empty value never ends it.
        sign: 1 if higher scores are better, -1 if lower ones are.
    """

    def __init__(self, limits: Iterable[Limit] | None = None, sign: int = 1) -> None:
        # The next one comes last.
        self._limits = sorted(limits or (), reverse=True)
        self._sign = sign
        self._points: list[tuple[int, float]] = []
        self._reason = ""
        # A function may report from several threads at once.
        self._lock = threading.Lock()

    def add(self, step: Any, score: Any) -> None:
        """Adds a report; see `report`."""
        with self._lock:
            self._add(step, score)
        if self._reason:
            raise Pruned(self._reason)

    def _add(self, step: Any, score: Any) -> None:
        step = check_int(
            "step", step, "an int from 0 to 2**63 - 1", lambda number: 0 <= number < STEP_LIMIT
        )
        last, before = self._points[-1] if self._points else (-1, None)
        if step <= last:
            raise ValueError(
                f"step must be above {last}, the last one that this evaluation has reported. "
                f"Got {step} instead. Report each step once, and count on across epochs."
            )
        score = check_score(score, f"step {step}")
        # A curve stays bounded: then the last point moves on.
        is_full = len(self._points) == MAX_POINTS
        self._points[len(self._points) - is_full :] = [(step, score)]
        self._compare(before, step, score)

    def _compare(self, before: float | None, step: int, score: float) -> None:
        """Compares a report with the limits up to its step."""
        while self._limits and self._limits[-1][0] <= step:
            place, limit = self._limits.pop()
            # Of a step that was jumped over, the report before it is all that is known.
            value = score if place == step else before
            if value is not None and not self._sign * value >= self._sign * limit:
                self._reason = (
                    f"the score at step {place} was {value!r}, and {limit!r} or better was needed"
                )

    def curve(self, is_pruned: bool) -> Curve | None:
        """Returns the curve so far; None without a report."""
        points = [*self._points]
        if not points:
            return None
        steps, scores = zip(*points, strict=True)
        return Curve(steps, scores, is_pruned)


_reporter: ContextVar[Reporter | None] = ContextVar("pyshac_reporter", default=None)


@contextlib.contextmanager
def reporting(limits: Iterable[Limit] | None, sign: int) -> Iterator[Reporter]:
    """Makes a `with` block of this thread an evaluation, and yields the reporter of its reports."""
    reporter = Reporter(limits, sign)
    token = _reporter.set(reporter)
    try:
        yield reporter
    finally:
        _reporter.reset(token)


def report(step: int, score: Any) -> None:
    """Reports the score of a running evaluation, for example after an epoch of training.

    Call it in the evaluation function, in the thread that called the function. Elsewhere it does
    nothing, so the function also runs on its own.

    Args:
        step: The progress of the evaluation: an int from 0, greater than in the previous report.
            Steps must mean the same in all evaluations; epochs are an example.
        score: The score so far, the same quantity that the function returns at the end. NaN or an
            infinity means that there is none. A curve has up to 10,000 reports; after that, each
            report replaces the last one.

    Raises:
        Pruned: If the search prunes and the curve is hopeless. Do not catch it. Later reports raise
            it again. If the function returns a score nevertheless, that score counts.
        TypeError: If `step` is not an int, or `score` is not a number.
        ValueError: If `step` is negative, or not greater than in the previous report.

    Example:
        ```python
        def evaluate(worker_id, parameters):
            loss = 1.0
            for epoch in range(1, 28):
                loss *= 1 - parameters["rate"]
                pyshac.report(epoch, loss)
            return loss
        ```
    """
    reporter = _reporter.get()
    if reporter is not None:
        reporter.add(step, score)
