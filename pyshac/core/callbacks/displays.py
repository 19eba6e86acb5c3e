"""Displays of progress: a bar in a terminal or a notebook, or lines in a file."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any, Protocol, TextIO

from pyshac.core.basics.streams import is_terminal
from pyshac.core.callbacks.log_lines import log_lines_above

# Seconds between two updates of a bar.
BAR_SECONDS = 0.5
BAR_FORMAT = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"

# Held while something is drawn, so that no process is forked during it: tqdm's own lock would stay
# locked in that process for ever, and evaluations may have bars of their own.
_drawing = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_drawing.acquire,
        after_in_parent=_drawing.release,
        after_in_child=_drawing.release,
    )


class Shown(Protocol):
    """The figures of a run that a display shows."""

    total: int
    done: int

    @property
    def stage(self) -> str:
        """The stage, in words."""

    @property
    def details(self) -> str:
        """Other figures, in words."""


class Display(Protocol):
    """A place where progress is shown.

    Attributes:
        seconds: Seconds between two calls of `draw`.
    """

    seconds: float

    def open(self) -> None:
        """Starts the display."""

    def draw(self) -> None:
        """Shows the present figures."""

    def close(self) -> None:
        """Shows the final figures."""


def choose_display(
    figures: Shown, file: TextIO | None, as_bar: bool | None, line_seconds: float
) -> Display | None:
    """Returns the display that suits a file; None if nobody would see it.

    Args:
        figures: The figures, which may change at any time.
        file: The file; None for `sys.stderr`, or the output of a notebook.
        as_bar: Whether to show a bar; None for a bar in terminals and notebooks.
        line_seconds: Seconds between lines.
    """
    is_notebook = file is None and _is_in_notebook()
    stream: TextIO | None = sys.stderr if file is None else file
    # Programs replace sys.stderr by objects that have few methods other than write.
    if stream is None or getattr(stream, "closed", False):
        return None
    if as_bar is None:
        as_bar = is_notebook or is_terminal(stream)
    if as_bar:
        return BarDisplay(figures, stream, is_notebook)
    return LineDisplay(figures, stream, line_seconds)


class BarDisplay:
    """A bar in a terminal or a notebook.

    Args:
        figures: The figures.
        file: The terminal.
        is_notebook: Whether to show a notebook's bar instead, if the notebook supports it.
    """

    def __init__(self, figures: Shown, file: TextIO, is_notebook: bool = False) -> None:
        self.seconds = BAR_SECONDS
        self._figures = figures
        self._file = file
        self._is_notebook = is_notebook
        self._bar: Any = None
        self._logs = contextlib.ExitStack()

    def open(self) -> None:
        """Shows the bar, and keeps log lines out of it."""
        with warnings.catch_warnings():
            # tqdm warns about notebooks without widgets, which get a text bar.
            warnings.simplefilter("ignore")
            import tqdm.auto

        # Creates the lock that the bars of evaluations share.
        tqdm.tqdm.get_lock()
        base = tqdm.auto.tqdm if self._is_notebook else tqdm.tqdm
        # tqdm's monitor thread is not needed, since the bar is updated at regular intervals. With
        # the lock of all bars, a line that somebody writes while holding that lock would wait for
        # the bar, and the bar for the line.
        kind = type("tqdm", (base,), {"monitor_interval": 0, "_lock": _drawing})
        with _drawing:
            self._bar = kind(
                total=self._figures.total,
                initial=self._figures.done,
                desc=self._figures.stage,
                file=self._file,
                dynamic_ncols=True,
                bar_format=BAR_FORMAT,
            )
        self._logs.enter_context(log_lines_above(self._file, self.set_aside))
        self.draw()

    def draw(self) -> None:
        """Redraws the bar."""
        # A closed terminal must not stop a run.
        with contextlib.suppress(Exception), _drawing:
            self._update()
            self._bar.refresh()

    def _update(self) -> None:
        self._bar.n = self._figures.done
        self._bar.set_description_str(self._figures.stage, refresh=False)
        self._bar.set_postfix_str(self._figures.details, refresh=False)

    @contextlib.contextmanager
    def set_aside(self) -> Iterator[None]:
        """Removes the bar from its line inside a `with` block."""
        with _drawing, self._bar.external_write_mode(file=self._file):
            yield
            self._update()

    def close(self) -> None:
        """Draws the final bar and leaves it there."""
        self._logs.close()
        with contextlib.suppress(Exception), _drawing:
            self._update()
            self._bar.close()


class LineDisplay:
    """Lines in a file, written if the figures have changed.

    Args:
        figures: The figures.
        file: The file.
        seconds: Seconds between lines.
    """

    def __init__(self, figures: Shown, file: TextIO, seconds: float) -> None:
        self.seconds = seconds
        self._figures = figures
        self._file = file
        self._started = 0.0
        self._initial = 0
        self._last = ""

    def open(self) -> None:
        """Remembers the start of the run; writes nothing."""
        self._started, self._initial = time.monotonic(), self._figures.done

    def draw(self) -> None:
        """Writes a line, unless it equals the one before."""
        figures = self._figures
        line = f"{figures.done} of {figures.total} evaluations, {figures.stage}, {figures.details}"
        if line == self._last:
            return
        self._last = line
        with contextlib.suppress(Exception):
            self._file.write(f"pyshac: {line}{self._time_left()}\n")
            self._file.flush()

    def _time_left(self) -> str:
        from tqdm import tqdm

        done, missing = self._figures.done - self._initial, self._figures.total - self._figures.done
        if not done:
            return ""
        seconds = (time.monotonic() - self._started) / done * missing
        return f", {tqdm.format_interval(seconds)} left"

    def close(self) -> None:
        """Writes nothing."""


def _is_in_notebook() -> bool:
    """Returns whether this is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")
