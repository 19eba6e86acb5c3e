"""Locks that survive copying and pickling of the objects that they guard."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING

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


def _release_in_child() -> None:
    """Releases the locks of threads that do not exist in a process that was forked."""
    for lock in [*_locks]:
        if not lock._is_owned():
            lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_release_in_child)
