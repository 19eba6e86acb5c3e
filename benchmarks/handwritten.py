"""What is written here that a library has, beside that library: time, memory, and what it refuses.

python benchmarks/handwritten.py    # lines of figures; what is not installed is left out

Needs, besides PySHAC: pandas, py-ubjson, rich, tabulate.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

# As the library itself limits BLAS.
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

REPETITIONS = 3


def seconds(function: Callable[[], Any]) -> float:
    """Returns the least processor time of a few calls, since others may use the cores, too."""
    times = []
    for _ in range(REPETITIONS):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def milliseconds(function: Callable[[], Any]) -> str:
    return f"{1e3 * seconds(function):.1f} ms"


def peak_megabytes(function: Callable[[], Any]) -> float:
    """Returns the largest amount of memory that Python and NumPy held during a call."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def show(name: str, ours: str, theirs: str) -> None:
    print(f"{name:50} {ours:>22} {theirs:>30}")


def gaussian_process(number: int = 100) -> None:
    """Fits noisy values in eight dimensions, predicts 4,096 points, and adds 8 points."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    from pyshac.core.selection.gaussian_process import GaussianProcess

    random = np.random.default_rng(0)
    points, others, more = (random.random((n, 8)) for n in (number, 4096, 8))
    values = ((points - 0.3) ** 2)[:, :3].sum(axis=1) + 0.05 * random.normal(size=number)
    values = (values - values.mean()) / values.std()

    def fit_own() -> Any:
        return GaussianProcess(points, np.arange(8), values)

    def fit_other() -> Any:
        kernel = ConstantKernel() * Matern(np.full(8, 0.5), nu=2.5) + WhiteKernel(0.05)
        return GaussianProcessRegressor(kernel).fit(points, values)

    own, other = fit_own(), fit_other()
    name = f"Gaussian process, {number} points,"
    show(f"{name} fit", milliseconds(fit_own), milliseconds(fit_other))
    show(
        f"{name} predict",
        milliseconds(lambda: own.predict(others)),
        milliseconds(lambda: other.predict(others, return_std=True)),
    )
    show(f"{name} 8 more points", milliseconds(lambda: own.believing(more)), "fits again")


def ubjson() -> None:
    """Reads a model of XGBoost, and 9 bytes that claim to be four million values."""
    import xgboost

    from pyshac.core.classifiers import ubjson as own

    random = np.random.default_rng(0)
    inputs = random.random((400, 8))
    model = xgboost.train(
        {"max_depth": 3, "verbosity": 0}, xgboost.DMatrix(inputs, inputs[:, 0] > 0.5), 200
    )
    data = bytes(model.save_raw("ubj"))
    hostile = b"[$Z#l" + (2**22).to_bytes(4, "big")

    def refused() -> None:
        try:
            own.decode(hostile)
        except ValueError:
            return
        raise AssertionError("it was not refused")

    other = importlib.import_module("ubjson")
    name = f"UBJSON, a model of {len(data) // 1000} kB"
    show(name, milliseconds(lambda: own.decode(data)), milliseconds(lambda: other.loadb(data)))
    text = bytes(model.save_raw("json"))
    name = f"the same as JSON, {len(text) // 1000} kB, by Python's json"
    show(name, "", milliseconds(lambda: json.loads(text)))
    own_peak, other_peak = peak_megabytes(refused), peak_megabytes(lambda: other.loadb(hostile))
    show("UBJSON, 9 hostile bytes", f"{own_peak:.2f} MB, refused", f"{other_peak:.1f} MB")


def quantile_tables() -> None:
    """Draws 100,000 values of a distribution whose quantiles SciPy finds by searching."""
    from scipy import stats

    from pyshac import DistributionHP

    unit = np.random.default_rng(0).random(100_000)
    distribution = stats.gausshyper(2, 3, 1, 0.5)
    start = time.process_time()
    parameter = DistributionHP("x", distribution)
    made = time.process_time() - start
    drawn = seconds(lambda: parameter._quantile(unit))
    # A share of the draws is timed.
    few = unit[:100]
    searched = seconds(lambda: distribution.ppf(few)) * len(unit) / len(few)
    ours = f"{made:.1f} s, then {drawn:.3f} s"
    show("quantiles of gausshyper, 100,000 draws", ours, f"{searched:.0f} s")


def imports() -> None:
    """What a display or a reader of CSV costs before it does anything, in a fresh process."""
    for ours, theirs in (("tqdm", "rich.progress"), ("csv", "pandas")):
        cells = [_import_cost(module) for module in (ours, theirs)]
        show(f"import {ours}, {theirs}", *cells)


def _import_cost(module: str) -> str:
    code = (
        "import time, psutil; p = psutil.Process(); m = p.memory_info().rss;"
        "s = time.process_time();"
        f"import {module}; print(time.process_time() - s, (p.memory_info().rss - m) / 1e6)"
    )
    outputs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(REPETITIONS)
    ]
    cost = min(tuple(map(float, each.stdout.split())) for each in outputs)
    return f"{1e3 * cost[0]:.0f} ms, {cost[1]:.0f} MB"


def tables() -> None:
    """What is left of values that are texts: of '1.50', True and None beside '007'."""
    import io

    import pandas
    import tabulate

    cells = ["007", "1.50", "True", "None"]
    read = pandas.read_csv(io.StringIO("c\n" + "\n".join(cells[:2])))["c"].tolist()
    show("CSV of the texts 007, 1.50", "['007', '1.50']", str(read))
    printed = tabulate.tabulate([[cell] for cell in cells[:2]], tablefmt="plain").split()
    show("table of the texts 007, 1.50", "['007', '1.50']", str(printed))
    wide = tabulate.tabulate([["x" * 30] * 8], tablefmt="plain")
    show("table of 8 columns, 30 wide, in a terminal of 80", "80 wide", f"{len(wide)} wide")


def main() -> None:
    warnings.simplefilter("ignore")
    show("", "here", "library")
    parts: list[tuple[Callable[[], None], tuple[str, ...]]] = [
        (gaussian_process, ()),
        (lambda: gaussian_process(400), ()),
        (ubjson, ("ubjson",)),
        (quantile_tables, ()),
        (imports, ("rich", "pandas")),
        (tables, ("tabulate", "pandas")),
    ]
    for part, packages in parts:
        missing = [name for name in packages if importlib.util.find_spec(name) is None]
        if missing:
            print(f"{part.__name__} needs {', '.join(missing)}")
        else:
            part()


if __name__ == "__main__":
    main()
