"""Tracker: the base class of the callbacks that log a search to a tracker."""

from __future__ import annotations

import enum
import functools
from abc import ABC, abstractmethod
from typing import Any

from pyshac.core.callbacks.callback import Callback, Logs
from pyshac.core.dataset import Evaluation
from pyshac.integrations.tracking.outbox import Outbox
from pyshac.integrations.tracking.records import Standing, evaluation_of, evaluations_of

# Schedulers often kill a process half a minute after they signal it.
SECONDS_AFTER_ERROR = 10.0


class Ending(enum.Enum):
    """How a run has ended."""

    FINISHED = enum.auto()
    FAILED = enum.auto()
    INTERRUPTED = enum.auto()
    OPEN = enum.auto()


class Session(ABC):
    """A search in a tracker, while it is logged there. All but `logged` happens in one thread.

    Attributes:
        logged: The numbers of the evaluations that the tracker has.
    """

    logged: set[int]

    @abstractmethod
    def log(self, evaluation: Evaluation, standing: Standing) -> None:
        """Logs an evaluation; called again for the same one if that failed.

        Args:
            evaluation: The evaluation.
            standing: How the search stands after it.
        """

    @abstractmethod
    def close(self, ending: Ending, evaluations: list[Evaluation], standing: Standing) -> None:
        """Logs the end of the search, as far as it has come.

        Args:
            ending: How the run has ended.
            evaluations: All evaluations, in the order in which they ended.
            standing: How the search stands after them.
        """


class Tracker(Callback, ABC):
    """Logs each evaluation of a search to a tracker, once, whatever happens in between.

    When a run begins, it logs what the tracker lacks of the evaluations so far. A tracker that
    cannot be reached then raises, before any evaluation is spent. Later it holds up nothing: what
    it does not take is kept, and sent again.
    """

    name = "The tracker"

    def __init__(self) -> None:
        super().__init__()
        self._logging: _Logging | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_logging": None}

    @abstractmethod
    def _open(self, engine: Any) -> Session:
        """Returns the search of an engine in the tracker: a new one, or what there is of it."""

    def on_train_begin(self, logs: Logs = None) -> None:
        self._logging = _Logging(self.name, self._open(self.engine), self.engine)

    def on_sample_end(self, id: int, score: float, logs: Logs = None) -> None:
        if self._logging is not None:
            self._logging.put(id)

    def on_train_end(self, logs: Logs = None) -> None:
        self._end(Ending.FINISHED)

    def on_train_error(self, error: BaseException, logs: Logs = None) -> None:
        is_interruption = isinstance(error, KeyboardInterrupt)
        ending = Ending.INTERRUPTED if is_interruption else Ending.FAILED
        self._end(ending, SECONDS_AFTER_ERROR)

    def _end(self, ending: Ending, seconds: float | None = None) -> None:
        begun, self._logging = self._logging, None
        if begun is not None:
            begun.end(ending, seconds)

    def log(self, engine: Any) -> None:
        """Logs the evaluations that the tracker lacks, outside `fit`.

        Call it after `tell`, or for a saved search.

        Args:
            engine: The engine; it may come from `SHAC.load`.

        Raises:
            RuntimeError: If the engine has no parameters.
            TypeError: If it is no engine.
        """
        if not hasattr(type(engine), "restore_data"):
            raise TypeError(
                "engine must be an engine, such as SHAC.load(path) for a save directory. Got "
                f"{engine!r} instead."
            )
        if engine.parameters is None:
            raise RuntimeError(
                "engine has no search to be logged. Give it parameters, or call restore_data()."
            )
        is_spent = len(engine.dataset) >= engine.total_budget
        logged = _Logging(self.name, self._open(engine), engine)
        logged.end(Ending.FINISHED if is_spent else Ending.OPEN, None)


class _Logging:
    """The logging of one run of a search.

    Args:
        name: The tracker's name.
        session: The search in the tracker.
        engine: The engine.
    """

    def __init__(self, name: str, session: Session, engine: Any) -> None:
        self._session, self._engine = session, engine
        self._put = {*session.logged}
        evaluations = evaluations_of(engine.dataset)
        known = [each for each in evaluations if each.number in self._put]
        self._standing = Standing.of(engine.objective, known)
        self._outbox = Outbox(name, self._send)
        self._put_all(evaluations)

    def put(self, number: int) -> None:
        """Logs the evaluation with a number."""
        evaluation = evaluation_of(self._engine.dataset, number)
        if evaluation is not None:
            self._put_all([evaluation])

    def _put_all(self, evaluations: list[Evaluation]) -> None:
        new = [each for each in evaluations if each.number not in self._put]
        self._put.update(each.number for each in new)
        if new:
            self._outbox.put(new)

    def _send(self, evaluation: Evaluation) -> None:
        standing = self._standing.after(evaluation)
        self._session.log(evaluation, standing)
        self._standing = standing

    def end(self, ending: Ending, seconds: float | None) -> None:
        """Logs what no event announced, then the end; waits for the given seconds at most."""
        evaluations = evaluations_of(self._engine.dataset)
        self._put_all(evaluations)
        standing = Standing.of(self._engine.objective, evaluations)
        close = functools.partial(self._session.close, ending, evaluations, standing)
        self._outbox.close(close, seconds)
