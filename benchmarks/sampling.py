"""What sampling costs: with a cover, by plain rejection, and in PySHAC 0.3.5.1, in one run.

    python benchmarks/sampling.py               everything; about half an hour
    python benchmarks/sampling.py --rows Branin 'Levy 10-d W=20'  two rows
    python benchmarks/sampling.py --no-old      without 0.3.5.1

Prints the tables, and writes them to benchmarks/results/ and the plot to docs/images/. Cascades,
which take most of the time, are kept in ~/.cache/pyshac-benchmarks (or where
PYSHAC_BENCHMARK_CACHE says), so that a run that was interrupted continues.
Our own times are processor time of one thread, so that other programs on the machine do not
count; 0.3.5.1's are wall time. Only ratios mean anything elsewhere.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyshac_0351
import tasks
import xgboost

import pyshac
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.features import Features
from pyshac.core.classifiers.training import train_classifier
from pyshac.core.hyperparameters.space.prior_scaling import PriorScaling
from pyshac.core.sampling.proposal_planner import ProposalPlanner
from pyshac.core.sampling.proposals import Proposals
from pyshac.core.sampling.region import AcceptedRegion
from pyshac.core.search import stages as search_stages

RESULTS = Path(__file__).parent / "results"
IMAGES = Path(__file__).parents[1] / "docs" / "images"
NUM_SAMPLES = 100
CLASSIFIERS = (6, 9, 12, 15, 18)
OLD_CLASSIFIERS = (3, 4, 5, 6, 7, 8)
MEASURED_SECONDS = 10.0
OLD_TIMEOUT = 60.0
# Classifiers and samples, until it is done within that time.
OLD_DRAWS = ((min(CLASSIFIERS), NUM_SAMPLES), (min(CLASSIFIERS), 10), (3, 10))

ROWS: list[tuple[Callable[[], tasks.Task], int]] = [
    (tasks.branin, 10),
    (tasks.hartmann6, 10),
    (tasks.hartmann6, 50),
    (tasks.levy, 20),
    (tasks.levy, 100),
    (tasks.choices, 10),
    (tasks.mixed50, 50),
]


@dataclass
class Row:
    """One line of the table; seconds are for 100 accepted samples.

    Attributes:
        task: Name of the task.
        batch: W, samples in a batch.
        classifiers: K.
        sampler: Seconds with the default sampler, building excluded.
        building: Seconds to build its cover; 0 where it takes none.
        plain: Seconds by plain vectorised rejection.
        is_measured: Whether all of this ran to its end; else what takes long was computed from
            the rate of its proposals and the accepted share.
        floor: Seconds XGBoost needs to classify the 100 samples once with all classifiers.
        acceptance: Accepted share of the default sampler's proposals.
        fewer: How many times fewer proposals that takes than plain rejection.
        old: Seconds that PySHAC 0.3.5.1 needs; NaN where it was left out.
        old_is_measured: Whether it did that. Else its time was computed: for fewer samples or
            classifiers it was measured, and each classifier doubles it.
    """

    task: str
    batch: int
    classifiers: int
    sampler: float
    building: float
    plain: float
    is_measured: bool
    floor: float
    acceptance: float
    fewer: float
    old: float = math.nan
    old_is_measured: bool = False


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """Returns the processor time of a call, and its result."""
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def median_seconds(call: Callable[[], Any], repeats: int = 5) -> float:
    """Returns the median processor time of several calls."""
    return float(np.median([seconds(call)[0] for _ in range(repeats)]))


def cache() -> Path:
    """Where trained cascades are kept."""
    default = Path.home() / ".cache" / "pyshac-benchmarks"
    return Path(os.environ.get("PYSHAC_BENCHMARK_CACHE", default))


def train_engine(task: tasks.Task, batch_size: int, num_classifiers: int) -> pyshac.SHAC:
    """Trains a cascade as the default method does, with stages of one batch; or continues to.

    Not every batch brings a classifier: the longest such run may end with fewer.
    """
    name = f"{task.name} W={batch_size}".replace(" ", "-")
    folder = cache() / f"cascades-{pyshac.__version__}" / name
    engine = pyshac.SHAC(
        task.space,
        batch_size * (2 * num_classifiers + 1),
        2 * num_classifiers + 1,
        objective="min",
        max_classifiers=num_classifiers,
        save_dir=folder,
    )
    if folder.exists():
        engine.restore_data()
    else:
        engine.set_seed(0)
    engine.set_num_parallel_generators(1)
    while len(engine.classifiers) < num_classifiers and (batch := engine.ask()):
        rows = [task.space.encode(task.space.to_row(sample)) for sample in batch]
        engine.tell(batch, task.score(np.array(rows)).tolist())
    return engine


def train_cascade(task: tasks.Task, batch_size: int, num_classifiers: int) -> Cascade:
    """Returns the cascade of `train_engine`."""
    engine = train_engine(task, batch_size, num_classifiers)
    return Cascade(engine.classifiers[:num_classifiers], Features(PriorScaling(task.space)))


def measure(task: tasks.Task, batch_size: int, cascade: Cascade) -> Row:
    """Measures one line of the table."""
    # The first question to a classifier that was loaded takes longer.
    cascade.accepts(task.space.draw(1, np.random.SeedSequence(0)), forgiven=len(cascade))
    building, proposals = seconds(lambda: ProposalPlanner(task.space).plan(cascade))
    prior = Proposals(task.space)
    acceptance = estimate_acceptance(proposals, cascade)
    region = AcceptedRegion(ProposalPlanner(task.space), cascade)
    drawing, drawing_is_measured = measure_draw(
        lambda n: region.draw(NUM_SAMPLES, np.random.SeedSequence(n)),
        rate(proposals, cascade) * NUM_SAMPLES / acceptance,
    )
    plain, plain_is_measured = measure_draw(
        lambda n: draw_plainly(prior, cascade, n),
        rate(prior, cascade) * NUM_SAMPLES / (acceptance * proposals.volume),
    )
    rows = proposals.accepted(Cascade(), NUM_SAMPLES, np.random.SeedSequence(1))
    samples = cascade.features(rows)
    return Row(
        task.name,
        batch_size,
        len(cascade),
        drawing,
        building,
        plain,
        drawing_is_measured and plain_is_measured,
        median_seconds(lambda: [c.margin(samples) for c in cascade]),
        acceptance,
        1 / proposals.volume,
    )


def rate(proposals: Proposals, cascade: Cascade) -> float:
    """Seconds that one proposal takes."""
    size = proposals.largest_block
    return (
        median_seconds(lambda: proposals.accepted(cascade, size, np.random.SeedSequence(3)), 3)
        / size
    )


def measure_draw(draw: Callable[[int], Any], expected: float) -> tuple[float, bool]:
    """Median seconds of a draw after a first one; the expected ones if that takes long."""
    if expected > MEASURED_SECONDS:
        return expected, False
    draw(0)
    return float(np.median([seconds(lambda n=n: draw(n))[0] for n in (1, 2, 3)])), True


def draw_plainly(prior: Proposals, cascade: Cascade, seed: int) -> None:
    """Draws 100 samples by plain vectorised rejection, in blocks of fixed size."""
    size = min(prior.largest_block, 64 * 2 ** len(cascade))
    found = block = 0
    while found < NUM_SAMPLES:
        found += len(prior.accepted(cascade, size, np.random.SeedSequence((seed, block))))
        block += 1


def estimate_acceptance(proposals: Proposals, cascade: Cascade, needed: int = 300) -> float:
    """Draws until some hundred proposals are accepted; returns the accepted share."""
    proposed = accepted = 0
    while accepted < needed and proposed < 2**23:
        stream = np.random.SeedSequence((7, proposed))
        accepted += len(proposals.accepted(cascade, 2**14, stream))
        proposed += 2**14
    return max(accepted, 1) / proposed


def old_seconds(task: tasks.Task, batch_size: int) -> dict[int, tuple[float, bool]]:
    """Seconds that PySHAC 0.3.5.1 takes, by the number of classifiers; whether it did that.

    Its classifiers are trained on the batches that ours were trained on.
    """
    dataset = train_engine(task, batch_size, max(CLASSIFIERS)).dataset
    stages = []
    for start in range(0, max(CLASSIFIERS) * batch_size, batch_size):
        batch = slice(start, start + batch_size)
        stages.append((list(map(list, dataset.X[batch])), list(dataset.Y[batch])))
    for num_classifiers, num_samples in OLD_DRAWS:
        measured = pyshac_0351.measure_draw(
            old_space(task.space), stages, num_classifiers, num_samples, OLD_TIMEOUT
        )
        if measured is not None:
            break
    else:
        return dict.fromkeys(CLASSIFIERS, (math.nan, False))
    seconds = measured.seconds * NUM_SAMPLES / num_samples
    trained = measured.num_classifiers
    return {
        k: (seconds * 2.0 ** (k - trained), k == trained and num_samples == NUM_SAMPLES)
        for k in CLASSIFIERS
    }


def old_space(space: pyshac.HyperParameterList) -> list[list[Any]]:
    """The space in the types of PySHAC 0.3.5.1, or those of its types that come closest."""
    described = []
    for parameter in space:
        config = {**parameter.get_config()}
        name, kind = config.pop("name"), type(parameter).__name__
        config.pop("seed")
        if kind.startswith("Integer"):
            values = list(range(config["min_value"], config["max_value"] + 1))
            described.append(["DiscreteHyperParameter", name, values])
        elif kind.startswith("LogUniform"):
            described.append(["UniformContinuousHyperParameter", name, *config.values(), True])
        else:
            described.append([kind, name, *config.values()])
    return described


def print_rows(rows: list[Row]) -> None:
    """Prints the table; `~` marks what was computed instead of measured."""
    names = ["task", "W", "K", "cover", "building", "plain", "floor", "x floor", "accepted",
             "fewer", "(cover+building)/plain", "0.3.5.1"]  # fmt: skip
    print("| " + " | ".join(names) + " |\n|" + "---|" * len(names))
    for row in rows:
        numbers = [row.sampler, row.building, row.plain, row.floor, row.sampler / row.floor]
        numbers += [row.acceptance, row.fewer, (row.sampler + row.building) / row.plain, row.old]
        cells = [f"{number:.3g}" for number in numbers]
        for column in (0, 2):
            if not row.is_measured and numbers[column] > MEASURED_SECONDS:
                cells[column] = f"~{cells[column]}"
        if not row.old_is_measured:
            cells[-1] = f"~{cells[-1]}"
        names = [row.task, str(row.batch), str(row.classifiers)]
        print("| " + " | ".join(names + cells) + " |", flush=True)


def write_rows(rows: list[Row], path: Path) -> None:
    """Writes the table as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def compare_fit() -> None:
    """A whole fit, N=200, M=20, serial, against the training of its classifiers alone."""
    training: list[float] = []

    def timed_training(*args: Any) -> Any:
        elapsed, result = seconds(lambda: train_classifier(*args))
        training.append(elapsed)
        return result

    with tempfile.TemporaryDirectory() as folder:
        engine = branin_engine(200, 20, folder)
        with mock.patch.object(search_stages, "train_classifier", timed_training):
            whole, _ = seconds(engine.fit)
    print(
        f"\nWhole fit of Branin, N=200, M=20, serial: {whole:.2f} s, {whole / sum(training):.2f} "
        f"times training its {len(engine.classifiers)} classifiers"
    )


def branin_engine(total_budget: int, num_batches: int, folder: str) -> pyshac.SHAC:
    """An engine that minimises Branin serially."""
    task = tasks.branin()

    def evaluate(worker_id: int, parameters: dict[str, float]) -> float:
        return float(task.score(np.array([list(parameters.values())]))[0])

    engine = pyshac.SHAC(
        evaluate, task.space, total_budget, num_batches, objective="min", save_dir=folder
    )
    engine.set_seed(0)
    engine.set_num_parallel_evaluators(1)
    engine.concurrent_evaluators()
    engine.set_num_parallel_generators(1)
    return engine


def wall_seconds(call: Callable[[], Any]) -> float:
    """Returns the wall time of a call, as 0.3.5.1 is measured."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def compare_with_old() -> None:
    """Fit with 9 classifiers, and 5 samples through 17, against PySHAC 0.3.5.1 on Branin."""
    with tempfile.TemporaryDirectory() as folder:
        ours_fit = wall_seconds(branin_engine(100, 10, folder).fit)
    old_fit = pyshac_0351.fit_seconds(9, seed=0, timeout=300)
    if old_fit is None:
        measured = {k: pyshac_0351.fit_seconds(k, 0, timeout=120) for k in (4, 5, 6, 7)}
        old_fit = pyshac_0351.extrapolate({k: s for k, s in measured.items() if s}, 9)
    print(f"\nfit, 9 classifiers: {ours_fit:.2f} s, 0.3.5.1 {old_fit:.1f} s, "
          f"ratio {old_fit / ours_fit:.0f}")  # fmt: skip
    measured = {}
    for k in OLD_CLASSIFIERS:
        old = pyshac_0351.predict_seconds(k, 20, timeout=60)
        if old is not None:
            measured[k] = old / 4
    old_predict = pyshac_0351.extrapolate(measured, 17)
    cascade = train_cascade(tasks.branin(), 10, max(CLASSIFIERS)).first(17)
    region = AcceptedRegion(ProposalPlanner(tasks.branin().space), cascade)
    first = wall_seconds(lambda: region.draw(5, np.random.SeedSequence(0)))
    again = wall_seconds(lambda: region.draw(5, np.random.SeedSequence(1)))
    print(
        f"predict, 5 samples, 17 classifiers: {first:.3f} s with building the cover, {again:.4f} s "
        f"after that; 0.3.5.1 {old_predict:.0f} s (extrapolated from {sorted(measured)}), "
        f"ratios {old_predict / first:.0f} and {old_predict / again:.0f}"
    )


def plot(rows: list[Row]) -> None:
    """Draws cost against the number of classifiers, on a logarithmic scale."""
    from matplotlib.figure import Figure

    keys = list(dict.fromkeys((row.task, row.batch) for row in rows))
    figure = Figure(figsize=(5.2, 8.5), layout="constrained")
    grid = figure.subplots(4, 2, sharex=True, sharey=True)
    for axes, key in zip(grid.flat, keys, strict=False):
        line = [row for row in rows if (row.task, row.batch) == key]
        k = [row.classifiers for row in line]
        axes.plot(k, [row.plain for row in line], "s--", color="#D55E00", label="plain rejection")
        axes.plot(k, [row.sampler for row in line], "o-", color="#0072B2", label="PySHAC")
        axes.plot(k, [row.floor for row in line], "^:", color="#555555", label="floor")
        axes.set(title=f"{key[0]}, W = {key[1]}", yscale="log", xticks=CLASSIFIERS)
    for axes in grid.flat[len(keys) :]:
        axes.set_axis_off()
    figure.supxlabel("classifiers")
    figure.supylabel("seconds for 100 accepted samples")
    grid.flat[len(keys)].legend(*grid.flat[0].get_legend_handles_labels(), loc="center")
    IMAGES.mkdir(parents=True, exist_ok=True)
    figure.savefig(IMAGES / "sampling.png", dpi=150)


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", default=[""], help="only rows that start so")
    parser.add_argument("--no-old", action="store_true", help="leave PySHAC 0.3.5.1 out")
    arguments = parser.parse_args()
    print(
        f"{datetime.date.today()}, PySHAC {pyshac.__version__}, XGBoost {xgboost.__version__}, "
        f"NumPy {np.__version__}, Python {platform.python_version()}\n"
    )
    rows: list[Row] = []
    for make_task, batch_size in ROWS:
        task = make_task()
        name = f"{task.name} W={batch_size}"
        if not any(name.startswith(start) for start in arguments.rows):
            continue
        cascade = train_cascade(task, batch_size, max(CLASSIFIERS))
        trained = [k for k in CLASSIFIERS if k <= len(cascade)]
        new = [measure(task, batch_size, cascade.first(k)) for k in trained]
        if not arguments.no_old:
            old = old_seconds(task, batch_size)
            new = [
                replace(row, old=old[row.classifiers][0], old_is_measured=old[row.classifiers][1])
                for row in new
            ]
        print_rows(new)
        rows += new
    write_rows(rows, RESULTS / "sampling.csv")
    plot(rows)
    compare_fit()
    if not arguments.no_old:
        compare_with_old()


if __name__ == "__main__":
    main()
