"""ProgressBar: a callback that shows the progress of a run."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from typing import Any, TextIO

from pyshac.core.basics.checks import check_int, check_positive
from pyshac.core.callbacks.callback import Callback, Logs
from pyshac.core.callbacks.displays import Display, choose_display
from pyshac.core.dataset.objective import get_objective

# Drawing samples and training are only shown if they take longer.
PATIENCE_SECONDS = 2.0


def check_verbose(verbose: Any) -> bool:
    """Returns whether a progress bar is wanted; raises as `check_int` does.

    Args:
        verbose: 0, 1 or a bool.
    """
    if isinstance(verbose, bool):
        return verbose
    allowed = "0 (nothing) or 1 (a progress bar)"
    return check_int("verbose", verbose, allowed, lambda number: number in (0, 1)) == 1


@dataclass
class Figures:
    """The figures of a run that are shown.

    Attributes:
        total: N, the budget.
        done: Number of samples that have been evaluated, including failed ones.
        failed: Number of samples that failed.
        best: Best score so far, or None.
        classifiers: Number of classifiers.
        total_classifiers: Number of classifiers in a full cascade.
        running: Numbers of the samples that are being evaluated.
        activity: The activity between evaluations, or an empty text.
        since: The time at which it began (`time.monotonic`).
    """

    total: int
    done: int = 0
    failed: int = 0
    best: float | None = None
    classifiers: int = 0
    total_classifiers: int = 0
    running: set[int] = field(default_factory=set)
    activity: str = ""
    since: float = 0.0

    def begin(self, activity: str) -> None:
        """Begins an activity."""
        self.activity, self.since = activity, time.monotonic()

    @property
    def stage(self) -> str:
        """The stage in words, counted from 1."""
        return f"stage {self.classifiers + 1}/{self.total_classifiers + 1}"

    @property
    def details(self) -> str:
        """The other figures in words, the most important first, since space may be short."""
        seconds = time.monotonic() - self.since
        parts = []
        if self.activity and seconds > PATIENCE_SECONDS:
            parts.append(f"{self.activity} for {seconds:.0f} s")
        if self.best is not None:
            parts.append(f"best {self.best:.4g}")
        if self.running:
            parts.append(f"{len(self.running)} running")
        if self.failed:
            parts.append(f"{self.failed} failed")
        parts.append(f"{self.classifiers} classifier{'s' * (self.classifiers != 1)}")
        return ", ".join(parts)


class ProgressBar(Callback):
    """Shows the progress of a run, the time left, and the best score so far.

    In a terminal or a notebook it is a bar. Elsewhere, e.g. in the log file of a batch job, it is
    a line from time to time, or nothing if the file is missing or closed. Lines that the `logging`
    module writes to the same terminal appear above the bar.

    Args:
        file: Where to show it; None for `sys.stderr`, or a notebook's output.
        as_bar: Whether to show a bar; None for a bar in terminals and notebooks.
        line_seconds: Seconds between lines if there is no bar; an int.
    """

    def __init__(
        self, file: TextIO | None = None, as_bar: bool | None = None, line_seconds: int = 60
    ) -> None:
        super().__init__()
        self._file = file
        self._as_bar = as_bar
        self._line_seconds = check_positive("line_seconds", line_seconds)
        self._figures = Figures(0)
        self._ticker: _Ticker | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_ticker": None}

    def on_train_begin(self, logs: Logs = None) -> None:
        self._close()
        scores = self.engine.dataset.Y
        self._figures = Figures(
            self.engine.total_budget,
            len(scores),
            sum(map(math.isnan, scores)),
            self.engine.best_score,
            len(self.engine.classifiers),
            self.engine.total_classifiers,
        )
        display = choose_display(self._figures, self._file, self._as_bar, self._line_seconds)
        if display is not None:
            self._ticker = _Ticker(display)

    def on_draw_begin(self, epoch: int, logs: Logs = None) -> None:
        self._figures.begin("drawing samples")

    def on_draw_end(self, epoch: int, logs: Logs = None) -> None:
        self._figures.begin("")

    def on_sample_begin(self, id: int, logs: Logs = None) -> None:
        self._figures.running.add(id)

    def on_sample_end(self, id: int, score: float, logs: Logs = None) -> None:
        figures = self._figures
        figures.running.discard(id)
        figures.done += 1
        if math.isnan(score):
            figures.failed += 1
        elif figures.best is None:
            figures.best = score
        else:
            objective = get_objective(self.engine.objective)
            figures.best = objective.better(figures.best, score)

    def on_classifier_begin(self, number: int, logs: Logs = None) -> None:
        self._figures.begin(f"training classifier {number}")

    def on_classifier_end(self, number: int, logs: Logs = None) -> None:
        self._figures.begin("")
        self._figures.classifiers = len(self.engine.classifiers)

    def on_train_end(self, logs: Logs = None) -> None:
        self._close()

    def on_train_error(self, error: BaseException, logs: Logs = None) -> None:
        self._close()

    def _close(self) -> None:
        ticker, self._ticker = self._ticker, None
        self._figures.running.clear()
        self._figures.begin("")
        if ticker is not None:
            ticker.close()


class _Ticker:
    """Draws from time to time in a thread of its own, so that the run never waits for it."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._draw, name="pyshac-progress", daemon=True)
        display.open()
        self._thread.start()

    def _draw(self) -> None:
        while not self._is_closed.wait(self._display.seconds):
            self._display.draw()

    def close(self) -> None:
        """Draws for the last time."""
        self._is_closed.set()
        self._thread.join()
        self._display.close()
