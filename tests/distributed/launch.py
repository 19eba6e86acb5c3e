"""Starts programs that start others, and leaves none of them behind."""

from __future__ import annotations

import os
import signal
import subprocess

# Several interpreters start, on cores that other tests use, too.
TIMEOUT_SECONDS = 300


def communicate(command, folder, **environment):
    """Runs a program in a folder; fails unless it succeeds.

    Returns:
        What it printed, errors included.
    """
    with subprocess.Popen(
        [*map(str, command)],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, output
    return output
