"""A run of very many evaluations that cost nothing: what the library itself costs, and holds.

python -m tests.faults.load --evaluations 100000 --batches 100 --slots 4 --backend loky
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import psutil

from pyshac import SHAC, AbstractHyperParameter, Callback, DiscreteHP, UniformHP
from pyshac.core.search.paces.pace import PACES


def score(worker_id: int, parameters: dict) -> float:
    return parameters["x"] ** 2 + parameters["y"] + (parameters["kind"] == "a")


def make_space() -> list[AbstractHyperParameter]:
    return [UniformHP("x", -5.0, 5.0), UniformHP("y", 0.0, 1.0), DiscreteHP("kind", ["a", "b"])]


class Meter(Callback):
    """Notes time and memory at the end of every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.times = [time.monotonic()]
        self.processor_times = [time.process_time()]
        self.engine_bytes: list[int] = []
        self.worker_bytes: list[int] = []

    def on_epoch_end(self, epoch, logs=None) -> None:
        self.times.append(time.monotonic())
        self.processor_times.append(time.process_time())
        process = psutil.Process()
        self.engine_bytes.append(process.memory_info().rss)
        held = 0
        for child in process.children(recursive=True):
            try:
                held = max(held, child.memory_info().rss)
            except psutil.NoSuchProcess:
                continue
        self.worker_bytes.append(held)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evaluations", type=int, default=100_000)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--slots", type=int, default=4)
    parser.add_argument("--backend", default="loky")
    parser.add_argument("--pace", default="batch", choices=PACES)
    options = parser.parse_args(arguments)
    meter = Meter()
    with tempfile.TemporaryDirectory() as folder:
        engine = SHAC(
            score, make_space(), options.evaluations, options.batches, "min",
            save_dir=Path(folder) / "run", pace=options.pace,
        )  # fmt: skip
        engine.set_seed(1)
        engine.evaluator_backend = options.backend
        engine.num_parallel_evaluators = options.slots
        # All in one process, so that its processor time is what the library costs.
        engine.num_parallel_generators = 1
        engine.limit_memory = True
        engine.fit(callbacks=meter)
        print(f"{len(engine.dataset)} evaluations, {len(engine.classifiers)} classifiers")
    show(meter, options.evaluations // options.batches)
    return 0


def show(meter: Meter, num_workers: int) -> None:
    """Prints one line for each tenth of the run."""
    batches = len(meter.engine_bytes)
    for tenth in range(10):
        start, stop = tenth * batches // 10, (tenth + 1) * batches // 10
        count = (stop - start) * num_workers / 1000
        wall = (meter.times[stop] - meter.times[start]) / count
        processor = (meter.processor_times[stop] - meter.processor_times[start]) / count
        print(
            f"tenth {tenth + 1}: {wall:.2f} ms an evaluation, {processor:.2f} ms of the engine's "
            f"processor, engine {max(meter.engine_bytes[start:stop]) / 1e6:.0f} MB, largest "
            f"worker {max(meter.worker_bytes[start:stop]) / 1e6:.0f} MB"
        )


if __name__ == "__main__":
    raise SystemExit(main())
