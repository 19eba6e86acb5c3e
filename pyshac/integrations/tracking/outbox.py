"""Outbox: sends records in a thread of its own, and keeps those that could not be sent."""

from __future__ import annotations

import functools
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

    What fails is tried again when something new is put in, and in the end, after what is new.

    Args:
        tracker: The tracker's name, for messages.
        send: Sends one record; called in the thread.
    """

    def __init__(self, tracker: str, send: Callable[[Evaluation], None]) -> None:
        self._tracker, self._send = tracker, send
        self._new: deque[Evaluation] = deque()
        self._failed: deque[Evaluation] = deque()
        self._warned: set[str] = set()
        self._is_failing = self._is_finished = False
        self._changed = threading.Condition()
        self._has_new = False
        self._finish: Callable[[], None] | None = None
        # A server that does not answer must not keep the program from ending.
        self._thread = threading.Thread(target=self._work, name="pyshac-tracker", daemon=True)
        self._thread.start()

    def put(self, evaluations: Iterable[Evaluation]) -> None:
        """Puts records in, to be sent in this order."""
        with self._changed:
            self._new.extend(evaluations)
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
        number = len(self._new) + len(self._failed)
        if number or not self._is_finished:
            logger.warning(
                "%s lacks %s%s. The next fit() with this callback brings what is missing, and so "
                "does its log(engine).",
                self._tracker, "1 evaluation" if number == 1 else f"{number} evaluations",
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
        """Sends what is new, then what has failed, until too much fails."""
        failures = 0
        for queue, count in ((self._new, len(self._new)), (self._failed, len(self._failed))):
            for _ in range(count):
                if failures == _MAX_FAILURES:
                    return
                send = functools.partial(self._send, queue[0])
                is_sent = self._try(send, f"evaluation {queue[0].number}")
                failures = 0 if is_sent else failures + 1
                if not is_sent:
                    self._failed.append(queue[0])
                queue.popleft()

    def _try(self, call: Callable[[], None], what: str) -> bool:
        """Calls a function; returns whether it succeeded, and warns if that is news."""
        try:
            call()
        except Exception as error:
            is_news = not self._is_failing and what not in self._warned
            logger.log(
                logging.WARNING if is_news else logging.DEBUG,
                "%s did not take %s: %s. The search goes on, and it is tried again later.",
                self._tracker, what, error,
            )  # fmt: skip
            self._is_failing = True
            self._warned.add(what)
            return False
        self._is_failing = False
        return True
