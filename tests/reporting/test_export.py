"""The CSV for spreadsheets, in which no text is a formula."""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import datetime
from itertools import chain

import pytest
from hypothesis import given, strategies as st

from pyshac import Dataset, DiscreteHP, UniformHP
from pyshac.looking.snapshot import take_snapshot
from pyshac.reporting.export import as_csv, as_json
from tests.looking.searches import run_search
from tests.strategies import awkward_texts, texts

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("http://example.com")',
    "-2+3",
    "-",
    " =1",
    "\t=1",
    "\tx",
    "\rx",
    "\r\n=1",
    "\N{FULLWIDTH EQUALS SIGN}1",
    "-inf",
    "=1,2",
]
HARMLESS = ["adam", "a=b", "1-2", "'=1", "", "-0.5e3", "tanh"]
NUMBERS = [-1, -0.5, -1e-300, -(10**30), float("-inf")]


def cells_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))


def exported(values, is_safe, name="kind"):
    dataset = Dataset([DiscreteHP(name, [*values, None])])
    for number, value in enumerate(values):
        dataset.add_sample([value], -1.5 * number)
    return cells_of(as_csv(take_snapshot(dataset), is_safe=is_safe))


@pytest.mark.parametrize("text", [text for text in FORMULAS if text != "-1"])
def test_formulas_get_an_apostrophe(text):
    assert exported([text], is_safe=True)[1][1] == f"'{text}"
    assert exported([text], is_safe=False)[1][1] == text


def test_all_other_cells_are_as_they_were():
    values = [*HARMLESS, "-1", *NUMBERS, True, ("-", "=1")]
    assert exported(values, is_safe=True) == exported(values, is_safe=False)


def test_names_are_texts_too():
    header, row = exported(["x"], is_safe=True, name="=1+1")
    assert header == ["id", "'=1+1", "scores"]
    assert row == ["0", "x", "-0.0"]


def test_negative_numbers_stay_numbers():
    dataset = Dataset([UniformHP("x", -5, -1)])
    dataset.add_sample([-2.5], -3.25)
    dataset.add_sample([-1e-05 - 1], float("nan"))
    snapshot = take_snapshot(dataset)
    assert as_csv(snapshot, is_safe=True) == as_csv(snapshot) == dataset.to_bytes()


@given(st.lists(texts | awkward_texts, min_size=1, max_size=5, unique=True))
def test_whatever_the_texts_none_is_a_formula(values):
    safe, plain = exported(values, is_safe=True), exported(values, is_safe=False)
    for cell, before in zip(chain(*safe), chain(*plain), strict=True):
        assert cell.removeprefix("'") == before or cell == before
        if cell.lstrip()[:1] in tuple("=+-@") or cell[:1] in ("\t", "\r"):
            float(cell)


def test_json_has_all_that_is_known(tmp_path):
    def score(worker_id, parameters):
        beside = {"loss": 0.5, "nan": math.nan, "low": -math.inf, "note": "é", "is_deep": False}
        return {"score": math.nan if parameters["x"] > 0.5 else 1.0, **beside}

    engine, _ = run_search(tmp_path, [UniformHP("x", 0, 1)], score, (6, 1))
    text = as_json(take_snapshot(tmp_path)).decode("ascii")
    found = json.loads(text, parse_constant=lambda constant: pytest.fail(constant))["evaluations"]
    for record, expected in zip(found, engine.evaluations, strict=True):
        assert record["state"] == expected.state
        assert record["failure"] == expected.failure
        assert datetime.fromisoformat(record["started"]) == expected.started
        assert (record["seconds"], record["slot"]) == (expected.seconds, 0)
        assert record["extras"] == {
            "loss": 0.5, "nan": "nan", "low": "-inf", "note": "é", "is_deep": False,
        }  # fmt: skip
    assert as_csv(take_snapshot(tmp_path)) == engine.dataset.to_bytes()


def test_json_of_what_is_not_known():
    dataset = Dataset([UniformHP("x", 0, 1)])
    dataset.add_sample([0.5], 1.0)
    (record,) = json.loads(as_json(take_snapshot(dataset)))["evaluations"]
    nothing = dict.fromkeys(["failure", "started", "seconds", "slot", "curve"])
    assert record == {
        "id": 0, "parameters": {"x": 0.5}, "score": 1.0, "state": "complete", **nothing,
        "extras": {},
    }  # fmt: skip


def test_inactive_parameters_are_left_out_of_json_and_empty_in_csv(branching):
    snapshot = take_snapshot(branching.save_dir)
    text = as_json(snapshot).decode("ascii")
    found = json.loads(text, parse_constant=lambda constant: pytest.fail(constant))["evaluations"]
    for record, expected in zip(found, branching.evaluations, strict=True):
        assert record["parameters"] == expected.parameters
    assert not any("momentum" in each["parameters"] for each in found
                   if each["parameters"]["optimizer"] != "sgd")  # fmt: skip
    header, *rows = cells_of(as_csv(snapshot, is_safe=True))
    place = header.index("momentum")
    for cells, record in zip(rows, found, strict=True):
        assert (cells[place] == "") == ("momentum" not in record["parameters"])
    assert as_csv(snapshot) == as_csv(snapshot, is_safe=True)
