"""The cascade of a search by PySHAC 0.1 to 0.3, trained again from its samples.

The original classifiers are in a pickle, which is never opened. Almost all were trained by the
paper's procedure without cross validation, each on the samples of its own stage. The length of a
stage is not saved, but the samples reveal it. Each sample was drawn until it passed the classifiers
of all earlier stages. With the right length, the classifiers accept the later samples; with a wrong
length, they reject many.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field, replace

import numpy as np

from pyshac.core.basics.arrays import BoolArray, Float32Array, FloatArray, without_float_errors
from pyshac.core.basics.messages.warning import warn
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.dataset.objective import MAX, MIN, Objective
from pyshac.core.search.method import PAPER
from pyshac.core.search.schedule import Schedule
from pyshac.core.search.search import Search

logger = logging.getLogger("pyshac")

# XGBoost's default settings, which the paper's method has, never split fewer samples.
MIN_STAGE = 8
# Default of the earlier constructor.
MAX_CLASSIFIERS = 18
# Shares of later samples that a classifier accepts: if it was one of the search's, some of whose
# samples were drawn with relaxed checks; and if it was not, since each accepts half.
RIGHT_SHARE, WRONG_SHARE = 0.9, 0.5
# Evidence, in bits, at which a length is given up.
HOPELESS = -100.0


@dataclass
class _Trial:
    """A possible length of a stage, and its agreement with the samples.

    Attributes:
        length: Number of samples in a stage.
        classifiers: The classifiers of the stages so far.
        evidence: The likelihood ratio of the samples under the two shares, in bits.
    """

    length: int
    classifiers: list[BoostedTrees] = field(default_factory=list)
    evidence: float = 0.0

    def take_stage(self, features: Float32Array, is_good: BoolArray, most: int) -> None:
        """Compares the samples of a stage with the classifiers so far, and trains the next one."""
        if self.classifiers:
            accepts = np.array([each.predict(features) for each in self.classifiers])
            self.evidence += accepts.sum() * math.log2(RIGHT_SHARE / WRONG_SHARE)
            self.evidence += (~accepts).sum() * math.log2((1 - RIGHT_SHARE) / (1 - WRONG_SHARE))
        if len(self.classifiers) < most and 0 < is_good.sum() < len(is_good):
            trees = BoostedTrees(boosting=PAPER.trees).fit(features, is_good)
            if 0 < trees.predict(features).sum() < len(features):
                self.classifiers.append(trees)


@dataclass(frozen=True)
class EarlierRun:
    """The samples of an earlier search, all of which have scores.

    Attributes:
        features: Shape (n, columns).
        scores: Shape (n,), in the order of evaluation; higher is better.
        schedule: The schedule of the engine that restores the search. The samples may contradict
            its budget and number of classifiers; only what they do not contradict is used.
    """

    features: Float32Array
    scores: FloatArray
    schedule: Schedule

    def find_stages(self) -> _Trial | None:
        """Returns the stage length that agrees best with the samples; None if no length agrees."""
        trials = [self._try(length) for length in self._possible_lengths()]
        best = max(trials, key=lambda trial: trial.evidence, default=None)
        return None if best is None or best.evidence <= 0 else best

    def length_of_full_cascade(self) -> int:
        """Returns the length for samples without a cascade, such as those of `fit_dataset`."""
        size = len(self.scores)
        return max(size // (self._most_classifiers + 1), min(MIN_STAGE, size))

    def num_classifiers(self, length: int) -> int:
        """Returns the number of classifiers that the earlier search trained."""
        stages, most = len(self.scores) // length, self.schedule.max_classifiers
        # A search that has spent its budget trains none on its last stage.
        if stages < most and len(self.scores) >= self.schedule.total_budget:
            stages = max(stages - 1, 1)
        return min(stages, most)

    @property
    def _most_classifiers(self) -> int:
        return max(self.schedule.max_classifiers, MAX_CLASSIFIERS)

    def _possible_lengths(self) -> list[int]:
        size, budget = len(self.scores), self.schedule.total_budget
        lengths = set()
        for batch_size in (number for number in range(1, size + 1) if size % number == 0):
            lengths.add(batch_size)
            for total in {size, max(size, budget)}:
                if total % batch_size == 0:
                    schedule = Schedule(total, batch_size, self._most_classifiers)
                    lengths.add(schedule.per_classifier_budget)
        return sorted(length for length in lengths if MIN_STAGE <= length <= size // 2)

    def _try(self, length: int) -> _Trial:
        trial = _Trial(length)
        for start in range(0, len(self.scores) - length + 1, length):
            stage = slice(start, start + length)
            is_good = self.scores[stage] > np.median(self.scores[stage])
            trial.take_stage(self.features[stage], is_good, self._most_classifiers)
            if trial.evidence < HOPELESS:
                break
        return trial


@without_float_errors
def train_again(search: Search, path: str) -> None:
    """Trains the cascade of an earlier search from the samples in a search, and closes them.

    A search with the default objective changes its objective if the samples agree with the other
    one. A warning appears if there are fewer classifiers than in the earlier search.

    Args:
        search: A search with the samples of the earlier one and no classifiers.
        path: Its save directory, for the log and the warning.
    """
    run, best = _told_by_samples(search, search.settings.objective)
    if search.settings.objective == MAX:
        other, best_of_other = _told_by_samples(search, MIN)
        if best_of_other is not None and best_of_other.evidence > (best.evidence if best else 0):
            run, best = other, best_of_other
            search.settings = replace(search.settings, objective=MIN)
            logger.warning(
                "%r does not say its objective, but its samples do: it is 'min', which the engine "
                "takes instead of the default, 'max'.", path,
            )  # fmt: skip
    length = best.length if best is not None else run.length_of_full_cascade()
    number = run.num_classifiers(length)
    for stop in range(length, length * number + 1, length):
        training = search.stages().train_as_earlier(stop - length, stop)
        if training.classifier is not None:
            search.take(training, stop)
    search.close_all()
    search.stage_end = search.num_complete
    logger.info(
        "Trained %d classifiers of an earlier search again, on stages of %d samples.",
        len(search.cascade), length,
    )  # fmt: skip
    if len(search.cascade) < number:
        warn(
            f"{path!r}: {len(search.cascade)} of the {number} classifiers of this search could be "
            f"trained again, from stages of {length} samples. In the other stages no sample was "
            "better than half of them, or the classifier did not tell them apart."
        )


def _told_by_samples(search: Search, objective: Objective) -> tuple[EarlierRun, _Trial | None]:
    features = search.cascade.features(search.dataset.encoded)
    scores = objective.worst_first(search.dataset.scores)
    run = EarlierRun(features, scores, search.settings.schedule)
    return run, run.find_stages()
