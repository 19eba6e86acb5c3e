"""Signals: SIGTERM ends a run as Ctrl-C does, and neither tears a step that must be whole."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any


class TerminatedError(KeyboardInterrupt):
    """SIGTERM arrived. A `KeyboardInterrupt`, so that whatever passes Ctrl-C on passes it on."""


@contextlib.contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Lets SIGTERM unwind the block as Ctrl-C would; then it ends the process.

    A handler of the program's own stays in place. Signals reach only the main thread: elsewhere
    this does nothing.
    """
    if not _is_main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    process, has_arrived = os.getpid(), False

    def unwind(number: int, frame: FrameType | None) -> None:
        nonlocal has_arrived
        if os.getpid() != process:
            # A process that was forked from this one has nothing to unwind.
            _end_process()
        has_arrived = True
        raise TerminatedError("The process was asked to end (SIGTERM).")

    signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if has_arrived:
            _end_process()


def _end_process() -> None:
    """Ends this process by SIGTERM, as if it had never been handled."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


@contextlib.contextmanager
def whole() -> Iterator[None]:
    """Puts off what handlers of SIGINT and SIGTERM do, such as raising, until the block is over.

    Without it an exception could arise between any two steps of the block.
    """
    if not _is_main_thread():
        yield
        return
    arrived: list[tuple[int, FrameType | None]] = []
    handlers: dict[int, Any] = {}
    for each in (signal.SIGINT, signal.SIGTERM):
        if callable(handler := signal.getsignal(each)):
            handlers[each] = handler
            signal.signal(each, lambda number, frame: arrived.append((number, frame)))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, frame in arrived:
            handlers[number](number, frame)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
