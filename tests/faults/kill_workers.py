"""Kills workers, and engines whose workers are left behind, and looks what stays around.

    python -m tests.faults.kill_workers --workers 100 --engines 50 --orphans 48

Every kill is one line of the results, and is not done again when the command is repeated.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from tests.engine.engine_helpers import contents
from tests.faults import runs
from tests.faults.kill_runs import Reference, compare, has_ended
from tests.faults.trials import NUM_CORES, do_missing

BACKENDS = ("loky", "multiprocessing")
SLOTS = 3
MAX_KILLS_PER_RUN = 5
SECONDS_TO_END = 10.0
# Why workers cannot notice that their engine is gone.
DEAF = ("stopped", "compiled code")
# Long enough that workers are mostly in the middle of an evaluation.
EVALUATION_SECONDS = 0.1
SHARED_FOLDERS = (Path("/dev/shm"), Path(tempfile.gettempdir()))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=100, help="number of workers to kill")
    parser.add_argument("--engines", type=int, default=50, help="number of engines to kill")
    parser.add_argument(
        "--orphans", type=int, default=48,
        help="number of engines to kill while their workers cannot notice it",
    )  # fmt: skip
    parser.add_argument("--results", type=Path, default=Path("workers.jsonl"))
    parser.add_argument("--jobs", type=int, default=NUM_CORES, help="number of runs at once")
    options = parser.parse_args(arguments)
    full, rest = divmod(options.workers, MAX_KILLS_PER_RUN)
    runs_of_workers = [MAX_KILLS_PER_RUN] * full + [rest] * (rest > 0)
    kinds = ["worker"] * len(runs_of_workers) + ["engine"] * options.engines
    kinds += ["orphans"] * options.orphans
    with tempfile.TemporaryDirectory() as name:
        reference = Reference(Path(name) / "whole", runs.begin_or_continue)

        def trial(number: int) -> dict[str, Any]:
            folder = Path(name) / str(number)
            if kinds[number] == "worker":
                record = kill_workers(number, folder, reference, runs_of_workers[number])
            elif kinds[number] == "engine":
                record = kill_engine(number, folder, reference)
            else:
                record = kill_engine_of_the_deaf(number, folder)
            return {"number": number, "kind": kinds[number], **record}

        records = do_missing(trial, len(kinds), options.results, options.jobs)
    print(summary(records))
    return 0 if all(record["is_good"] for record in records) else 1


def run(save_dir: Path, log: Path, backend: str) -> None:
    """What the engine's process does: one run, with workers."""
    runs.begin_or_continue(save_dir, log, backend, SLOTS, EVALUATION_SECONDS)


def leftovers() -> set[str]:
    """What lies in the folders that all processes share."""
    return {str(path) for folder in SHARED_FOLDERS if folder.is_dir() for path in folder.iterdir()}


def descendants(process: int) -> list[psutil.Process]:
    try:
        return psutil.Process(process).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def workers_of(process: int, log: Path) -> list[psutil.Process]:
    """The workers that have begun an evaluation and still run."""
    noted = {line.split()[0] for line in log.read_text().splitlines()}
    return [each for each in descendants(process) if str(each.pid) in noted]


def still_runs(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != "zombie"
    return False


def seconds_to_end(processes: list[psutil.Process]) -> float:
    """How long it takes until none of some processes runs any more; infinite if too long."""
    started = time.monotonic()
    while any(map(still_runs, processes)):
        if time.monotonic() - started > SECONDS_TO_END:
            return float("inf")
        time.sleep(0.02)
    return time.monotonic() - started


def start_run(folder: Path, backend: str) -> tuple[int, Path, Path]:
    """Starts a run in a new folder; returns its process, its log and its save directory."""
    folder.mkdir()
    log, save_dir = folder / "log", folder / "shac"
    log.touch()
    return runs.start(run, save_dir, log, backend), log, save_dir


def kill_workers(number: int, folder: Path, reference: Reference, max_kills: int) -> dict[str, Any]:
    """Kills some workers of one run at random instants; the run has to go on as if nothing was."""
    chance, backend = random.Random(number), BACKENDS[number % 2]
    before = leftovers()
    process, log, save_dir = start_run(folder, backend)
    kills, seen = 0, {}
    while kills < max_kills and not has_ended(process):
        time.sleep(chance.uniform(0, 2 * EVALUATION_SECONDS))
        for each in descendants(process):
            seen[each.pid] = each
        if workers := workers_of(process, log):
            # A killed worker takes others of loky with it: the chosen one may be among them.
            with contextlib.suppress(psutil.NoSuchProcess):
                chance.choice(workers).send_signal(signal.SIGKILL)
                kills += 1
    status = runs.wait(process)
    repeated, unsaved, ended = count_repeated(log.read_text().splitlines())
    record = {
        "backend": backend,
        "kills": kills,
        "status": status,
        "is_equal": contents(save_dir) == reference.contents,
        "repeated": repeated,
        "unsaved": unsaved,
        "lost": len(set(reference.samples) - ended),
    }
    return finished(record, folder, process, list(seen.values()), before)


def count_repeated(lines: list[str]) -> tuple[int, int, set[str]]:
    """Returns how many evaluations were repeated, how many had only just ended, and all that ended.

    A worker that is killed between the end of an evaluation and its reply has not finished it.
    """
    last = {line.split()[0]: line for line in lines}
    ends = [line.split() for line in lines if " end " in line]
    finished = [name for process, _, name in ends if last[process] != f"{process} end {name}"]
    just_ended = [name for process, _, name in ends if last[process] == f"{process} end {name}"]
    counts = Counter(finished)
    again = sum(counts[name] > 0 for name in just_ended)
    return sum(counts.values()) - len(counts), again, {name for _, _, name in ends}


def kill_engine(number: int, folder: Path, reference: Reference) -> dict[str, Any]:
    """Kills the engine but not its workers; they have to end by themselves."""
    chance, backend = random.Random(number), BACKENDS[number % 2]
    before = leftovers()
    process, log, save_dir = start_run(folder, backend)
    while len(workers_of(process, log)) < SLOTS and not has_ended(process):
        time.sleep(0.02)
    time.sleep(chance.uniform(0, 1.0))
    left_behind = descendants(process)
    os.kill(process, signal.SIGKILL)
    runs.wait(process)
    record = {"backend": backend, "kills": 1, "left_behind": len(left_behind)}
    record["seconds"] = seconds_to_end(left_behind)
    lines = log.read_text().splitlines()
    saved = runs.result(runs.saved_samples, save_dir)
    record["status"] = runs.wait(runs.start(runs.begin_or_continue, save_dir, log))
    record["lost"], record["repeated"], record["unsaved"] = compare(
        lines, log.read_text().splitlines(), saved or []
    )
    record["is_equal"] = contents(save_dir) == reference.contents
    return finished(record, folder, process, left_behind, before)


def deaf_run(save_dir: Path, log: Path, backend: str, how: str) -> None:
    """A run whose evaluations start a process each, and then cannot do anything."""

    def evaluate(worker_id: int, parameters: dict[str, Any]) -> float:
        subprocess.Popen(["sleep", "600"])
        runs.note(log, "begin", parameters)
        if how == "compiled code":
            # Unlike other foreign functions it does not release the interpreter.
            ctypes.PyDLL(None).sleep(600)
        time.sleep(600)
        return 0.0

    engine = runs.make_engine(save_dir, backend, SLOTS, fresh=True)
    engine.fit(evaluate)


def kill_engine_of_the_deaf(number: int, folder: Path) -> dict[str, Any]:
    """Kills an engine, alone or with its group, whose workers cannot notice it."""
    backend, how = BACKENDS[number % 2], DEAF[number // 2 % len(DEAF)]
    kills_group = number // 4 % 3 == 2
    before = leftovers()
    folder.mkdir()
    log = folder / "log"
    log.touch()
    process = runs.start(deaf_run, folder / "shac", log, backend, how)
    while len(workers := workers_of(process, log)) < SLOTS and not has_ended(process):
        time.sleep(0.02)
    if how == "stopped":
        for each in workers:
            each.suspend()
    left_behind = descendants(process)
    (os.killpg if kills_group else os.kill)(process, signal.SIGKILL)
    runs.wait(process)
    record = {"backend": backend, "how": how, "kills": 1, "kills_group": kills_group}
    # Nothing is to be compared: no evaluation ends.
    record |= {"lost": 0, "repeated": 0, "unsaved": 0, "is_equal": True, "status": 0}
    record |= {"left_behind": len(left_behind), "seconds": seconds_to_end(left_behind)}
    return finished(record, folder, process, left_behind, before)


def finished(
    record: dict[str, Any],
    folder: Path,
    engine: int,
    processes: list[psutil.Process],
    before: set[str],
) -> dict[str, Any]:
    """Adds what is still around after a run, and whether all is as it should be."""
    record.setdefault("seconds", seconds_to_end(processes))
    record["orphans"] = sum(map(still_runs, processes))
    temporaries = {str(path) for path in (folder / "shac").rglob(".writing-*")}
    numbers = {engine, *(each.pid for each in processes)}
    deadline = time.monotonic() + SECONDS_TO_END
    while (left := ours(leftovers() - before, numbers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    record["left"] = sorted(temporaries | left)
    record["is_good"] = (
        record["status"] == 0
        and record["is_equal"]
        and not (record["lost"] or record["repeated"] or record["orphans"] or record["left"])
        and record["seconds"] <= SECONDS_TO_END
    )
    if record["is_good"]:
        shutil.rmtree(folder)
    return record


def ours(paths: set[str], numbers: set[int]) -> set[str]:
    """Those of some files that bear the number of one of our processes in their name."""
    return {
        path for path in paths if numbers & {int(n) for n in re.findall(r"\d+", Path(path).name)}
    }


def summary(records: list[dict[str, Any]]) -> str:
    lines = []
    for kind in ("worker", "engine", "orphans"):
        some = [record for record in records if record["kind"] == kind]
        if not some:
            continue
        lines += [
            f"{kind}: {sum(record['kills'] for record in some)} kills in {len(some)} runs",
            f"  evaluations lost: {sum(record['lost'] for record in some)}",
            f"  evaluations repeated: {sum(record['repeated'] for record in some)}",
            f"  ended, but not handed over yet: {sum(record['unsaved'] for record in some)}",
            f"  processes still there after {SECONDS_TO_END:.0f} s: "
            f"{sum(record['orphans'] for record in some)}",
            f"  seconds until all had ended, at most: {max(each['seconds'] for each in some):.1f}",
            f"  files left behind: {sum(len(record['left']) for record in some)}",
            f"  runs equal to the uninterrupted one: {sum(each['is_equal'] for each in some)}",
        ]
    lines.append(f"bad: {[record['number'] for record in records if not record['is_good']]}")
    return "\n".join(lines)


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    raise SystemExit(main())
