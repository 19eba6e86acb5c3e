"""Signals: SIGTERM and SIGHUP end a run as Ctrl-C does, and none interrupts an atomic step."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

# Signals that ask a process to end. Windows has no SIGHUP.
ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))

# The program's own handlers, by signal, while handlers of this module replace them.
_displaced: dict[int, Any] = {}


class TerminatedError(KeyboardInterrupt):
    """SIGTERM or SIGHUP arrived. Code that lets Ctrl-C pass lets it pass, too."""


@contextlib.contextmanager
def ending_on_signals() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP unwind the block as Ctrl-C would; then they end the process.

    Where the program handles or ignores one of them, as under `nohup`, that stays. Only the main
    thread receives signals: in other threads this does nothing.
    """
    if not _can_set_handlers():
        yield
        return
    arrived: list[int] = []

    def unwind(number: int, frame: FrameType | None) -> None:
        arrived.append(number)
        name = signal.Signals(number).name
        raise TerminatedError(f"The process was asked to end ({name}).")

    try:
        with _left(signal.SIGINT) as stack:
            with _deferring(signal.SIGINT):
                for each in ENDING:
                    if signal.getsignal(each) is signal.SIG_DFL:
                        stack.enter_context(_handling(each, unwind))
            yield
    finally:
        if arrived:
            # The end by a signal runs no finalizers: semaphores of closed workers would be left to
            # a tracker, which warns of them.
            gc.collect()
            os.kill(os.getpid(), arrived[-1])


def whole() -> contextlib.AbstractContextManager[None]:
    """Defers the handlers of SIGINT, SIGTERM and SIGHUP to the end of a `with` block.

    Otherwise they could raise an exception between any two steps of the block. Each handler is
    called once, however often its signal arrived, as with signals that are blocked.
    """
    return _deferring(signal.SIGINT, *ENDING)


def left_whole() -> contextlib.AbstractContextManager[contextlib.ExitStack]:
    """Yields an `ExitStack`; signals wait while it is closed.

    What is entered in a block of `whole` is then left in any case, however soon Ctrl-C comes.
    """
    return _left(signal.SIGINT, *ENDING)


def import_whole(*names: str) -> None:
    """Imports modules; signals wait for the end.

    An import that an exception cuts short may leave a package of compiled modules that no later
    import in the process completes.
    """
    missing = [name for name in names if name not in sys.modules]
    if missing:
        with whole():
            for name in missing:
                importlib.import_module(name)


@contextlib.contextmanager
def _left(*numbers: int) -> Iterator[contextlib.ExitStack]:
    """Yields an `ExitStack`, and defers the handlers of signals while it is closed."""
    with contextlib.ExitStack() as stack:
        try:
            yield stack
        finally:
            with _deferring(*numbers):
                stack.close()


@contextlib.contextmanager
def _deferring(*numbers: int) -> Iterator[None]:
    """Defers the handlers of signals to the end of the block."""
    if not _can_set_handlers():
        yield
        return
    arrived: dict[int, FrameType | None] = {}
    handlers: dict[int, Any] = {}
    try:
        with contextlib.ExitStack() as stack:
            for each in numbers:
                if callable(signal.getsignal(each)):
                    handlers[each] = stack.enter_context(_handling(each, arrived.setdefault))
            try:
                yield
            finally:
                _call(handlers, arrived)
    finally:
        # Signals may have arrived since, before the last handler was put back.
        _call(handlers, arrived)


def _call(handlers: dict[int, Any], arrived: dict[int, FrameType | None]) -> None:
    """Calls the handlers of signals that arrived, all of them even if some raise.

    Those of signals that end the process come last, since the last exception comes out.
    """
    if not arrived:
        return
    number = min(arrived, key=lambda each: each in ENDING)
    try:
        handlers[number](number, arrived.pop(number))
    finally:
        _call(handlers, arrived)


@contextlib.contextmanager
def _handling(number: int, handler: Any) -> Iterator[Any]:
    """Replaces a signal's handler inside the block; yields the handler that it replaces."""
    before = signal.getsignal(number)
    is_outermost = number not in _displaced
    try:
        _displaced.setdefault(number, before)
        signal.signal(number, handler)
        yield before
    finally:
        try:
            # A handler that the program has set meanwhile stays.
            if signal.getsignal(number) is handler:
                signal.signal(number, before)
        finally:
            if is_outermost:
                _displaced.pop(number, None)


def _can_set_handlers() -> bool:
    """Returns whether this is the main thread of the main interpreter.

    Where Python is embedded, `threading.main_thread()` may be another one.
    """
    try:
        # None is no handler, which only the main thread gets as far as to notice.
        signal.signal(signal.SIGINT, None)
    except ValueError:
        return False
    except TypeError:
        pass
    return True


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
