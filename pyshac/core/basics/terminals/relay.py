"""OutputRelay: what worker processes write to a terminal, line by line.

Each worker writes to a pseudo-terminal of its own, so that it still sees a terminal, and a thread
here passes on its lines. What a worker has written arrives even if the worker is killed.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable

from pyshac.core.basics.terminals.route import Route, place_of

# An unended line is kept up to this length.
MAX_BYTES = 2**16
# Time for what workers have written to arrive, when all of them have ended.
_CLOSING_SECONDS = 1.0
_BUSY_SECONDS = 0.05

# Held while descriptors are opened and closed, so that no process is forked meanwhile.
_lock = threading.RLock()
_lanes: set[Lane] = set()
_relays: list[OutputRelay] = []


def new_lane() -> Lane | None:
    """Returns a lane for a process that is about to start; None if its output needs none."""
    with _lock:
        return _relays[-1].new_lane() if _relays else None


class OutputRelay:
    """Relays what processes write to a terminal.

    Args:
        terminal: Descriptor of the terminal.
        write: Writes whole lines to it; called by any thread.
    """

    def __init__(self, terminal: int, write: Callable[[bytes], None]) -> None:
        self._terminal = terminal
        self._write = write
        self._own: list[Lane] = []
        with _lock:
            _relays.append(self)

    def new_lane(self) -> Lane | None:
        """Returns a new lane; None if the system has none."""
        try:
            lane = Lane(self._terminal, self._write)
        # Windows lacks the modules; others may lack terminals or threads.
        except Exception:
            return None
        with _lock:
            self._own = [each for each in self._own if each.is_open] + [lane]
        return lane

    def follow_size(self) -> None:
        """Gives the workers' terminals the present size of the terminal."""
        for lane in self._own:
            lane.copy_size(self._terminal)

    def close(self) -> None:
        """Relays all that processes which have ended have written.

        Those that an evaluation has left behind are relayed until they end.
        """
        with _lock:
            _relays.remove(self)
        deadline = time.monotonic() + _CLOSING_SECONDS
        for lane in self._own:
            lane.release()
        for lane in self._own:
            lane.wait(deadline)


class Lane:
    """The pseudo-terminal of one worker.

    Args:
        terminal: Descriptor of the terminal.
        write: Writes whole lines to it.

    Attributes:
        route: The way that the worker takes.
    """

    def __init__(self, terminal: int, write: Callable[[bytes], None]) -> None:
        import tty

        with _lock:
            self._master, slave = os.openpty()
            # Kept until the worker has it, since reading ends when nobody has it open.
            self._slave: int | None = slave
            _lanes.add(self)
        self._write, self._is_writing = write, False
        try:
            # The terminal itself makes of line ends what it needs.
            tty.setraw(slave)
            self.copy_size(terminal)
            self.route = Route(os.ttyname(slave), place_of(terminal))
            self._thread = threading.Thread(target=self._relay, name="pyshac-output", daemon=True)
            self._thread.start()
        except BaseException:
            self.close()
            raise

    @property
    def is_open(self) -> bool:
        """Whether somebody may still write."""
        return self in _lanes

    def copy_size(self, terminal: int) -> None:
        """Takes the size of a terminal, which may have none."""
        import fcntl
        import termios

        with _lock, contextlib.suppress(OSError):
            if self.is_open:
                size = fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8))
                fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def release(self) -> None:
        """Lets the lane end with the processes that write to it."""
        with _lock:
            slave, self._slave = self._slave, None
            if slave is not None:
                os.close(slave)

    def wait(self, deadline: float) -> None:
        """Waits for its end, or until a `time.monotonic` after which it has nothing to write."""
        self._thread.join(max(deadline - time.monotonic(), 0))
        # A slow terminal takes its time.
        while self._thread.is_alive() and self._is_writing:
            self._thread.join(_BUSY_SECONDS)

    def _relay(self) -> None:
        begun = b""
        # Reading fails when nobody has it open any more.
        with contextlib.suppress(OSError):
            while data := os.read(self._master, MAX_BYTES):
                lines, end, begun = (begun + data).rpartition(b"\n")
                if end:
                    self._pass_on(lines + end)
                if len(begun) > MAX_BYTES:
                    begun = self._shortened(begun)
        if _is_visible(begun):
            self._pass_on(begun + b"\n")
        self.close()

    def _shortened(self, begun: bytes) -> bytes:
        """Returns what is still to be passed on of a line that does not end."""
        _, overwritten, rest = begun.rpartition(b"\r")
        if overwritten:
            return overwritten + rest
        self._pass_on(begun + b"\n")
        return b""

    def _pass_on(self, lines: bytes) -> None:
        self._is_writing = True
        # A terminal that has gone must not stop the workers.
        with contextlib.suppress(Exception):
            self._write(lines)
        self._is_writing = False

    def close(self) -> None:
        """Closes its descriptors."""
        with _lock:
            if self in _lanes:
                _lanes.remove(self)
                self.release()
                os.close(self._master)


def _is_visible(begun: bytes) -> bool:
    """Returns whether an unended line shows something; a bar that is done erases itself."""
    return any(part.strip() for part in begun.split(b"\r")[-2:])


def _close_in_child() -> None:
    _relays.clear()
    for lane in [*_lanes]:
        with contextlib.suppress(OSError):
            lane.close()
    _lock.release()


if hasattr(os, "register_at_fork"):
    # A forked worker that kept the descriptors of another one would keep its lane open.
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_close_in_child
    )
