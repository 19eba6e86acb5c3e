"""A simulated clock: slots that train, and an engine that serves them one after the other.

The engine is one serial server. Whoever wants something of it waits until it has answered those
before, and the processor time that the answer takes passes on the clock. An evaluation starts, or
goes on, when the engine has answered. What ends after the horizon has not happened.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from hours_runs.problems import EPOCHS, Curve, Problem

T = TypeVar("T")
# An incumbent: since when, as a share of the horizon, and its score after all epochs.
Point = tuple[float, float]


@dataclass(eq=False)
class Asked:
    """An evaluation that an engine asks for.

    Attributes:
        row: The encoded sample, shape (columns,).
        handle: What the engine knows it by.
        epochs: How many are trained unless it is stopped.
    """

    row: np.ndarray
    handle: Any
    epochs: int = EPOCHS


class Engine:
    """A search as the clock drives it; scores are minimised.

    Attributes:
        decides: Whether it is asked after each epoch if the evaluation goes on.
    """

    decides = False

    def ask(self) -> Asked | None:
        """Returns what to evaluate, or None if a score must be told before."""
        raise NotImplementedError

    def begin(self, asked: Asked, scores: np.ndarray) -> int:
        """Returns how many epochs the slot trains; the slot's own time is not the engine's.

        Args:
            asked: The evaluation.
            scores: Its scores after each epoch.
        """
        return asked.epochs

    def goes_on(self, asked: Asked, epoch: int, score: float) -> bool:
        """Takes in the score after an epoch that is not the last; returns whether more follow."""
        return True

    def tell(self, asked: Asked, epoch: int, score: float) -> None:
        """Takes in the last score of an evaluation that has ended after some epoch."""
        raise NotImplementedError

    def close(self) -> None:
        """Removes what lies on the disk."""


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        seconds: Processor time of the engine.
        busy: Share of the slots' time in which they trained.
        started: Number of evaluations.
        complete: Number of those that ended after all epochs.
        trace: The incumbents.
    """

    seconds: float
    busy: float
    started: int
    complete: int
    trace: tuple[Point, ...]


class Incumbent:
    """What a user would take home, and what it is worth after all epochs.

    An evaluation counts once it has ended, by itself or because it was stopped. Of those that have
    trained the most epochs, the incumbent is the one with the lowest score there. Its worth is its
    true score after all epochs, as if the user trained it to the end.
    """

    def __init__(self) -> None:
        self._epoch, self._score = 0, np.inf
        self.trace: list[Point] = []

    def add(self, share: float, epoch: int, curve: Curve) -> None:
        """Takes in an evaluation that ended after an epoch, at a share of the horizon."""
        score = curve.scores[epoch - 1]
        if epoch > self._epoch or (epoch == self._epoch and score < self._score):
            self._epoch, self._score = epoch, score
            self.trace.append((share, float(curve.scores[-1])))


class Server:
    """Answers one call after the other, on the simulated clock.

    Args:
        timer: Gives the seconds that calls are measured with.

    Attributes:
        free: When it has answered all calls so far.
        seconds: Time that all calls took.
    """

    def __init__(self, timer: Callable[[], float] = time.process_time) -> None:
        self._timer = timer
        self.free = self.seconds = 0.0

    def call(self, at: float, function: Callable[..., T], *args: Any) -> T:
        """Calls a function, at some time or when the server is free."""
        started = self._timer()
        answer = function(*args)
        spent = self._timer() - started
        self.seconds += spent
        self.free = max(at, self.free) + spent
        return answer


@dataclass
class _Slot:
    """What a slot trains: its evaluation, the curve, its last epoch, and the epoch it is at."""

    asked: Asked
    curve: Curve
    last: int
    epoch: int = 0


@dataclass
class Simulation:
    """One run.

    Args:
        engine: The search.
        problem: The problem.
        num_slots: Evaluations that train at once.
        horizon: Seconds on the clock.
        server: What answers.
    """

    engine: Engine
    problem: Problem
    num_slots: int
    horizon: float
    server: Server = field(default_factory=Server)

    def run(self) -> Outcome:
        """Lets the clock run to the horizon.

        Raises:
            RuntimeError: The engine asks for nothing though no evaluation is left to wait for.
        """
        self._events: list[tuple[float, int, _Slot]] = []
        self._pushed = self._started = self._complete = 0
        self._idle, self._busy = self.num_slots, 0.0
        self._incumbent = Incumbent()
        self._fill(0.0)
        while self._events and self._events[0][0] <= self.horizon:
            now, _, slot = heapq.heappop(self._events)
            self._reach(now, slot)
        return Outcome(
            self.server.seconds,
            self._busy / (self.num_slots * self.horizon),
            self._started,
            self._complete,
            tuple(self._incumbent.trace),
        )

    def _fill(self, now: float) -> None:
        """Asks for evaluations until all slots train, or the engine has none."""
        while self._idle and self.server.free < self.horizon:
            asked = self.server.call(now, self.engine.ask)
            if asked is None:
                break
            curve = self.problem.curve(asked.row)
            self._idle -= 1
            self._started += 1
            self._train(_Slot(asked, curve, self.engine.begin(asked, curve.scores)))
        if self._idle == self.num_slots and self.server.free < self.horizon:
            raise RuntimeError("The engine must ask for something while no evaluation is left.")

    def _train(self, slot: _Slot) -> None:
        """Trains from when the server has answered until it is needed again."""
        before = slot.curve.seconds[slot.epoch - 1] if slot.epoch else 0.0
        slot.epoch = slot.epoch + 1 if self.engine.decides else slot.last
        end = self.server.free + slot.curve.seconds[slot.epoch - 1] - before
        self._busy += max(min(end, self.horizon) - self.server.free, 0.0)
        self._pushed += 1
        heapq.heappush(self._events, (end, self._pushed, slot))

    def _reach(self, now: float, slot: _Slot) -> None:
        """Has trained to the next epoch at which the engine is needed."""
        asked, score = slot.asked, float(slot.curve.scores[slot.epoch - 1])
        is_over = slot.epoch == slot.last
        if not is_over and self.server.free < self.horizon:
            if self.server.call(now, self.engine.goes_on, asked, slot.epoch, score):
                self._train(slot)
                return
            is_over = True
        if is_over:
            self._incumbent.add(now / self.horizon, slot.epoch, slot.curve)
            self._complete += slot.epoch == EPOCHS
            self._idle += 1
            if self.server.free < self.horizon:
                self.server.call(now, self.engine.tell, asked, slot.epoch, score)
                self._fill(now)
