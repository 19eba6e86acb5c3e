"""ToldSearch: a search in memory, for samples that somebody else keeps."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyshac.core.basics.results.details import UNKNOWN, Details
from pyshac.core.classifiers.training import Admission
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.run.run import Run
from pyshac.core.sampling.generators import ALONE
from pyshac.core.search.batch import Batch
from pyshac.core.search.paces.open_batches import OpenBatches
from pyshac.core.search.settings import Settings
from pyshac.core.storage.save_directory import SaveDirectory

# In place of a ranking's number: the sample was drawn, but no ranking chose it.
UNRANKED = -1


@dataclass(frozen=True)
class Drawn:
    """A sample that was drawn.

    Attributes:
        row: Its values.
        chosen_by: Number of the ranking that chose it, or `UNRANKED`.
    """

    row: list[Any]
    chosen_by: int


@dataclass(frozen=True)
class Told:
    """A sample that was evaluated.

    Attributes:
        row: Its values.
        score: Its score; NaN if it failed or was pruned.
        details: What else is known of it.
        chosen_by: As of the `Drawn` that it was; None if it came from elsewhere.
    """

    row: list[Any]
    score: float
    details: Details = UNKNOWN
    chosen_by: int | None = None


class ToldSearch:
    """A search in memory that is told whole batches of evaluated samples, and draws the next ones.

    It writes no directory: whoever keeps the samples can rebuild it from them. If it is told the
    samples that it drew, it finds what an engine finds with the same seed and settings. Beyond its
    budget it goes on, batch by batch.

    Args:
        space: The search space, with its seed.
        settings: The settings.
    """

    def __init__(self, space: HyperParameterList, settings: Settings) -> None:
        # Nothing is written: only saving a run writes its directory.
        self._search = Run.new(space, settings, SaveDirectory(None)).search
        self._key: Hashable = None
        self._given: list[list[Any]] = []
        self._drawn: list[Drawn] = []

    @property
    def space(self) -> HyperParameterList:
        """The search's own copy of the space."""
        return self._search.space

    @property
    def num_told(self) -> int:
        """Number of samples that were told."""
        return self._search.num_complete

    @property
    def size_of_next(self) -> int:
        """Number of samples of the batch that is told next."""
        return self._search.settings.schedule.end_of_batch(self.num_told) - self.num_told

    def tell(self, samples: Sequence[Told]) -> None:
        """Learns from a batch, of `size_of_next` samples, and trains the classifier that is due."""
        search = self._search
        # Those from elsewhere come first in a batch, those that no ranking chose last.
        given = [each for each in samples if each.chosen_by is None]
        drawn = [each for each in samples if each.chosen_by is not None]
        ranked = [each for each in drawn if each.chosen_by != UNRANKED]
        in_order = [*given, *ranked, *(each for each in drawn if each.chosen_by == UNRANKED)]
        rankings = [each.chosen_by for each in ranked if each.chosen_by is not None]
        search.open = OpenBatches()
        rows = [each.row for each in in_order]
        batch = Batch(self.num_told, rows, chosen_by=rankings, num_enqueued=len(given))
        search.begin(batch)
        for number, sample in zip(batch.ids, in_order, strict=True):
            search.learn_score(number, sample.score, sample.details)
        search.close_batch(Admission.ACCURATE)
        self._key, self._drawn = None, []
        schedule = search.settings.schedule
        if self.num_told >= schedule.total_budget:
            schedule = replace(schedule, total_budget=self.num_told + schedule.batch_size)
            search.settings = replace(search.settings, schedule=schedule)
            search.make_up(Admission.ACCURATE)

    def sample(
        self, place: int, given: Sequence[list[Any]] = (), key: Hashable = ()
    ) -> Drawn | None:
        """Returns a sample of those that are evaluated next.

        Args:
            place: Its place among those that are drawn since the last batch was told, from 0.
            given: Rows that run already, or are evaluated, but not told. They are part of the
                next batch.
            key: Identifies these rows; they are read only when it changes.

        Returns:
            The `Drawn`; None if the space has no further sample.
        """
        if key != self._key:
            self._search.open = OpenBatches()
            self._key, self._given, self._drawn = key, [*given], []
        while place >= len(self._drawn):
            if not self._draw():
                return None
        return self._drawn[place]

    def _draw(self) -> bool:
        """Draws a further batch; returns whether it has samples."""
        search = self._search
        situation = search.situation()
        number = situation.number or search.settings.schedule.batch_size
        given, self._given = self._given[:number], self._given[number:]
        batch = search.drawing.draw(replace(situation, number=number, enqueued=given), False, ALONE)
        search.begin(batch)
        rows = batch.rows[len(given) :]
        rankings = [*batch.chosen_by, *[UNRANKED] * (len(rows) - len(batch.chosen_by))]
        self._drawn += map(Drawn, rows, rankings)
        return bool(batch.rows)
