"""The pages on reliability: commands exist, tables add up, and both have the same figures."""

from __future__ import annotations

import importlib.util
import re
import shlex

import pytest

from tests.engine.engine_helpers import ROOT
from tests.faults.fuzz import targets

PAGE = (ROOT / "docs" / "reliability-tests.md").read_text(encoding="utf-8")
PROMISES = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m (tests\.\S+)(.*)$", PAGE, re.MULTILINE)


def table(heading):
    """The rows of the first table of a section that has several columns, by their first cell."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return {cells[0].strip(" *"): [cell.strip(" *") for cell in cells[1:]] for cells in rows[2:]}


def number(text):
    return int(text.split(":")[0].replace(",", ""))


def test_there_are_commands():
    assert {name.removeprefix("tests.faults.") for name, _ in COMMANDS} == {
        "kill_runs", "kill_workers", "fail_calls", "bit_flips", "fuzz", "load",
    }  # fmt: skip


@pytest.mark.parametrize(("module", "arguments"), COMMANDS)
def test_commands_have_their_options(module, arguments):
    spec = importlib.util.find_spec(module)
    assert spec is not None
    if spec.submodule_search_locations:
        spec = importlib.util.find_spec(f"{module}.__main__")
    with open(spec.origin, encoding="utf-8") as file:
        source = file.read()
    for argument in shlex.split(arguments):
        assert not argument.startswith("--") or f'"{argument}"' in source


def test_kills_add_up():
    kills = {name: number(cells[0]) for name, cells in table("Kills").items()}
    assert kills.pop("all") == sum(kills.values()) == 300
    assert len(kills) == 7


def test_inputs_add_up():
    inputs = {name: number(cells[0]) for name, cells in table("Hostile files").items()}
    assert inputs.pop("all") == sum(inputs.values()) >= 10_000_000
    assert len(inputs) == len(targets.TARGETS)


def test_findings_add_up():
    findings = {name: number(cells[1].split()[0]) for name, cells in table("Hostile files").items()}
    assert findings.pop("all") == sum(findings.values())


def test_the_load_has_ten_tenths():
    tenths = table("Load")
    assert list(tenths) == [str(tenth) for tenth in range(1, 11)]


def figures(text):
    return set(re.findall(r"\d{1,3}(?:,\d{3})+|\d{2,}", text))


def test_promises_have_the_figures_of_the_tests():
    section = PROMISES.split("\n## Figures\n")[1].split("\nMeasured on")[0]
    # The kills of an engine are 50 and 48 there.
    assert figures(section) - figures(PAGE) == {"98"}


def test_nothing_is_left_open():
    assert not re.search(r"not done yet|all so far|TODO", PAGE + PROMISES)
