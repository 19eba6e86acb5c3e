"""ProgressBar: a callback that shows the progress of a run."""

from __future__ import annotations

import math
import threading
import time
from typing import Any, TextIO

from pyshac.core.basics.checks import check_int, check_positive
from pyshac.core.callbacks.callback import Callback, Logs
from pyshac.core.callbacks.displays import Display, choose_display
from pyshac.core.callbacks.figures import Figures, first_line, last_line, sample_line
from pyshac.core.dataset import summaries
from pyshac.core.dataset.objective import get_objective


def check_verbose(verbose: Any) -> int:
    """Returns the level of output as an int; raises as `check_int` does.

    Args:
        verbose: 0, 1, 2 or a bool.
    """
    if isinstance(verbose, bool):
        return int(verbose)
    allowed = "0 (nothing), 1 (a progress bar) or 2 (a line per evaluation, too)"
    return check_int("verbose", verbose, allowed, lambda number: number in (0, 1, 2))


class ProgressBar(Callback):
    """Shows the progress of a run, the remaining time and the best score so far.

    A terminal or a notebook shows a bar. Other output, such as the log file of a batch job, gets a
    first line, a last line, and from time to time a line after a batch. If the file is missing or
    closed, nothing is shown. Text that the program, `logging` or the engine's worker processes
    write to the same terminal appears above the bar, line by line.

    Args:
        file: Where to show it; None for `sys.stderr`, or the output of a notebook.
        as_bar: Whether to show a bar; None for a bar in terminals and notebooks.
        line_seconds: The minimum number of seconds between lines after batches, if there is no bar;
            an int.
        each_sample: Whether each evaluation gets a line when it has ended.

    Raises:
        TypeError: If `line_seconds` is not an int.
        ValueError: If it is below 1.

    Example:
        ```python
        with open("progress.txt", "w") as file:
            shac.fit(callbacks=[ProgressBar(file, line_seconds=600)])
        ```
    """

    def __init__(
        self,
        file: TextIO | None = None,
        as_bar: bool | None = None,
        line_seconds: int = 60,
        *,
        each_sample: bool = False,
    ) -> None:
        super().__init__()
        self._file = file
        self._as_bar = as_bar
        self._line_seconds = check_positive("line_seconds", line_seconds)
        self._each_sample = each_sample
        self._figures = Figures(0)
        self._started = 0.0
        self._sample_starts: dict[int, float] = {}
        self._display: Display | None = None
        self._ticker: _Ticker | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_ticker": None, "_display": None}

    def on_train_begin(self, logs: Logs = None) -> None:
        self._close()
        dataset = self.engine.dataset.copy()
        failed, pruned = summaries.count_without_score(dataset)
        best = self.engine.best_score
        self._figures = Figures(0, len(dataset), failed, best, pruned=pruned)
        self._figures.read(self.engine)
        self._started = time.monotonic()
        display = choose_display(self._figures, self._file, self._as_bar, self._line_seconds)
        if display is not None:
            self._display, self._ticker = display, _Ticker(display, first_line(self.engine))

    def on_draw_begin(self, epoch: int, logs: Logs = None) -> None:
        self._figures.begin("drawing samples")

    def on_draw_end(self, epoch: int, logs: Logs = None) -> None:
        self._figures.begin("")

    def on_sample_begin(self, id: int, logs: Logs = None) -> None:
        self._figures.running.add(id)
        self._sample_starts[id] = time.monotonic()

    def on_sample_end(self, id: int, score: float, logs: Logs = None) -> None:
        started, logs = self._sample_starts.pop(id, None), logs or {}
        self._count(id, score, bool(logs.get("pruned")))
        if self._each_sample and self._display is not None:
            seconds = logs.get("seconds")
            if seconds is None and started is not None:
                seconds = time.monotonic() - started
            self._display.say(sample_line(id, score, seconds, logs))

    def _count(self, id: int, score: float, is_pruned: bool) -> None:
        figures = self._figures
        figures.running.discard(id)
        figures.done += 1
        if is_pruned:
            figures.pruned += 1
        elif math.isnan(score):
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
        self._figures.read(self.engine)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._figures.read(self.engine)
        if self._display is not None:
            self._display.end_batch()

    def on_train_end(self, logs: Logs = None) -> None:
        self._close()

    def on_train_error(self, error: BaseException, logs: Logs = None) -> None:
        self._close(error)

    def _close(self, error: BaseException | None = None) -> None:
        ticker, self._ticker, self._display = self._ticker, None, None
        figures = self._figures
        figures.running.clear()
        self._sample_starts.clear()
        figures.begin("")
        if ticker is not None:
            figures.is_over = True
            figures.read(self.engine)
            ticker.close(last_line(self.engine, time.monotonic() - self._started, error))


class _Ticker:
    """Opens a display and draws in its own thread, so that the run never waits for it."""

    def __init__(self, display: Display, first: str) -> None:
        self._display = display
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._draw, name="pyshac-progress", daemon=True)
        display.open(first)
        if display.seconds is not None:
            self._thread.start()

    def _draw(self) -> None:
        while not self._is_closed.wait(self._display.seconds):
            self._display.draw()

    def close(self, last: str) -> None:
        """Draws for the last time."""
        self._is_closed.set()
        if self._display.seconds is not None:
            self._thread.join()
        self._display.close(last)
