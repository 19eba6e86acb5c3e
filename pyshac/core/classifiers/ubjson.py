"""The part of UBJSON that XGBoost writes: a reader for untrusted bytes, and a writer.

https://ubjson.org: objects, strings, numbers, and length-prefixed arrays, typed and untyped. Typed
arrays become NumPy arrays; untyped arrays become lists.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

MAX_DEPTH = 16

_TYPES = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
_MARKERS = {np.dtype(code).newbyteorder("="): marker for marker, code in _TYPES.items()}
_INTEGERS = "iIlL"


def decode(data: bytes) -> Any:
    """Returns the value that UBJSON bytes encode.

    Memory use is proportional to the number of bytes.

    Raises:
        ValueError: If the bytes are not UBJSON of this form.
    """
    reader = _Reader(data)
    value = reader.value(MAX_DEPTH)
    if reader.place != len(data):
        raise ValueError(f"byte {reader.place} is beyond the end of the model")
    return value


class _Reader:
    """Reads values in sequence.

    Attributes:
        place: Number of bytes read so far.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.place = 0

    def _take(self, count: int) -> bytes:
        if not 0 <= count <= len(self._data) - self.place:
            raise ValueError(f"{count} bytes were expected at byte {self.place}")
        self.place += count
        return self._data[self.place - count : self.place]

    def _marker(self) -> str:
        return self._take(1).decode("latin-1")

    def _expect(self, markers: str) -> None:
        if (found := self._take(len(markers)).decode("latin-1")) != markers:
            raise ValueError(f"{markers!r} was expected before byte {self.place}, not {found!r}")

    def _length(self) -> int:
        self._expect("L")
        return int.from_bytes(self._take(8), "big", signed=True)

    def _text(self) -> str:
        return self._take(self._length()).decode("utf-8")

    def value(self, depth: int) -> Any:
        """Reads the next value."""
        marker = self._marker()
        if marker == "S":
            return self._text()
        if marker in _TYPES:
            return self._array(marker, 1)[0].item()
        if marker not in "{[" or depth == 0:
            raise ValueError(f"no value begins with {marker!r}, before byte {self.place}")
        return self._object(depth - 1) if marker == "{" else self._items(depth - 1)

    def _object(self, depth: int) -> dict[str, Any]:
        content: dict[str, Any] = {}
        while self._data[self.place : self.place + 1] != b"}":
            key = self._text()
            if key in content:
                raise ValueError(f"{key!r} occurs twice in an object")
            content[key] = self.value(depth)
        self.place += 1
        return content

    def _items(self, depth: int) -> Any:
        marker = self._marker()
        if marker == "$":
            type_marker = self._marker()
            self._expect("#")
            return self._array(type_marker, self._length())
        if marker != "#":
            raise ValueError(f"an array without its length, before byte {self.place}")
        length = self._length()
        return [self.value(depth) for _ in range(length)]

    def _array(self, marker: str, count: int) -> np.ndarray[Any, np.dtype[Any]]:
        if marker not in _TYPES:
            raise ValueError(f"no number is of type {marker!r}, before byte {self.place}")
        dtype = np.dtype(_TYPES[marker])
        array = np.frombuffer(self._take(count * dtype.itemsize), dtype)
        return array.astype(dtype.newbyteorder("="))


def encode(value: Any) -> bytes:
    """Returns the UBJSON of a dict, a list, a str, an int or a NumPy array."""
    if isinstance(value, dict):
        items = (_encode_text(key) + encode(item) for key, item in value.items())
        return b"{" + b"".join(items) + b"}"
    if isinstance(value, np.ndarray):
        marker = _MARKERS[value.dtype]
        data = value.astype(_TYPES[marker]).tobytes()
        return b"[$" + marker.encode() + b"#" + _length(len(value)) + data
    if isinstance(value, list):
        return b"[#" + _length(len(value)) + b"".join(map(encode, value))
    if isinstance(value, str):
        return b"S" + _encode_text(value)
    return _encode_integer(value)


def _length(count: int) -> bytes:
    return struct.pack(">cq", b"L", count)


def _encode_text(text: str) -> bytes:
    data = text.encode("utf-8")
    return _length(len(data)) + data


def _encode_integer(value: int) -> bytes:
    """Returns an integer in the smallest type that holds it."""
    for marker in _INTEGERS:
        dtype = np.dtype(_TYPES[marker])
        if np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
            return marker.encode() + np.array(value, dtype).tobytes()
    raise ValueError(f"{value!r} does not fit into 64 bits")
