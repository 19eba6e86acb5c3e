"""DatasetLoop: learns from samples that were evaluated elsewhere, batch by batch."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from pyshac.core.basics import files
from pyshac.core.basics.results.details import UNKNOWN
from pyshac.core.callbacks.history import History
from pyshac.core.dataset.formats.csv_file import read_csv
from pyshac.core.engine.loop.loop import FitOptions, Loop, sample_logs, saving_on_error

logger = logging.getLogger("pyshac")


class DatasetLoop(Loop):
    """Learns from the batches of a dataset file."""

    def learn_dataset(self, path: Path, presort: bool, options: FitOptions) -> History:
        """Learns from a dataset file.

        Args:
            path: The file.
            presort: Whether to sort the samples from the worst to the best.
            options: Options of training.

        Raises:
            RuntimeError: If the run already has evaluations.
            ValueError: If the file has fewer rows than the budget, or a row that is not allowed.
        """
        run = self._run
        if len(run.search.dataset) or run.search.open:
            raise RuntimeError(
                f"The engine has {len(run.search.dataset)} evaluations already, or a batch that "
                "was asked for, which would be lost. Make a new engine with a save_dir of its own."
            )
        samples = self._read_samples(path, presort)
        with self._surroundings():
            with run.writing_in_steps():
                self._begin(0)
                run.search.replace_dataset(samples)
                with saving_on_error(run):
                    try:
                        while not run.search.is_spent and not self._is_stopping:
                            self._learn_batch(options)
                    finally:
                        # Samples are complete even if training on them stops early.
                        run.search.close_all()
                    run.save()
            return self._end()

    def _learn_batch(self, options: FitOptions) -> None:
        """Learns from a batch that already has its scores."""
        search, epoch = self._run.search, self._run.search.batch_number
        number = len(search.cascade) + 1
        self._epochs.begin(0)
        batch = search.adopt_batch()
        self._epochs.begin_evaluation(batch)
        scores = search.dataset.Y[batch.start : batch.ids.stop]
        parameters = search.parameters(batch.rows)
        for id, score, sample in zip(batch.ids, scores, parameters, strict=True):
            self._callbacks.on_sample_end(id, score, sample_logs(sample, UNKNOWN))
        self._epochs.end_evaluation([batch])
        training = self._run.learn_batch(options.admission)
        self._epochs.end(epoch, number, training)
        self._stop_early(training, options)

    def _read_samples(self, path: Path, presort: bool) -> list[tuple[list[Any], float]]:
        """Reads the first N samples of a dataset file; `presort` puts the worst first."""
        search = self._run.search
        space, budget = search.space, search.settings.schedule.total_budget
        with files.open_text(path) as file:
            samples = [(row, score) for _, row, score in read_csv(file, space, str(path))]
        if len(samples) < budget:
            raise ValueError(
                f"{str(path)!r} must have at least {budget} rows, the total budget. "
                f"Got {len(samples)} instead."
            )
        if len(samples) > budget:
            logger.warning("%r has %d rows; the first %d count.", str(path), len(samples), budget)
            samples = samples[:budget]
        for place, (row, _) in enumerate(samples, 1):
            try:
                space.check_constraints(row)
            except ValueError as error:
                raise ValueError(f"{str(path)!r}, sample {place}: {error}") from None
        if presort:
            scores = np.array([score for _, score in samples])
            order = np.argsort(search.settings.objective.worst_first(scores), kind="stable")
            samples = [samples[index] for index in order]
        return samples
