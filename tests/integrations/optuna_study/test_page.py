"""The page about Optuna: its code runs, and so does its command."""

from __future__ import annotations

import pytest

pytest.importorskip("optuna", reason="needs optuna")

from pyshac.cli import main
from tests.scripts import ONE_THREAD, run_script
from tests.test_docs import ROOT, script_of

PAGE = ROOT / "docs" / "optuna.md"


@pytest.mark.slow
def test_the_code_of_the_page_runs_from_top_to_bottom(tmp_path, monkeypatch):
    # What the command of the page writes, the code after it reads.
    script = tmp_path / "optuna_page.py"
    script.write_text(script_of(PAGE, "py"), encoding="utf-8")
    run_script(script, tmp_path, **ONE_THREAD)

    monkeypatch.chdir(tmp_path)
    command = next(line for line in PAGE.read_text().splitlines() if line.startswith("pyshac "))
    assert main(command.split()[1:]) == 0
