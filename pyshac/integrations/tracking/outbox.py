"""Outbox: sends records in a thread of its own, and keeps those that could not be sent."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable

from pyshac.core.dataset import Evaluation

logger = logging.getLogger("pyshac")

# Failures in a row after which the rest waits: a server that is down takes minutes for each.
_MAX_FAILURES = 2


class Outbox:
    """Sends records in a thread of its own, so that a slow tracker holds up nobody.

    What fails is tried again when something new is put in, and in the end, after all that has not
    failed yet.

    Args:
        tracker: The tracker's name, for messages.
        send: Sends one record; called in the thread.
    """

    def __init__(self, tracker: str, send: Callable[[Evaluation], None]) -> None:
        self._tracker, self._send = tracker, send
        self._waiting: deque[Evaluation] = deque()
        self._changed = threading.Condition()
        self._has_new = self._is_warned = self._is_finished = False
        self._finish: Callable[[], None] | None = None
        # A server that does not answer must not keep the program from ending.
        self._thread = threading.Thread(target=self._work, name="pyshac-tracker", daemon=True)
        self._thread.start()

    def put(self, evaluations: Iterable[Evaluation]) -> None:
        """Puts records in, to be sent in this order."""
        with self._changed:
            self._waiting.extend(evaluations)
            self._has_new = True
            self._changed.notify()

    def close(self, finish: Callable[[], None], seconds: float | None) -> None:
        """Sends what is left, and ends the thread; warns of what could not be sent.

        Args:
            finish: Called in the thread in the end.
            seconds: Time to wait for it; None for as long as it takes.
        """
        with self._changed:
            self._finish = finish
            self._changed.notify()
        self._thread.join(seconds)
        if self._waiting or not self._is_finished:
            logger.warning(
                "%s lacks %d evaluations%s. The next fit() with this callback brings what is "
                "missing, and so does its log(engine).", self._tracker, len(self._waiting),
                "" if self._is_finished else " and the end of the run",
            )  # fmt: skip

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._has_new or self._finish is not None)
                finish, self._has_new = self._finish, False
            self._send_waiting()
            if finish is not None:
                self._is_finished = self._try(finish, "the end of the run")
                return

    def _send_waiting(self) -> None:
        failures = 0
        for _ in range(len(self._waiting)):
            evaluation = self._waiting[0]
            is_sent = self._try(lambda: self._send(evaluation), f"evaluation {evaluation.number}")  # noqa: B023
            failures = 0 if is_sent else failures + 1
            if not is_sent:
                self._waiting.append(evaluation)
            self._waiting.popleft()
            if failures == _MAX_FAILURES:
                return

    def _try(self, call: Callable[[], None], what: str) -> bool:
        """Calls a function; returns whether it succeeded, and warns of the first failure."""
        try:
            call()
        except Exception as error:
            level = logging.DEBUG if self._is_warned else logging.WARNING
            logger.log(
                level, "%s did not take %s: %s. The search goes on; it is tried again later.",
                self._tracker, what, error,
            )  # fmt: skip
            self._is_warned = True
            return False
        self._is_warned = False
        return True
