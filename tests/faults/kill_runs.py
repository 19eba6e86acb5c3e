"""Kills runs at random instants, and looks whether anything is lost, repeated or different.

    python -m tests.faults.kill_runs --runs 300 --results kills.jsonl
    python -m tests.faults.kill_runs --scripts --runs 100 --results scripts.jsonl
    python -m tests.faults.kill_runs --configurations --runs 260 --results interruptions.jsonl

The second command kills scripts that resume their run, give samples and raise the budget. The third
one interrupts runs in every place where evaluations run, by Ctrl-C and SIGTERM, too. The first two
take `--pace`, the first one `--pruning`. The samples of a stream depend on when scores come in, so
they must come out of a replay, instead of being those of the run that nobody killed.
Every kill is one line of the results, and is not done again when the command is repeated.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from pyshac.core.search.paces.pace import PACES, STREAM
from pyshac.core.search.pruning.rule import RULES
from tests.engine.engine_helpers import contents
from tests.faults import configurations, runs
from tests.faults.trials import NUM_CORES, Record, do_missing

# What a kill is aimed at; None is any instant of the run.
TARGETS = (None, "sampling", "evaluating", "training", "saving", "recording")
# A third of the runs has two slots in worker processes.
SLOTS = (("threading", 1), ("threading", 1), ("multiprocessing", 2))
SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
# How long a run may take to save after Ctrl-C or SIGTERM, and to end.
SECONDS_TO_END = 60.0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=300, help="number of kills")
    parser.add_argument("--results", type=Path, default=Path("kills.jsonl"))
    parser.add_argument("--jobs", type=int, default=NUM_CORES, help="number of kills at once")
    parser.add_argument("--scripts", action="store_true", help="that give samples and budgets")
    parser.add_argument("--configurations", action="store_true", help="in all configurations")
    parser.add_argument("--pace", default="batch", choices=PACES)
    parser.add_argument("--pruning", choices=RULES)
    options = parser.parse_args(arguments)
    runs.note_phases()
    trial = interrupt_once if options.configurations else kill_once
    with tempfile.TemporaryDirectory() as folder:
        program: Callable[..., None]
        if options.scripts:
            program = functools.partial(runs.script, pace=options.pace)
        else:
            pace = {"pace": options.pace, "pruning": options.pruning}
            program = functools.partial(runs.begin_or_continue, **pace)
        reference = Reference(Path(folder) / "whole", program, options.pace == STREAM)
        records = do_missing(
            lambda number: trial(number, Path(folder) / str(number), reference),
            options.runs, options.results, options.jobs,
        )  # fmt: skip
    print(summary(records))
    return 0 if all(record["is_good"] for record in records) else 1


class Reference:
    """The run that nobody kills: its files, and how long its phases take.

    Args:
        folder: Where to run.
        program: What begins the run, and continues it.
        is_stream: Whether the run is a stream.
    """

    def __init__(self, folder: Path, program: Callable[..., None], is_stream: bool = False) -> None:
        folder.mkdir()
        self.program = program
        self.is_stream = is_stream
        started = time.monotonic()
        status = runs.wait(runs.start(program, folder / "shac", folder / "log"))
        if status != 0:
            raise RuntimeError(f"The run that nobody killed ended with {status}.")
        self.seconds = time.monotonic() - started
        self.contents = contents(folder / "shac")
        self.entries = {name: runs.entries(name) for name in runs.PHASES}
        lines = [line.split() for line in (folder / "log").read_text().splitlines()]
        if not self.comes_out(folder / "shac"):
            raise RuntimeError("The run that nobody killed does not come out again.")
        self.samples = [name for _, what, name in lines if what == "begin"]

    def comes_out(self, save_dir: Path) -> bool:
        """Whether a finished run equals this one or, of a stream, its own replay."""
        if self.is_stream:
            return bool(runs.result(runs.is_replayed, save_dir))
        return contents(save_dir) == self.contents


def kill_once(number: int, folder: Path, reference: Reference) -> Record:
    """Kills one run, looks at what is left, lets another process finish it, and compares."""
    chance = random.Random(number)
    backend, evaluators = chance.choice(SLOTS)
    target = TARGETS[number % len(TARGETS)]
    log, save_dir = folder / "log", folder / "shac"
    was_running = False
    while not was_running:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        log.touch()
        process = runs.start(reference.program, save_dir, log, backend, evaluators)
        await_instant(process, target, chance, reference)
        was_running = runs.kill_group(process)
    record = {"number": number, "target": target, "backend": backend, "phase": runs.phase()}
    return {**record, **finish(folder, reference, backend, evaluators)}


def interrupt_once(number: int, folder: Path, reference: Reference) -> Record:
    """Interrupts one run in one of the configurations, and lets another process finish it."""
    chance = random.Random(number)
    names = list(configurations.CONFIGURATIONS)
    name, how = names[number % len(names)], chance.choice(SIGNALS)
    log, save_dir = folder / "log", folder / "shac"
    was_running = False
    while not was_running:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        log.touch()
        process = runs.start(configurations.run, name, save_dir, log)
        await_line(process, log, chance)
        was_running = end_group(process, how)
    record = {"number": number, "backend": name, "signal": how.name, "phase": "evaluating"}
    return {**record, **finish(folder, reference)}


def finish(
    folder: Path, reference: Reference, backend: str = "threading", evaluators: int = 1
) -> Record:
    """Looks at what is left of a run, lets another process finish it, and compares."""
    log, save_dir = folder / "log", folder / "shac"
    before = log.read_text().splitlines()
    saved = runs.result(runs.saved_samples, save_dir)
    status = runs.wait(runs.start(reference.program, save_dir, log, backend, evaluators))
    lost, repeated, unsaved = compare(before, log.read_text().splitlines(), saved or [])
    record: Record = {
        "saved": None if saved is None else len(saved),
        "unsaved": unsaved,
        "lost": lost,
        "repeated": repeated,
        "status": status,
        "is_equal": status == 0 and reference.comes_out(save_dir),
    }
    record["is_good"] = not lost and not repeated and status == 0 and record["is_equal"]
    if record["is_good"]:
        shutil.rmtree(folder)
    return record


def await_line(process: int, log: Path, chance: random.Random) -> None:
    """Waits until a random evaluation has begun or ended, or the run has."""
    count = chance.randint(1, 2 * runs.TOTAL_BUDGET - 1)
    while log.read_bytes().count(b"\n") < count and not has_ended(process):
        time.sleep(0.001)
    time.sleep(chance.uniform(0, configurations.EVALUATION_SECONDS))


def has_ended(process: int) -> bool:
    return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def end_group(process: int, how: signal.Signals) -> bool:
    """Ends a run by a signal, and then kills what is left; returns whether it was running."""
    if has_ended(process):
        runs.wait(process)
        return False
    if how == signal.SIGKILL:
        os.killpg(process, how)
    else:
        os.kill(process, how)
    deadline = time.monotonic() + SECONDS_TO_END
    while not has_ended(process):
        if time.monotonic() > deadline:
            os.killpg(process, signal.SIGKILL)
            runs.wait(process)
            raise RuntimeError(f"Process {process} went on for a minute after {how.name}.")
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    runs.wait(process)
    return True


def await_instant(
    process: int, target: str | None, chance: random.Random, reference: Reference
) -> None:
    """Waits for a random instant of the run, or of one of its visits to a phase."""
    if target is None:
        time.sleep(chance.uniform(0, reference.seconds))
        return
    visit = chance.randint(1, max(1, reference.entries[target]))
    deadline = time.monotonic() + 10 * reference.seconds
    while runs.entries(target) < visit and time.monotonic() < deadline:
        if os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return
        time.sleep(0.0001)
    # Most visits take a few milliseconds, training a tenth of a second.
    time.sleep(chance.uniform(0, 0.1 if target == "training" else 0.004))


def compare(before: list[str], after: list[str], saved: list[str]) -> tuple[int, int, int]:
    """Counts what was lost and repeated by a kill.

    Args:
        before: The log at the time of the kill.
        after: The log of the finished run.
        saved: The names of the samples that were found after the kill.

    Returns:
        How many evaluations had ended, their slot gone on to another one, and are not in `saved`;
        how many in `saved` were evaluated again; and how many had ended just now, without being
        saved yet.
    """
    known = set(saved)
    ended: dict[str, list[str]] = {}
    last: dict[str, str] = {}
    for line in before:
        process, what, name = line.split()
        last[process] = what
        if what == "end":
            ended.setdefault(process, []).append(name)
    lost = unsaved = 0
    for process, samples in ended.items():
        missing = [name not in known for name in samples]
        # The score of a slot's last evaluation may not have been handed over yet.
        unsaved += missing[-1] and last[process] == "end"
        lost += sum(missing) - (missing[-1] and last[process] == "end")
    again = [line.split()[2] for line in after[len(before) :] if line.split()[1] == "begin"]
    repeated = sum(name in known for name in again) + len(again) - len(set(again))
    return lost, repeated, unsaved


def summary(records: list[Record]) -> str:
    phases = Counter(record["phase"] for record in records)
    backends = Counter(record["backend"] for record in records)
    lines = [
        f"{len(records)} kills",
        *(f"  {name}: {phases[name]}" for name in runs.PHASES if phases[name]),
        *(f"  in {name}: {number}" for name, number in sorted(backends.items())),
        f"scores that had to survive: {sum(record['saved'] or 0 for record in records)}",
        f"evaluations lost: {sum(record['lost'] for record in records)}",
        f"evaluations repeated: {sum(record['repeated'] for record in records)}",
        f"ended, but not handed over yet: {sum(record['unsaved'] for record in records)}",
        "resumed runs equal to the uninterrupted one, or to their replay: "
        f"{sum(record['is_equal'] for record in records)}",
        f"bad: {[record['number'] for record in records if not record['is_good']]}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    raise SystemExit(main())
