"""Optuna is only loaded by who asks for it, and its absence says what to install."""

from __future__ import annotations

import sys

import pytest

from pyshac.cli import main
from tests.scripts import run_command


def test_nothing_else_loads_optuna(tmp_path):
    code = (
        "import sys, pyshac, pyshac.cli; from pyshac.core.engine import SHAC; "
        "SHAC(None, [pyshac.UniformHP('x', 0, 1)], 4, 2); assert 'optuna' not in sys.modules"
    )
    run_command([sys.executable, "-W", "ignore", "-c", code], tmp_path, code)


class TestWithoutOptuna:
    @pytest.fixture(autouse=True)
    def without(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "optuna", None)
        for name in [name for name in sys.modules if name.startswith("pyshac.integrations.optuna")]:
            monkeypatch.delitem(sys.modules, name)

    def test_the_error_names_the_extra(self):
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'pyshac\[optuna\]'"):
            import pyshac.integrations.optuna  # noqa: F401

    def test_the_command_says_so_in_one_line(self, tmp_path, capsys):
        arguments = ["export", str(tmp_path), "--to", "optuna", "--storage", "sqlite://"]
        assert main(arguments) == 1
        assert "pip install 'pyshac[optuna]'" in capsys.readouterr().err
