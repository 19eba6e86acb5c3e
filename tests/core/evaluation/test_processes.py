"""Processes that end with others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from pyshac.core.evaluation import processes
from tests.core.evaluation.slot_runs import is_running
from tests.engine.engine_helpers import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX processes")

TREE = """
import subprocess, sys, time
sleep = "import time; print('up', flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", sleep])
print(child.pid, flush=True)
time.sleep(600)
"""

WATCHING = """
import os, subprocess, sys, time
from pyshac.core.evaluation import processes
parent = os.getpid()
if not os.fork():
    processes.end_with(parent)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(os.getpid(), child.pid, flush=True)
    while True:
        time.sleep(600)
time.sleep(600)
"""


def wait_until_gone(numbers):
    deadline = time.monotonic() + 30
    while any(map(is_running, numbers)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_kill_tree():
    with subprocess.Popen([sys.executable, "-c", TREE], stdout=subprocess.PIPE, text=True) as root:
        lines = sorted([root.stdout.readline(), root.stdout.readline()])
        child = int(lines[0])
        assert is_running(child)
        process = processes.find(root.pid)
        processes.kill_tree(process)
        assert root.wait(30) == -signal.SIGKILL
    wait_until_gone([child])
    # Nothing is there any more, and that is no error.
    processes.kill_tree(process)


@pytest.mark.slow
def test_a_process_ends_with_its_parent_and_takes_its_own_along():
    with subprocess.Popen(
        [sys.executable, "-c", WATCHING],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as parent:
        numbers = [int(number) for number in parent.stdout.readline().split()]
        assert all(map(is_running, numbers))
        time.sleep(2 * processes.SECONDS_BETWEEN_LOOKS)
        assert all(map(is_running, numbers))
        parent.kill()
    wait_until_gone(numbers)
