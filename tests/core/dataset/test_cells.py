"""Tables as editors, spreadsheets and other programs leave them."""

from __future__ import annotations

import codecs
import csv
import io

import pytest

from pyshac import Dataset, DiscreteHP, HyperParameterList, IntegerHP, UniformHP
from pyshac.core.dataset.formats.csv_file import read_csv
from pyshac.core.errors import SaveDirectoryError

KINDS = ["adam", "a b", " a", "1-2", "=1", "x;y", True, False, None, 1e-05, 0.5, 3, (1, 0.5), "0.5"]
# As the library writes them: id, x, n, kind, score.
ROWS = [
    [number, repr(0.1 + number / 7), str(number), text, repr(-1.5 * number - 0.25)]
    for number, text in enumerate(
        [
            "adam", "a b", " a", "1-2", "=1", "x;y", "true", "false", "", "1e-05", "0.5", "3",
            "[1, 0.5]", '"0.5"',
        ]
    )
]  # fmt: skip
HEADER = ["id", "x", "n", "kind", "scores"]


@pytest.fixture(scope="module")
def space():
    return HyperParameterList(
        [UniformHP("x", 0, 9), IntegerHP("n", 0, 99), DiscreteHP("kind", KINDS)]
    )


def table(rows=ROWS, header=HEADER, **options):
    buffer = io.StringIO()
    options = {"lineterminator": "\n", **options}
    csv.writer(buffer, **options).writerows([header, *rows])
    return buffer.getvalue()


def changed(cell):
    """The table with all cells changed; ids and names, too."""
    return table([[cell(str(text)) for text in row] for row in ROWS], [cell(n) for n in HEADER])


def with_commas(text):
    return text.replace(".", ",") if text.lstrip("-").replace(".", "", 1).isdigit() else text


def german(rows=ROWS):
    cells = [[with_commas(str(text)) for text in row] for row in rows]
    return table(cells, delimiter=";")


def as_excel(text):
    """A cell after Excel has opened and saved the table."""
    return {"true": "TRUE", "false": "FALSE", "1e-05": "1E-05"}.get(str(text), text)


SAME = {
    "as written": table(),
    "CRLF": table(lineterminator="\r\n"),
    "CR": table(lineterminator="\r"),
    "no last line end": table().rstrip("\n"),
    "empty lines at the end": table() + "\n\r\n \n",
    "empty rows at the end": table() + ",,,,\n" * 3,
    "empty columns at the end": table([[*row, "", ""] for row in ROWS], [*HEADER, "", ""]),
    "an empty line between": table(ROWS[:3]) + "\n,,,,\n" + table(ROWS[3:]).split("\n", 1)[1],
    "everything quoted": table(quoting=csv.QUOTE_ALL),
    "white space around cells": changed(
        lambda text: text if text in (" a", '"0.5"') else f" {text}  "
    ),
    "white space before quotes": table(quoting=csv.QUOTE_ALL)
    .replace(',"', ', "')
    .replace(' "0.5"', '"0.5"')
    .replace(' "[', '"['),
    "Excel": table([[as_excel(text) for text in row] for row in ROWS], lineterminator="\r\n"),
    "semicolons and points": table(delimiter=";"),
    "semicolons and commas": german(),
    "semicolons, commas, quotes": table(
        [[with_commas(str(text)) for text in row] for row in ROWS],
        delimiter=";",
        quoting=csv.QUOTE_ALL,
        lineterminator="\r\n",
    ),
    "tabs": table(delimiter="\t"),
    "whole numbers as floats": table([[row[0], row[1], f"{row[2]}.0", *row[3:]] for row in ROWS]),
    "plus signs": table([[row[0], f"+{row[1]}", f"+{row[2]}", *row[3:]] for row in ROWS]),
    "other exponents": table(
        [
            [*row[:3], {"1e-05": "0.00001", "3": "3.0E+00"}.get(row[3], row[3]), row[4]]
            for row in ROWS
        ]
    ),
}


@pytest.mark.parametrize("form", SAME)
def test_the_same_values_are_read(space, form):
    expected = list(read_csv(table(), space, "file"))
    found = list(read_csv(SAME[form], space, "file"))
    assert found == expected
    assert [list(map(type, row)) for _, row, _ in found] == [
        list(map(type, row)) for _, row, _ in expected
    ]
    assert [row[2] for _, row, _ in found] == KINDS


@pytest.mark.parametrize("form", SAME)
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_files_are_read_as_tables_are(space, form, mark, tmp_path):
    content = mark + SAME[form].encode("utf-8")
    path = tmp_path / "dataset.csv"
    path.write_bytes(content if content.endswith(b"\n") else content + b"\n")
    assert [row[2] for row in Dataset.read(path, space).X] == KINDS


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        # What spreadsheets make of 1-2.
        ("0,1.5,1,02. Jan,1", "column 'kind': .*'02. Jan'.*took it for a date"),
        ("0,1.5,1,Jan-02,1", "column 'kind': .*'Jan-02'.*took it for a date"),
        ("0,1.5,1,2024-01-02,1", "column 'kind': .*'2024-01-02'.*took it for a date"),
        ("0,1/5/2024,1,adam,1", "column 'x': .*'1/5/2024'.*took it for a date"),
        ("0,1.5,1,#NAME?,1", "column 'kind': .*error of a spreadsheet"),
        ("0,1.5,1,adam,#DIV/0!", "column 'scores': .*error of a spreadsheet"),
        ("0,1.5,1,WAHR,1", "column 'kind': .*'WAHR'"),
        # A comma may stand between thousands.
        ('0,"1,5",1,adam,1', "column 'x': .*'1,5'.*decimal point"),
        ('0,1.5,1,adam,"1,500"', "column 'scores': .*'1,500'.*decimal point"),
        ("0,1.5,1,adam,1.500,00", "expected 5 cells, got 6"),
        ("0,1.5,1.5,adam,1", "column 'n': .*whole number"),
        ("0,1.5,1,adam", "expected 5 cells, got 4"),
        ("0,1.5,1,adam,1,2", "expected 5 cells, got 6"),
        ('0,1.5,1, "[1, 0.5]",1', "expected 5 cells, got 6"),
        ("0,1.5,1,ad\0am,1", ""),
        ("0,1.5\0,1,adam,1", ""),
        ("0,1.5,1,adam,1\0", ""),
        ("0,1.5,1,'=1,1", "column 'kind': .*'=1"),
        ("0,1.5,1,ADAM,1", "column 'kind': .*'ADAM'"),
    ],
)
def test_what_may_mean_something_else_is_refused(space, cells, message):
    with pytest.raises(ValueError, match=f"'file', line 2.*{message}"):
        list(read_csv(f"{','.join(HEADER)}\n{cells}\n", space, "file"))


@pytest.mark.parametrize("cell", ["1.23457E+11", "1.23457e+15", "1E+12"])
def test_whole_numbers_that_a_spreadsheet_has_rounded_are_refused(cell):
    space = HyperParameterList([IntegerHP("n", 0, 2**52)])
    with pytest.raises(ValueError, match="'file', line 2, column 'n': .*lacks digits"):
        list(read_csv(f"id,n,scores\n0,{cell},1\n", space, "file"))
    for exact in ("1E+05", "123457000000", "123457000000.0", "+7"):
        rows = list(read_csv(f"id,n,scores\n0,{exact},1\n", space, "file"))
        assert rows[0][1] == [int(float(exact))]


@pytest.mark.parametrize(
    ("rows", "line", "column"),
    [
        # Points between thousands look like decimal points.
        (["0;1,5;1;adam;1.500"], 2, "scores"),
        (["0;1,5;1;adam;2,5", "1;1.5;1;adam;2,5"], 3, "x"),
        (["0;1.5;1;adam;2", "1;1,5;1;adam;2"], 3, "x"),
        (["0;1,5;1;adam;1.500,5"], 2, "scores"),
    ],
)
def test_two_kinds_of_decimal_marks_are_refused(space, rows, line, column):
    text = "\n".join([";".join(HEADER), *rows, ""])
    with pytest.raises(ValueError, match=f"'file', line {line}, column '{column}'"):
        list(read_csv(text, space, "file"))


def test_a_quoted_cell_after_a_space_is_not_guessed(space):
    with pytest.raises(ValueError, match="column 'kind': ' \"0.5\"' may mean any of"):
        list(read_csv(f'{",".join(HEADER)}\n0,1.5,1, "0.5",1\n', space, "file"))


def test_the_exact_text_comes_first(space):
    kinds = HyperParameterList([DiscreteHP("kind", [" a", "a", "0,5", "1e-05", 1e-05])])
    for delimiter in ",;\t":
        text = table([[0, " a", 1], [1, "a", 1], [2, "0,5", 1]], ["id", "kind", "scores"],
                     delimiter=delimiter)  # fmt: skip
        assert [row for _, row, _ in read_csv(text, kinds, "file")] == [[" a"], ["a"], ["0,5"]]


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "cp1252"])
def test_other_encodings_are_refused_with_a_way_out(space, encoding, tmp_path):
    path = tmp_path / "dataset.csv"
    path.write_bytes(table().replace("adam", "é").encode(encoding))
    with pytest.raises(SaveDirectoryError, match="is not UTF-8 text: .*'CSV UTF-8'"):
        Dataset.read(path, space)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_has_no_header(space, encoding, tmp_path):
    path = tmp_path / "dataset.csv"
    path.write_bytes(table().encode(encoding))
    with pytest.raises(SaveDirectoryError, match="line 1"):
        Dataset.read(path, space)


def test_names_of_several_lines_and_with_delimiters_are_found():
    space = HyperParameterList([UniformHP("a;b\n,c", 0, 1), UniformHP(" d ", 0, 1)])
    header = ["id", *space.get_parameter_names(), "scores"]
    found = list(read_csv(table([[0, 0.25, 0.5, 1]], header), space, "file"))
    assert found == [("0", [0.25, 0.5], 1.0)]
