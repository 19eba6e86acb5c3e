"""Seeds of an evaluation: set before it, and put back after it as the caller had them.

Importing a framework draws random numbers: engines import theirs before they seed anything, or the
first evaluation of a process would differ from the others.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np


@contextlib.contextmanager
def seeded_python(seed: int | None) -> Iterator[None]:
    """Seeds `random` and the global generator of NumPy inside a `with` block; None for neither."""
    if seed is None:
        yield
        return
    before = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])


@contextlib.contextmanager
def seeded_torch(seed: int | None) -> Iterator[None]:
    """Seeds PyTorch, on the CPU and all GPUs, inside a `with` block; None to leave it alone."""
    if seed is None:
        yield
        return
    import torch

    # GPUs that nobody has used have no state to keep, and asking for it would occupy them.
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(seed)
        yield


@contextlib.contextmanager
def seeded_tensorflow(seed: int | None) -> Iterator[None]:
    """Sets TensorFlow's global seed inside a `with` block; None to leave it alone.

    Graphs have a seed of their own, which this leaves as it is.
    """
    if seed is None:
        yield
        return
    from tensorflow.python.eager import context

    before = context.global_seed()
    context.set_global_seed(seed)
    try:
        yield
    finally:
        context.set_global_seed(before)
