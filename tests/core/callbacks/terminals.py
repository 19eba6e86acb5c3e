"""A terminal for tests: a real pseudo-terminal, and what its screen shows."""

from __future__ import annotations

import contextlib
import os
import re
import struct
import threading
import time
from collections.abc import Iterator
from typing import IO

import pytest

pty = pytest.importorskip("pty")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

CONTROL = re.compile(r"\r|\n|\x1b\[A")


class Terminal:
    """A pseudo-terminal that notes all that is written to it.

    Attributes:
        name: Its path.
    """

    def __init__(self, columns: int) -> None:
        self._master, self._slave = pty.openpty()
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, size)
        self.name = os.ttyname(self._slave)
        self._written = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        # Reading fails when nobody has the terminal open any more.
        with contextlib.suppress(OSError):
            while data := os.read(self._master, 65536):
                self._written += data

    def open(self) -> IO[str]:
        """Returns a file that writes to the terminal."""
        return open(self.name, "w", encoding="utf-8")

    def fileno(self) -> int:
        return self._slave

    def close(self) -> None:
        """Waits for all that was written."""
        os.close(self._slave)
        self._reader.join(30)
        os.close(self._master)

    def shown_so_far(self, text: str, then: str = "") -> str:
        """Waits until a text has been written and then another; returns all that was written."""
        waiting = time.monotonic() + 30
        while True:
            written = self._written.decode(errors="replace")
            _, found, rest = written.rpartition(text)
            if found and then in rest:
                return written
            assert time.monotonic() < waiting, written
            time.sleep(0.01)

    @property
    def written(self) -> str:
        """All that was written, once the terminal is closed."""
        return self._written.decode()

    @property
    def screen(self) -> list[str]:
        """The lines that one sees in the end, without spaces at their ends."""
        return screen_of(self.written)


@contextlib.contextmanager
def terminal(columns: int = 80) -> Iterator[Terminal]:
    """Opens a terminal; when the block is left, everything has arrived."""
    opened = Terminal(columns)
    try:
        yield opened
    finally:
        opened.close()


def screen_of(text: str) -> list[str]:
    """Returns the lines that a text leaves on a terminal."""
    lines, row, column = [""], 0, 0
    place = 0
    for control in [*CONTROL.finditer(text), None]:
        plain = text[place : control.start() if control else len(text)]
        lines[row] = lines[row].ljust(column)
        lines[row] = lines[row][:column] + plain + lines[row][column + len(plain) :]
        column += len(plain)
        if control is None:
            break
        place = control.end()
        if control[0] == "\r":
            column = 0
        elif control[0] == "\n":
            # A real terminal gets a carriage return with it; so does one without a driver.
            row, column = row + 1, 0
            lines += [""] * (row == len(lines))
        else:
            row = max(row - 1, 0)
    return [line.rstrip() for line in lines]
