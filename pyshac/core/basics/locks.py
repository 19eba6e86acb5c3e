"""Locks that survive copying and pickling of the objects that they guard."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

# A subclass, since Ctrl-C cannot come between the steps of the interpreter's own `__enter__`.
if TYPE_CHECKING:

    class ReentrantLock:  # noqa: D101
        def __enter__(self) -> bool: ...
        def __exit__(self, *error: object) -> None: ...
else:
    ReentrantLock = type(threading.RLock())


class CopyableLock(ReentrantLock):
    """A reentrant lock; a copy, also one that was pickled, is a new lock, which nobody holds."""

    def __reduce__(self) -> tuple[type[CopyableLock], tuple[()]]:
        return CopyableLock, ()
