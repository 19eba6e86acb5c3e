"""`draws.jsonl`: what the samples of a stream were drawn from, read as untrusted input.

A line is a JSON object for each draw of a closed batch: `{"draw": first number, "size": number of
samples, "enqueued": number of those that come from the queue, "since": [number, ...], "complete":
number, "added": number, "budget": number}`. The last four, in the journal also those of an open
batch, are the `Origin`.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyshac.core.basics import files
from pyshac.core.errors import SaveDirectoryError

_KEYS = ("since", "complete", "added", "budget")


@dataclass(frozen=True)
class Origin:
    """What the samples of a draw were drawn from, besides the seed.

    Attributes:
        since: Numbers of the samples whose scores came in since the draw before, in the order in
            which this draw and those after it have learned from them.
        num_complete: Number of samples in closed batches.
        num_added: Number of samples from elsewhere.
        total_budget: N, on which the schedule depends.
    """

    since: array[int]
    num_complete: int
    num_added: int
    total_budget: int


@dataclass(frozen=True)
class Drew:
    """A draw of a stream.

    Attributes:
        start: Number of its first sample.
        size: Number of its samples.
        num_enqueued: Number of those that come from the queue.
        origin: What they were drawn from.
    """

    start: int
    size: int
    num_enqueued: int
    origin: Origin


class DrawLog:
    """The origins of the samples of closed batches.

    Attributes:
        learned: Numbers of the samples that these draws have learned from, in order.
    """

    def __init__(self) -> None:
        self.learned = array("q")
        self._lines = bytearray()

    def __len__(self) -> int:
        return len(self._lines)

    def append(self, drew: Drew) -> None:
        """Appends a draw."""
        record = {"draw": drew.start, "size": drew.size, "enqueued": drew.num_enqueued}
        record |= origin_record(drew.origin)
        self._lines += json.dumps(record, separators=(",", ":")).encode() + b"\n"
        self.learned.extend(drew.origin.since)

    def to_bytes(self) -> bytes:
        """Returns the content of the file."""
        return bytes(self._lines)

    def __iter__(self) -> Iterator[Drew]:
        return (_drew(json.loads(line)) for line in self.to_bytes().splitlines())

    def copy(self) -> DrawLog:
        """Returns the log of this moment."""
        log = DrawLog()
        log.learned, log._lines = self.learned[:], self._lines[:]
        return log


def origin_record(origin: Origin) -> dict[str, Any]:
    """Returns an origin as JSON."""
    values = ([*origin.since], origin.num_complete, origin.num_added, origin.total_budget)
    return dict(zip(_KEYS, values, strict=True))


def origin_of(record: Mapping[str, Any]) -> Origin:
    """Returns the origin that a record has.

    Raises:
        KeyError: If something is missing.
        ValueError: If it has a value that is not allowed.
    """
    since, *counts = (record[key] for key in _KEYS)
    are_numbers = isinstance(since, list) and all(map(_is_count, since))
    if not are_numbers or not all(map(_is_count, counts)):
        raise ValueError("what its samples were drawn from is not valid")
    return Origin(array("q", since), *counts)


def _drew(record: Mapping[str, Any]) -> Drew:
    """Returns the draw of a line; raises as `origin_of` does."""
    start, size, num_enqueued = counts = [record[key] for key in ("draw", "size", "enqueued")]
    if not all(map(_is_count, counts)) or num_enqueued > size:
        raise ValueError("its samples have no valid numbers")
    return Drew(start, size, num_enqueued, origin_of(record))


def _is_count(number: Any) -> bool:
    return type(number) is int and 0 <= number < 2**63


def read_draws(path: Path, length: int) -> DrawLog:
    """Reads the start of a file.

    Args:
        path: The file.
        length: Number of bytes, from the start.

    Raises:
        FileNotFoundError: If there is no such file.
        SaveDirectoryError: If it is corrupt; the message names the line.
    """
    log = DrawLog()
    with files.open_bounded(path, files.MAX_CSV_BYTES) as file:
        lines = file.read(length).splitlines()
    for place, line in enumerate(lines, 1):
        source = f"{str(path)!r}, line {place}"
        record = files.parse_json(line.decode("utf-8", errors="replace"), source)
        try:
            log.append(_drew(record))
        except (KeyError, TypeError, ValueError) as error:
            raise SaveDirectoryError(f"{source} is corrupt: {error}.") from None
    return log
