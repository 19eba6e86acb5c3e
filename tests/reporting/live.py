"""A search to watch while it runs, is killed and resumed, and the command that watches."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time

SEARCH = """
import sys, time
from pyshac import SHAC, UniformHP, report

def evaluate(worker_id, parameters):
    for step in range(3):
        time.sleep(float(sys.argv[2]) / 3)
        report(step, parameters["x"])
    return parameters["x"]

engine = SHAC(
    [UniformHP("x", 0, 1), UniformHP("y", 0, 1)], 200, 10, save_dir=sys.argv[1],
    resume=len(sys.argv) > 3,
)
engine.set_num_parallel_evaluators(2)
engine.concurrent_evaluators()
engine.fit(evaluate, verbose=0)
"""
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\S+/")


def start_search(path, seconds=0.3, resume=False):
    """Starts a search in a process of its own."""
    arguments = [sys.executable, "-W", "ignore", "-c", SEARCH, str(path), str(seconds)]
    return subprocess.Popen(arguments + ["resume"] * resume, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def watching(path, *options):
    """Runs `pyshac watch` in a process of its own; yields the process and its address."""
    command = [sys.executable, "-m", "pyshac", "watch", str(path), "--interval", "0.3", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    try:
        for line in process.stdout:
            if found := ADDRESS.search(line):
                break
        yield process, found[0]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(condition, seconds=60):
    """Waits until a condition holds; returns what it returned."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
    return found
