"""Searches of other libraries, as the clock drives them, with their defaults.

Stopping and budgets begin at one epoch, and each rung has three times the epochs of the one before.
Optuna's pruners are asked after every epoch but the last, as its documentation shows it, and so are
the schedulers of Syne Tune, whose budgets are told to them as its tuner does.
"""

from __future__ import annotations

import datetime
import functools
import logging
import tempfile
from typing import Any

import contenders
import numpy as np
from peer_spaces import Column, columns, row_of

from hours_runs.clock import Asked, Engine
from hours_runs.problems import EPOCHS
from pyshac.core.hyperparameters import HyperParameterList


class Optuna(Engine):
    """Optuna, told of each evaluation as it ends.

    Args:
        space: The search space.
        num_slots: Number of slots.
        seed: Its seed.
        sampler: Name of its sampler.
        pruner: Name of its pruner, or None.
        options: Options of the pruner.
    """

    def __init__(
        self,
        space: HyperParameterList,
        num_slots: int,
        seed: int,
        *,
        sampler: str,
        pruner: str | None = None,
        **options: Any,
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.decides = pruner is not None
        self._pruned = optuna.trial.TrialState.PRUNED
        self._study = optuna.create_study(
            sampler=getattr(optuna.samplers, sampler)(seed=seed),
            pruner=getattr(optuna.pruners, pruner)(**options) if pruner else None,
        )
        self._space, self._columns = space, columns(space)

    def ask(self) -> Asked:
        trial = self._study.ask()
        suggest = functools.partial(contenders.suggest, trial)
        return Asked(row_of(self._space, self._columns, suggest), trial)

    def goes_on(self, asked: Asked, epoch: int, score: float) -> bool:
        asked.handle.report(score, epoch)
        return not asked.handle.should_prune()

    def tell(self, asked: Asked, epoch: int, score: float) -> None:
        if epoch < EPOCHS:
            self._study.tell(asked.handle, state=self._pruned)
            return
        if self.decides:
            asked.handle.report(score, epoch)
        self._study.tell(asked.handle, score)


class Smac(Engine):
    """SMAC3 with Hyperband; every budget is trained from the start.

    Args:
        space: The search space.
        num_slots: Number of slots.
        seed: Its seed.
    """

    # The clock ends a run, not the number of trials.
    _NUM_TRIALS = 100_000

    def __init__(self, space: HyperParameterList, num_slots: int, seed: int) -> None:
        import ConfigSpace
        from smac import MultiFidelityFacade, Scenario
        from smac.runhistory.dataclasses import TrialValue

        self._folder = tempfile.TemporaryDirectory()
        self._space, self._columns, self._value = space, columns(space), TrialValue
        configurations = ConfigSpace.ConfigurationSpace()
        configurations.add([contenders.config_space_dimension(one) for one in self._columns])
        scenario = Scenario(
            configurations,
            output_directory=self._folder.name,
            deterministic=True,
            n_trials=self._NUM_TRIALS,
            min_budget=1,
            max_budget=EPOCHS,
            seed=seed,
        )
        self._facade = MultiFidelityFacade(
            scenario,
            lambda config, seed=0, budget=0: 0.0,
            overwrite=True,
            logging_level=False,
        )

    def ask(self) -> Asked:
        trial = self._facade.ask()
        values = dict(trial.config)
        row = row_of(self._space, self._columns, lambda column: values[column.name])
        return Asked(row, trial, round(trial.budget))

    def tell(self, asked: Asked, epoch: int, score: float) -> None:
        self._facade.tell(asked.handle, self._value(cost=score), save=False)

    def close(self) -> None:
        self._folder.cleanup()


class SyneTune(Engine):
    """A scheduler of Syne Tune.

    Args:
        space: The search space.
        num_slots: Number of slots.
        seed: Its seed.
        scheduler: Name of the scheduler.
    """

    decides = True

    def __init__(
        self, space: HyperParameterList, num_slots: int, seed: int, *, scheduler: str
    ) -> None:
        from syne_tune.backend.trial_status import Trial
        from syne_tune.optimizer import baselines
        from syne_tune.optimizer.scheduler import SchedulerDecision

        logging.getLogger("syne_tune").setLevel(logging.ERROR)
        # It draws brackets from the global stream.
        np.random.seed(seed)
        self._trial, self._goes_on = Trial, SchedulerDecision.CONTINUE
        self._space, self._columns, self._asked = space, columns(space), 0
        self._scheduler = getattr(baselines, scheduler)(
            {column.name: _syne_tune_domain(column) for column in self._columns},
            metric="score",
            time_attr="epoch",
            max_t=EPOCHS,
            random_seed=seed,
        )

    def ask(self) -> Asked:
        config = self._scheduler.suggest().config
        trial = self._trial(self._asked, config, datetime.datetime.now())
        self._asked += 1
        self._scheduler.on_trial_add(trial)
        row = row_of(self._space, self._columns, lambda column: config[column.name])
        return Asked(row, trial)

    def goes_on(self, asked: Asked, epoch: int, score: float) -> bool:
        result = {"score": score, "epoch": epoch}
        return self._scheduler.on_trial_result(asked.handle, result) == self._goes_on

    def tell(self, asked: Asked, epoch: int, score: float) -> None:
        if epoch == EPOCHS:
            self.goes_on(asked, epoch, score)
        self._scheduler.on_trial_remove(asked.handle)


def _syne_tune_domain(column: Column) -> Any:
    from syne_tune import config_space

    if column.kind == "real":
        return config_space.uniform(column.low, column.high)
    if column.kind == "choice":
        return config_space.choice(column.values)
    make = config_space.lograndint if column.kind == "log integer" else config_space.randint
    return make(int(column.low), int(column.high))
