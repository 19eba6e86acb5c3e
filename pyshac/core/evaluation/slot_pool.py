"""SlotPool: slots that stay open for as long as a run lasts."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

from pyshac.core.basics import signals
from pyshac.core.evaluation.backends import Backend
from pyshac.core.evaluation.failures import FailurePolicy
from pyshac.core.evaluation.rounds import Outcome, Round, TaskFeed
from pyshac.core.evaluation.slots import CLOSING_SECONDS
from pyshac.core.evaluation.worker import Evaluator, Task


class SlotPool:
    """Slots that stay warm from batch to batch. A context manager, which ends workers on exit.

    Args:
        evaluator: Wraps each call of the function.
        function: The user's evaluation function.
        number: Number of slots.
        backend: The place of the slots.
        policy: How failures are handled.

    Raises:
        RuntimeError: If there is no such place.
        TypeError: If the evaluation function cannot be sent there.
        ValueError: If the backend cannot keep the policy.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        function: Callable[..., Any],
        number: int,
        backend: Backend,
        policy: FailurePolicy,
    ) -> None:
        backend.check(policy)
        self._policy = policy
        self._group = backend.open(evaluator, function, number, policy)
        self._round: Round | None = None

    def __enter__(self) -> SlotPool:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if exc_type is None:
                self._close()
        finally:
            # A second Ctrl-C must not leave workers behind, nor must an error of one slot.
            with signals.whole(), contextlib.ExitStack() as stack:
                stack.callback(self._group.close)
                if self._round is not None:
                    stack.callback(self._round.abandon)
                for slot in self._group.slots:
                    stack.callback(slot.end)

    def _close(self) -> None:
        """Closes the workers, all at the same time."""
        for slot in self._group.slots:
            slot.leave()
        deadline = time.monotonic() + CLOSING_SECONDS
        for slot in self._group.slots:
            slot.wait(deadline)

    def run(
        self,
        tasks: Iterable[Task] | TaskFeed,
        on_start: Callable[[Task, int], None] = lambda task, worker_id: None,
        must_stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[list[Outcome]]:
        """Evaluates samples; see `Round` for the arguments, and `Round.outcomes`."""
        feed = tasks if isinstance(tasks, TaskFeed) else TaskFeed(tasks)
        self._round = Round(self._group, self._policy, feed, on_start, must_stop)
        return self._round.outcomes()

    @property
    def number(self) -> int:
        """Number of slots."""
        return len(self._group.slots)

    def wake(self) -> None:
        """Lets `run` come back to its caller; see `Round.wake`."""
        if self._round is not None:
            self._round.wake()

    def outlast(self) -> None:
        """Waits for running evaluations that cannot be ended, those of threads."""
        if self._round is not None:
            self._round.outlast()

    def unclaimed(self) -> list[Outcome]:
        """Returns scores that may not have been handed over when an exception left `run`."""
        return [] if self._round is None else self._round.ended()
