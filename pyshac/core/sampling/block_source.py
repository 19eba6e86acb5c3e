"""Blocks of proposals, drawn one after the other or by several generators at once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import FloatArray
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.sampling.proposals import Proposals

SECONDS_ALONE = 1.0


@dataclass(frozen=True)
class Generators:
    """Who draws proposals when there is much to draw.

    Attributes:
        number: Number of processes or threads.
        backend: 'threading' for threads; 'loky' or 'multiprocessing' for processes.
    """

    number: int = 1
    backend: str = "threading"


ALONE = Generators()


class _BlockSource:
    """Draws blocks in order; several at once where that pays. A context manager.

    Args:
        cascade: The classifiers.
        stream: Random stream, of which each block has a child.
        generators: Who draws.
    """

    def __init__(
        self, cascade: Cascade, stream: np.random.SeedSequence, generators: Generators
    ) -> None:
        self._cascade = cascade
        self._stream = stream
        self._generators = generators
        self._started = time.monotonic()
        self._number = 0
        self._ahead: dict[int, FloatArray] = {}
        self._drawn_from: Proposals | None = None
        self._exit = contextlib.ExitStack()
        self._parallel: Parallel | None = None

    def __enter__(self) -> _BlockSource:
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def next(self, proposals: Proposals, size: int) -> FloatArray:
        """Returns the accepted rows of the next block of proposals."""
        if proposals is not self._drawn_from:
            self._ahead, self._drawn_from = {}, proposals
        if self._number not in self._ahead:
            self._ahead = dict(self._draw(proposals, size))
        self._number += 1
        return self._ahead.pop(self._number - 1)

    def _draw(self, proposals: Proposals, size: int) -> Iterator[tuple[int, FloatArray]]:
        """Draws the next block; with the largest, which never change, those after it, too."""
        takes_long = time.monotonic() - self._started > SECONDS_ALONE
        if self._generators.number > 1 and size == proposals.largest_block and takes_long:
            numbers = range(self._number, self._number + self._generators.number)
            drawn = self._start_parallel()(
                delayed(proposals.accepted)(
                    self._cascade, size, seeding.child(self._stream, number)
                )
                for number in numbers
            )
            yield from zip(numbers, drawn, strict=True)
        else:
            stream = seeding.child(self._stream, self._number)
            yield self._number, proposals.accepted(self._cascade, size, stream)

    def _start_parallel(self) -> Parallel:
        if self._parallel is None:
            # A forked process hangs when it unpickles a classifier, because XGBoost's threads do
            # not survive the fork: generators of both kinds are loky's processes.
            backend = "threading" if self._generators.backend == "threading" else "loky"
            self._parallel = self._exit.enter_context(
                # A cover is small; joblib's files in shared memory are more trouble than help.
                Parallel(self._generators.number, backend=backend, max_nbytes=None)
            )
        return self._parallel
