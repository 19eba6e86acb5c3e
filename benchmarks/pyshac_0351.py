"""The published PySHAC 0.3.5.1 as a contender of the benchmarks, kept in an environment of its own.

Imported, this module builds that environment once (``environment``), and times there the ``fit``
and the ``predict`` of PySHAC 0.3.5.1 on the Branin function, minimised, with batches of ten
evaluations made one after the other. Each measurement is one call of the environment's interpreter
on this same file, which reads a JSON request and writes a JSON answer.

Three names that 0.3.5.1 uses have gone from current Python, NumPy and scikit-learn releases. They
are put back around it, and its own code is left as it was published:

- ``collections.Iterable`` and ``numpy.object``, by a start-up file of the environment, so that the
  worker processes of its parallel generators find them too;
- ``StratifiedKFold`` with a ``random_state`` but no shuffling, where the state was without effect.

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
import importlib
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

FOLDER_VARIABLE = "PYSHAC_0351_ENVIRONMENT"
VERSION = "0.3.5.1"
BATCH_SIZE = 10
# With this seed and the XGBoost pinned below, the cascades of ``measure_predict`` pass between 0.8
# and 1.6 times the share 2**-k of the space, up to 11 classifiers. Others pass 0.3 or 4 times that.
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
_CHUNK = 1 << 14
_ACCEPTANCE_CHUNKS = 16


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
    ``PYSHAC_0351_ENVIRONMENT`` names another.

    Raises:
        subprocess.CalledProcessError: If ``pip`` could not install a package.
    """
    default = Path.home() / ".cache" / "pyshac-benchmarks" / f"pyshac-{VERSION}"
    folder = Path(os.environ.get(FOLDER_VARIABLE) or default).expanduser().absolute()
    recipe = "\n".join((*_DEPENDENCIES, *_WITHOUT_DEPENDENCIES, _START_UP))
    built = folder / "built-from.txt"
    if not built.exists() or built.read_text(encoding="utf-8") != recipe:
        _build(folder)
        built.write_text(recipe, encoding="utf-8")
    return folder


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


def _build(folder: Path) -> None:
    """Creates the virtual environment, or completes one left unfinished."""
    venv.create(folder, with_pip=True)
    pip = [str(_interpreter(folder)), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, *_DEPENDENCIES], check=True)
    subprocess.run([*pip, "--no-deps", *_WITHOUT_DEPENDENCIES], check=True)
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    start_up = folder / "lib" / python / "site-packages" / "pyshac_0351_names.pth"
    start_up.write_text(_START_UP, encoding="utf-8")


def _interpreter(folder: Path) -> Path:
    """Returns the path of the interpreter of the environment in ``folder``."""
    return folder / "bin" / "python"


def _fastest(measurements: list[Measurement | None]) -> float | None:
    """Returns the fewest seconds among the measurements that came to an end, if any did."""
    return min((m.seconds for m in measurements if m is not None), default=None)


def _ask(request: dict[str, Any], timeout: float | None) -> Measurement | None:
    """Runs this file in the environment on one request, in a scratch folder.

    The call leads a process group of its own, so that giving it up ends its workers as well.

    Raises:
        RuntimeError: If the call failed; the message ends with what it last said.
    """
    command = [str(_interpreter(environment())), str(Path(__file__).resolve())]
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


def main() -> None:
    """Answers the request on standard input; run by the interpreter of the environment.

    PySHAC and its workers print their progress, so standard output is first turned to standard
    error and only the answer goes to where it led.
    """
    request = json.load(sys.stdin)
    answer = os.dup(1)
    os.dup2(2, 1)
    tasks: dict[str, Callable[..., Measurement]] = {
        "fit": _fit,
        "predict": _predict,
        "draw": _draw,
    }
    measurement = tasks[request.pop("task")](**request)
    os.write(answer, json.dumps(asdict(measurement)).encode())


def _fit(num_classifiers: int, seed: int, generators: Generators) -> Measurement:
    """Times one ``fit``."""
    engine = _engine(num_classifiers, generators)
    # The engine seeds its n-th draw with seed + n: neighbouring seeds would share their points.
    engine.set_seed(seed * 10_007 % 1_000_000_000)
    start = time.perf_counter()
    engine.fit(lambda _, point: _branin(point["x1"], point["x2"]), skip_cv_checks=False)
    return _measurement(engine, generators, time.perf_counter() - start)


def _predict(
    num_classifiers: int, num_samples: int, seed: int, generators: Generators
) -> Measurement:
    """Trains a cascade, then times one ``predict`` through it."""
    engine = _engine(num_classifiers, generators)
    _train_cascade(engine, num_classifiers, np.random.default_rng(seed))
    return _measurement(engine, generators, _predict_seconds(engine, num_samples))


def _draw(
    space: Space,
    stages: Sequence[Stage],
    num_classifiers: int,
    num_samples: int,
    generators: Generators,
) -> Measurement:
    """Trains a cascade of given samples, then times one ``predict`` through it."""
    engine = _engine(num_classifiers, generators, space)
    for points, scores in stages:
        if len(engine.classifiers) == num_classifiers:
            break
        for point, score in zip(points, scores, strict=True):
            engine.dataset.add_sample(point, score)
        samples = engine._prepare_train_dataset(np.array(points, dtype=object), np.array(scores))
        # One split means no cross-validation: what is timed here is the cascade, whatever it is.
        classifier = engine._train_classifier(*samples, num_splits=1)
        if classifier is not None:
            engine.classifiers.append(classifier)
    seconds = _predict_seconds(engine, num_samples)
    return Measurement(seconds, generators, len(engine.classifiers), math.nan)


def _predict_seconds(engine: Any, num_samples: int) -> float:
    """Times one ``predict``."""
    start = time.perf_counter()
    points = engine.predict(num_samples=num_samples)
    seconds = time.perf_counter() - start
    if len(points) != num_samples:
        raise RuntimeError(f"predict gave {len(points)} points instead of {num_samples}")
    return seconds


BRANIN: Space = (("UniformHP", "x1", -5.0, 10.0), ("UniformHP", "x2", 0.0, 15.0))


def _engine(num_classifiers: int, generators: Generators, space: Space = BRANIN) -> Any:
    """Makes an engine of PySHAC 0.3.5.1 that may train ``num_classifiers``."""
    pyshac: Any = importlib.import_module("pyshac")
    if pyshac.__version__ != VERSION:
        raise RuntimeError(f"PySHAC {VERSION} expected, found {pyshac.__version__}")
    _put_back_folds()
    num_batches = num_classifiers + 1
    engine = pyshac.SHAC(
        [getattr(pyshac, kind)(*arguments) for kind, *arguments in space],
        total_budget=num_batches * BATCH_SIZE,
        num_batches=num_batches,
        objective="min",
    )
    engine.set_num_parallel_evaluators(1)
    engine.concurrent_evaluators()
    if generators == "serial":
        engine.set_num_parallel_generators(1)
        engine.generator_backend = "threading"
    return engine


def _put_back_folds() -> None:
    """Lets PySHAC ask for unshuffled folds with a random state, which is left out."""
    training: Any = importlib.import_module("pyshac.utils.xgb_utils")
    folds: Any = importlib.import_module("sklearn.model_selection").StratifiedKFold
    training.StratifiedKFold = lambda n_splits, random_state: folds(n_splits)


def _train_cascade(engine: Any, num_classifiers: int, rng: np.random.Generator) -> None:
    """Trains the engine's classifiers one by one, each on a batch that passes the earlier ones.

    Like ``fit``, goes on with another batch when no classifier passes cross-validation on one.
    """
    while len(engine.classifiers) < num_classifiers:
        points = _passing_batch(engine, rng)
        scores = np.array([_branin(x1, x2) for x1, x2 in points.tolist()])
        for point, score in zip(points.tolist(), scores.tolist(), strict=True):
            engine.dataset.add_sample(point, score)
        classifier = engine._train_classifier(*engine._prepare_train_dataset(points, scores))
        if classifier is not None:
            engine.classifiers.append(classifier)


def _passing_batch(engine: Any, rng: np.random.Generator) -> np.ndarray:
    """Draws one batch uniformly among the points that pass all classifiers of the engine."""
    batch = np.empty((0, 2))
    while len(batch) < BATCH_SIZE:
        batch = np.concatenate((batch, _passing(engine, rng)))
    return batch[:BATCH_SIZE]


def _passing(engine: Any, rng: np.random.Generator) -> np.ndarray:
    """Draws a chunk of points uniformly and keeps those that pass all classifiers."""
    points = rng.uniform((-5.0, 0.0), (10.0, 15.0), size=(_CHUNK, 2))
    for classifier in engine.classifiers:
        if len(points):
            points = points[classifier.predict(points) == 1]
    return points


def _measurement(engine: Any, generators: Generators, seconds: float) -> Measurement:
    """Describes a timed call once it is over."""
    rng = np.random.default_rng(0)
    passed = sum(len(_passing(engine, rng)) for _ in range(_ACCEPTANCE_CHUNKS))
    acceptance = passed / (_CHUNK * _ACCEPTANCE_CHUNKS)
    return Measurement(seconds, generators, len(engine.classifiers), acceptance)


def _branin(x1: float, x2: float) -> float:
    """Returns the value of the Branin function, whose minimum is about 0.398."""
    valley = x2 - 5.1 * x1**2 / (4.0 * math.pi**2) + 5.0 * x1 / math.pi - 6.0
    return valley**2 + 10.0 * (1.0 - 1.0 / (8.0 * math.pi)) * math.cos(x1) + 10.0


if __name__ == "__main__":
    main()
