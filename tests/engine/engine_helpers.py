"""What the tests of the engine share: a search space, objectives, small runs, and scripts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyshac import SHAC, DiscreteHP, HyperParameterList, MultiUniformHP, UniformHP
from tests.engine.objectives import InterruptedAt, InterruptionError, branin, evaluate

__all__ = [
    "FIXTURES", "HISTORY_KEYS", "ROOT", "InterruptedAt", "InterruptionError", "branin",
    "branin_space", "contents", "evaluate", "make_engine", "make_space", "raw_contents",
    "restored", "run_script", "samples_of",
]  # fmt: skip

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "saved-by-pyshac-0.2"

HISTORY_KEYS = {
    "begin_run_index",
    "parameters",
    "evaluations",
    "device_ids",
    "dataset_index",
    "cascade_in_force",
    "model",
    "generator_threads",
    "per_classifier_budget",
}
# Whose process and host they name is no part of a run.
NOT_OF_THE_RUN = {"lock", "lock.json"}


def make_space(seed: int | None = None) -> HyperParameterList:
    """A space with every kind of column: continuous, discrete of many types, and several."""
    return HyperParameterList(
        [
            UniformHP("x", -5.0, 5.0),
            DiscreteHP("kind", [1, 1.0, "1", True, None]),
            MultiUniformHP("w", 0.0, 1.0, sample_count=2),
        ],
        seed=seed,
    )


def branin_space() -> list[UniformHP]:
    return [UniformHP("h1", -5.0, 10.0), UniformHP("h2", 0.0, 15.0)]


def make_engine(
    save_dir: Path | str,
    function: Callable[..., Any] | None = evaluate,
    parameters: Any = make_space,
    total_budget: int = 18,
    num_batches: int = 3,
    seed: int | None = 7,
    backend: str = "threading",
    evaluators: int = 1,
    **kwargs: Any,
) -> SHAC:
    """A small engine; by default evaluations run in the caller's thread, one after the other."""
    space = parameters() if callable(parameters) else parameters
    kwargs.setdefault("objective", "min")
    with warnings.catch_warnings():
        # In the output of programs, of a batch that is larger than the machine.
        warnings.filterwarnings("ignore", "A batch has", UserWarning)
        engine = SHAC(function, space, total_budget, num_batches, save_dir=save_dir, **kwargs)
    if space is not None and seed is not None:
        engine.set_seed(seed)
    engine.evaluator_backend = backend
    engine.set_num_parallel_evaluators(evaluators)
    engine.set_num_parallel_generators(1)
    return engine


def restored(save_dir: Path | str, **kwargs: Any) -> SHAC:
    """A new engine that knows nothing but the save directory."""
    engine = make_engine(save_dir, parameters=None, **kwargs)
    engine.restore_data()
    return engine


def contents(save_dir: Path | str) -> dict[str, bytes]:
    """What two equal runs have in common: their files, without times and without slots."""
    return {name: _without_times(name, data) for name, data in raw_contents(save_dir).items()}


def _without_times(name: str, data: bytes) -> bytes:
    try:
        if name == "state.json":
            return _without(json.loads(data), "sha256", "evaluations_bytes", "evaluations_sha256")
        if name == "journal.jsonl":
            lines = (line.partition(b" ")[2] for line in data.splitlines())
            return b"".join(_without(json.loads(line), "started", "seconds") for line in lines)
        if name == "datasets/evaluations.jsonl":
            records = map(json.loads, data.splitlines())
            return b"".join(_without(each, "started", "seconds", "slot") for each in records)
    except ValueError:
        # A file that was damaged on purpose.
        pass
    return data


def _without(record: dict[str, Any], *names: str) -> bytes:
    for name in names:
        record.pop(name, None)
    return json.dumps(record).encode() + b"\n"


def raw_contents(save_dir: Path | str) -> dict[str, bytes]:
    """Every file of a save directory that belongs to the run, by its path there."""
    root = Path(save_dir)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name not in NOT_OF_THE_RUN
    }


def samples_of(engine: SHAC) -> list[tuple[int, list[Any], float]]:
    """Number, values and score of every sample."""
    dataset = engine.dataset
    return list(zip(dataset.ids, dataset.X, dataset.Y, strict=True))


def run_script(
    source: str | Path, *arguments: object, timeout: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs a script, or a file with one, in a new process that can import these helpers.

    Raises:
        subprocess.TimeoutExpired: If it took too long; it and its children have been killed.
    """
    script = [str(source)] if isinstance(source, Path) else ["-c", source]
    command = [sys.executable, *script, *map(str, arguments)]
    with subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)
