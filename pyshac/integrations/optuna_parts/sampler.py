"""SHACSampler: SHAC as a sampler of Optuna."""

from __future__ import annotations

import weakref
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from pyshac.core.basics import seeding
from pyshac.core.basics.checks import check_positive
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.basics.seeding import Purpose
from pyshac.core.dataset.objective import get_objective
from pyshac.core.search.schedule import Schedule
from pyshac.core.search.settings import Settings
from pyshac.integrations.optuna_parts.study_search import RANKING, StudySearch

# The attribute of a study that has the seed which all processes share.
SEED = "pyshac:seed"


class SHACSampler(BaseSampler):
    """SHAC as a sampler of Optuna.

    SHAC samples every parameter that an earlier trial had; new parameters are drawn at random.
    Conditional parameters, those that only some trials have, are learned from the trials. The study
    holds the whole state of the search, so several processes or threads can share it, and a later
    process can continue it.

    Failed trials count as bad ones; pruned ones are compared by the steps that they reached.

    Args:
        num_trials: N, the total number of trials of the study. After that, the budget grows by one
            batch at a time.
        batch_size: W, the number of trials that end before the search learns from them.
        seed: A non-negative int, which makes sequential trials reproducible; None for the seed of
            the study, or a fresh one.
        search_space: The distributions by name, if they are known beforehand. SHAC then samples the
            first trial as well.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If an argument has a value that is not allowed.
    """

    def __init__(
        self,
        num_trials: int,
        batch_size: int,
        seed: int | None = None,
        *,
        search_space: Mapping[str, BaseDistribution] | None = None,
    ) -> None:
        number = check_positive("num_trials", num_trials)
        self._schedule = Schedule(number, check_positive("batch_size", batch_size))
        self._seed = seeding.check_seed(seed)
        self._known = _check_space(search_space)
        self._start()

    def _start(self) -> None:
        self._lock = CopyableLock()
        self._searches: weakref.WeakKeyDictionary[Any, dict[int, StudySearch]] = (
            weakref.WeakKeyDictionary()
        )

    def __getstate__(self) -> dict[str, Any]:
        own = ("_lock", "_searches")
        return {name: value for name, value in vars(self).items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._start()

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Returns the space that the trials so far show."""
        self._check_single(study)
        with self._lock:
            return dict(self._search(study).space(_trials(study), trial.number).distributions)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Returns the sample of a trial.

        Parameters whose conditions do not hold have no value. Of a small finite space in which
        nothing is left, all are drawn at random.
        """
        self._check_single(study)
        if not search_space:
            return {}
        with self._lock:
            sample = self._search(study).sample(_trials(study), trial.number)
        if sample is None:
            return {
                name: self._draw(study, trial, name, each) for name, each in search_space.items()
            }
        study._storage.set_trial_system_attr(trial._trial_id, RANKING, sample.chosen_by)
        return {name: value for name, value in sample.values.items() if name in search_space}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Returns a random value of a parameter of which the search does not know."""
        self._check_single(study)
        if trial.number == 0 and not self._known:
            with self._lock:
                search = self._search(study)
                value = search.first_value(trial, param_name, param_distribution)
            if value is not None and param_distribution._contains(
                param_distribution.to_internal_repr(value)
            ):
                return value
        return self._draw(study, trial, param_name, param_distribution)

    def reseed_rng(self) -> None:
        """Does nothing: each draw has a stream of its own, of the seed and the trial's number."""

    def _check_single(self, study: Study) -> None:
        number = len(study.directions)
        if number > 1:
            raise ValueError(
                f"SHACSampler needs a study with one objective. Got one with {number}: combine "
                "them into one value, or take another sampler, such as NSGAIISampler of Optuna."
            )

    def _search(self, study: Study) -> StudySearch:
        """Returns the search of a study; call it with the lock held."""
        searches = self._searches.setdefault(study._storage, {})
        if study._study_id not in searches:
            is_max = study.direction == StudyDirection.MAXIMIZE
            settings = Settings(self._schedule, get_objective("max" if is_max else "min"))
            searches[study._study_id] = StudySearch(settings, self._entropy(study), self._known)
        return searches[study._study_id]

    def _entropy(self, study: Study) -> int:
        """Returns the seed; without one of its own, that which the study has."""
        if self._seed is not None:
            return self._seed
        storage, study_id = study._storage, study._study_id
        if SEED not in storage.get_study_system_attrs(study_id):
            # As text, since it has 128 bits. Of several processes, the last one has written it.
            storage.set_study_system_attr(study_id, SEED, str(seeding.fresh_entropy()))
        return int(storage.get_study_system_attrs(study_id)[SEED])

    def _draw(
        self, study: Study, trial: FrozenTrial, name: str, distribution: BaseDistribution
    ) -> Any:
        """Returns a random value, from a stream of the trial and the parameter."""
        with self._lock:
            entropy = self._search(study).entropy
        place = (trial.number, zlib.crc32(name.encode("utf-8", "surrogatepass")))
        seed = seeding.as_integer(seeding.stream(entropy, Purpose.ENQUEUE, *place))
        return RandomSampler(seed).sample_independent(study, trial, name, distribution)


def _trials(study: Study) -> Sequence[FrozenTrial]:
    # All of them, also where a pruner would show those of one bracket only.
    return study._storage.get_all_trials(study._study_id, deepcopy=False)


def _check_space(space: Any) -> dict[str, BaseDistribution]:
    if space is None:
        return {}
    is_space = isinstance(space, Mapping) and all(
        isinstance(name, str) and isinstance(each, BaseDistribution) for name, each in space.items()
    )
    if not is_space:
        raise TypeError(
            "search_space must be a mapping from names to distributions of Optuna, such as "
            f"{{'x': FloatDistribution(0, 1)}}, or None. Got {space!r} instead."
        )
    return dict(space)
