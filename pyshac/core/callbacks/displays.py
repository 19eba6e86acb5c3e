"""Displays of progress: a bar in a terminal or a notebook, or lines in a file."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import warnings
import weakref
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TextIO

from pyshac.core.basics.streams import is_terminal
from pyshac.core.basics.terminals.relay import OutputRelay
from pyshac.core.callbacks.above_bar import open_line, text_above
from pyshac.core.callbacks.figures import Figures, stamped
from pyshac.core.callbacks.line_display import LineDisplay

# Seconds between two updates of a bar.
BAR_SECONDS = 0.5
# A narrower bar gives way to the numbers.
MIN_BAR = 5
BAR_FORMAT = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"
# In terminals that are too narrow for a bar, the widest first.
NARROW_FORMATS = (
    "{desc}: {percentage:3.0f}% {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]",
    "{n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]",
    "{n_fmt}/{total_fmt}{postfix}",
)

# Held while something is drawn, so that no process is forked during it: tqdm's own lock would stay
# locked in that process for ever, and evaluations may have bars of their own.
_drawing = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_drawing.acquire,
        after_in_parent=_drawing.release,
        after_in_child=_drawing.release,
    )

# The bars of all runs of this process. Those of evaluations count as text that is printed.
_bars: weakref.WeakSet[Any] = weakref.WeakSet()


class Display(Protocol):
    """Shows the progress of a run.

    Attributes:
        seconds: The number of seconds between two calls of `draw`; None if it need not be called.
    """

    seconds: float | None

    def open(self, first: str) -> None:
        """Starts the display.

        Args:
            first: What the run will do, for displays that keep what they show.
        """

    def draw(self) -> None:
        """Shows the current figures."""

    def say(self, text: str) -> None:
        """Shows a line that remains."""

    def end_batch(self) -> None:
        """Is called when a batch has ended."""

    def close(self, last: str) -> None:
        """Shows the final figures.

        Args:
            last: How the run has ended, for displays that keep what they show.
        """


def choose_display(
    figures: Figures, file: TextIO | None, as_bar: bool | None, line_seconds: float
) -> Display | None:
    """Returns the display that suits a file; None if nobody would see it.

    Args:
        figures: The figures, which may change at any time.
        file: The file; None for `sys.stderr`, or the output of a notebook.
        as_bar: Whether to show a bar; None for a bar in terminals and notebooks.
        line_seconds: The minimum number of seconds between lines after batches.
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

    seconds: float | None = BAR_SECONDS

    def __init__(self, figures: Figures, file: TextIO, is_notebook: bool = False) -> None:
        self._figures = figures
        self._file = file
        self._is_notebook = is_notebook
        self._bar: Any = None
        self._others = contextlib.ExitStack()
        self._relay: OutputRelay | None = None

    def open(self, first: str = "") -> None:
        """Shows the bar and keeps other output apart from it."""
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
        own = {"monitor_interval": 0, "_lock": _drawing, "_instances": _bars}
        with _drawing:
            self._bar = type("tqdm", (base,), own)(
                total=self._figures.total,
                initial=self._figures.done,
                desc=self._figures.title,
                file=self._file,
                dynamic_ncols=True,
                bar_format=BAR_FORMAT,
            )
        self._others.enter_context(text_above(self._file, self.set_aside))
        if is_terminal(self._file):
            # A stream that only says so has no descriptor.
            with contextlib.suppress(OSError, AttributeError, ValueError):
                self._relay = OutputRelay(self._file.fileno(), self._write_above)
                self._others.callback(self._relay.close)
        self.draw()

    def draw(self) -> None:
        """Redraws the bar."""
        # A closed terminal must not stop a run.
        with contextlib.suppress(Exception), _drawing:
            if open_line.owner is None:
                self._update()
                self._bar.refresh()
            if self._relay is not None:
                self._relay.follow_size()

    def _update(self) -> None:
        bar, figures = self._bar, self._figures
        bar.n, bar.total = figures.done, max(figures.total, figures.done)
        bar.set_description_str(figures.title, refresh=False)
        formats, details = [BAR_FORMAT, *NARROW_FORMATS], figures.details
        if figures.is_over:
            # Nothing is left to wait for.
            formats = [each.replace("<{remaining}", "") for each in formats]
        bar.bar_format = formats[0]
        if not (self._is_notebook or bar.disable):
            bar.bar_format, details = self._fitted(formats, details)
        bar.set_postfix_str(", ".join(details), refresh=False)

    def _fitted(self, formats: Sequence[str], details: list[str]) -> tuple[str, list[str]]:
        """Returns the format and the first details that fit into the terminal."""
        meter, (with_bar, *narrow) = self._bar.format_dict, formats
        columns = meter["ncols"]
        if columns is None:
            return with_bar, details

        def width(bar_format: str, parts: list[str]) -> int:
            changed = {"ncols": None, "bar_format": bar_format, "postfix": ", ".join(parts)}
            return len(self._bar.format_meter(**{**meter, **changed}))

        if width(with_bar.replace("{bar}", ""), details) + MIN_BAR <= columns:
            return with_bar, details
        while len(details) > 1 and width(narrow[0], details) > columns:
            details = details[:-1]
        for bar_format in narrow:
            if width(bar_format, details) <= columns:
                return bar_format, details
        return narrow[-1], []

    def say(self, text: str) -> None:
        """Writes a line above the bar."""
        with contextlib.suppress(Exception), self.set_aside():
            open_line.end(self._file)
            self._file.write(stamped(text))
            self._file.flush()

    def end_batch(self) -> None:
        """Does nothing, because the bar is redrawn soon."""

    @contextlib.contextmanager
    def set_aside(self) -> Iterator[None]:
        """Removes the bar from its line inside a `with` block."""
        with _drawing:
            # Before its first drawing a bar has no time of a start.
            bars = [bar for bar in _bars if hasattr(bar, "start_t") and bar.fp == self._file]
            if open_line.owner is None:
                for bar in bars:
                    bar.clear(nolock=True)
            try:
                yield
            finally:
                if open_line.owner is None:
                    self._update()
                    for bar in bars:
                        bar.refresh(nolock=True)

    def _write_above(self, lines: bytes) -> None:
        """Writes whole lines of a worker above the bar."""
        with self.set_aside():
            open_line.end(self._file)
            left = memoryview(lines)
            while left:
                left = left[os.write(self._file.fileno(), left) :]

    def close(self, last: str = "") -> None:
        """Draws the final bar, which remains."""
        self._others.close()
        with contextlib.suppress(Exception), _drawing:
            open_line.end(self._file)
            self._update()
            self._bar.close()


def _is_in_notebook() -> bool:
    """Returns whether the program runs in the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")
