"""`draws.jsonl`: the origins of a stream's samples, read as untrusted input.

A line is a JSON object for each draw of a closed batch: `{"draw": first number, "size": number of
samples, "enqueued": number of those from the queue, "since": [number, ...], "complete": number,
"added": number, "budget": number, "batch_size": number, "closed": [budget, batch size]}`. The keys
from "since" to "batch_size" are the `Origin`. The journal stores them for open batches as well.
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

_KEYS = ("since", "complete", "added", "budget", "batch_size")


@dataclass(frozen=True)
class Origin:
    """The data on which the samples of a draw depend, besides the seed.

    Attributes:
        since: Numbers of the samples whose scores arrived since the previous draw, in the order in
            which this draw and later ones have learned from them.
        num_complete: Number of samples in closed batches.
        num_added: Number of samples from other sources.
        total_budget: N, on which the schedule depends.
        batch_size: W, on which the schedule also depends.
    """

    since: array[int]
    num_complete: int
    num_added: int
    total_budget: int
    batch_size: int


@dataclass(frozen=True)
class Drew:
    """A draw of a stream.

    Attributes:
        start: Number of its first sample.
        size: Number of its samples.
        num_enqueued: Number of its samples from the queue.
        origin: Its origin.
        closed: Budget and batch size when its batch was closed, since they may have changed
            in between; None while the batch is open.
    """

    start: int
    size: int
    num_enqueued: int
    origin: Origin
    closed: tuple[int, int] | None = None


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
        """Appends a draw of a closed batch."""
        samples = {"draw": drew.start, "size": drew.size, "enqueued": drew.num_enqueued}
        record = {**samples, **origin_record(drew.origin), "closed": drew.closed}
        self._lines += json.dumps(record, separators=(",", ":")).encode() + b"\n"
        self.learned.extend(drew.origin.since)

    def to_bytes(self) -> bytes:
        """Returns the content of the file."""
        return bytes(self._lines)

    def __iter__(self) -> Iterator[Drew]:
        return (_drew(json.loads(line)) for line in self.to_bytes().splitlines())

    def copy(self) -> DrawLog:
        """Returns a copy."""
        log = DrawLog()
        log.learned, log._lines = self.learned[:], self._lines[:]
        return log


def origin_record(origin: Origin) -> dict[str, Any]:
    """Returns an origin as JSON."""
    counts = (origin.num_complete, origin.num_added, origin.total_budget, origin.batch_size)
    return dict(zip(_KEYS, ([*origin.since], *counts), strict=True))


def origin_of(record: Mapping[str, Any]) -> Origin:
    """Returns the origin in a record.

    Raises:
        KeyError: If a key is missing.
        ValueError: If a value is not allowed.
    """
    since, *counts = (record[key] for key in _KEYS)
    are_numbers = isinstance(since, list) and all(map(_is_count, since))
    if not are_numbers or not all(map(_is_count, counts)):
        raise ValueError("what its samples were drawn from is not valid")
    return Origin(array("q", since), *counts)


def check_origin(origin: Origin, start: int, size: int, num_added: int) -> None:
    """Raises `ValueError` if samples cannot have a given origin.

    Args:
        origin: The origin.
        start: Number of the first sample.
        size: Number of samples.
        num_added: Number of samples from other sources, at the end.
    """
    if max((origin.num_complete - 1, *origin.since)) >= start:
        raise ValueError("its samples were drawn from later ones")
    if origin.num_added > num_added:
        raise ValueError(f"it has {origin.num_added} samples from elsewhere, not {num_added}")
    if not origin.batch_size or origin.total_budget < start + size:
        raise ValueError("its samples do not fit the budget")


def _drew(record: Mapping[str, Any]) -> Drew:
    """Returns the draw of a line; raises the errors of `origin_of`."""
    start, size, num_enqueued = counts = [record[key] for key in ("draw", "size", "enqueued")]
    if not all(map(_is_count, counts)) or num_enqueued > size:
        raise ValueError("its samples have no valid numbers")
    budget, batch_size = closed = tuple(record["closed"])
    if not all(map(_is_count, closed)) or not batch_size or budget < start + size:
        raise ValueError("its batch was not closed within a budget")
    return Drew(start, size, num_enqueued, origin_of(record), (budget, batch_size))


def _is_count(number: Any) -> bool:
    return type(number) is int and 0 <= number < 2**63


def read_draws(path: Path, length: int, num_complete: int, num_added: int) -> DrawLog:
    """Reads the start of a file.

    Args:
        path: The file.
        length: Number of bytes to read from the start.
        num_complete: Number of samples in closed batches.
        num_added: Number of samples from other sources.

    Raises:
        FileNotFoundError: If there is no such file.
        SaveDirectoryError: If the file is corrupt; the message names the line.
    """
    log, stop, known = DrawLog(), 0, set[int]()
    with files.open_bounded(path, files.MAX_CSV_BYTES) as file:
        lines = file.read(length).splitlines()
    for place, line in enumerate(lines, 1):
        source = f"{str(path)!r}, line {place}"
        record = files.parse_json(line.decode("utf-8", errors="replace"), source)
        try:
            drew = _drew(record)
            check_origin(drew.origin, drew.start, drew.size, num_added)
            since = {*drew.origin.since}
            if len(since) < len(drew.origin.since) or since & known:
                raise ValueError("its samples were drawn from the same score twice")
            if not stop <= drew.start <= drew.start + drew.size <= num_complete:
                raise ValueError(f"its samples do not lie between {stop} and {num_complete}")
            known |= since
            stop = drew.start + drew.size
            log.append(drew)
        except (KeyError, TypeError, ValueError) as error:
            raise SaveDirectoryError(f"{source} is corrupt: {error}.") from None
    return log
