"""PySHAC and random search, as the clock drives them."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

import pyshac
from hours_runs.clock import Asked, Engine
from pyshac import SHAC
from pyshac.core.hyperparameters import HyperParameterList

# The clock ends a run, not the budget: a spent one is doubled.
NUM_BATCHES = 50
_BLOCK = 256


class RandomSearch(Engine):
    """Draws from the prior.

    Args:
        space: The search space.
        num_slots: Number of slots.
        seed: Its seed.
    """

    def __init__(self, space: HyperParameterList, num_slots: int, seed: int) -> None:
        self._space, self._seed = space, seed
        self._rows, self._num_blocks = np.empty((0, 0)), 0

    def ask(self) -> Asked:
        if not len(self._rows):
            stream = np.random.SeedSequence([self._seed, 1, self._num_blocks])
            self._rows, self._num_blocks = self._space.draw(_BLOCK, stream), self._num_blocks + 1
        row, self._rows = self._rows[0], self._rows[1:]
        return Asked(row, None)

    def tell(self, asked: Asked, epoch: int, score: float) -> None:
        pass


class PySHAC(Engine):
    """Our engine: asks for one sample at a time, and evaluates as a slot would.

    Args:
        space: The search space.
        num_slots: Number of slots, and of samples in a batch.
        seed: Its seed.
        pace: When it draws: 'batch', 'pipeline' or 'stream'.
        pruning: How it stops evaluations, or None.
    """

    def __init__(
        self,
        space: HyperParameterList,
        num_slots: int,
        seed: int,
        *,
        pace: str,
        pruning: str | None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._options = {} if pruning is None else {"pruning": pruning}
        self._engine = SHAC(
            space,
            NUM_BATCHES * num_slots,
            NUM_BATCHES,
            "min",
            save_dir=self._folder.name,
            **({} if pace == "batch" else {"pace": pace}),
        )
        self._engine.set_seed(seed)
        # Whose processor time is counted has to draw alone.
        self._engine.set_num_parallel_generators(1)
        self._engine.limit_memory = True
        self._space = space
        self._results: dict[int, Any] = {}

    def ask(self) -> Asked | None:
        try:
            (sample,) = self._engine.ask(1, **self._options)
        except RuntimeError:
            # All open batches are asked for; the clock complains if nothing is left to wait for.
            return None
        except ValueError:
            self._engine.total_budget *= 2
            return self.ask()
        return Asked(self._space.encode(self._space.to_row(sample)), sample)

    def begin(self, asked: Asked, scores: np.ndarray) -> int:
        if not self._options:
            self._results[id(asked)] = float(scores[-1])
            return len(scores)
        reached = []

        def train(worker_id: int, parameters: Any) -> float:
            for epoch, score in enumerate(scores.tolist(), 1):
                reached.append(epoch)
                pyshac.report(epoch, score)
            return float(scores[-1])

        self._results[id(asked)] = pyshac.evaluate(train, asked.handle)
        return reached[-1]

    def tell(self, asked: Asked, epoch: int, score: float) -> None:
        self._engine.tell(asked.handle, self._results.pop(id(asked)))

    def close(self) -> None:
        self._folder.cleanup()
