"""Times one call of PySHAC 0.3.5.1.

Reads a JSON request from standard input and writes a JSON answer; `pyshac_0351.py` asks. Points are
those of the Branin function, minimised, unless a request has a space of its own.
"""

import json
import math
import os
import sys
import time
from typing import Any, Callable, Dict, Sequence, Tuple

import numpy as np
import published

Space = Sequence[Sequence[Any]]
Stage = Tuple[Sequence[Sequence[Any]], Sequence[float]]
Answer = Dict[str, Any]

BATCH_SIZE = 10
BRANIN: Space = (("UniformHP", "x1", -5.0, 10.0), ("UniformHP", "x2", 0.0, 15.0))
_CHUNK = 1 << 14
_ACCEPTANCE_CHUNKS = 16


def main() -> None:
    """Answers the request.

    PySHAC and its workers print their progress, so standard output is first turned to standard
    error and only the answer goes to where it led.
    """
    request = json.load(sys.stdin)
    answer = os.dup(1)
    os.dup2(2, 1)
    tasks: Dict[str, Callable[..., Answer]] = {"fit": _fit, "predict": _predict, "draw": _draw}
    os.write(answer, json.dumps(tasks[request.pop("task")](**request)).encode())


def _fit(num_classifiers: int, seed: int, generators: str) -> Answer:
    """Times one `fit`."""
    engine = _engine(num_classifiers, generators)
    # The engine seeds its n-th draw with seed + n: neighbouring seeds would share their points.
    engine.set_seed(seed * 10_007 % 1_000_000_000)
    start = time.perf_counter()
    engine.fit(lambda _, point: _branin(point["x1"], point["x2"]), skip_cv_checks=False)
    return _measured(engine, generators, time.perf_counter() - start)


def _predict(num_classifiers: int, num_samples: int, seed: int, generators: str) -> Answer:
    """Trains a cascade, then times one `predict` through it."""
    engine = _engine(num_classifiers, generators)
    _train_cascade(engine, num_classifiers, np.random.default_rng(seed))
    return _measured(engine, generators, _predict_seconds(engine, num_samples))


def _draw(
    space: Space,
    stages: Sequence[Stage],
    num_classifiers: int,
    num_samples: int,
    generators: str,
) -> Answer:
    """Trains a cascade of given samples, then times one `predict` through it."""
    engine = _engine(num_classifiers, generators, space)
    for points, scores in stages:
        if len(engine.classifiers) == num_classifiers:
            break
        for point, score in zip(points, scores):
            engine.dataset.add_sample(point, score)
        samples = engine._prepare_train_dataset(np.array(points, dtype=object), np.array(scores))
        # One split means no cross-validation: what is timed here is the cascade, whatever it is.
        classifier = engine._train_classifier(*samples, num_splits=1)
        if classifier is not None:
            engine.classifiers.append(classifier)
    seconds = _predict_seconds(engine, num_samples)
    return _answer(engine, generators, seconds, math.nan)


def _predict_seconds(engine: Any, num_samples: int) -> float:
    """Times one `predict`."""
    start = time.perf_counter()
    points = engine.predict(num_samples=num_samples)
    seconds = time.perf_counter() - start
    if len(points) != num_samples:
        raise RuntimeError(f"predict gave {len(points)} points instead of {num_samples}")
    return seconds


def _engine(num_classifiers: int, generators: str, space: Space = BRANIN) -> Any:
    """Makes an engine of PySHAC 0.3.5.1 that may train `num_classifiers`."""
    pyshac = published.load()
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


def _train_cascade(engine: Any, num_classifiers: int, rng: np.random.Generator) -> None:
    """Trains the engine's classifiers one by one, each on a batch that passes the earlier ones.

    Like `fit`, goes on with another batch when no classifier passes cross-validation on one.
    """
    while len(engine.classifiers) < num_classifiers:
        points = _passing_batch(engine, rng)
        scores = np.array([_branin(x1, x2) for x1, x2 in points.tolist()])
        for point, score in zip(points.tolist(), scores.tolist()):
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


def _measured(engine: Any, generators: str, seconds: float) -> Answer:
    """Describes a timed call once it is over."""
    rng = np.random.default_rng(0)
    passed = sum(len(_passing(engine, rng)) for _ in range(_ACCEPTANCE_CHUNKS))
    acceptance = passed / (_CHUNK * _ACCEPTANCE_CHUNKS)
    return _answer(engine, generators, seconds, acceptance)


def _answer(engine: Any, generators: str, seconds: float, acceptance: float) -> Answer:
    """Returns what makes a `pyshac_0351.Measurement`."""
    return {
        "seconds": seconds,
        "generators": generators,
        "num_classifiers": len(engine.classifiers),
        "acceptance": acceptance,
    }


def _branin(x1: float, x2: float) -> float:
    """Returns the value of the Branin function, whose minimum is about 0.398."""
    valley = x2 - 5.1 * x1**2 / (4.0 * math.pi**2) + 5.0 * x1 / math.pi - 6.0
    return valley**2 + 10.0 * (1.0 - 1.0 / (8.0 * math.pi)) * math.cos(x1) + 10.0


if __name__ == "__main__":
    main()
