"""Shows text above a progress bar: log lines, and output of the program to the bar's terminal."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TextIO

from pyshac.core.basics.streams import is_terminal

SetAside = Callable[[], AbstractContextManager[None]]


class OpenLine:
    """The line that a thread has begun on the terminal and not ended, such as a prompt.

    The bar waits for its end, because both would share the line.

    Attributes:
        owner: The stream and the thread, as numbers; None if there is no such line.
    """

    owner: tuple[int, int] | None = None

    def end(self, stream: Any) -> None:
        """Ends the line, so that another one can begin."""
        if self.owner is not None:
            self.owner = None
            stream.write("\n")
            stream.flush()

    def note(self, owner: tuple[int, int], text: str) -> None:
        """Records where a text leaves the cursor."""
        # A bar of the program's own that is done erases itself.
        is_ended = text.endswith(("\n", "\r"))
        self.owner = None if is_ended else owner


# A program has one terminal.
open_line = OpenLine()


class AboveBar:
    """A stream that writes to a terminal above its bar.

    Lines appear above the bar when they are complete or flushed. In a forked process, and after
    `finish`, it writes to the terminal directly.

    Args:
        stream: The terminal.
        set_aside: Removes the bar from its line inside a `with` block.
    """

    def __init__(self, stream: TextIO, set_aside: SetAside) -> None:
        self._stream = stream
        self._set_aside = set_aside
        self._process: int | None = os.getpid()
        # What each thread has begun: print writes a text and its line end one after the other.
        self._begun: dict[int, str] = {}

    @property
    def _is_active(self) -> bool:
        return self._process == os.getpid()

    def write(self, text: str) -> int:
        """Writes text above the bar once its line is complete."""
        if not self._is_active:
            return self._stream.write(text)
        thread = threading.get_ident()
        begun = self._begun.pop(thread, "") + text
        lines, end, rest = begun.rpartition("\n")
        if end:
            self._put(thread, lines + end)
        if rest.endswith("\r") and open_line.owner == (id(self), thread):
            self._put(thread, rest)
        elif rest:
            self._begun[thread] = rest
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Writes what the thread has begun. The bar stays away until the line is complete."""
        if self._is_active:
            thread = threading.get_ident()
            begun = self._begun.pop(thread, "")
            if begun:
                self._put(thread, begun)
        self._stream.flush()

    def finish(self) -> None:
        """Writes what is left. From then on it writes to the terminal directly."""
        while self._begun:
            self._put(*self._begun.popitem())
        self._process = None

    def _put(self, thread: int, text: str) -> None:
        owner = (id(self), thread)
        with self._set_aside():
            if open_line.owner != owner:
                open_line.end(self._stream)
            self._stream.write(text)
            self._stream.flush()
            open_line.note(owner, text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def text_above(file: TextIO, set_aside: SetAside) -> Iterator[None]:
    """Makes text for a bar's terminal appear above the bar inside a `with` block.

    The text comes from log handlers, `sys.stdout` and `sys.stderr`. Handlers keep their levels,
    filters and formats.

    Args:
        file: The terminal with the bar.
        set_aside: Removes the bar from its line inside a `with` block.
    """
    with contextlib.ExitStack() as stack:
        for handler in _stream_handlers():
            if _is_same_terminal(handler.stream, file):
                stack.enter_context(_written_above(handler, set_aside))
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if _is_same_terminal(stream, file):
                stand_in = AboveBar(stream, set_aside)
                setattr(sys, name, stand_in)
                stack.callback(_put_back, name, stand_in, stream)
        yield


def _put_back(name: str, stand_in: AboveBar, stream: Any) -> None:
    stand_in.finish()
    # The program may have set another stream meanwhile.
    if getattr(sys, name) is stand_in:
        setattr(sys, name, stream)


@contextlib.contextmanager
def _written_above(handler: logging.StreamHandler[Any], set_aside: SetAside) -> Iterator[None]:
    stream = handler.stream
    stand_in = AboveBar(stream, set_aside)
    handler.setStream(stand_in)
    try:
        yield
    finally:
        stand_in.finish()
        # The program may have given it another stream meanwhile.
        if handler.stream is stand_in:
            handler.setStream(stream)


def _stream_handlers() -> Iterator[logging.StreamHandler[Any]]:
    """Yields the stream handlers that receive lines of the library's logger."""
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
