"""What many slots cost: an executor whose clock jumps from one end of an evaluation to the next.

    python benchmarks/slots.py                 everything; about ten minutes
    python benchmarks/slots.py --num 100000    fewer evaluations
    python benchmarks/slots.py --idle          only the share of idle slots

The library's own loop hands out samples and takes scores in; only the waiting is simulated. Prints
the tables, and writes them to benchmarks/results/ and the plot to docs/images/. Costs are processor
time of the process that runs the search, without what the workers would do. Only ratios mean
anything elsewhere.
"""

from __future__ import annotations

import argparse
import csv
import heapq
import math
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import pyshac
from pyshac.core.evaluation.backends import get_backend
from pyshac.core.evaluation.failures import FailurePolicy
from pyshac.core.evaluation.rounds import TaskFeed
from pyshac.core.evaluation.slot_pool import SlotPool
from pyshac.core.evaluation.worker import Evaluator, Task

RESULTS = Path(__file__).parent / "results"
IMAGES = Path(__file__).parents[1] / "docs" / "images"

NUM_EVALUATIONS = 1_000_000
BATCH = 10_000
SLOTS = (10, 100, 1_000, 10_000)
# Samples in a batch for each slot.
FACTORS = (1, 2, 4)
# Evaluation times are log-normal with this sigma: one of a hundred takes ten times the median.
SIGMA = 1.0
# Of the table of paces: with the first, one of a hundred takes three times the median.
SIGMAS = (0.5, 1.0)
SLOTS_OF_PACES = (8, 64, 1_000)
# 0 is a stream.
OPEN_BATCHES = (1, 2, 3, 4, 0)
# The shortest of the longest evaluations, in medians: one of twenty takes longer.
LIMIT = math.exp(1.645 * SIGMA)


# When an evaluation ends, its number, its future, and the call that evaluates it.
Running = tuple[float, int, Future[Any], Callable[..., Any], tuple[Any, ...]]


class SimulatedExecutor(Executor):
    """Evaluates in the caller's thread, in the order in which real workers would have ended.

    Args:
        slots: Evaluations that run at once.
        must_wait: Returns whether the caller, which has submitted so many evaluations, can submit
            no more before one ends, though slots are free.

    Attributes:
        busy: Seconds on the simulated clock that slots were busy, all together.
        clock: Seconds on the simulated clock.
        worker_seconds: Real processor time of what workers would have done.
    """

    def __init__(self, slots: int, must_wait: Callable[[int], bool]) -> None:
        self._slots, self._must_wait = slots, must_wait
        self._running: list[
            tuple[float, int, Future[Any], Callable[..., Any], tuple[Any, ...]]
        ] = []
        self._submitted = 0
        self.clock = self.busy = self.worker_seconds = 0.0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        start = time.process_time()
        seconds = args[1].parameters["seconds"]
        future: Future[Any] = Future()
        heapq.heappush(self._running, (self.clock + seconds, self._submitted, future, fn, args))
        self.busy += seconds
        self._submitted += 1
        self.worker_seconds += time.process_time() - start
        if len(self._running) == self._slots or self._must_wait(self._submitted):
            self._end_one()
        return future

    def _end_one(self) -> None:
        start = time.process_time()
        self.clock, _, future, function, args = heapq.heappop(self._running)
        result = function(*args)
        self.worker_seconds += time.process_time() - start
        future.set_result(result)

    def took(self, number: int) -> None:
        """Is told that the caller took so many results in; only then the next evaluation ends."""
        if self._must_wait(self._submitted):
            for _ in range(min(number, len(self._running))):
                self._end_one()


@dataclass
class Cost:
    """What the loop costs.

    Attributes:
        what: 'slots' alone, or all of 'fit' but sampling and training: also dataset, journal and
            callbacks.
        slots: Number of slots.
        batch: Samples in a batch.
        evaluations: Number of evaluations.
        microseconds: Processor time for each.
        early_megabytes: Resident memory after a tenth of them.
        late_megabytes: Resident memory after all.
    """

    what: str
    slots: int
    batch: int
    evaluations: int
    microseconds: float
    early_megabytes: float
    late_megabytes: float


@dataclass
class Idle:
    """The share of slot time that is spent waiting for the last evaluations of batches.

    Attributes:
        slots: Number of slots.
        factor: Samples in a batch for each slot.
        sigma: Of the logarithms of evaluation times.
        limit: Time limit in medians of the evaluation time, or infinity.
        open_batches: Number of batches that are open at once; 0 for a stream.
        idle: The share.
    """

    slots: int
    factor: int
    sigma: float
    limit: float
    open_batches: int
    idle: float


def evaluate(worker_id: int, parameters: dict[str, float]) -> float:
    return parameters["seconds"]


def tasks(number: int, seed: int, limit: float = math.inf, sigma: float = SIGMA) -> Iterator[Task]:
    """Samples that say how long they take; their numbers begin with those of batch `seed`."""
    seconds = np.random.default_rng(seed).lognormal(0.0, sigma, number)
    for index, each in enumerate(np.minimum(seconds, limit), seed * number):
        yield Task(index, OrderedDict(seconds=float(each)))


def run_batch(pool: SlotPool, executor: SimulatedExecutor, batch: Iterable[Task]) -> None:
    for outcomes in pool.run(batch):
        executor.took(len(outcomes))


def megabytes() -> float:
    return psutil.Process().memory_info().rss / 1e6


def cost_of_slots(slots: int, batch: int, number: int) -> Cost:
    """Evaluates in slots, and does nothing with the scores."""
    executor = SimulatedExecutor(slots, lambda submitted: submitted % batch == 0)
    early, seconds = 0.0, 0.0
    with SlotPool(Evaluator(), evaluate, slots, get_backend(executor), FailurePolicy()) as pool:
        for index in range(number // batch):
            samples = list(tasks(batch, index))
            start = time.process_time()
            run_batch(pool, executor, samples)
            seconds += time.process_time() - start
            if index == max(number // batch // 10 - 1, 0):
                early = megabytes()
    seconds -= executor.worker_seconds
    return Cost("slots", slots, batch, number, 1e6 * seconds / number, early, megabytes())


class Stopwatch(pyshac.Callback):
    """Measures the evaluations of a run, and lets the simulated ones end."""

    def __init__(self, executor: SimulatedExecutor) -> None:
        super().__init__()
        self.seconds = self.early = 0.0
        self._executor = executor

    def on_evaluation_begin(self, samples: Any, logs: Any = None) -> None:
        self._start = time.process_time()

    def on_sample_end(self, id: int, score: float, logs: Any = None) -> None:
        self._executor.took(1)

    def on_evaluation_ended(self, evaluations: Any, logs: Any = None) -> None:
        self.seconds += time.process_time() - self._start
        self.early = self.early or megabytes()


def cost_of_fit(slots: int, batch: int, number: int) -> Cost:
    """Evaluates as `fit` does, with dataset, journal and progress bar."""
    executor = SimulatedExecutor(slots, lambda submitted: submitted % batch == 0)
    stopwatch = Stopwatch(executor)
    space = [pyshac.UniformHP("seconds", 1.0, 2.0)]
    with tempfile.TemporaryDirectory(dir=shared_memory()) as folder:
        shac = pyshac.SHAC(
            evaluate, space, number, number // batch, max_classifiers=1, save_dir=folder
        )
        shac.set_num_parallel_evaluators(slots)
        shac.evaluator_backend = executor
        shac.fit(callbacks=stopwatch)
    seconds = stopwatch.seconds - executor.worker_seconds
    return Cost("fit", slots, batch, number, 1e6 * seconds / number, stopwatch.early, megabytes())


def shared_memory() -> str | None:
    """A folder in memory, where there is one: disks are not what is measured here."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def idle_share(
    slots: int,
    factor: int,
    limit: float = math.inf,
    open_batches: int = 1,
    sigma: float = SIGMA,
    number: int | None = None,
) -> Idle:
    """Lets slots evaluate batches, and looks how busy they were.

    A batch may begin when the one `open_batches` before it has ended; 0 for a stream, in which a
    slot never waits but at the end. Drawing and training take no time here.
    """
    size = slots * factor
    # Few slots make many short batches, whose ends differ.
    number = number or max(3, 5_000 // size)
    first = open_batches or number
    feed = TaskFeed(task for index in range(first) for task in tasks(size, index, limit, sigma))
    executor = SimulatedExecutor(slots, lambda submitted: not feed.waiting)
    left, closed = [size] * number, 0
    with SlotPool(Evaluator(), evaluate, slots, get_backend(executor), FailurePolicy()) as pool:
        for outcomes in pool.run(feed):
            for outcome in outcomes:
                left[outcome.task.id // size] -= 1
            while closed < number and not left[closed]:
                closed += 1
                if first + closed <= number:
                    feed.add(tasks(size, first + closed - 1, limit, sigma))
            executor.took(len(outcomes))
    busy = executor.busy / (slots * executor.clock)
    return Idle(slots, factor, sigma, limit, open_batches, 1 - busy)


def print_table(rows: list[Any]) -> None:
    names = list(asdict(rows[0]))
    print("| " + " | ".join(names) + " |\n|" + "---|" * len(names))
    for row in rows:
        cells = [f"{v:.3g}" if isinstance(v, float) else str(v) for v in asdict(row).values()]
        print("| " + " | ".join(cells) + " |")


def write_table(rows: list[Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(rows[0])))
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def draw_idle(rows: list[Idle], path: Path) -> None:
    """Plots the share of idle slot time over the number of slots."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.2, 5), layout="constrained")
    for factor, colour in zip(FACTORS, ("tab:red", "tab:orange", "tab:blue"), strict=True):
        for limit, style in ((math.inf, "o-"), (LIMIT, "o--")):
            line = [
                row
                for row in rows
                if (row.factor, row.limit, row.sigma, row.open_batches) == (factor, limit, SIGMA, 1)
            ]
            label = f"W / slots = {factor}"
            axes.plot(
                [row.slots for row in line],
                [100 * row.idle for row in line],
                style,
                color=colour,
                markerfacecolor=colour if limit == math.inf else "white",
                label=label + (",\nslowest 5 % stopped" if limit < math.inf else ""),
            )
    axes.set(xscale="log", xlabel="slots", ylabel="slot time spent idle (%)", ylim=(0, 100))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2, fontsize=9)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--num", type=int, default=NUM_EVALUATIONS, help="evaluations")
    parser.add_argument("--idle", action="store_true", help="only the share of idle slots")
    arguments = parser.parse_args()
    if not arguments.idle:
        measure_costs(arguments.num)
    measure_idle()


def measure_costs(number: int) -> None:
    costs = [cost_of_slots(slots, BATCH, number) for slots in (min(SLOTS), max(SLOTS))]
    costs += [cost_of_fit(slots, BATCH, number // 10) for slots in (min(SLOTS), max(SLOTS))]
    print_table(costs)
    write_table(costs, RESULTS / "slots_cost.csv")


def measure_idle() -> None:
    limits = (math.inf, LIMIT)
    drawn = [idle_share(s, factor, limit) for limit in limits for factor in FACTORS for s in SLOTS]
    paces = [
        idle_share(slots, 1, open_batches=open_batches, sigma=sigma, number=max(40, 5_000 // slots))
        for sigma in SIGMAS
        for open_batches in OPEN_BATCHES
        for slots in SLOTS_OF_PACES
    ]
    print_table(drawn + paces)
    write_table(drawn + paces, RESULTS / "slots_idle.csv")
    draw_idle(drawn, IMAGES / "idle-slots.png")


if __name__ == "__main__":
    main()
