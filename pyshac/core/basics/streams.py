"""Standard streams that may be missing or broken, as in services and windowed programs."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

_NAMES = ("stdin", "stdout", "stderr")


class ForgivingStream(io.TextIOBase):
    """A text stream that passes on what it can, and drops the rest.

    Args:
        stream: The stream behind it, or what stands in its place; it may lack any method.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes a text; drops it if that fails."""
        with contextlib.suppress(Exception):
            self._stream.write(text)
        return len(text)

    def writable(self) -> bool:
        """Returns whether texts are passed on."""
        try:
            self._stream.write("")
        except Exception:
            return False
        return True

    def flush(self) -> None:
        """Flushes the stream if it can be flushed."""
        with contextlib.suppress(Exception):
            self._stream.flush()

    def isatty(self) -> bool:
        """Returns whether the stream says that it is a terminal."""
        return is_terminal(self._stream)


def is_terminal(stream: Any) -> bool:
    """Returns whether a stream is a terminal; False if it cannot tell."""
    try:
        return bool(stream.isatty())
    except Exception:
        return False


@contextlib.contextmanager
def usable_streams() -> Iterator[None]:
    """Puts stand-ins into the place of broken standard streams, inside a `with` block.

    Libraries flush the standard streams before they start a process, and `logging` reports its own
    errors there.
    """
    _occupy_descriptors()
    with contextlib.ExitStack() as stack:
        for name in _NAMES:
            stream = getattr(sys, name, None)
            if not (_can_be_closed(stream) if name == "stdin" else _is_usable(stream)):
                stand_in = ForgivingStream(stream)
                setattr(sys, name, stand_in)
                stack.callback(_put_back, name, stand_in, stream)
        yield


def _put_back(name: str, stand_in: ForgivingStream, stream: Any) -> None:
    # The program may have set another stream meanwhile.
    if getattr(sys, name, None) is stand_in:
        setattr(sys, name, stream)


def _can_be_closed(stream: Any) -> bool:
    # A forked process closes it, and libraries look at its encoding.
    try:
        return callable(stream.close) and hasattr(stream, "encoding")
    except Exception:
        return False


def _is_usable(stream: Any) -> bool:
    try:
        stream.write("")
        stream.flush()
    except Exception:
        return False
    return True


def _occupy_descriptors() -> None:
    """Opens the null device as those of the descriptors 0 to 2 that are closed.

    Otherwise the next pipe gets such a number, and whatever a worker prints would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                # The lowest free number is this one. Like all standard streams it is inherited.
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
