"""Blocks of proposals, drawn one after the other, or by several generators at once."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import numpy as np

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import FloatArray
from pyshac.core.basics.streams import usable_streams
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.sampling.generators import Generators
from pyshac.core.sampling.proposals import Proposals

if TYPE_CHECKING:
    from joblib import Parallel

# Generators start only if a draw takes longer than this.
SECONDS_ALONE = 1.0


class BlockSource:
    """Draws blocks in order; several at once where that pays. A context manager.

    Each block has a random stream of its own, so the rows do not depend on the generators.

    Args:
        cascade: The classifiers.
        forgiven: Number of rejections that are overlooked.
        stream: Random stream, of which each block has a child.
        generators: The generators that draw.
    """

    def __init__(
        self,
        cascade: Cascade,
        forgiven: int,
        stream: np.random.SeedSequence,
        generators: Generators,
    ) -> None:
        self._cascade = cascade
        self._forgiven = forgiven
        self._stream = stream
        self._generators = generators
        self._started = time.monotonic()
        self._number = 0
        self._ahead: dict[int, FloatArray] = {}
        self._drawn_from: Proposals | None = None
        self._exit = contextlib.ExitStack()
        self._parallel: Parallel | None = None

    def __enter__(self) -> BlockSource:
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def next(self, proposals: Proposals, size: int) -> FloatArray:
        """Returns the accepted rows of the next block of proposals."""
        if proposals is not self._drawn_from:
            self._ahead, self._drawn_from = {}, proposals
        number = self._number
        if number not in self._ahead:
            takes_long = time.monotonic() - self._started > SECONDS_ALONE
            # The largest size never changes, so later blocks can be drawn ahead.
            if self._generators.number > 1 and size == proposals.largest_block and takes_long:
                self._draw_ahead(proposals, size)
            else:
                stream = seeding.child(self._stream, number)
                self._ahead[number] = proposals.accepted(
                    self._cascade, size, stream, self._forgiven
                )
        self._number += 1
        return self._ahead.pop(number)

    def _draw_ahead(self, proposals: Proposals, size: int) -> None:
        """Draws the next block and those after it, one per generator."""
        from joblib import Parallel, delayed

        if self._parallel is None:
            # A cover is small, so joblib need not memory-map it.
            self._exit.enter_context(usable_streams())
            parallel = Parallel(
                self._generators.number, backend=self._generators.joblib_backend, max_nbytes=None
            )
            self._parallel = self._exit.enter_context(parallel)
            self._generators.end_with_process()
        numbers = range(self._number, self._number + self._generators.number)
        drawn = self._parallel(
            delayed(proposals.accepted)(
                self._cascade, size, seeding.child(self._stream, number), self._forgiven
            )
            for number in numbers
        )
        self._ahead = dict(zip(numbers, drawn, strict=True))
