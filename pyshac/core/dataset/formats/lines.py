"""Lines of text, compressed to save memory."""

from __future__ import annotations

import zlib
from array import array
from typing import NamedTuple

import numpy as np

from pyshac.core.basics.arrays import IntArray

# Number of lines that are worth compressing together.
PACKED_LINES = 2**9
# The level beyond which the text of random numbers hardly shrinks.
LEVEL = 4


class Lines:
    """The encoded lines of a file, in order.

    A change before the end of the compressed lines expands all of them. So call `pack` when the
    lines so far are unlikely to change.
    """

    def __init__(self) -> None:
        # One attribute, so that neither another thread nor Ctrl-C sees lines twice.
        self._parts = _Parts((), bytearray(), array("q"))

    def __len__(self) -> int:
        return self._parts.num_packed + len(self._parts.lengths)

    def insert(self, place: int, line: bytes) -> None:
        """Inserts a line before the line at `place`."""
        parts = self._changeable(place)
        place -= parts.num_packed
        start = parts.end_of(place)
        parts.text[start:start] = line
        parts.lengths.insert(place, len(line))

    def copy(self) -> Lines:
        """Returns a copy."""
        lines, (packed, text, lengths) = Lines(), self._parts
        lines._parts = _Parts(packed, text[:], lengths[:])
        return lines

    def cut(self, count: int) -> None:
        """Removes all lines except the first `count`."""
        parts = self._changeable(count)
        count -= parts.num_packed
        del parts.text[parts.end_of(count) :]
        del parts.lengths[count:]

    def sort(self, order: IntArray) -> None:
        """Reorders the lines: the line at `order[i]` moves to index i."""
        parts = self._changeable(0)
        ends = np.cumsum(parts.lengths)
        lines = [parts.text[ends[place] - parts.lengths[place] : ends[place]] for place in order]
        self._parts = _Parts((), bytearray().join(lines), array("q", map(len, lines)))

    def pack(self) -> None:
        """Compresses the lines if enough of them are uncompressed."""
        packed, text, lengths = self._parts
        if len(lengths) >= PACKED_LINES:
            new = _Packed(
                len(lengths), zlib.compress(lengths.tobytes(), LEVEL), zlib.compress(text, LEVEL)
            )
            self._parts = _Parts((*packed, new), bytearray(), array("q"))

    def texts(self) -> list[bytes | bytearray]:
        """Returns the text of all lines, in parts."""
        packed, text, _ = self._parts
        return [*(zlib.decompress(part.text) for part in packed), text]

    def size(self, count: int) -> int:
        """Returns the number of bytes of the first `count` lines."""
        parts, size = self._parts, 0
        for part in parts.packed:
            lengths = np.frombuffer(zlib.decompress(part.lengths), dtype=np.int64)
            size += int(lengths[: max(count, 0)].sum())
            count -= part.number
        return size + parts.end_of(max(count, 0))

    def _changeable(self, place: int) -> _Parts:
        """Returns the parts, with the line at `place` among the uncompressed ones."""
        if place < self._parts.num_packed:
            packed, _, lengths = self._parts
            numbers = [*(zlib.decompress(part.lengths) for part in packed), lengths.tobytes()]
            text = bytearray().join(self.texts())
            self._parts = _Parts((), text, array("q", b"".join(numbers)))
        return self._parts


class _Packed(NamedTuple):
    """Compressed lines: their number, their lengths and their text."""

    number: int
    lengths: bytes
    text: bytes


class _Parts(NamedTuple):
    """Lines: the compressed ones, the text of the others, and the length of each of these."""

    packed: tuple[_Packed, ...]
    text: bytearray
    lengths: array[int]

    @property
    def num_packed(self) -> int:
        return sum(part.number for part in self.packed)

    def end_of(self, count: int) -> int:
        """Returns the end of the first `count` uncompressed lines."""
        return len(self.text) - int(np.sum(self.lengths[count:], dtype=np.int64))
