"""Loop: the common part of `fit` and `fit_dataset`: callbacks, surroundings and endings."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pyshac.core.basics import signals
from pyshac.core.basics.checks import check_flag
from pyshac.core.basics.results.details import Details, as_datetime
from pyshac.core.basics.streams import usable_streams
from pyshac.core.callbacks.callback import Callback
from pyshac.core.callbacks.callback_list import CallbackList
from pyshac.core.callbacks.figures import first_line, last_line
from pyshac.core.callbacks.history import History
from pyshac.core.callbacks.progress_bar import ProgressBar, check_verbose
from pyshac.core.classifiers.training import Admission, Training, admission
from pyshac.core.engine.loop.epochs import Epochs
from pyshac.core.run.run import Run
from pyshac.core.sampling.generators import Generators
from pyshac.core.search.pruning.rule import Pruning

logger = logging.getLogger("pyshac")


@dataclass(frozen=True)
class FitOptions:
    """Options of training and sampling, named after the arguments of `fit`.

    Raises:
        TypeError: If a flag is not a bool.
    """

    skip_cv_checks: bool
    early_stop: bool
    relax_checks: bool
    pruning: Pruning | None = None

    def __post_init__(self) -> None:
        for name in ("skip_cv_checks", "early_stop", "relax_checks"):
            check_flag(name, getattr(self, name))

    @property
    def admission(self) -> Admission:
        """Which classifiers join the cascade."""
        return admission(self.skip_cv_checks, self.early_stop)


class Loop:
    """A loop over the batches of a run.

    Args:
        run: The run.
        callbacks: The callbacks.
        generators: Returns the generators of a batch, given its number from 1.
    """

    def __init__(
        self, run: Run, callbacks: CallbackList, generators: Callable[[int], Generators]
    ) -> None:
        self._run = run
        self._callbacks = callbacks
        self._generators = generators
        self._epochs = Epochs(run, callbacks)
        self._must_stop = False
        self._deadline = math.inf
        self._steps_left: float = math.inf
        self._started: float | None = None

    def stop(self) -> None:
        """Prevents further samples and batches from starting, so that the loop ends."""
        self._must_stop = True

    @property
    def _is_stopping(self) -> bool:
        is_late = time.monotonic() >= self._deadline or self._steps_left <= 0
        return self._must_stop or is_late

    def _stop_early(self, training: Training | None, options: FitOptions) -> None:
        """Stops the loop if a classifier was refused and `early_stop` is set."""
        if options.early_stop and training is not None and training.classifier is None:
            logger.info("Stopping early: %s.", training.reason)
            self._must_stop = True

    def _begin(self, begin_run_index: int) -> None:
        self._started = time.monotonic()
        logger.info("%s.", first_line(self._callbacks.engine))
        self._callbacks.on_train_begin({"begin_run_index": begin_run_index})

    def _end(self) -> History:
        self._log_end()
        history = self._callbacks.history
        self._callbacks.on_train_end(history.history)
        return history

    def _log_end(self, error: BaseException | None = None) -> None:
        seconds = time.monotonic() - (self._started or 0.0)
        logger.info("%s.", last_line(self._callbacks.engine, seconds, error))

    @contextlib.contextmanager
    def _surroundings(self) -> Iterator[None]:
        """Prepares streams and signals for a loop, and notifies the callbacks of its error."""
        with usable_streams(), signals.ending_on_signals():
            try:
                yield
            except BaseException as error:
                if self._started is not None:
                    self._log_end(error)
                self._callbacks.on_train_error(error, self._callbacks.history.history)
                if isinstance(error, signals.TerminatedError):
                    # The signal ends the process where this block ends.
                    logger.warning("%s", self._run.interruption())
                elif type(error) is KeyboardInterrupt:
                    raise KeyboardInterrupt(self._run.interruption()) from None
                raise


AnyLoop = TypeVar("AnyLoop", bound=Loop)


def callbacks_of_loop(
    callbacks: Iterable[Callback] | Callback | None, verbose: int
) -> CallbackList:
    """Returns the callbacks of a loop, with a progress bar if `verbose` asks for one."""
    told = CallbackList(callbacks)
    is_shown = any(isinstance(callback, ProgressBar) for callback in told)
    level = check_verbose(verbose)
    if level and not is_shown:
        told.append(ProgressBar(each_sample=level == 2))
    return told


def sample_logs(parameters: OrderedDict[str, Any], details: Details) -> dict[str, Any]:
    """Returns the logs of a sample that has ended."""
    return {
        "parameters": parameters,
        "worker_id": details.slot,
        "failure": details.failure,
        "started": as_datetime(details.started),
        "seconds": details.seconds,
        "extras": dict(details.extras),
        "curve": details.curve,
        "pruned": details.is_pruned,
    }


@contextlib.contextmanager
def saving_on_error(run: Run) -> Iterator[None]:
    """Saves the run if an error leaves the block, and raises the error again."""
    try:
        yield
    except BaseException:
        try:
            run.save()
        except (OSError, ValueError) as error:
            logger.error("Could not save to %r: %s", str(run.directory.path), error)
        raise
