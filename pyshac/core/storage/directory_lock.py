"""DirectoryLock: allows one writer at a time in a save directory, and names it to the others."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
from collections.abc import Iterator

import filelock

from pyshac.core.basics import files, signals
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.errors import DirectoryInUseError
from pyshac.core.storage.layout import Layout


class DirectoryLock:
    """The lock of a save directory; its holder may acquire it again.

    A process that was forked from the one that made the lock cannot use it.

    Args:
        layout: The files of the directory.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lock = _FileLock(layout.lock, thread_local=False)
        self._lock.owner = os.getpid()
        # Acquiring and releasing are not atomic among the threads that share a lock.
        self._changing = CopyableLock()

    @property
    def is_own(self) -> bool:
        """Whether this process made the lock, and was not forked from the one that did."""
        return self._lock.owner == os.getpid()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Holds the lock inside a `with` block.

        Raises:
            DirectoryInUseError: If another engine holds it.
            OSError: If the lock file cannot be written.
        """
        # Ctrl-C in the middle could leave a lock that nobody releases while the process lives.
        with signals.left_whole() as stack:
            with signals.whole():
                self._acquire()
                stack.callback(self._release)
            yield

    def _acquire(self) -> None:
        try:
            with self._changing, files.naming(self._layout.lock):
                self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise DirectoryInUseError(self._refusal()) from None
        except NotImplementedError:
            # Older filelocks have no substitute for missing locks.
            reason = "No locks on this file system; newer versions of filelock do without"
            raise OSError(errno.ENOSYS, reason, str(self._layout.lock)) from None

    def _release(self) -> None:
        # A process that was forked inside the block leaves it, too.
        if self.is_own:
            with self._changing, files.naming(self._layout.lock):
                self._lock.release()

    def refusal_of_fork(self) -> DirectoryInUseError:
        """Returns the error for a process that must not write, since another one made the lock."""
        return DirectoryInUseError(
            f"{str(self._layout.root)!r} belongs to process {self._lock.owner}, from which this "
            f"one, {os.getpid()}, was forked. Let that one save, set save_dir to another "
            "directory, or call restore_data() when that one has ended."
        )

    def _refusal(self) -> str:
        refusal = (
            f"{str(self._layout.root)!r} is being written by another engine "
            f"({read_holder(self._layout)}). Wait for it, or choose another save_dir."
        )
        if not isinstance(self._lock, filelock.SoftFileLock):
            return refusal
        # The system cannot tell whether the holder still runs, so its death leaves the lock behind.
        return (
            f"{refusal} Its file system has no locks of the operating system, so a process that "
            f"was killed leaves its lock behind: if that one has ended, remove "
            f"{str(self._layout.lock)!r}."
        )

    def sign(self) -> None:
        """Writes the holder's name, for error messages of others, unless it is there already."""
        if self._lock.lock_counter == 1:
            holder = {"process": os.getpid(), "host": socket.gethostname()}
            files.write_atomically(self._layout.holder, json.dumps(holder).encode())


class _FileLock(filelock.FileLock):
    """Unlike those of earlier filelocks, it is not released when a forked process ends."""

    owner: int

    def _release(self) -> None:
        if self.owner == os.getpid():
            super()._release()


def holder_of(layout: Layout) -> tuple[int, str] | None:
    """Returns the process and the host that hold a directory's lock, or held it last."""
    try:
        holder = json.loads(files.read_bounded(layout.holder, 4096))
        return int(f"{holder['process']:d}"), str(holder["host"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def read_holder(layout: Layout) -> str:
    """Returns the name of the process that holds a directory's lock, or held it last."""
    holder = holder_of(layout)
    if holder is None:
        return "process unknown"
    return f"process {holder[0]} on host {holder[1][:99]!r}"
