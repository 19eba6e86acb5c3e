"""Limits on the threads of native libraries."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal

from threadpoolctl import ThreadpoolController, threadpool_limits

# The one that decides for the others stands first.
_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "PJRT_NPROC",
)
_OF_LIBRARY = {
    "mkl": "MKL_NUM_THREADS",
    "openblas": "OPENBLAS_NUM_THREADS",
    "blis": "BLIS_NUM_THREADS",
}
# OpenMP takes a list: a number for each level of nested parallelism.
_COUNT = re.compile(r"\s*\+?0*([1-9][0-9]{0,8})\s*(?:,\s*[0-9]+\s*)*", re.ASCII)


@functools.cache
def _controller(user_api: str) -> ThreadpoolController:
    # It looks for the libraries in all of the process's memory maps, which takes long.
    return ThreadpoolController()


def one_thread(user_api: Literal["blas", "openmp"]) -> AbstractContextManager[None]:
    """Limits libraries to one thread inside a `with` block.

    Args:
        user_api: The kind of libraries. Only those count that were loaded at the first call with
            this kind, so load them first.
    """
    return _controller(user_api).limit(limits=1, user_api=user_api)


def thread_variables(environment: Mapping[str, str], share: int) -> dict[str, str]:
    """Returns the variables of numerical libraries that an environment does not set.

    They follow `OMP_NUM_THREADS` if that is a number of threads, else the first other that is, else
    they are the share. A variable that is set keeps its value, whatever that is.

    Args:
        environment: Environment variables; one that is empty is not set.
        share: Number of threads if the environment does not say.
    """
    said = (_count(environment, name) for name in _VARIABLES)
    number = next((count for count in said if count is not None), share)
    return {name: str(number) for name in _VARIABLES if not environment.get(name, "").strip()}


def limit_loaded_libraries() -> None:
    """Limits libraries that are loaded already as the environment would when they load."""
    found = ThreadpoolController().lib_controllers
    counts = {
        library.prefix: _count(os.environ, _OF_LIBRARY.get(library.internal_api, "OMP_NUM_THREADS"))
        for library in found
    }
    limits = {prefix: count for prefix, count in counts.items() if count is not None}
    if limits:
        threadpool_limits(limits)
    _limit_torch()


def _limit_torch() -> None:
    """Limits PyTorch, which has a number of its own, and a library that nobody else can see."""
    torch: Any = sys.modules.get("torch")
    # There may be none, or one that was being imported when this process was forked.
    with contextlib.suppress(AttributeError):
        # PyTorch itself looks at them in this order.
        names = ["MKL_NUM_THREADS"] * torch.backends.mkl.is_available() + ["OMP_NUM_THREADS"]
        counts = [count for name in names if (count := _count(os.environ, name)) is not None]
        if counts:
            torch.set_num_threads(counts[0])


def _count(environment: Mapping[str, str], name: str) -> int | None:
    """Returns the number of threads that a variable says; None if it says none."""
    match = _COUNT.fullmatch(environment.get(name, ""))
    return int(match[1]) if match else None
