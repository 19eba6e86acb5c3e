"""Signals: SIGTERM ends a run as Ctrl-C does, and neither tears a step that must be whole."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

# The program's own handlers of the signals that are handled here, while they are.
_displaced: dict[int, Any] = {}


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
    has_arrived = False

    def unwind(number: int, frame: FrameType | None) -> None:
        nonlocal has_arrived
        has_arrived = True
        raise TerminatedError("The process was asked to end (SIGTERM).")

    try:
        with _handling(signal.SIGTERM, unwind):
            yield
    finally:
        if has_arrived:
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
    try:
        with contextlib.ExitStack() as stack:
            for each in (signal.SIGINT, signal.SIGTERM):
                if callable(signal.getsignal(each)):
                    handlers[each] = stack.enter_context(
                        _handling(each, lambda *signalled: arrived.append(signalled))
                    )
            yield
    finally:
        for number, frame in arrived:
            handlers[number](number, frame)


@contextlib.contextmanager
def _handling(number: int, handler: Any) -> Iterator[Any]:
    """Handles a signal by something else until the block is over; yields what did before."""
    before = signal.getsignal(number)
    is_outermost = number not in _displaced
    _displaced.setdefault(number, before)
    signal.signal(number, handler)
    try:
        yield before
    finally:
        signal.signal(number, before)
        if is_outermost:
            _displaced.pop(number, None)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


# A process that is forked meanwhile, such as one of a pool, has nothing to unwind or to keep whole.
# Python forgets in it what arrived for its handlers before it runs, so that a pool which ends its
# workers early would wait for ever; the signals are blocked until the program's handlers are back.
_forking = threading.local()


def _before_fork() -> None:
    _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, [*_displaced])


def _after_fork() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _forking.mask)


def _after_fork_in_child() -> None:
    for number, handler in _displaced.items():
        signal.signal(number, handler)
    _displaced.clear()
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child
    )
