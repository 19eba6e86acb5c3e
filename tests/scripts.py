"""Runs Python scripts as users do: in a process and a folder of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pyshac

PACKAGE_PARENT = Path(pyshac.__file__).parents[1]
# Less than what a test has.
TIMEOUT_SECONDS = 540
# Small models gain nothing from threads, and lose where other tests keep the cores busy.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def run_script(path, folder, **environment):
    """Runs a script with the PySHAC under test; fails unless it succeeds.

    Args:
        path: The script.
        folder: Its working directory.
        **environment: Environment variables to set.

    Returns:
        What it printed.
    """
    return run_command([sys.executable, str(path)], folder, str(path), **environment)


def run_command(command, folder, name, **environment):
    """Runs a command with the PySHAC under test; fails unless it succeeds.

    Args:
        command: The program and its arguments.
        folder: Its working directory.
        name: What it is called if it fails.
        **environment: Environment variables to set.

    Returns:
        What it printed.
    """
    result = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PACKAGE_PARENT), **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    ended = f"{name} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}"
    assert result.returncode == 0, ended
    return result.stdout
