"""The published PySHAC 0.3.5.1 as a contender of the benchmarks, kept in an environment of its own.

This module builds that environment once (``environment``), and times there the ``fit`` and the
``predict`` of PySHAC 0.3.5.1 on the Branin function, minimised, with batches of ten evaluations
made one after the other. Each measurement is one call of the environment's interpreter on
``inside_0351/measure.py``, which reads a JSON request and writes a JSON answer.

There are two kinds of environment. If ``PYSHAC_0351_PYTHON`` names a Python 3.6 or 3.7, it is built
from that, with packages of the time, and 0.3.5.1 runs as it was published. Otherwise it is built
from the current interpreter, with current packages. Three names that 0.3.5.1 uses have gone from
these. They are put back around it, and its own code is left as it was published:

- ``collections.Iterable`` and ``numpy.object``, by a start-up file of the environment, so that the
  worker processes of its parallel generators find them too;
- ``StratifiedKFold`` with a ``random_state`` but no shuffling, where the state was without effect.

The two kinds learn different classifiers from the same samples: XGBoost's defaults were trees of
depth 3 and a learning rate of 0.1, and are 6 and 0.3 now. The folds are the same.

0.3.5.1 draws candidates either in its main thread or in worker processes, its default. The latter
take a second or two to start and pay on long runs only, so ``fit_seconds`` and ``predict_seconds``
measure both and keep the faster.

The XGBoost models of 0.3.5.1 ask for ten threads to predict one row. That gains nothing, and costs
up to twenty times the time where the cores have other work: the calls are held to one OpenMP
thread, so that the contender does not suffer from a busy machine more than others do.

Only POSIX systems are supported.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

FOLDER_VARIABLE = "PYSHAC_0351_ENVIRONMENT"
PYTHON_VARIABLE = "PYSHAC_0351_PYTHON"
VERSION = "0.3.5.1"
# What the environment's interpreter runs: written for Python 3.6, too.
INSIDE = Path(__file__).resolve().parent / "inside_0351"
# With this seed, the cascades of ``measure_predict`` pass 0.8 to 1.6 times the share 2**-k of the
# space: up to 11 classifiers with the current XGBoost pinned below, and up to 9 (no more were
# tried) with that of its time. Others pass 0.3 or 4 times that.
CASCADE_SEED = 7

Generators = Literal["serial", "default"]
Space = Sequence[Sequence[Any]]
Stage = tuple[Sequence[Sequence[Any]], Sequence[float]]

_DEPENDENCIES = ("numpy<3", "pandas<4", "scikit-learn<2", "joblib<2", "six<2")
# XGBoost's own dependencies would add a GPU library that nothing here uses.
_WITHOUT_DEPENDENCIES = ("xgboost==3.2.0", f"pyshac=={VERSION}")
_START_UP = (
    "import collections, collections.abc, numpy; "
    "collections.Iterable = collections.abc.Iterable; "
    "numpy.object = object\n"
)
# The releases of its day, 2 June 2019, and all that they need. NumPy is the next one, of July: the
# cascades of ``measure_predict`` are trained on draws of its generators.
_OF_ITS_TIME = (
    "numpy==1.17.0", "scipy==1.3.0", "scikit-learn==0.21.2", "joblib==0.13.2", "xgboost==0.90",
    "pandas==0.24.2", "python-dateutil==2.8.0", "pytz==2019.1", "six==1.12.0",
    f"pyshac=={VERSION}",
)  # fmt: skip
_PYTHONS_OF_ITS_TIME = ("3.6", "3.7")


@dataclass(frozen=True)
class _Recipe:
    """What an environment is built from.

    Attributes:
        folder: Where it lies.
        python: The interpreter.
        dependencies: Packages to install with what they depend on.
        packages: Packages to install alone, after these.
        start_up: Line that the environment runs whenever its Python starts, the current version;
            none if empty.
    """

    folder: Path
    python: str
    dependencies: Sequence[str]
    packages: Sequence[str]
    start_up: str

    @property
    def text(self) -> str:
        """What is noted in the environment, to tell one that was built otherwise."""
        return "\n".join((*self.dependencies, *self.packages, self.start_up))


@dataclass(frozen=True)
class Measurement:
    """One timed call of PySHAC 0.3.5.1.

    Attributes:
        seconds: Wall time of the call itself, without start-up and imports.
        generators: How candidates were drawn.
        num_classifiers: How many classifiers the engine held at the end. ``fit`` may end with
            fewer than asked, since it skips those that fail its cross-validation.
        acceptance: Share of the search space that passes all of them, estimated from draws; about
            ``2 ** -num_classifiers`` if each halves what the earlier ones left. The time that
            ``predict`` takes is in inverse proportion to it.
    """

    seconds: float
    generators: Generators
    num_classifiers: int
    acceptance: float


def environment() -> Path:
    """Returns the folder of the virtual environment, which the first call creates.

    The folder is ``~/.cache/pyshac-benchmarks/pyshac-0.3.5.1`` unless the environment variable
    ``PYSHAC_0351_ENVIRONMENT`` names another. If ``PYSHAC_0351_PYTHON`` names an interpreter, the
    folder beside it is taken whose name ends with ``-python3.6`` or ``-python3.7`` in addition.

    Raises:
        ValueError: If ``PYSHAC_0351_PYTHON`` names no Python 3.6 or 3.7.
        subprocess.CalledProcessError: If a package could not be installed.
    """
    recipe = _recipe()
    built = recipe.folder / "built-from.txt"
    if not built.exists() or built.read_text(encoding="utf-8") != recipe.text:
        _build(recipe)
        built.write_text(recipe.text, encoding="utf-8")
    return recipe.folder


def interpreter() -> Path:
    """Returns the path of the environment's interpreter; see ``environment``."""
    return _interpreter(environment())


def fit_seconds(num_classifiers: int, seed: int, timeout: float | None = None) -> float | None:
    """Times a ``fit`` of ``(num_classifiers + 1) * 10`` evaluations, by the faster generators.

    Args:
        num_classifiers: How many classifiers the budget allows; see ``Measurement`` for why fewer
            may get trained, which ``measure_fit`` tells.
        seed: Seed of the search.
        timeout: Seconds after which each of the two calls is given up, or None for no limit.

    Returns:
        The seconds that ``fit`` took, or None if both calls were given up.
    """
    return _fastest([measure_fit(num_classifiers, seed, g, timeout) for g in get_args(Generators)])


def predict_seconds(
    num_classifiers: int,
    num_samples: int,
    timeout: float | None = None,
    seed: int = CASCADE_SEED,
) -> float | None:
    """Times a ``predict`` of ``num_samples`` points, by the faster generators.

    Args:
        num_classifiers: Length of the cascade that the points have to pass.
        num_samples: How many points to ask for.
        timeout: Seconds after which each of the two calls is given up, or None for no limit.
        seed: Seed of the cascade; see ``measure_predict``.

    Returns:
        The seconds that ``predict`` took, or None if both calls were given up.
    """
    return _fastest(
        [
            measure_predict(num_classifiers, num_samples, seed, g, timeout)
            for g in get_args(Generators)
        ]
    )


def measure_fit(
    num_classifiers: int,
    seed: int,
    generators: Generators = "serial",
    timeout: float | None = None,
) -> Measurement | None:
    """Times a ``fit`` of ``(num_classifiers + 1) * 10`` evaluations, cross-validation included.

    Args:
        num_classifiers: How many classifiers the budget allows.
        seed: Seed of the search.
        generators: How candidates are drawn.
        timeout: Seconds after which the call is given up, start-up included, or None for no limit.

    Returns:
        The measurement, or None if the call was given up.
    """
    request = {
        "task": "fit",
        "num_classifiers": num_classifiers,
        "seed": seed,
        "generators": generators,
    }
    return _ask(request, timeout)


def measure_predict(
    num_classifiers: int,
    num_samples: int,
    seed: int = CASCADE_SEED,
    generators: Generators = "serial",
    timeout: float | None = None,
) -> Measurement | None:
    """Times a ``predict`` of ``num_samples`` points through a cascade of ``num_classifiers``.

    The cascade is trained beforehand, untimed, by PySHAC's own training code, on batches drawn as
    ``fit`` draws them: uniformly among the points that pass the classifiers trained so far, but
    many at a time. A shorter cascade of the same seed is the beginning of a longer one.

    The engine itself stays unseeded here: seeded, its ``predict`` returns copies of its first
    points.

    Args:
        num_classifiers: Length of the cascade.
        num_samples: How many points to ask for.
        seed: Seed of the cascade.
        generators: How candidates are drawn.
        timeout: Seconds after which the call is given up, start-up and training included, or None
            for no limit.

    Returns:
        The measurement, or None if the call was given up.
    """
    request = {
        "task": "predict",
        "num_classifiers": num_classifiers,
        "num_samples": num_samples,
        "seed": seed,
        "generators": generators,
    }
    return _ask(request, timeout)


def measure_draw(
    space: Space,
    stages: Sequence[Stage],
    num_classifiers: int,
    num_samples: int,
    timeout: float | None = None,
) -> Measurement | None:
    """Times a ``predict`` in any space, by one generator, through a cascade of given samples.

    Args:
        space: The parameters: for each the name of its type in PySHAC 0.3.5.1 and its arguments.
        stages: Batches of points to train classifiers on, one each without cross-validation, and
            their scores. Those from which PySHAC makes no classifier are left out.
        num_classifiers: Length of the cascade; less if there are not so many stages.
        num_samples: How many points to ask for.
        timeout: Seconds after which the call is given up, start-up and training included, or None
            for no limit.

    Returns:
        The measurement, its acceptance unknown, or None if the call was given up.
    """
    request = {
        "task": "draw",
        "space": space,
        "stages": stages,
        "num_classifiers": num_classifiers,
        "num_samples": num_samples,
        "generators": "serial",
    }
    return _ask(request, timeout)


def extrapolate(measured: Mapping[int, float], k: int) -> float:
    """Estimates the seconds for ``k`` classifiers from those measured for fewer of them.

    The result is an extrapolation, not a measurement, and should be presented as one. It follows
    the line fitted by least squares to ``log2(seconds)`` against the number of classifiers. Fixed
    costs flatten that line: leave out numbers of classifiers so small that these dominate.

    Args:
        measured: Seconds by number of classifiers, for two numbers at least.
        k: The number of classifiers of interest.

    Returns:
        The estimated seconds.
    """
    logarithms = [math.log2(seconds) for seconds in measured.values()]
    slope, intercept = statistics.linear_regression(list(measured), logarithms)
    return float(2.0 ** (slope * k + intercept))


def _recipe() -> _Recipe:
    """Returns the recipe that the environment variables ask for."""
    default = Path.home() / ".cache" / "pyshac-benchmarks" / f"pyshac-{VERSION}"
    folder = Path(os.environ.get(FOLDER_VARIABLE) or default).expanduser().absolute()
    if named := os.environ.get(PYTHON_VARIABLE):
        python = str(Path(named).expanduser())
        folder = folder.with_name(f"{folder.name}-python{_version_of_its_time(python)}")
        return _Recipe(folder, python, (), _OF_ITS_TIME, "")
    return _Recipe(folder, sys.executable, _DEPENDENCIES, _WITHOUT_DEPENDENCIES, _START_UP)


@functools.cache
def _version_of_its_time(python: str) -> str:
    """Returns "3.6" or "3.7", whichever the interpreter ``python`` is.

    Raises:
        ValueError: If it is neither.
    """
    command = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        problem = f"which does not run as an interpreter ({error})"
    else:
        if found in _PYTHONS_OF_ITS_TIME:
            return found
        problem = f"which is Python {found}" if found else "which does not tell its version"
    raise ValueError(
        f"{PYTHON_VARIABLE} is {python!r}, {problem}; PySHAC {VERSION} runs as it was published on "
        f"Python {' and '.join(_PYTHONS_OF_ITS_TIME)} only: set {PYTHON_VARIABLE} to the path of "
        "such an interpreter, or unset it to run PySHAC on the current one, with names put back"
    )


def _build(recipe: _Recipe) -> None:
    """Creates the virtual environment, or completes one left unfinished."""
    subprocess.run([recipe.python, "-m", "venv", str(recipe.folder)], check=True)
    pip = [str(_interpreter(recipe.folder)), "-m", "pip", "install", "--quiet"]
    if recipe.dependencies:
        subprocess.run([*pip, *recipe.dependencies], check=True)
    subprocess.run([*pip, "--no-deps", *recipe.packages], check=True)
    if recipe.start_up:
        python = f"python{sys.version_info.major}.{sys.version_info.minor}"
        start_up = recipe.folder / "lib" / python / "site-packages" / "pyshac_0351_names.pth"
        start_up.write_text(recipe.start_up, encoding="utf-8")


def _interpreter(folder: Path) -> Path:
    """Returns the path of the interpreter of the environment in ``folder``."""
    return folder / "bin" / "python"


def _fastest(measurements: list[Measurement | None]) -> float | None:
    """Returns the fewest seconds among the measurements that came to an end, if any did."""
    return min((m.seconds for m in measurements if m is not None), default=None)


def _ask(request: dict[str, Any], timeout: float | None) -> Measurement | None:
    """Runs ``measure.py`` in the environment on one request, in a scratch folder.

    The call leads a process group of its own, so that giving it up ends its workers as well.

    Raises:
        RuntimeError: If the call failed; the message ends with what it last said.
    """
    command = [str(interpreter()), str(INSIDE / "measure.py")]
    variables = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    variables.pop("PYTHONPATH", None)
    with (
        tempfile.TemporaryDirectory() as scratch,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=scratch,
            env=variables,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            answer, complaints = process.communicate(json.dumps(request), timeout)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end_group(process)
    if process.returncode != 0:
        raise RuntimeError(f"PySHAC {VERSION} failed on {request}: ...{complaints[-2000:]}")
    return Measurement(**json.loads(answer))


def _end_group(process: subprocess.Popen[str]) -> None:
    """Ends the process and its workers, unless it has come to its end by itself."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
