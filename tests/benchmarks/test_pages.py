"""The tables of the pages on benchmarks are those that the files of results give."""

from __future__ import annotations

import csv
import itertools
from dataclasses import fields, replace

import pytest

from tests.engine.engine_helpers import ROOT

pytest.importorskip("matplotlib")
pytest.importorskip("threadpoolctl")

import conditional
import overhead
import quality_report
import sampling
from hours_runs import report as hours_report, runs as hours_runs
from public_runs import comparison, report, runs

RESULTS = ROOT / "benchmarks" / "results"
DOCS = ROOT / "docs"
SHORT = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
DETAILS = (DOCS / "benchmarks-details.md").read_text(encoding="utf-8")
PACES = ('"batch"', *(f'"pipeline", {n} open batches' for n in (2, 3, 4)), '"stream"')


def tables(text):
    """Returns the tables of a page, each a head and the rows below it."""
    parts = itertools.groupby(text.splitlines(), lambda line: line.startswith("|"))
    found = [list(lines) for is_table, lines in parts if is_table]
    return [(lines[0], lines[2:]) for lines in found]


def rows_of(name):
    with open(RESULTS / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def quality_lines():
    for budget in ("100x10", "200x10", "400x50"):
        results = quality_report.read(RESULTS / f"quality-{budget}.csv")
        yield from (*quality_report.tables(results), *quality_report.tests(results))
        for number in results.fewer_seeds:
            yield from quality_report.tables(results.first(number))


def conditional_lines():
    found = quality_report.read(RESULTS / "conditional-development.csv")
    results = replace(found, budget=conditional.BUDGET)
    yield from (*quality_report.tables(results), *conditional.tests(results))


def public_lines():
    found = report.tables(RESULTS)
    corrected = report.corrected_p(found)
    for table in found:
        yield from (*report.lines(table), *report.versus_lines(table, corrected))


def public_conditional_lines():
    finals = comparison.Finals(runs.read([RESULTS / "public-conditional-128x8.csv"]), "128/8")
    for name in finals.contenders:
        if name != report.OURS:
            row = comparison.row(finals, report.OURS, name)
            yield f"| {name} | {row} | {finals.seconds(name):.2f} |"


def hours_lines():
    section = SHORT.split("\n## Hours, not evaluations\n")[1].split("\n## ")[0]
    names = [row.split("|")[1].strip() for _, rows in tables(section) for row in rows]
    found = hours_report.tables(hours_runs.read(RESULTS / "hours-odd.csv"), names)
    for table in found:
        yield from hours_report.lines(table)
    yield from hours_report.versus(found, lambda name: not name.startswith("PySHAC"))
    yield from hours_report.versus(
        found, lambda name: name.startswith("PySHAC") and name != hours_report.OURS
    )


def sampling_lines(capsys):
    kinds = {field.name: field.type for field in fields(sampling.Row)}
    read = {"str": str, "int": int, "float": float, "bool": "True".__eq__}
    rows = [
        sampling.Row(**{name: read[str(kinds[name])](text) for name, text in row.items()})
        for row in rows_of("sampling.csv")
    ]
    sampling.print_rows(rows)
    return capsys.readouterr().out.splitlines()


def overhead_lines():
    for name in ("overhead.csv", "overhead-conditions.csv"):
        for row in rows_of(name):
            what, first, second = row.values()
            yield overhead.markdown(what, float(first), float(second))


def idle_cells(sigma):
    """Returns the shares of lost slot time in percent, by pace and then by number of slots."""
    found = [row for row in rows_of("slots_idle.csv") if row["slots"] in ("8", "64", "1000")]
    shares = [100 * float(row["idle"]) for row in found if float(row["sigma"]) == sigma]
    cells = [f"{share:.1f} %" if share < 2 else f"{share:.0f} %" for share in shares if share]
    columns = len(cells) - 3 * len(PACES)
    return [cells[columns + 3 * n : columns + 3 * n + 3] for n in range(len(PACES))]


def pace_row(name, cells):
    quoted, *rest = name.split(", ")
    return f"| {', '.join([f'`{quoted}`', *rest])} | {' | '.join(cells)} |"


def test_every_row_is_what_the_results_give(capsys):
    made = {
        *quality_lines(), *conditional_lines(), *public_lines(), *public_conditional_lines(),
        *hours_lines(), *sampling_lines(capsys), *overhead_lines(),
    }  # fmt: skip
    described = ("| Suite |", "| Task |", "| Pace |", "| | Evaluations |")
    found = [one for one in tables(SHORT) + tables(DETAILS) if not one[0].startswith(described)]
    assert len(found) > 20
    assert [row for _, rows in found for row in rows if row not in made] == []


def test_idle_slots():
    half, one = idle_cells(0.5), idle_cells(1.0)
    rows = [pace_row(name, half[n] + one[n]) for n, name in enumerate(PACES)]
    assert next(rows for head, rows in tables(DETAILS) if head.startswith("| Pace |")) == rows
    page = tables((DOCS / "distributed.md").read_text(encoding="utf-8"))
    short = next(rows for head, rows in page if head.startswith("| Pace |"))
    assert set(short) <= {pace_row(name, half[n]) for n, name in enumerate(PACES)}


def test_the_cost_of_slots():
    rows = next(rows for head, rows in tables(DETAILS) if head.startswith("| | Evaluations |"))
    found = {(row["what"], row["slots"]): row for row in rows_of("slots_cost.csv")}
    for place, what in enumerate(("slots", "fit")):
        pair = [float(found[what, slots]["microseconds"]) for slots in ("10", "10000")]
        assert rows[place].endswith(" | ".join(f"{one:.0f} µs each" for one in pair) + " |")
    memory = [
        f"{float(found['slots', slots]['early_megabytes']):.0f} MB, "
        f"{float(found['slots', slots]['late_megabytes']):.0f} MB"
        for slots in ("10", "10000")
    ]
    assert rows[2].endswith(" | ".join(memory) + " |")
