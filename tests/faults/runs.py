"""Small runs in processes of their own that tell which phase they are in, to be killed there.

Processes are forked from one that has loaded everything, so that a run takes a second. That one
must never train: a fork of a process with OpenMP threads may hang.
"""

from __future__ import annotations

import functools
import json
import mmap
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyshac
from pyshac import SHAC, DiscreteHP, HyperParameterList, LinearConstraint, MultiUniformHP, UniformHP
from pyshac.core.sampling import region
from pyshac.core.search import stages
from pyshac.core.storage import save_directory

TOTAL_BUDGET, NUM_BATCHES = 40, 8
PHASES = ("starting", "sampling", "evaluating", "training", "saving", "recording", "between")
# Shared with forked processes: the phase, and how often it was entered.
_shared = mmap.mmap(-1, 64)


def own_phases() -> None:
    """Lets the runs that this process starts tell their phases apart from those of others."""
    global _shared
    _shared = mmap.mmap(-1, 64)


def phase() -> str:
    """The phase of the run that is going on, or was when it ended."""
    return PHASES[_shared[0]]


def entries(name: str) -> int:
    """How often a run has entered a phase, modulo 256."""
    return _shared[1 + PHASES.index(name)]


def _enter(number: int) -> None:
    _shared[0] = number
    _shared[1 + number] = (_shared[1 + number] + 1) % 256


def _noting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, but the phase is told while it runs."""

    @functools.wraps(function)
    def noting(*args: Any, **kwargs: Any) -> Any:
        before = _shared[0]
        _enter(PHASES.index(name))
        try:
            return function(*args, **kwargs)
        finally:
            _shared[0] = before

    return noting


def note_phases() -> None:
    """Lets the runs of this process tell their phases."""
    region.AcceptedRegion.draw = _noting("sampling", region.AcceptedRegion.draw)
    stages.train_classifier = _noting("training", stages.train_classifier)
    save_directory.SaveDirectory.save = _noting("saving", save_directory.SaveDirectory.save)
    save_directory.SaveDirectory.append_scores = _noting(
        "recording", save_directory.SaveDirectory.append_scores
    )


class Logged:
    """An objective that notes in a file when each evaluation begins and ends.

    Args:
        log: The file; each process appends whole lines to it.
        seconds: How long an evaluation takes.
        by_slot: Whether it notes the number of the slot, not of the process.
        num_steps: Number of scores that it reports on its way.
    """

    def __init__(
        self, log: Path, seconds: float, by_slot: bool = False, num_steps: int = 0
    ) -> None:
        self.log = str(log)
        self.seconds = seconds
        self.by_slot = by_slot
        self.num_steps = num_steps

    def __call__(self, worker_id: int, parameters: dict[str, Any]) -> float:
        number = PHASES.index("evaluating")
        before = _shared[0]
        _enter(number)
        who = worker_id if self.by_slot else os.getpid()
        note(self.log, "begin", parameters, who)
        kind = 0.0 if parameters["kind"] == "1" else 1.0
        score = (parameters["x"] - 1.0) ** 2 + kind + sum(parameters.get("w", ()))
        try:
            time.sleep(self.seconds)
            for step in range(self.num_steps):
                pyshac.report(step, score + self.num_steps - step)
        finally:
            note(self.log, "end", parameters, who)
            _shared[0] = before
        return score


def note(log: Path | str, what: str, parameters: dict[str, Any], who: int | None = None) -> None:
    """Appends a line of a slot, or of this process, to a log."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    line = f"{os.getpid() if who is None else who} {what} {name_of(parameters)}\n"
    os.write(descriptor, line.encode())
    os.close(descriptor)


def name_of(parameters: dict[str, Any]) -> str:
    """A text without spaces, which only equal samples share."""
    return json.dumps(parameters, separators=(",", ":"))


def make_engine(
    save_dir: Path, backend: str, evaluators: int, fresh: bool, pace: str = "batch"
) -> SHAC:
    """An engine of a small run; all of them are after the same."""
    options = {"objective": "min", "save_dir": save_dir, "pace": pace}
    engine = SHAC(_space() if fresh else None, TOTAL_BUDGET, NUM_BATCHES, **options)
    if fresh:
        engine.set_seed(7)
    _place(engine, backend, evaluators)
    return engine


def _space() -> HyperParameterList:
    return HyperParameterList(
        [
            UniformHP("x", -5.0, 5.0),
            DiscreteHP("kind", [1, 1.0, "1", True, None]),
            MultiUniformHP("w", 0.0, 1.0, sample_count=2).when("kind", ["1", True]),
        ],
        constraints=[LinearConstraint({"w_1": 1, "w_2": 1}, at_most=1.5)],
    )


def _place(engine: SHAC, backend: str, evaluators: int) -> None:
    engine.evaluator_backend = backend
    engine.set_num_parallel_evaluators(evaluators)
    engine.set_num_parallel_generators(1)


def begin_or_continue(
    save_dir: Path,
    log: Path,
    backend: str = "threading",
    evaluators: int = 1,
    seconds: float = 0.004,
    pace: str = "batch",
    pruning: str | None = None,
) -> None:
    """Runs to the end, from wherever the save directory is."""
    fresh = not (save_dir / "state.json").exists()
    engine = make_engine(save_dir, backend, evaluators, fresh, pace)
    if not fresh:
        engine.restore_data()
    _shared[0] = PHASES.index("between")
    function = Logged(log, seconds, num_steps=6 if pruning else 0)
    engine.fit(function, skip_cv_checks=True, retries=1000, pruning=pruning)


def script(
    save_dir: Path,
    log: Path,
    backend: str = "threading",
    evaluators: int = 1,
    seconds: float = 0.004,
    pace: str = "batch",
) -> None:
    """Does what a script does that gives samples, raises its budget and may be run again."""
    options = {"objective": "min", "save_dir": save_dir, "resume": True, "pace": pace}
    engine = SHAC(_space(), TOTAL_BUDGET, batch_size=7, **options)
    engine.set_seed(7)
    _place(engine, backend, evaluators)
    _shared[0] = PHASES.index("between")
    for part, budget in enumerate((TOTAL_BUDGET // 2, TOTAL_BUDGET)):
        if len(engine.dataset) > budget:
            continue
        engine.total_budget = budget
        engine.enqueue([{"x": part + each / 8} for each in range(3)])
        known = [{"x": part - 2.5, "kind": "1", "w": [each / 4, 0.0]} for each in range(3)]
        engine.add(known, [3.5 + each for each in range(3)])
        engine.fit(Logged(log, seconds), skip_cv_checks=True, retries=1000)


def saved_samples(save_dir: Path) -> list[str] | None:
    """The name of every sample that a new engine finds, in order; None if it finds no run."""
    engine = make_engine(save_dir, "threading", 1, fresh=False)
    try:
        engine.restore_data()
    except FileNotFoundError:
        return None
    return [name_of(evaluation.parameters) for evaluation in engine.evaluations]


def is_replayed(save_dir: Path) -> bool:
    """Whether the samples of a stream come out again, and each of them is another one."""
    engine = SHAC.load(save_dir)
    samples = [evaluation.parameters for evaluation in engine.evaluations]
    is_new = len({name_of(sample) for sample in samples}) == len(samples)
    return is_new and engine.replay() == samples


def start(function: Callable[..., Any], *args: Any) -> int:
    """Calls a function in a forked process that leads a group; returns its number."""
    _shared[:] = bytes(len(_shared))
    process = os.fork()
    if process:
        return process
    try:
        os.setpgid(0, 0)
        function(*args)
        os._exit(0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)


def result(function: Callable[..., Any], *args: Any) -> Any:
    """Calls a function in a forked process and returns what it returns.

    Raises:
        RuntimeError: If it raised an exception.
    """
    reader, writer = os.pipe()

    def call() -> None:
        os.close(reader)
        with open(writer, "wb") as file:
            pickle.dump(function(*args), file)

    process = start(call)
    os.close(writer)
    with open(reader, "rb") as file:
        data = file.read()
    if wait(process) != 0:
        raise RuntimeError(f"{function.__name__} failed in process {process}.")
    return pickle.loads(data)


def wait(process: int) -> int:
    """Waits for a process; returns its status, negative if a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def kill_group(process: int) -> bool:
    """Kills a process and its workers; says whether it was still running."""
    if os.waitpid(process, os.WNOHANG)[0]:
        return False
    os.killpg(process, signal.SIGKILL)
    return wait(process) == -signal.SIGKILL
