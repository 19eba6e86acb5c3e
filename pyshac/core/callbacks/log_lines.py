"""Log lines and a progress bar on the same terminal: the lines are written above the bar."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TextIO

from pyshac.core.basics.streams import is_terminal

SetAside = Callable[[], AbstractContextManager[None]]


class _AboveBar:
    """A terminal with a bar, as a stream for log handlers.

    Args:
        stream: The terminal.
        set_aside: Removes the bar from its line inside a `with` block.
    """

    def __init__(self, stream: TextIO, set_aside: SetAside) -> None:
        self._stream = stream
        self._set_aside = set_aside

    def write(self, text: str) -> None:
        """Writes whole lines above the bar."""
        with self._set_aside():
            self._stream.write(text)
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def log_lines_above(file: TextIO, set_aside: SetAside) -> Iterator[None]:
    """Makes log handlers that write to a bar's terminal write above it, inside a `with` block.

    The handlers keep their levels, filters and formats.

    Args:
        file: The terminal with the bar.
        set_aside: Removes the bar from its line inside a `with` block.
    """
    with contextlib.ExitStack() as stack:
        for handler in _stream_handlers():
            if _is_same_terminal(handler.stream, file):
                stack.enter_context(_written_above(handler, set_aside))
        last_resort = logging.lastResort
        if last_resort is not None and file is sys.stderr:
            # The handler of last resort looks up its stream at each line.
            stand_in = logging.StreamHandler(_AboveBar(file, set_aside))
            stand_in.setLevel(last_resort.level)
            logging.lastResort = stand_in
            stack.callback(setattr, logging, "lastResort", last_resort)
        yield


@contextlib.contextmanager
def _written_above(handler: logging.StreamHandler[Any], set_aside: SetAside) -> Iterator[None]:
    stream = handler.stream
    stand_in = _AboveBar(stream, set_aside)
    handler.setStream(stand_in)
    try:
        yield
    finally:
        # The program may have given it another stream meanwhile.
        if handler.stream is stand_in:
            handler.setStream(stream)


def _stream_handlers() -> Iterator[logging.StreamHandler[Any]]:
    """Yields the stream handlers that lines of the library's logger reach."""
    logger: logging.Logger | None = logging.getLogger("pyshac")
    while logger is not None:
        for handler in logger.handlers:
            if isinstance(handler, logging.StreamHandler):
                yield handler
        logger = logger.parent if logger.propagate else None


def _is_same_terminal(stream: Any, file: TextIO) -> bool:
    if stream is file:
        return True
    try:
        return is_terminal(file) and os.path.sameopenfile(stream.fileno(), file.fileno())
    except Exception:
        return False
