"""Seeds of an evaluation. They are set before it and restored after it.

Importing a framework draws random numbers. So evaluators import their framework before they seed
anything. The first evaluation of a process is then like all others.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import numpy as np


@contextlib.contextmanager
def seeded_python(seed: int | None) -> Iterator[None]:
    """Seeds `random` and NumPy's global generator inside a `with` block; None seeds neither."""
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
    """Seeds PyTorch, on the CPU and all GPUs, inside a `with` block; None does nothing."""
    if seed is None:
        yield
        return
    import torch

    # Unused GPUs have no state to restore, and reading it would initialise them.
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(seed)
        yield


@contextlib.contextmanager
def seeded_tensorflow(seed: int | None) -> Iterator[None]:
    """Sets TensorFlow's global seed inside a `with` block; None does nothing.

    Graphs have their own seeds, which do not change.
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
