"""DirectoryLock: allows one writer at a time in a save directory, and names it to the others."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator

import filelock

from pyshac.core.basics import files
from pyshac.core.errors import DirectoryInUseError
from pyshac.core.storage.layout import Layout


class DirectoryLock:
    """The lock of a save directory; its holder may acquire it again.

    Args:
        layout: The files of the directory.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lock = filelock.FileLock(layout.lock, thread_local=False)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Holds the lock inside a `with` block.

        Raises:
            DirectoryInUseError: If another engine holds it.
            OSError: If the lock file cannot be written.
        """
        try:
            with files.naming(self._layout.lock):
                self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise DirectoryInUseError(
                f"{str(self._layout.root)!r} is being written by another engine "
                f"({read_holder(self._layout)}). Wait for it, or choose another save_dir."
            ) from None
        try:
            yield
        finally:
            with files.naming(self._layout.lock):
                self._lock.release()

    def sign(self) -> None:
        """Writes the holder's name, for error messages of others, unless it is there already."""
        if self._lock.lock_counter == 1:
            holder = {"process": os.getpid(), "host": socket.gethostname()}
            files.write_atomically(self._layout.holder, json.dumps(holder).encode())


def read_holder(layout: Layout) -> str:
    """Returns the name of the process that holds a directory's lock, or held it last."""
    try:
        holder = json.loads(files.read_bounded(layout.holder, 4096))
        return f"process {holder['process']:d} on host {str(holder['host'])[:99]!r}"
    except (OSError, ValueError, TypeError, KeyError):
        return "process unknown"
