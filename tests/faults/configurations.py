"""The places where evaluations run, in which runs are interrupted."""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.faults import runs

NUM_SLOTS = 3
EVALUATION_SECONDS = 0.02


@contextlib.contextmanager
def _process_pool(method: str) -> Iterator[Any]:
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(NUM_SLOTS, context) as pool:
        yield pool


@contextlib.contextmanager
def _loky_pool() -> Iterator[Any]:
    import loky

    with loky.ProcessPoolExecutor(NUM_SLOTS) as pool:
        yield pool


@contextlib.contextmanager
def _dask() -> Iterator[Any]:
    import distributed

    options = {"n_workers": NUM_SLOTS, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.Client(**options, processes=True) as client:
        yield client.get_executor()


def _own(backend: str) -> Callable[[], contextlib.AbstractContextManager[Any]]:
    return lambda: contextlib.nullcontext(backend)


# What opens the place, the number of slots, and options of `fit`.
CONFIGURATIONS: dict[str, tuple[Callable[[], Any], int, dict[str, Any]]] = {
    "inline": (_own("threading"), 1, {}),
    "threads": (_own("threading"), NUM_SLOTS, {}),
    "loky, one": (_own("loky"), 1, {}),
    "loky": (_own("loky"), NUM_SLOTS, {}),
    "loky, fresh": (_own("loky"), NUM_SLOTS, {"fresh_process": True}),
    "multiprocessing, one": (_own("multiprocessing"), 1, {}),
    "multiprocessing": (_own("multiprocessing"), NUM_SLOTS, {}),
    "multiprocessing, fresh": (_own("multiprocessing"), NUM_SLOTS, {"fresh_process": True}),
    "pool of threads": (
        lambda: concurrent.futures.ThreadPoolExecutor(NUM_SLOTS), NUM_SLOTS, {},
    ),
    "pool of forks": (lambda: _process_pool("fork"), NUM_SLOTS, {}),
    "pool of processes": (lambda: _process_pool("spawn"), NUM_SLOTS, {}),
    "pool of loky": (_loky_pool, NUM_SLOTS, {}),
    "dask": (_dask, NUM_SLOTS, {}),
}  # fmt: skip


def run(name: str, save_dir: Path, log: Path) -> None:
    """Runs to the end in a configuration; the log has slots in place of processes."""
    place, evaluators, options = CONFIGURATIONS[name]
    engine = runs.make_engine(save_dir, "threading", evaluators, fresh=True)
    # Ctrl-C is one of the interruptions, and nobody reads where it came.
    with contextlib.suppress(KeyboardInterrupt), place() as backend:
        engine.evaluator_backend = backend
        function = runs.Logged(log, EVALUATION_SECONDS, by_slot=True)
        engine.fit(function, skip_cv_checks=True, **options)
