"""The searches that are compared, all in batches: each draws W samples, then learns their scores.

A contender is a function of a task, a budget, a seed, and `evaluate`, which takes encoded rows of
shape (n, columns) and returns what was observed, shape (n,). It minimises. Every library is used as
its documentation shows, with its defaults where nothing else is said. Optuna and SMAC3 are told of
the conditions of a space; the others, which know none, see it flattened. The boosted trees of
scikit-optimize 0.10.2 are left out: they fail with scikit-learn 1.6 and later, which SMAC3 needs.
"""

from __future__ import annotations

import functools
import heapq
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import released
import tasks
from peer_spaces import Column, Need, columns, needs, row_of, rows_of, without_conditions

from pyshac import SHAC

Evaluate = Callable[[tasks.Rows], tasks.Rows]


@dataclass(frozen=True)
class Budget:
    """What a search may spend.

    Attributes:
        evaluations: N, number of evaluations.
        batch: W, evaluations that are made at once.
    """

    evaluations: int
    batch: int

    @property
    def num_batches(self) -> int:
        """M, number of batches."""
        return self.evaluations // self.batch


Search = Callable[[tasks.Task, Budget, int, Evaluate], None]


@dataclass(frozen=True)
class Contender:
    """A search of some library.

    Attributes:
        search: The search.
        package: What is installed for it, and has a version.
        module: What is imported for it.
        version: Its version, where that is not the package's.
    """

    search: Search
    package: str = "pyshac"
    module: str = "pyshac"
    version: str = ""


def random_search(task: tasks.Task, budget: Budget, seed: int, evaluate: Evaluate) -> None:
    """Draws from the prior."""
    evaluate(task.space.draw(budget.evaluations, np.random.SeedSequence([seed, 1])))


def random_twice(task: tasks.Task, budget: Budget, seed: int, evaluate: Evaluate) -> None:
    """Random search with twice the budget."""
    random_search(task, Budget(2 * budget.evaluations, budget.batch), seed, evaluate)


def pyshac_with(**options: Any) -> Search:
    """Returns our engine, with some options of its constructor."""

    def search(task: tasks.Task, budget: Budget, seed: int, evaluate: Evaluate) -> None:
        with tempfile.TemporaryDirectory() as folder:
            run_engine(_engine(task, budget, seed, folder, **options), task, evaluate)

    return search


def _engine(task: tasks.Task, budget: Budget, seed: int, folder: str, **options: Any) -> SHAC:
    """Returns our engine, whose processor time is counted, so that it has to draw alone."""
    engine = SHAC(
        task.space, budget.evaluations, budget.num_batches, "min", save_dir=folder, **options
    )
    engine.set_seed(seed)
    engine.set_num_parallel_generators(1)
    engine.limit_memory = True
    return engine


def pyshac_in_slots(pace: str) -> Search:
    """Returns our engine at a pace, with as many slots as a batch has samples.

    Evaluations end in the order in which they would if their times were log-normal, sigma 0.5.
    """

    def search(task: tasks.Task, budget: Budget, seed: int, evaluate: Evaluate) -> None:
        times = np.random.default_rng([seed, 5])
        running: list[tuple[float, int, Any]] = []
        clock, number = 0.0, 0
        with tempfile.TemporaryDirectory() as folder:
            engine = _engine(task, budget, seed, folder, pace=pace)
            while True:
                while len(running) < budget.batch and (asked := _asked(engine)):
                    end = clock + times.lognormal(0.0, 0.5)
                    heapq.heappush(running, (end, number, asked[0]))
                    number += 1
                if not running:
                    return
                clock, _, sample = heapq.heappop(running)
                row = task.space.encode(task.space.to_row(sample))
                engine.tell(sample, float(evaluate(np.array([row]))[0]))

    return search


def _asked(engine: SHAC) -> list[Any]:
    """Returns a sample, or none if scores are missing on which the next ones depend."""
    try:
        return engine.ask(1)
    except RuntimeError:
        return []


def flattened(search: Search) -> Search:
    """Returns a search that does not know the conditions of a space: all parameters have values."""

    def search_flat(task: tasks.Task, budget: Budget, seed: int, evaluate: Evaluate) -> None:
        if task.space.hierarchy.is_trivial:
            search(task, budget, seed, evaluate)
        else:
            flat = replace(task, space=without_conditions(task.space))
            deactivate = task.space.hierarchy.deactivate
            search(flat, budget, seed, lambda rows: evaluate(deactivate(rows)))

    return search_flat


def run_engine(engine: SHAC, task: tasks.Task, evaluate: Evaluate) -> None:
    """Spends the budget of an engine."""
    while run_batch(engine, task, evaluate):
        pass


def run_batch(engine: SHAC, task: tasks.Task, evaluate: Evaluate) -> bool:
    """Evaluates a batch; returns whether there was one."""
    samples = engine.ask()
    if samples:
        rows = [task.space.encode(task.space.to_row(sample)) for sample in samples]
        engine.tell(samples, evaluate(np.array(rows)).tolist())
    return bool(samples)


def optuna_with(sampler: str, **options: Any) -> Search:
    """Returns Optuna with one of its samplers, which know of samples that are being evaluated."""

    def search(task: tasks.Task, budget: Budget, seed: int, evaluate: Evaluate) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(sampler=getattr(optuna.samplers, sampler)(seed=seed, **options))
        spaces = columns(task.space)
        for _ in range(budget.num_batches):
            trials = [study.ask() for _ in range(budget.batch)]
            asked = [functools.partial(suggest, trial) for trial in trials]
            rows = [row_of(task.space, spaces, ask) for ask in asked]
            for trial, score in zip(trials, evaluate(np.array(rows)), strict=True):
                study.tell(trial, score)

    return search


def suggest(trial: Any, column: Column) -> float:
    """Returns what a trial of Optuna has in a column."""
    if column.kind == "real":
        return float(trial.suggest_float(column.name, column.low, column.high))
    if column.kind == "choice":
        return float(trial.suggest_categorical(column.name, range(int(column.high) + 1)))
    is_log = column.kind == "log integer"
    return float(trial.suggest_int(column.name, int(column.low), int(column.high), log=is_log))


def skopt_with(estimator: str) -> Search:
    """Returns scikit-optimize with one of its models, and its liar for batches."""

    def search(task: tasks.Task, budget: Budget, seed: int, evaluate: Evaluate) -> None:
        import skopt
        from skopt import space as kinds

        def dimension(column: Column) -> Any:
            if column.kind == "real":
                return kinds.Real(column.low, column.high)
            if column.kind == "choice":
                return kinds.Categorical(list(range(int(column.high) + 1)))
            prior = "log-uniform" if column.kind == "log integer" else "uniform"
            return kinds.Integer(int(column.low), int(column.high), prior=prior)

        spaces = columns(task.space)
        optimizer = skopt.Optimizer(
            [dimension(column) for column in spaces], estimator, random_state=seed
        )
        for _ in range(budget.num_batches):
            points = optimizer.ask(budget.batch)
            optimizer.tell(points, evaluate(rows_of(spaces, points)).tolist())

    return search


def hyperopt_tpe(task: tasks.Task, budget: Budget, seed: int, evaluate: Evaluate) -> None:
    """Hyperopt's tree-structured Parzen estimator, a batch of new trials at a time."""
    import hyperopt
    from hyperopt import hp

    def dimension(column: Column) -> Any:
        if column.kind == "real":
            return hp.uniform(column.name, column.low, column.high)
        if column.kind == "choice":
            return hp.choice(column.name, range(int(column.high) + 1))
        if column.kind == "integer":
            return hp.uniformint(column.name, column.low, column.high)
        ends = np.log(column.low - 0.5), np.log(column.high + 0.5)
        return hp.qloguniform(column.name, *ends, 1)

    spaces = columns(task.space)
    space = {column.name: dimension(column) for column in spaces}
    domain = hyperopt.base.Domain(lambda values: 0.0, space)
    trials, random = hyperopt.Trials(), np.random.default_rng([seed, 1])
    for _ in range(budget.num_batches):
        seeds = int(random.integers(2**31))
        new = hyperopt.tpe.suggest(trials.new_trial_ids(budget.batch), domain, trials, seeds)
        drawn = [{k: v[0] for k, v in trial["misc"]["vals"].items()} for trial in new]
        values = [hyperopt.space_eval(space, one) for one in drawn]
        rows = [[column.encode(one[column.name]) for column in spaces] for one in values]
        for trial, score in zip(new, evaluate(np.array(rows)), strict=True):
            trial["state"] = hyperopt.JOB_STATE_DONE
            trial["result"] = {"status": hyperopt.STATUS_OK, "loss": float(score)}
        trials.insert_trial_docs(new)
        trials.refresh()


def smac(task: tasks.Task, budget: Budget, seed: int, evaluate: Evaluate) -> None:
    """SMAC3's random forests, with its settings for hyperparameters."""
    import ConfigSpace
    from smac import HyperparameterOptimizationFacade, Scenario
    from smac.runhistory.dataclasses import TrialValue

    spaces = columns(task.space)
    space = ConfigSpace.ConfigurationSpace()
    dimensions = [config_space_dimension(column) for column in spaces]
    space.add([*dimensions, *_config_space_conditions(dimensions, needs(task.space))])
    with tempfile.TemporaryDirectory() as folder:
        scenario = Scenario(
            space, folder, deterministic=True, n_trials=budget.evaluations, seed=seed
        )
        facade = HyperparameterOptimizationFacade(
            scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=False
        )
        for _ in range(budget.num_batches):
            trials = [facade.ask() for _ in range(budget.batch)]
            asked = [dict(trial.config) for trial in trials]
            rows = [row_of(task.space, spaces, lambda c, one=one: one[c.name]) for one in asked]
            for trial, score in zip(trials, evaluate(np.array(rows)), strict=True):
                facade.tell(trial, TrialValue(cost=float(score)), save=False)


def config_space_dimension(column: Column) -> Any:
    """Returns a column as ConfigSpace is told of it."""
    import ConfigSpace

    if column.kind == "real":
        return ConfigSpace.Float(column.name, (column.low, column.high))
    if column.kind == "choice":
        return ConfigSpace.Categorical(column.name, list(range(int(column.high) + 1)))
    bounds, is_log = (int(column.low), int(column.high)), column.kind == "log integer"
    return ConfigSpace.Integer(column.name, bounds, log=is_log)


def _config_space_conditions(dimensions: list[Any], found: list[Need]) -> Iterator[Any]:
    """Yields the conditions of a space as ConfigSpace is told of them."""
    import ConfigSpace

    for child in dict.fromkeys(need.child for need in found):
        parts = [
            ConfigSpace.InCondition(dimensions[child], dimensions[need.parent], need.values)
            for need in found
            if need.child == child
        ]
        yield parts[0] if len(parts) == 1 else ConfigSpace.AndConjunction(*parts)


def nevergrad_with(name: str) -> Search:
    """Returns one of Nevergrad's optimizers, told of the number of workers."""

    def search(task: tasks.Task, budget: Budget, seed: int, evaluate: Evaluate) -> None:
        import nevergrad

        def dimension(column: Column) -> Any:
            low, high = column.low, column.high
            if column.kind == "choice":
                return nevergrad.p.Choice(range(int(high) + 1))
            if column.kind == "log integer":
                return nevergrad.p.Log(lower=low, upper=high).set_integer_casting()
            scalar = nevergrad.p.Scalar(lower=low, upper=high)
            return scalar if column.kind == "real" else scalar.set_integer_casting()

        spaces = columns(task.space)
        parameters = nevergrad.p.Tuple(*[dimension(column) for column in spaces])
        parameters.random_state.seed(seed)
        optimizer = nevergrad.optimizers.registry[name](
            parameters, budget=budget.evaluations, num_workers=budget.batch
        )
        for _ in range(budget.num_batches):
            asked = [optimizer.ask() for _ in range(budget.batch)]
            rows = rows_of(spaces, [candidate.value for candidate in asked])
            for candidate, score in zip(asked, evaluate(rows), strict=True):
                optimizer.tell(candidate, float(score))

    return search


def hebo_with(model: str) -> Search:
    """Returns HEBO with one of its models: "gp", its default, or "gpy", which warps its inputs."""

    def search(task: tasks.Task, budget: Budget, seed: int, evaluate: Evaluate) -> None:
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.models.model_factory import model_dict
        from hebo.optimizers.hebo import HEBO

        if model == "gpy":
            # 0.3.6 ships the model and does not list it.
            from hebo.models.gp.gpy_wgp import GPyGP

            model_dict[model] = GPyGP

        def dimension(column: Column) -> dict[str, Any]:
            if column.kind == "choice":
                values = list(range(int(column.high) + 1))
                return {"name": column.name, "type": "cat", "categories": values}
            kind = {"real": "num", "integer": "int", "log integer": "pow_int"}[column.kind]
            return {"name": column.name, "type": kind, "lb": column.low, "ub": column.high}

        # It draws from the global streams of both.
        np.random.seed(seed)
        torch.manual_seed(seed)
        spaces = columns(task.space)
        optimizer = HEBO(
            DesignSpace().parse([dimension(column) for column in spaces]), model, scramble_seed=seed
        )
        for _ in range(budget.num_batches):
            asked = optimizer.suggest(n_suggestions=budget.batch)
            points = asked[[column.name for column in spaces]].to_numpy()
            optimizer.observe(asked, evaluate(rows_of(spaces, points)).reshape(-1, 1))

    return search


def _optuna(sampler: str, **options: Any) -> Contender:
    return Contender(optuna_with(sampler, **options), "optuna", "optuna")


def _skopt(estimator: str) -> Contender:
    return Contender(flattened(skopt_with(estimator)), "scikit-optimize", "skopt")


def _nevergrad(name: str) -> Contender:
    return Contender(flattened(nevergrad_with(name)), "nevergrad", "nevergrad")


CONTENDERS: dict[str, Contender] = {
    "PySHAC": Contender(pyshac_with()),
    "PySHAC, paper": Contender(pyshac_with(method="paper")),
    "PySHAC 0.3.5.1": Contender(flattened(released.search), version=released.VERSION),
    "random": Contender(random_search),
    "random 2N": Contender(random_twice),
    "Optuna TPE": _optuna("TPESampler", multivariate=True, constant_liar=True),
    "Optuna GP": _optuna("GPSampler"),
    "skopt forest": _skopt("RF"),
    "Hyperopt TPE": Contender(flattened(hyperopt_tpe), "hyperopt", "hyperopt"),
    "SMAC3": Contender(smac, "smac", "smac"),
    "HEBO": Contender(flattened(hebo_with("gp")), "HEBO", "hebo"),
    "HEBO, warped": Contender(flattened(hebo_with("gpy")), "HEBO", "hebo"),
    "Nevergrad": _nevergrad("NGOpt"),
    "Nevergrad CMA": _nevergrad("CMA"),
}

_TPE = {"multivariate": True, "constant_liar": True}
# What else is compared where a space has conditions.
WITH_CONDITIONS: dict[str, Contender] = {
    "PySHAC, flattened": Contender(flattened(pyshac_with())),
    "Optuna TPE, group": _optuna("TPESampler", **_TPE, group=True),
    "Optuna TPE, flattened": Contender(
        flattened(optuna_with("TPESampler", **_TPE)), "optuna", "optuna"
    ),
}
# Our engine, in slots that need not wait.
AT_OTHER_PACES = {
    f"PySHAC, {pace}": Contender(pyshac_in_slots(pace)) for pace in ("pipeline", "stream")
}
ALL = {**CONTENDERS, **WITH_CONDITIONS, **AT_OTHER_PACES}
