"""LineDisplay: shows progress as lines in a file."""

from __future__ import annotations

import contextlib
import time
from typing import TextIO

from pyshac.core.callbacks.figures import Figures, stamped
from pyshac.core.dataset import summaries


class LineDisplay:
    """Writes a first line, a last line, and from time to time a line after a batch to a file.

    Args:
        figures: The figures.
        file: The file.
        least_seconds: The minimum number of seconds between two lines after batches.
    """

    seconds: float | None = None

    def __init__(self, figures: Figures, file: TextIO, least_seconds: float) -> None:
        self._figures = figures
        self._file = file
        self._least_seconds = least_seconds
        self._started = self._written = time.monotonic()
        self._initial = 0

    def open(self, first: str) -> None:
        """Writes the first line."""
        self._started = self._written = time.monotonic()
        self._initial = self._figures.done
        self.say(first)

    def draw(self) -> None:
        """Writes nothing; only events write lines."""

    def say(self, text: str) -> None:
        """Writes a line."""
        with contextlib.suppress(Exception):
            self._file.write(stamped(text))
            self._file.flush()

    def end_batch(self) -> None:
        """Writes a line if the previous one is old enough and the last one is not due."""
        now, figures = time.monotonic(), self._figures
        if now - self._written < self._least_seconds or figures.done >= figures.total:
            return
        self._written = now
        done = summaries.evaluations_text(figures.done, figures.total)
        self.say("; ".join([done, figures.title, *figures.details, *self._left()]))

    def _left(self) -> list[str]:
        done, missing = self._figures.done - self._initial, self._figures.total - self._figures.done
        if not done:
            return []
        from tqdm import tqdm

        seconds = (time.monotonic() - self._started) / done * missing
        return [f"{tqdm.format_interval(seconds)} left"]

    def close(self, last: str) -> None:
        """Writes the last line."""
        self.say(last)
