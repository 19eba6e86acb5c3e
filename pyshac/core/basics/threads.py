"""Limits on the threads of native libraries."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager
from typing import Literal

from threadpoolctl import ThreadpoolController


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
