"""Signals: SIGTERM ends a run as Ctrl-C does, and neither interrupts an atomic step."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

# The program's own handlers, by signal, while handlers of this module replace them.
_displaced: dict[int, Any] = {}


class TerminatedError(KeyboardInterrupt):
    """SIGTERM arrived. A `KeyboardInterrupt`, so that code that lets Ctrl-C pass lets it pass."""


@contextlib.contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Makes SIGTERM unwind the block as Ctrl-C would; then it ends the process.

    A handler of the program's own stays in place. Only the main thread receives signals: in other
    threads this does nothing.
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
    """Defers the handlers of SIGINT and SIGTERM to the end of the block.

    Otherwise they could raise an exception between any two steps of the block.
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
    """Replaces a signal's handler inside the block; yields the handler that it replaces."""
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


# A process that is forked inside such a block, e.g. by a pool, has nothing to unwind. It must get
# the program's own handlers back, and the signals stay blocked until it has them: Python drops
# signals that arrive for a handler before the forked process runs, and a pool that ends its workers
# early would then wait for ever.
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
