"""Generators: the processes or threads that draw proposals when there is much to draw."""

from __future__ import annotations

import functools
import multiprocessing
import os
from dataclasses import dataclass
from multiprocessing import util
from typing import Any

# Joblib's backend for each kind of generator. A forked process hangs when it unpickles a
# classifier, because XGBoost's threads do not survive the fork: loky draws for both kinds.
JOBLIB_BACKENDS = {"loky": "loky", "multiprocessing": "loky", "threading": "threading"}


@dataclass(frozen=True)
class Generators:
    """The processes or threads that draw proposals.

    Attributes:
        number: Number of processes or threads.
        backend: 'threading' for threads; 'loky' or 'multiprocessing' for processes.
    """

    number: int = 1
    backend: str = "threading"

    @property
    def joblib_backend(self) -> str:
        """The name of joblib's backend."""
        return JOBLIB_BACKENDS[self.backend]

    def end_with_process(self) -> None:
        """Makes the end of this process end its generators, if `multiprocessing` has started it.

        It would wait for them until they have been idle for five minutes.
        """
        if self.joblib_backend == "loky" and multiprocessing.parent_process() is not None:
            _end_with(os.getpid())


ALONE = Generators()


@functools.cache
def _end_with(process: int) -> None:
    util.Finalize(None, _end_processes, exitpriority=0)


def _end_processes() -> None:
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(reuse=True).shutdown(kill_workers=True)


def check_generator_backend(backend: Any) -> str:
    """Returns the name of a generator backend; raises `ValueError` if it is not one."""
    if not isinstance(backend, str) or backend not in JOBLIB_BACKENDS:
        raise ValueError(
            f"generator_backend must be one of {list(JOBLIB_BACKENDS)!r}. Got {backend!r} instead."
        )
    return backend
