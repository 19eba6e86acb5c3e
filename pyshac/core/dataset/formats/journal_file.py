"""`journal.jsonl`: the events since `dataset.csv` was written, read as untrusted input.

A line consists of eight hexadecimal digits (the CRC-32 of the rest), a space, and a JSON object: a
record. There are two kinds of records:

- A batch that was drawn: `{"batch": first number, "rows": [[value, ...], ...], "num_checks": number
  or null, "chosen_by": [ranking, ...], "num_enqueued": number}`. PySHAC 1.0 omits the last three.
  If the samples may be pruned, there is `"limits": [[step, score], ...]`. Samples of a stream have
  an `Origin`.
- A sample that was scored: `{"id": number, "score": score or null, "worker": slot or null}`, with
  its details as in `evaluations.jsonl`, and its `"curve"` as in `curves.jsonl`. If its `tell`
  requested it, there is `"skip_cv_checks": true`.
"""

from __future__ import annotations

import itertools
import json
import logging
import math
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from pyshac.core.basics import files, plain_values
from pyshac.core.basics.results.curve import STEP_LIMIT, Limit
from pyshac.core.basics.results.details import Details
from pyshac.core.dataset.formats import curves_file, evaluations_file
from pyshac.core.dataset.formats.draws_file import Origin, origin_of
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.hyperparameters import AbstractHyperParameter, HyperParameterList

logger = logging.getLogger("pyshac")

# The beginning of a line; a power cut may leave zeros in place of the rest.
_LINE_START = re.compile(rb"[0-9a-f]{8} |[0-9a-f]{0,8}\0*\Z")
_ZEROS = re.compile(rb"\0+")
_PIECE_BYTES = 2**20

# Whole numbers up to the largest float have 309 digits.
_NUMBER_BYTES = 320
# Each character of a value's text takes at most six in JSON, and tuples some more.
_UNKNOWN_BYTES = 8 * plain_values.MAX_CELL_LENGTH
_SCORE_BYTES = 128 + evaluations_file.MAX_LINE_BYTES + curves_file.MAX_LINE_BYTES
# A part of a batch may have a single sample; each sample is learned from once.
_ORIGIN_BYTES = 256
# More than there will ever be.
MAX_RANKINGS = 64


@dataclass(frozen=True)
class Drawn:
    """A batch was drawn.

    Attributes:
        start: Number of its first sample.
        rows: Its rows.
        num_checks: Minimum number of classifiers that accept each sample; None if unknown.
        chosen_by: Number of the ranking that chose each of the first samples after those from the
            queue. No ranking chose the others.
        num_enqueued: Number of samples from the queue, which come first.
        origin: The origin of a stream's samples; None for others.
        limits: The limits for curves, by ascending steps; None without pruning.
    """

    start: int
    rows: list[Any]
    num_checks: int | None
    chosen_by: list[int]
    num_enqueued: int
    limits: list[Limit] | None = None
    origin: Origin | None = None


@dataclass(frozen=True)
class Scored:
    """A sample was scored.

    Attributes:
        number: The sample's number.
        score: Its score; NaN if it failed or was pruned.
        details: Its other details.
        skip_cv_checks: Whether its `tell` requested this.
    """

    number: int
    score: float
    details: Details
    skip_cv_checks: bool


def line_checksum(data: bytes) -> bytes:
    """Returns the checksum at the start of a line."""
    return b"%08x" % zlib.crc32(data)


def largest_size(space: HyperParameterList, num_samples: int) -> int:
    """Returns the maximum size of a search's journal in bytes.

    Every save removes all events except those of open batches. So the journal contains the rows of
    these batches, a score for each sample, and their origins. Searches may change their number of
    batches, so the bound covers all samples that a search may have drawn.
    """
    row = sum(_largest_value(item) * (item.sample_count or 1) for item in space)
    largest = num_samples * (row + _SCORE_BYTES + _ORIGIN_BYTES)
    return max(files.MAX_JSON_BYTES, min(largest, files.MAX_CSV_BYTES))


def _largest_value(parameter: AbstractHyperParameter) -> int:
    """Returns the maximum number of bytes of a parameter's value in the journal."""
    kind = parameter.column_kind
    if not kind.is_built_in:
        return _UNKNOWN_BYTES
    if kind.choices is None:
        return _NUMBER_BYTES
    texts = (json.dumps(plain_values.to_json(choice)) for choice in kind.choices)
    return 2 + max(map(len, texts))


def read_records(path: Path, limit: int = files.MAX_CSV_BYTES) -> list[dict[str, Any]]:
    """Returns the journal's records. A torn last line is dropped with a warning.

    Args:
        path: The journal; a missing file has no records.
        limit: Its maximum size in bytes.

    Raises:
        SaveDirectoryError: If another line is corrupt; the message names it.
    """
    records: list[dict[str, Any]] = []
    try:
        with files.open_bounded(path, limit) as file:
            for number, line in enumerate(_lines(file), 1):
                source = f"{str(path)!r}, line {number}"
                data = line[:-1] if line.endswith(b"\n") else _last_line(line, source)
                if data is not None:
                    records.append(_decode_line(data, source))
    except FileNotFoundError:
        return []
    return records


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yields the lines of a journal. Zeros, which no line contains, are shortened to about one."""
    pieces: list[bytes] = []
    while piece := file.readline(_PIECE_BYTES):
        pieces.append(_ZEROS.sub(b"\0", piece) if piece.strip(b"\0") else b"\0")
        if piece.endswith(b"\n"):
            yield b"".join(pieces)
            pieces = []
    if pieces:
        yield b"".join(pieces)


def _last_line(line: bytes, source: str) -> bytes | None:
    """Returns a line without its missing or damaged line ending; None if the line is torn."""
    # The checksum proves that the rest is whole.
    for data in (line, line[:-1]):
        if _is_whole(data):
            return data
    if not _LINE_START.match(line):
        raise SaveDirectoryError(f"{source} is corrupt: no record.")
    logger.warning(
        "%s: dropped the last line, which a crash cut short; its sample is evaluated again.",
        source,
    )
    return None


def _is_whole(line: bytes) -> bool:
    checksum, _, data = line.partition(b" ")
    return checksum == line_checksum(data)


def _decode_line(line: bytes, source: str) -> dict[str, Any]:
    if not _is_whole(line):
        raise SaveDirectoryError(f"{source} is corrupt: its checksum does not match.")
    data = line.partition(b" ")[2]
    record = files.parse_json(data.decode("utf-8", errors="replace"), source)
    if not isinstance(record, dict):
        raise SaveDirectoryError(f"{source} is corrupt: not a JSON object.")
    return record


def event_of(record: Mapping[str, Any]) -> Drawn | Scored:
    """Returns the event in a record.

    Raises:
        KeyError: If a key is missing.
        ValueError: If a value is not allowed.
    """
    return _drawn(record) if "batch" in record else _scored(record)


def _drawn(record: Mapping[str, Any]) -> Drawn:
    start, rows = record["batch"], plain_values.from_json(record["rows"])
    if type(start) is not int or start < 0 or not isinstance(rows, list):
        raise ValueError(f"batch {start!r} is none")
    num_checks, chosen_by = record.get("num_checks"), record.get("chosen_by", [])
    if num_checks is not None and not _is_count(num_checks):
        raise ValueError(f"batch {start} has num_checks {num_checks!r}")
    if not isinstance(chosen_by, list) or not all(map(_is_ranking, chosen_by)):
        raise ValueError(f"batch {start} has chosen_by {chosen_by!r}")
    num_enqueued = record.get("num_enqueued", 0)
    if not _is_count(num_enqueued) or num_enqueued > len(rows):
        raise ValueError(f"batch {start} has num_enqueued {num_enqueued!r}")
    limits = record.get("limits")
    if limits is not None and not _are_limits(limits):
        raise ValueError(f"batch {start} has no valid limits")
    limits = None if limits is None else [(step, limit) for step, limit in limits]
    origin = origin_of(record) if "since" in record else None
    return Drawn(start, rows, num_checks, chosen_by, num_enqueued, limits, origin)


def _are_limits(limits: Any) -> bool:
    """Returns whether a JSON value is a list of ascending steps with scores."""
    if not isinstance(limits, list) or not all(map(_is_limit, limits)):
        return False
    return all(before < after for (before, _), (after, _) in itertools.pairwise(limits))


def _is_limit(limit: Any) -> bool:
    if not isinstance(limit, list) or len(limit) != 2:
        return False
    step, score = limit
    is_score = type(score) is float and math.isfinite(score)
    return _is_count(step) and step < STEP_LIMIT and is_score


def _is_count(number: Any) -> bool:
    return type(number) is int and number >= 0


def _is_ranking(number: Any) -> bool:
    return _is_count(number) and number < MAX_RANKINGS


def _scored(record: Mapping[str, Any]) -> Scored:
    number, score = record["id"], record["score"]
    if type(number) is not int or number < 0:
        raise ValueError(f"sample {number!r} is none")
    if score is not None and not (type(score) is float and math.isfinite(score)):
        raise ValueError(f"sample {number} has the score {score!r}")
    details = evaluations_file.details_of(record, number, record["worker"])
    if "curve" in record:
        details = replace(details, curve=curves_file.curve_of(record["curve"], number))
    if details.is_pruned and score is not None:
        raise ValueError(f"sample {number} was pruned, and has a score")
    skip_cv_checks = record.get("skip_cv_checks", False)
    if not isinstance(skip_cv_checks, bool):
        raise ValueError(f"sample {number} has skip_cv_checks {skip_cv_checks!r}")
    return Scored(number, math.nan if score is None else score, details, skip_cv_checks)
