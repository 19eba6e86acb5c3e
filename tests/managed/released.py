"""Seeded runs that PySHAC 1.0.0 saved, and how to repeat them.

`python -m tests.managed.released FOLDER` saves them anew. The fixtures were made so by 1.0.0.
"""

from __future__ import annotations

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


def score(worker_id: int, parameters: Mapping[str, Any]) -> float:
    x, w = parameters["x"], parameters["w"]
    bonus = 0.5 if parameters["kind"] == "b" else 0.0
    if x > 3.75:
        return float("nan")
    return (x - 1) ** 2 + 0.1 * parameters["layers"] + (w[0] - w[1]) ** 2 - bonus


def score_in_session(session: Any, worker_id: int, parameters: Mapping[str, Any]) -> float:
    return score(worker_id, parameters)


class StopAt(pyshac.Callback):
    """Stops a run in the middle of a batch, which leaves a journal."""

    def on_sample_end(self, id: int, score: float, logs: Any = None) -> None:
        if id == STOPPED_AT:
            self.engine.stop()


def _engine(kind: str, save_dir: Path, **arguments: Any) -> Any:
    name, function = {
        "serial": ("SHAC", score),
        "paper": ("SHAC", score),
        "torch": ("TorchSHAC", score),
        "tensorflow": ("TensorflowSHAC", score_in_session),
        "keras": ("KerasSHAC", score_in_session),
    }[kind]
    if name != "SHAC":
        arguments["max_gpu_evaluators"] = 0
    if kind == "paper":
        arguments["method"] = "paper"
    engine = getattr(pyshac, name)(
        function, make_space(), BUDGET, BATCHES, objective="min", save_dir=save_dir, **arguments
    )
    engine.set_seed(11)
    engine.concurrent_evaluators()
    engine.set_num_parallel_evaluators(1)
    return engine


def _whole(kind: str) -> Callable[[Path], None]:
    def run(save_dir: Path) -> None:
        _engine(kind, save_dir).fit(skip_cv_checks=True, verbose=0)

    return run


def _stopped(save_dir: Path) -> None:
    engine = _engine("torch", save_dir)
    engine.fit(skip_cv_checks=True, callbacks=StopAt(), verbose=0)


RUNS: dict[str, Callable[[Path], None]] = {
    "serial": _whole("serial"),
    "paper": _whole("paper"),
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
