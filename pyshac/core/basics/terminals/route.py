"""Route: the way of a worker's output, which worker processes import."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass


def place_of(descriptor: int) -> tuple[int, int]:
    """Returns device and inode of an open file; raises `OSError` if it is closed."""
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


@dataclass(frozen=True)
class Route:
    """The way of what a process writes to a terminal.

    Attributes:
        path: The pseudo-terminal through which it goes instead.
        terminal: Device and inode of the terminal; output to anywhere else keeps its way.
    """

    path: str
    terminal: tuple[int, int]

    def enter(self) -> None:
        """Takes this way for standard output and standard error, and so for child processes."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        # Output that cannot take it keeps its way.
        with contextlib.suppress(OSError):
            descriptor = os.open(self.path, os.O_RDWR | os.O_NOCTTY)
            for number in (1, 2):
                with contextlib.suppress(OSError):
                    if place_of(number) == self.terminal:
                        os.dup2(descriptor, number)
            os.close(descriptor)
