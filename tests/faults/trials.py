"""Numbered trials, done by several processes at once; what was done is not done again."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.faults import runs

Record = dict[str, Any]
NUM_CORES = os.cpu_count() or 1


def read_results(path: Path) -> dict[int, Record]:
    """Returns the records of a file of results, by number."""
    if not path.exists():
        return {}
    records = [json.loads(line) for line in path.read_text().splitlines()]
    return {record["number"]: record for record in records}


def do_missing(
    trial: Callable[[int], Record], count: int, results: Path, jobs: int = NUM_CORES
) -> list[Record]:
    """Does the trials whose records are missing, and returns the records of all.

    Args:
        trial: Does the trial with a number, and returns its record, which has the number, too.
        count: Number of trials.
        results: The file of results; each record becomes a line once its trial has ended.
        jobs: Number of processes.

    Raises:
        RuntimeError: If a trial could not be done.
    """
    done = read_results(results)
    missing = [number for number in range(count) if number not in done]
    fork = multiprocessing.get_context("fork")
    processes = [
        fork.Process(target=_do, args=(trial, missing[job::jobs], results)) for job in range(jobs)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise RuntimeError("A trial could not be done; its error stands above.")
    done = read_results(results)
    return [done[number] for number in range(count)]


def _do(trial: Callable[[int], Record], numbers: Sequence[int], results: Path) -> None:
    runs.own_phases()
    for number in numbers:
        line = json.dumps(trial(number)) + "\n"
        with open(results, "a") as file:
            file.write(line)
