"""Cells: values as editors, spreadsheets and other programs write them."""

from __future__ import annotations

import contextlib
import itertools
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pyshac.core.basics import plain_values
from pyshac.core.hyperparameters import AbstractHyperParameter, HyperParameterList

# Spreadsheets separate cells by semicolons where numbers have a decimal comma.
WITH_DECIMAL_COMMA = ";"
DELIMITERS = (",", WITH_DECIMAL_COMMA, "\t")

# What spreadsheets show of whole numbers with twelve digits or more.
_ROUNDED = re.compile(r"[+-]?\d(\.\d+)?E\+(1[1-9]|[2-9]\d)", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d+([.,])\d+([eE][+-]?\d+)?")
# What a cell may have been turned into, and what to do then.
_HINTS = (
    (
        re.compile(r"[+-]?[\d.]*\d,\d+([eE][+-]?\d+)?"),
        "Numbers must have a decimal point, or cells must be separated by semicolons.",
    ),
    (
        re.compile(
            r"\d{1,4}[-/]\d+([-/]\d+)?|\d{1,2}\.\d{1,2}\.\d*|"
            r"\d{1,4}[-. ]+[^\W\d]{3,9}\b.*|[^\W\d]{3,9}[-. ]+\d+"
        ),
        "If a spreadsheet took it for a date, enter it again in a column of the format 'text'.",
    ),
    (re.compile(r"#.*"), "It may be an error of a spreadsheet."),
)


class CellReader:
    """Reads the cells of a table as values and scores.

    The exact text of a value always means that value. Otherwise the reader tries, in this order:
    the text without surrounding white space and quotes, the text with a decimal point for a decimal
    comma, and the number that it denotes, so `1E-05` is the value whose text is `1e-05`.

    Args:
        space: The search space.
        delimiter: The character between the table's cells. Decimal commas are allowed only if it
            is a semicolon; otherwise a comma may separate thousands.
    """

    def __init__(self, space: HyperParameterList, delimiter: str) -> None:
        self._space = space
        self._columns: list[tuple[str, AbstractHyperParameter]] = list(
            zip(
                space.get_parameter_names(),
                (parameter for parameter in space for _ in range(parameter.sample_count or 1)),
                strict=True,
            )
        )
        self._whole = [n for n, kind in enumerate(space.column_kinds) if kind.is_whole]
        self._can_have_commas = delimiter == WITH_DECIMAL_COMMA
        self._mark = ""

    def row(self, cells: Sequence[str]) -> list[Any]:
        """Returns the values of a sample.

        Raises:
            TypeError: If a value does not have the column's type.
            ValueError: If a column does not allow a value, an integer was rounded, or the table
                uses both kinds of decimal marks.
        """
        try:
            row = self._space.row_from_text(cells)
        except (TypeError, ValueError):
            row = self._space.read_row(cells, self._value)
        self._space.encode(row)
        for number in self._whole:
            if "+" in cells[number] and _ROUNDED.fullmatch(cells[number].strip()):
                raise ValueError(
                    f"column {self._columns[number][0]!r}: {cells[number]!r} lacks digits. Save "
                    "the file again with whole numbers in full."
                )
        if self._can_have_commas:
            for (name, _), cell in zip(self._columns, cells, strict=True):
                self._check_mark(name, cell)
        return row

    def score(self, cell: str) -> float:
        """Returns a score; NaN for an empty cell.

        Raises:
            ValueError: If it is not a number.
        """
        if self._can_have_commas:
            self._check_mark("scores", cell)
        for text in itertools.chain.from_iterable(self._readings(cell)):
            with contextlib.suppress(ValueError):
                return float(text) if text else math.nan
        raise ValueError(f"column 'scores': expected a number, got {cell!r}.{_hint(cell)}")

    def _value(self, name: str, parameter: AbstractHyperParameter, cell: str) -> Any:
        problem: Exception | None = None
        for texts in self._readings(cell):
            values = {}
            for text in texts:
                try:
                    value = parameter.from_text(text)
                    values[plain_values.identity(value)] = value
                except (TypeError, ValueError) as error:
                    problem = problem or error
            if len(values) > 1:
                raise ValueError(f"column {name!r}: {cell!r} may mean any of {[*values.values()]}.")
            if values:
                return values.popitem()[1]
        raise ValueError(f"column {name!r}: {str(problem).rstrip('.')}.{_hint(cell)}")

    def _readings(self, cell: str) -> Iterator[list[str]]:
        """Yields possible texts of a cell, the likeliest first; a list for equally likely ones."""
        yield [cell]
        text = cell.strip()
        yield [*{text: None, bare(cell): None}]
        found = _NUMBER.fullmatch(text)
        if found and found[1] == "," and self._can_have_commas:
            text = text.replace(",", ".")
            yield [text]
        try:
            yield [repr(float(text))]
        except ValueError:
            return

    def _check_mark(self, name: str, cell: str) -> None:
        """Raises `ValueError` if some numbers have decimal commas and others have decimal points.

        The points of the others may separate thousands.
        """
        found = _NUMBER.fullmatch(cell.strip())
        if found is None:
            return
        if self._mark not in ("", found[1]):
            raise ValueError(
                f"column {name!r}: {cell!r} has another decimal mark than the numbers before. Save "
                "the file with decimal points, and without marks between thousands."
            )
        self._mark = found[1]


def bare(cell: str) -> str:
    """Returns a cell without surrounding white space, so that quotes count as part of it."""
    text = cell.strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return text[1:-1].replace('""', '"') if is_quoted else text


def _hint(cell: str) -> str:
    hints = (hint for pattern, hint in _HINTS if pattern.fullmatch(cell.strip()))
    return "".join(f" {hint}" for hint in [*hints][:1])
