"""Seeded runs that PySHAC 1.0.0 saved, and how to repeat them.

`python -m tests.managed.released FOLDER` saves them anew. The fixtures were made so by 1.0.0. Of
later versions, only the paper's method chooses the same samples. They scale what classifiers see,
which changes nothing in a unit space. Other runs begin as if 1.0.0 had saved them before their
first sample: in such a run nothing is scaled.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyshac
from pyshac import DiscreteHP, IntegerHP, MultiUniformHP, UniformHP

FOLDER = Path(__file__).parents[1] / "fixtures" / "saved-by-pyshac-1.0.0"

# Which kernels NumPy and OpenBLAS run decides the last digits of a Gaussian process.
KERNELS = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL "
    "AVX512_SPR",
}
# The rest of what seeded runs depend on.
DEPENDENCIES = ("numpy", "scipy", "scikit-learn", "xgboost")

# What 1.0.0 wrote into state.json, but for the checksum.
STATE_FIELDS = (
    "objective", "method", "classifier", "total_budget", "num_batches", "entropy", "is_seeded",
    "num_complete", "csv_bytes", "csv_sha256", "parameters_sha256", "parameter_seeds",
    "classifiers", "stage_starts", "format",
)  # fmt: skip

BUDGET, BATCHES = 48, 8
STOPPED_AT = 33


def make_space() -> list[Any]:
    """Every kind of column that is encoded without transcendental functions."""
    return [
        UniformHP("x", -4.0, 4.0),
        IntegerHP("layers", 1, 6),
        DiscreteHP("kind", ["a", "b", None, 2.5]),
        MultiUniformHP("w", 0.0, 1.0, sample_count=2),
    ]


def make_unit_space() -> list[Any]:
    """Columns that have the scale of their prior."""
    return [
        UniformHP("x", 0.0, 1.0),
        DiscreteHP("kind", ["a", "b", None, 2.5]),
        MultiUniformHP("w", 0.0, 1.0, sample_count=2),
    ]


def score(worker_id: int, parameters: Mapping[str, Any]) -> float:
    x, w = parameters["x"], parameters["w"]
    bonus = 0.5 if parameters["kind"] == "b" else 0.0
    if x > 3.75:
        return float("nan")
    return (x - 1) ** 2 + 0.1 * parameters["layers"] + (w[0] - w[1]) ** 2 - bonus


def score_in_session(session: Any, worker_id: int, parameters: Mapping[str, Any]) -> float:
    return score(worker_id, parameters)


def score_unit(worker_id: int, parameters: Mapping[str, Any]) -> float:
    x = 8 * parameters["x"] - 4
    return score(worker_id, {**parameters, "x": x, "layers": 1})


class StopAt(pyshac.Callback):
    """Stops a run in the middle of a batch, which leaves a journal."""

    def on_sample_end(self, id: int, score: float, logs: Any = None) -> None:
        if id == STOPPED_AT:
            self.engine.stop()


def _engine(kind: str, save_dir: Path, **arguments: Any) -> Any:
    name, function = {
        "serial": ("SHAC", score),
        "paper": ("SHAC", score),
        "unit": ("SHAC", score_unit),
        "torch": ("TorchSHAC", score),
        "tensorflow": ("TensorflowSHAC", score_in_session),
        "keras": ("KerasSHAC", score_in_session),
    }[kind]
    if name != "SHAC":
        arguments["max_gpu_evaluators"] = 0
    if kind == "paper":
        arguments["method"] = "paper"
    space = make_unit_space() if kind == "unit" else make_space()
    engine = getattr(pyshac, name)(
        function, space, BUDGET, BATCHES, objective="min", save_dir=save_dir, **arguments
    )
    engine.set_seed(11)
    engine.concurrent_evaluators()
    engine.set_num_parallel_evaluators(1)
    return engine


def _begun(kind: str, save_dir: Path, **arguments: Any) -> Any:
    """An engine that goes on with a run that 1.0.0 saved before the first sample."""
    engine = _engine(kind, save_dir, **arguments)
    engine.save_data()
    path = save_dir / "state.json"
    content = json.loads(path.read_text())
    content = {key: content[key] for key in STATE_FIELDS}
    content = {**content, "format": 1}
    checksum = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({**content, "sha256": checksum}))
    engine.restore_data()
    return engine


def _whole(kind: str) -> Callable[[Path], None]:
    def run(save_dir: Path) -> None:
        _begun(kind, save_dir).fit(skip_cv_checks=True, verbose=0)

    return run


def _stopped(save_dir: Path) -> None:
    engine = _begun("torch", save_dir)
    engine.fit(skip_cv_checks=True, callbacks=StopAt(), verbose=0)


def _in_unit_space(save_dir: Path) -> None:
    _engine("unit", save_dir).fit(skip_cv_checks=True, verbose=0)


RUNS: dict[str, Callable[[Path], None]] = {
    "serial": _whole("serial"),
    "paper": _whole("paper"),
    "unit": _in_unit_space,
    "torch-stopped": _stopped,
    "tensorflow": _whole("tensorflow"),
    "keras": _whole("keras"),
}


def versions() -> dict[str, str]:
    """The versions that a run's files depend on."""
    return {name: importlib.metadata.version(name) for name in DEPENDENCIES}


def main(folder: Path, names: list[str]) -> None:
    """Saves runs, by default all, into a folder."""
    for name in names or RUNS:
        RUNS[name](folder / name)
        for unlike in ("lock", "lock.json"):
            (folder / name / unlike).unlink(missing_ok=True)
    (folder / "versions.json").write_text(json.dumps(versions(), indent=4) + "\n")


if __name__ == "__main__":
    if {name: os.environ.get(name) for name in KERNELS} != KERNELS:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **KERNELS})
    main(Path(sys.argv[1]), sys.argv[2:])
