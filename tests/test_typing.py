"""What type checkers say of the calls of a program that uses the library."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.scripts import run_command

CALLS = Path(__file__).with_name("typing_calls.py")


@pytest.mark.slow
def test_right_calls_pass_and_wrong_ones_are_refused(tmp_path):
    pytest.importorskip("mypy")
    # An exit status of 1 means that there are errors, which there must be.
    command = "from mypy import api; import sys; print(api.run(sys.argv[1:])[0])"
    options = ["--strict", "--no-error-summary", "--cache-dir", str(tmp_path / "cache")]
    output = run_command([sys.executable, "-c", command, *options, str(CALLS)], tmp_path, "mypy")
    found = {int(number) for number in re.findall(r"typing_calls\.py:(\d+): error", output)}
    lines = CALLS.read_text(encoding="utf-8").splitlines()
    refused = {number for number, line in enumerate(lines, 1) if line.endswith("# refused")}
    assert len(refused) >= 10
    assert found == refused, output
