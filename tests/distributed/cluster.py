"""A real Dask cluster of processes on this machine, whose parts are killed and started at will."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.engine.engine_helpers import ROOT

PATIENCE_SECONDS = 120.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """A Dask scheduler and workers without nannies, one thread each, over TCP on loopback.

    Args:
        folder: Where workers keep their files and logs are written.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.workers: list[subprocess.Popen[bytes]] = []
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        self._number = 0
        self._log = open(folder / "cluster.log", "ab")  # noqa: SIM115

    def __enter__(self):
        self.start_scheduler()
        return self

    def __exit__(self, *_):
        self.kill_workers(len(self.workers))
        self.kill_scheduler()
        self._log.close()

    def _start(self, module, *arguments):
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{module}", *map(str, arguments)],
            cwd=self.folder,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
            # Ctrl-C in the terminal of the tests is for the tests.
            start_new_session=True,
        )

    def start_scheduler(self):
        options = ("--host", "127.0.0.1", "--port", self.port, "--no-dashboard", "--no-jupyter")
        self.scheduler = self._start("dask_scheduler", *options)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self.scheduler.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def start_workers(self, number):
        """Starts workers, which join when they are up."""
        for _ in range(number):
            self._number += 1
            options = ("--nthreads", 1, "--name", self._number, "--no-nanny", "--no-dashboard")
            options += ("--local-directory", self.folder, "--memory-limit", 0)
            self.workers.append(self._start("dask_worker", self.address, *options))

    def kill_workers(self, number):
        """Kills the oldest workers at once, whatever they do."""
        killed, self.workers = self.workers[:number], self.workers[number:]
        for worker in killed:
            _kill(worker)

    def kill_scheduler(self):
        _kill(self.scheduler)

    def log(self):
        return (self.folder / "cluster.log").read_text(errors="replace")


def _kill(process):
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
