"""FitLoop: draws samples, evaluates them in slots and learns from them, at the pace of the run.

    pending samples -> slots -> scores -> (batch is complete) -> closing -> (room) -> drawing -> ...

If batches overlap, draws and training run in threads beside the evaluations. Only the thread of
`fit` adds their results to the run and calls the callbacks.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pyshac.core.basics import seeding, signals
from pyshac.core.basics.seeding import Purpose
from pyshac.core.callbacks.history import History
from pyshac.core.classifiers.training import Training
from pyshac.core.engine.loop.jobs import Job
from pyshac.core.engine.loop.loop import FitOptions, Loop, sample_logs, saving_on_error
from pyshac.core.evaluation.rounds import Outcome, TaskFeed
from pyshac.core.evaluation.slot_pool import SlotPool
from pyshac.core.evaluation.worker import Task
from pyshac.core.search.batch import Batch
from pyshac.core.search.paces.pace import BATCH, Pace

logger = logging.getLogger("pyshac")

# A stream has one sample for each so many slots drawn in advance, at least one.
SLOTS_PER_SPARE = 8


class FitLoop(Loop):
    """Spends the budget of a run."""

    _pool: SlotPool
    _options: FitOptions
    _closing: Job[Training | None]
    _drawing: Job[Batch]
    _feed: TaskFeed
    _first_error: BaseException | None = None
    _drawing_since = 0.0

    def spend_budget(
        self,
        pool: SlotPool,
        options: FitOptions,
        max_seconds: float | None = None,
        total_steps: int | None = None,
    ) -> History:
        """Evaluates samples in the slots of a pool until the budget is spent.

        Args:
            pool: The slots.
            options: Options of training and sampling.
            max_seconds: The time in seconds after which no evaluation starts; None for no limit.
            total_steps: The total number of steps of all curves after which no evaluation starts;
                None for no limit.
        """
        run = self._run
        self._pool, self._options = pool, options
        self._feed = TaskFeed()
        if total_steps is not None:
            self._steps_left = total_steps - run.search.dataset.details.curves.total_steps
        if max_seconds is not None:
            self._deadline = time.monotonic() + max_seconds
        with self._surroundings():
            with contextlib.ExitStack() as stack:
                if not run.search.is_spent or run.directory.keeps_former:
                    with signals.whole():
                        stack.enter_context(run.writing_in_steps())
                        stack.enter_context(pool)
                self._begin(len(run.search.dataset))
                with saving_on_error(run):
                    if not run.search.is_spent and not self._is_stopping:
                        self._evaluate()
            return self._end()

    def _evaluate(self) -> None:
        """Evaluates samples until the budget is spent or the run stops."""
        search, is_alone = self._run.search, self._pace.name == BATCH
        with contextlib.ExitStack() as stack:
            names = (None, None) if is_alone else ("pyshac-training", "pyshac-drawing")
            self._closing = Job(names[0], self._pool.wake)
            self._drawing = Job(names[1], self._pool.wake)
            stack.callback(self._drawing.close)
            stack.callback(self._closing.close)
            self._feed.add(self._tasks(search.open.pending[: search.room]))
            if search.open:
                self._begin_epoch()
            self._make_up()
            self._fill_slots()
        if search.open.pending:
            self._run.save()

    def _make_up(self) -> None:
        """Trains the classifier that the former budget of a finished run had none for."""
        search, number = self._run.search, len(self._run.search.cascade) + 1
        if search.has_missed_classifier:
            logs = {"dataset_index": search.stage_start}
            self._callbacks.on_classifier_begin(number, logs)
            training = self._run.make_up(self._options.admission)
            self._epochs.end_training(number, training, logs)
            self._stop_early(training, self._options)

    def _fill_slots(self) -> None:
        """Evaluates drawn samples and draws further ones until none are left."""
        try:
            rounds = self._pool.run(self._feed, self._tell_start, lambda: self._is_stopping)
            self._advance()
            for outcomes in rounds:
                self._take(outcomes)
                self._advance()
        except BaseException as error:
            try:
                # After Ctrl-C there is time; a process that was asked to end has none.
                if type(error) is KeyboardInterrupt:
                    self._pool.outlast()
            finally:
                # An interruption may come between the end of an evaluation and its handover.
                self._take(self._pool.unclaimed())
            raise
        if self._first_error is not None:
            raise self._first_error

    # What comes next

    def _advance(self) -> None:
        """Closes complete batches and draws the samples that are needed."""
        with self._after_running():
            while self._first_error is None and any([self._close(), self._draw()]):
                pass
        # After an error nothing is taken in any more but the scores of what runs.
        has_jobs = self._closing.is_busy or self._drawing.is_busy
        self._feed.is_open = has_jobs and self._first_error is None

    def _close(self) -> bool:
        """Begins or ends the closing of a batch if it is due; returns whether it was."""
        search = self._run.search
        if self._closing.is_done:
            self._end_closing(self._closing.take())
            return True
        if self._closing.is_busy or not search.closable:
            return False
        # While the run stops, evaluations of later batches end, too.
        self._begin_epoch()
        self._epochs.end_evaluation(search.closable)
        self._closing.start(lambda: search.train_due(self._options.admission))
        return True

    def _end_closing(self, training: Training | None) -> None:
        search = self._run.search
        epoch, number = search.batch_number, len(search.cascade) + 1
        self._run.close(training)
        self._epochs.end(epoch, number, training)
        self._stop_early(training, self._options)
        if search.open and not self._is_stopping:
            self._begin_epoch()

    def _draw(self) -> bool:
        """Begins or ends a draw if samples are needed; returns whether they were."""
        if self._drawing.is_done:
            self._end_drawing(self._drawing.take())
            return True
        search, number = self._run.search, self._num_wanted()
        if self._drawing.is_busy or self._is_stopping or number == 0 or not search.may_draw:
            return False
        epoch = search.batch_number_of(search.start_of_batch)
        generators = self._generators(epoch)
        if not search.open:
            self._epochs.begin(generators.number)
        self._callbacks.on_draw_begin(epoch, self._logs_of(epoch, generators.number))
        relax_checks = self._options.relax_checks
        search.space.require_functions()
        self._drawing_since = time.monotonic()
        situation = search.situation(number, self._options.pruning)
        self._drawing.start(lambda: search.drawing.draw(situation, relax_checks, generators))
        return True

    def _num_wanted(self) -> int | None:
        """Returns the number of samples to draw now; None for the rest of a batch."""
        if not self._pace.is_stream:
            return None
        spare = max(self._pool.number // SLOTS_PER_SPARE, 1)
        lacking = self._pool.number + spare - len(self._run.search.open.pending)
        return lacking if lacking > spare // 2 else 0

    def _end_drawing(self, batch: Batch) -> None:
        search = self._run.search
        epoch = search.batch_number_of(search.start_of_batch)
        self._run.begin(batch)
        level = logging.DEBUG if self._pace.is_stream else logging.INFO
        seconds = time.monotonic() - self._drawing_since
        logger.log(level, "Drew %d samples in %.1f s.", len(batch.rows), seconds)
        self._callbacks.on_draw_end(epoch, self._logs_of(epoch, 0))
        self._begin_epoch()
        self._feed.add(self._tasks(batch.pending))

    def _begin_epoch(self) -> None:
        """Begins the epoch of the oldest open batch, unless it has begun."""
        search = self._run.search
        generators = self._generators(search.batch_number)
        self._epochs.begin(generators.number)
        if search.open.first is not None:
            self._epochs.begin_evaluation(search.open.first)

    def _logs_of(self, epoch: int, num_generators: int) -> dict[str, Any]:
        """Returns the logs of the current epoch, or new ones for another epoch."""
        is_present = epoch == self._run.search.batch_number and self._epochs.logs is not None
        return (self._epochs.logs or {}) if is_present else self._epochs.new_logs(num_generators)

    @property
    def _pace(self) -> Pace:
        return self._run.search.settings.pace

    def _tasks(self, numbers: Iterable[int]) -> Iterator[Task]:
        search = self._run.search
        for number in numbers:
            seed = None
            if self._run.is_seeded:
                stream = seeding.stream(search.entropy, Purpose.EVALUATE, number)
                seed = seeding.as_integer(stream)
            batch = search.open.of(number)
            yield Task(
                number,
                search.space.to_parameters(batch.row(number)),
                seed,
                limits=None if batch.limits is None else tuple(batch.limits),
                sign=search.settings.objective.sign,
            )

    # What has happened

    def _take(self, outcomes: Sequence[Outcome]) -> None:
        """Adds outcomes to the run, and notifies the callbacks."""
        search = self._run.search
        # Those of an interruption may be in already, and their batch closed.
        new = [outcome for outcome in outcomes if search.dataset.score_of(outcome.task.id) is None]
        with self._after_running():
            self._run.take_in([(o.task.id, o.score, o.details) for o in new])
        for outcome in new:
            if search.dataset.score_of(outcome.task.id) is not None:
                self._steps_left -= outcome.details.num_steps
                self._tell_end(outcome)

    def _tell_start(self, task: Task, worker_id: int) -> None:
        logs = {"parameters": task.parameters, "worker_id": worker_id}
        with self._after_running():
            self._callbacks.on_sample_begin(task.id, logs)

    def _tell_end(self, outcome: Outcome) -> None:
        task = outcome.task
        logs = sample_logs(task.parameters, outcome.details)
        logger.debug("Sample %d: score %r.", task.id, outcome.score)
        with self._after_running():
            self._callbacks.on_sample_end(task.id, outcome.score, logs)

    @contextlib.contextmanager
    def _after_running(self) -> Iterator[None]:
        """Defers an error of a callback or the disk until running evaluations have finished."""
        try:
            yield
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._must_stop = True
            if self._first_error is None:
                self._first_error = error
