"""`dataset.csv`: samples written as lines of text, and read as untrusted input."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from pyshac.core.basics import plain_values
from pyshac.core.basics.messages.warning import warn
from pyshac.core.dataset.formats.cells import DELIMITERS, CellReader, bare
from pyshac.core.hyperparameters import HyperParameterList

# In characters: longer than any row of a search, and quick to read.
MAX_ROW_LENGTH = 2**24


def read_csv(
    text: str | TextIO, space: HyperParameterList, source: str, may_differ: bool = False
) -> Iterator[tuple[str, list[Any], float]]:
    """Yields id, row and score of each line of a dataset in CSV form.

    Memory holds one row at a time, and rows have a bounded length. Empty rows, and empty columns at
    the end, are ignored.

    Args:
        text: The file's text, or the file.
        space: Its search space.
        source: The file's name, for errors.
        may_differ: Whether to accept the same number of columns with other names. They are then
            assigned by position, with a warning, as in PySHAC 0.1 to 0.3.

    Raises:
        ValueError: If the columns differ from the space's, or a column does not allow a value;
            the message names the line and the column.
    """
    lines = _Lines(io.StringIO(text, newline="") if isinstance(text, str) else text, source)
    first = next(iter(lines), "")
    delimiter = _delimiter_of(first, header_of(space))
    reader = csv.reader(itertools.chain([first], lines), delimiter=delimiter, strict=True)
    cells_of = CellReader(space, delimiter)
    try:
        _check_header(next(reader, []), space, source, may_differ)
        lines.begin_row()
        for cells in reader:
            lines.begin_row()
            if not any(map(str.strip, cells)):
                continue
            where = f"{source!r}, line {reader.line_num}"
            cells = _without_empty_end(cells, space.num_columns + 2)
            if len(cells) != space.num_columns + 2:
                raise ValueError(
                    f"{where}: expected {space.num_columns + 2} cells, got {len(cells)}."
                )
            try:
                row, score = cells_of.row(cells[1:-1]), cells_of.score(cells[-1])
            except (TypeError, ValueError) as error:
                raise ValueError(f"{where}, {error}") from None
            yield cells[0].strip(), row, score
    except csv.Error as error:
        raise ValueError(f"{source!r}, line {reader.line_num}: {error}.") from None


def _delimiter_of(line: str, expected: list[str]) -> str:
    """Returns the delimiter for which a line is the expected header; by default a comma."""
    for delimiter in DELIMITERS:
        with contextlib.suppress(csv.Error):
            if _is_header(next(csv.reader([line], delimiter=delimiter), []), expected):
                return delimiter
    return DELIMITERS[0]


def _is_header(cells: list[str], expected: list[str]) -> bool:
    found = _without_empty_end(cells, len(expected))
    return found == expected or [*map(bare, found)] == [*map(bare, expected)]


def _without_empty_end(cells: list[str], length: int) -> list[str]:
    """Returns cells without the empty ones that spreadsheets add beyond a length."""
    return cells[:length] if not any(map(str.strip, cells[length:])) else cells


def _are_other_names(header: list[str], expected: list[str]) -> bool:
    """Returns whether a header has as many columns with other names, not just reordered ones."""
    is_as_long = len(header) == len(set(header)) == len(expected)
    has_ends = [*header[:1], *header[-1:]] == [expected[0], expected[-1]]
    return is_as_long and has_ends and set(header) != set(expected)


class _Lines:
    """The lines of a file, with rows of bounded length."""

    def __init__(self, file: TextIO, source: str) -> None:
        self._file = file
        self._source = source
        self.begin_row()

    def begin_row(self) -> None:
        self._left = MAX_ROW_LENGTH

    def __iter__(self) -> Iterator[str]:
        while line := self._file.readline(self._left + 1):
            self._left -= len(line)
            if self._left < 0:
                raise ValueError(
                    f"{self._source!r} has a row of more than {MAX_ROW_LENGTH} characters."
                )
            yield line


def header_of(space: HyperParameterList) -> list[str]:
    """Returns the column names of a dataset in CSV form."""
    return ["id", *space.get_parameter_names(), "scores"]


def _check_header(
    header: list[str], space: HyperParameterList, source: str, may_differ: bool
) -> None:
    expected = header_of(space)
    if _is_header(header, expected):
        return
    if may_differ and _are_other_names(header, expected):
        warn(
            f"{source!r} has the columns {header[1:-1]!r}, but its search space has the parameters "
            f"{expected[1:-1]!r}. Columns are taken by their places."
        )
        return
    missing = [name for name in expected if name not in header]
    extra = [name for name in header if name not in expected]
    repeated = [name for name, count in Counter(header).items() if count > 1]
    problem = f"repeated {repeated!r}, or another order" if repeated else "another order"
    if missing or extra:
        problem = f"missing {missing!r}, unexpected {extra!r}"
    raise ValueError(f"{source!r}, line 1: expected the columns {expected!r}; {problem}.")


def check_id(text: str, source: str) -> int:
    """Returns a sample's number from its text; raises `ValueError` if it is not one."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError(f"{source!r}, column 'id': expected a whole number, got {text!r}.")
    return int(text)


def score_text(score: float) -> str:
    """Returns the text of a score; empty for NaN."""
    return "" if math.isnan(score) else repr(score)


def check_row_length(space: HyperParameterList) -> None:
    """Raises `ValueError` if the choices of a search space make rows too long to read again."""
    if space.num_columns * 2 * plain_values.MAX_CELL_LENGTH <= MAX_ROW_LENGTH:
        return
    longest = sum(
        (parameter.sample_count or 1) * max(map(_cell_length, parameter.column_kind.choices))
        for parameter in space
        if parameter.column_kind.choices
    )
    if longest > MAX_ROW_LENGTH:
        raise ValueError(
            f"A row of the search space must take at most {MAX_ROW_LENGTH} characters as text, "
            f"but its choices may take {longest}; name large values by short strings and look "
            "them up."
        )


def _cell_length(value: Any) -> int:
    text = plain_values.to_text(value)
    return len(text) + text.count('"')


def check_line(line: str, id: int) -> str:
    """Returns a line of CSV; raises `ValueError` if it is too long to read again."""
    if len(line) > MAX_ROW_LENGTH:
        raise ValueError(
            f"Sample {id} takes {len(line)} characters as text; at most {MAX_ROW_LENGTH} can be "
            "saved. Name large values by short strings and look them up."
        )
    return line


def csv_line(cells: Sequence[Any]) -> str:
    """Returns cells as a line of CSV."""
    buffer = io.StringIO()
    # The writer quotes cells that contain a character of the line end, so it must have both.
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue().removesuffix("\r\n") + "\n"
