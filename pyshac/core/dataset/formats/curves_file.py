"""`curves.jsonl`: the curves of evaluations, read as untrusted input.

A line is a JSON object with the sample's number as `id`, and its curve. The journal stores curves
in the same form: `"steps": [...]`, ascending from 0 on, `"scores": [...]` with null for a score
that was not finite, and `"pruned": true` if the evaluation was pruned. Samples without a curve have
no line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyshac.core.basics import files
from pyshac.core.basics.results.curve import MAX_POINTS, Curve
from pyshac.core.basics.results.details import UNKNOWN, Details
from pyshac.core.dataset.formats.evaluations_file import read_lines
from pyshac.core.errors import SaveDirectoryError

# The longest step and the longest score take less.
MAX_LINE_BYTES = 128 + MAX_POINTS * 48
_KEYS = {"steps", "scores", "pruned"}


def curve_line(number: int, curve: Curve) -> bytes:
    """Returns the line of a sample."""
    record = {"id": number, **curve_record(curve)}
    return f"{json.dumps(record, allow_nan=False, separators=(',', ':'))}\n".encode()


def curve_record(curve: Curve) -> dict[str, Any]:
    """Returns a curve as JSON."""
    scores = [None if math.isnan(score) else score for score in curve.scores]
    record: dict[str, Any] = {"steps": [*curve.steps], "scores": scores}
    return {**record, "pruned": True} if curve.is_pruned else record


def curve_of(record: Any, number: int) -> Curve:
    """Returns the curve in a sample's record.

    Args:
        record: The record.
        number: The sample's number, for errors.

    Raises:
        ValueError: If the record has no valid curve.
    """
    if not isinstance(record, dict) or not {"steps", "scores"} <= record.keys() <= _KEYS:
        raise ValueError(f"sample {number} has no valid curve")
    steps, scores, is_pruned = record["steps"], record["scores"], record.get("pruned", True)
    if not isinstance(scores, list) or not all(map(_is_score, scores)):
        raise ValueError(f"the curve of sample {number} has no valid 'scores'")
    if not isinstance(steps, list) or is_pruned is not True:
        raise ValueError(f"the curve of sample {number} has no valid 'steps' or 'pruned'")
    known = (math.nan if score is None else score for score in scores)
    try:
        return Curve(tuple(steps), tuple(known), "pruned" in record)
    except (TypeError, ValueError) as error:
        raise ValueError(f"sample {number}: {error}") from None


def read_curves(path: Path, length: int = files.MAX_CSV_BYTES) -> Iterator[tuple[int, Curve]]:
    """Yields the number and the curve of each sample of a file.

    Args:
        path: The file.
        length: Number of bytes to read from the start.

    Raises:
        FileNotFoundError: If there is no such file.
        SaveDirectoryError: If the file is corrupt; the message names the line.
    """
    for line, source in read_lines(path, length, MAX_LINE_BYTES):
        yield _decode(line, source)


def _decode(line: bytes, source: str) -> tuple[int, Curve]:
    record = files.parse_json(line.decode("utf-8", errors="replace"), source)
    try:
        if not isinstance(record, dict):
            raise ValueError("not an object of a curve")
        number = record.pop("id", None)
        if type(number) is not int or not 0 <= number < 2**63:
            raise ValueError(f"sample {number!r} is none")
        return number, curve_of(record, number)
    except ValueError as error:
        raise SaveDirectoryError(f"{source} is corrupt: {error}.") from None


def with_curves(
    details: Mapping[int, Details], curves: Iterable[tuple[int, Curve]]
) -> dict[int, Details]:
    """Returns the details of samples with their curves, by sample number."""
    complete = dict(details)
    for number, curve in curves:
        complete[number] = replace(complete.get(number, UNKNOWN), curve=curve)
    return complete


def _is_score(score: Any) -> bool:
    return score is None or (type(score) is float and math.isfinite(score))
