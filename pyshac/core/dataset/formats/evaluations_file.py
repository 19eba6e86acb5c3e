"""`evaluations.jsonl`: the details of evaluations, read as untrusted input.

A line is a JSON object with the sample's number as `id` and these keys, if known: `slot`, `started`
(seconds since 1970), `seconds`, `failure` and `extras`. The journal stores the last four in the
same form. JSON has neither NaN nor infinities, so they are written as `{"__float__": "nan"}`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pyshac.core.basics import files
from pyshac.core.basics.results.details import MAX_FAILURE_LENGTH, Details, Extra, is_date
from pyshac.core.basics.results.extras import MAX_EXTRAS, is_extra, is_name
from pyshac.core.errors import SaveDirectoryError

# As many extras as there may be, with names and texts as long as they may be, take less.
MAX_LINE_BYTES = 2**19
_FLOAT = "__float__"
_NOT_FINITE = ("nan", "inf", "-inf")
_KEYS = {"id", "slot", "started", "seconds", "failure", "extras"}


def details_line(number: int, details: Details) -> bytes:
    """Returns the line of a sample."""
    slot = {} if details.slot is None else {"slot": details.slot}
    record = {"id": number, **slot, **details_record(details)}
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"{text}\n".encode()


def details_record(details: Details) -> dict[str, Any]:
    """Returns the details of an evaluation, except its slot, as JSON."""
    known = {
        "started": details.started,
        "seconds": details.seconds,
        "failure": details.failure,
        "extras": {name: _extra_to_json(value) for name, value in details.extras.items()} or None,
    }
    return {name: value for name, value in known.items() if value is not None}


def details_of(record: Mapping[str, Any], number: int, slot: Any) -> Details:
    """Returns the details in a sample's record.

    Args:
        record: The record.
        number: The sample's number, for errors.
        slot: Its slot, which is not checked yet.

    Raises:
        ValueError: If a detail has a value that is not allowed.
    """
    extras = record.get("extras", {})
    if not isinstance(extras, dict) or len(extras) > MAX_EXTRAS:
        raise ValueError(f"sample {number} has no valid extras")
    details = Details(
        record.get("started"),
        record.get("seconds"),
        slot,
        record.get("failure"),
        {name: _extra_from_json(value) for name, value in extras.items()},
    )
    for name, is_valid in (
        ("started", details.started is None or _is_date(details.started)),
        ("seconds", details.seconds is None or _is_duration(details.seconds)),
        ("slot", slot is None or (type(slot) is int and 0 <= slot < 2**63)),
        ("failure", details.failure is None or _is_failure(details.failure)),
    ):
        if not is_valid:
            raise ValueError(f"sample {number} has no valid {name!r}: {getattr(details, name)!r}")
    for name, value in details.extras.items():
        if not is_name(name) or not is_extra(value):
            raise ValueError(f"sample {number} has no valid extra {name!r}")
    return details


def read_details(path: Path, length: int = files.MAX_CSV_BYTES) -> Iterator[tuple[int, Details]]:
    """Yields the number and the details of each sample of a file.

    Args:
        path: The file.
        length: Number of bytes to read from the start.

    Raises:
        FileNotFoundError: If there is no such file.
        SaveDirectoryError: If the file is corrupt; the message names the line.
    """
    for line, source in read_lines(path, length, MAX_LINE_BYTES):
        yield _decode(line, source)


def read_lines(path: Path, length: int, limit: int) -> Iterator[tuple[bytes, str]]:
    """Yields the lines of a file, each with its place, for errors.

    Args:
        path: The file.
        length: Number of bytes to read from the start.
        limit: Maximum number of bytes of a line.

    Raises:
        FileNotFoundError: If there is no such file.
        SaveDirectoryError: If a line is too long or has no end.
    """
    with files.open_bounded(path, files.MAX_CSV_BYTES) as file:
        place = 0
        while length > 0 and (line := file.readline(min(length, limit + 1))):
            length -= len(line)
            place += 1
            source = f"{str(path)!r}, line {place}"
            if not line.endswith(b"\n"):
                problem = "is too long" if len(line) > limit else "has no end"
                raise SaveDirectoryError(f"{source} is corrupt: it {problem}.")
            yield line, source


def _decode(line: bytes, source: str) -> tuple[int, Details]:
    record = files.parse_json(line.decode("utf-8", errors="replace"), source)
    try:
        if not isinstance(record, dict) or not record.keys() <= _KEYS:
            raise ValueError("not an object of details")
        number = record.get("id")
        if type(number) is not int or not 0 <= number < 2**63:
            raise ValueError(f"sample {number!r} is none")
        return number, details_of(record, number, record.get("slot"))
    except ValueError as error:
        raise SaveDirectoryError(f"{source} is corrupt: {error}.") from None


def _is_date(number: Any) -> bool:
    return type(number) is float and is_date(number)


def _is_duration(number: Any) -> bool:
    return type(number) is float and 0 <= number < math.inf


def _is_failure(text: Any) -> bool:
    return isinstance(text, str) and len(text) <= MAX_FAILURE_LENGTH and _is_encodable(text)


def _is_encodable(text: str) -> bool:
    # JSON can escape half a character, which could not be written again.
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _extra_to_json(value: Extra) -> Any:
    is_number = not isinstance(value, float) or math.isfinite(value)
    return value if is_number else {_FLOAT: repr(value)}


def _extra_from_json(value: Any) -> Any:
    is_marked = isinstance(value, dict) and value.keys() == {_FLOAT}
    return float(value[_FLOAT]) if is_marked and value[_FLOAT] in _NOT_FINITE else value
