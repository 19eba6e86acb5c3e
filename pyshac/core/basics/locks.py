"""Locks that survive copying and pickling of what they guard, and what forks have to wait for."""

from __future__ import annotations

import os
import threading
import weakref
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any

# A subclass, since Ctrl-C cannot come between the steps of the interpreter's own `__enter__`.
if TYPE_CHECKING:

    class ReentrantLock:  # noqa: D101
        def __enter__(self) -> bool: ...
        def __exit__(self, *error: object) -> None: ...
        def _is_owned(self) -> bool: ...
        def _at_fork_reinit(self) -> None: ...
else:
    ReentrantLock = type(threading.RLock())


class CopyableLock(ReentrantLock):
    """A reentrant lock; a copy, also one that was pickled, is a new lock, which nobody holds."""

    def __init__(self) -> None:
        super().__init__()
        _locks.add(self)

    def __reduce__(self) -> tuple[type[CopyableLock], tuple[()]]:
        return CopyableLock, ()


_locks: weakref.WeakSet[CopyableLock] = weakref.WeakSet()
# The calls that are under way in other threads, and the thread that has begun each.
_calls: dict[Future[Any], int] = {}


def _release_in_child() -> None:
    """Forgets the threads that do not exist in a process that was forked, and their locks."""
    _calls.clear()
    for lock in [*_locks]:
        if not lock._is_owned():
            lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_release_in_child)


def note_call(call: Future[Any]) -> None:
    """Notes a call that this thread has begun in another one."""
    _calls[call] = threading.get_ident()
    call.add_done_callback(lambda done: _calls.pop(done, None))


def await_calls() -> None:
    """Waits for the calls that this thread has begun, since it is about to fork.

    The new process would inherit the locks that they hold, such as those of BLAS and of imports,
    which nobody releases there.
    """
    own = threading.get_ident()
    wait([call for call, thread in [*_calls.items()] if thread == own])
