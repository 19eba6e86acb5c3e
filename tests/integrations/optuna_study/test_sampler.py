"""SHACSampler: the search that it is, and the studies that it serves."""

from __future__ import annotations

import math
import multiprocessing
import pickle
import time
import warnings

import pytest

optuna = pytest.importorskip("optuna", reason="needs optuna")

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution  # noqa: E402
from optuna.trial import TrialState  # noqa: E402

from pyshac import SHAC, DiscreteHP, HyperParameterList, IntegerHP, UniformHP  # noqa: E402
from pyshac.integrations.optuna import SHACSampler  # noqa: E402
from tests.integrations.optuna_study.objectives import CHOICES, branching, flat, score, work  # noqa: E402

FLAT = [
    UniformHP("x", -5, 5),
    UniformHP("rate", 1e-5, 1, log=True),
    IntegerHP("n", 1, 20),
    DiscreteHP("choice", CHOICES),
]


@pytest.fixture(autouse=True)
def quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


def study_of(sampler, direction="maximize", **kwargs):
    return optuna.create_study(sampler=sampler, direction=direction, **kwargs)


def params_of(study):
    return [trial.params for trial in study.trials]


def own_search(path, space, function, budget, batch_size, objective="max", seed=5):
    """The samples of this library's own search."""
    engine = SHAC(
        None, HyperParameterList(space, seed=seed), budget, batch_size=batch_size,
        objective=objective, save_dir=path,
    )  # fmt: skip
    samples = []
    while batch := engine.ask():
        samples += [dict(sample) for sample in batch]
        engine.tell(batch, [function(**sample) for sample in batch])
    return samples


class TestTheSearchThatItIs:
    @pytest.mark.parametrize("budget", [40, 37])
    @pytest.mark.filterwarnings("ignore:A batch has")
    def test_the_samples_of_the_engine(self, tmp_path, budget):
        study = study_of(SHACSampler(budget, 10, 5))
        study.optimize(flat, n_trials=budget)
        assert params_of(study) == own_search(tmp_path / "a", FLAT, score, budget, 10)

    @pytest.mark.filterwarnings("ignore:A batch has")
    def test_a_finite_space_that_is_known_beforehand(self, tmp_path):
        space = [
            IntegerHP("n", 0, 30, step=2),
            UniformHP("x", 0, 1, step=0.1),
            DiscreteHP("c", ["a", "b"]),
        ]
        known = {
            "n": IntDistribution(0, 30, step=2),
            "x": FloatDistribution(0, 1, step=0.1),
            "c": CategoricalDistribution(["a", "b"]),
        }
        function = lambda n, x, c: (n - 8) ** 2 + x + (c == "a")  # noqa: E731
        study = study_of(SHACSampler(40, 10, 3, search_space=known), "minimize")
        for _ in range(40):
            trial = study.ask(known)
            study.tell(trial, function(**trial.params))
        own = own_search(tmp_path / "a", space, function, 40, 10, "min", 3)
        assert params_of(study) == own

    @pytest.mark.filterwarnings("ignore:A batch has")
    def test_failed_trials_are_failed_samples(self, tmp_path):
        function = lambda x, y: math.nan if x > 0.7 else x + y  # noqa: E731
        study = study_of(SHACSampler(30, 10, 1))
        space = [UniformHP("x", 0, 1), UniformHP("y", 0, 1)]
        study.optimize(
            lambda trial: function(trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)),
            n_trials=30,
        )
        assert TrialState.FAIL in [trial.state for trial in study.trials]
        assert params_of(study) == own_search(tmp_path / "a", space, function, 30, 10, seed=1)

    def test_it_goes_on_beyond_its_budget(self):
        study = study_of(SHACSampler(10, 5, 0))
        study.optimize(flat, n_trials=27)
        assert len({str(each) for each in params_of(study)}) == 27

    @pytest.mark.slow
    def test_it_is_ahead_of_random_trials(self):
        def best(sampler):
            study = study_of(sampler, "minimize")
            study.optimize(branching, n_trials=60)
            return study.best_value

        pairs = [
            (best(SHACSampler(60, 10, seed)), best(optuna.samplers.RandomSampler(seed)))
            for seed in range(2)
        ]
        assert all(ours < theirs for ours, theirs in pairs)


class TestRunsAgain:
    @pytest.mark.slow
    def test_the_same_seed_is_the_same_run(self):
        runs = [study_of(SHACSampler(30, 10, 4), "minimize") for _ in range(2)]
        for study in runs:
            study.optimize(branching, n_trials=30)
        assert params_of(runs[0]) == params_of(runs[1])

    @pytest.mark.slow
    @pytest.mark.parametrize("objective", [flat, branching])
    def test_a_study_that_is_resumed_with_a_new_sampler(self, tmp_path, objective):
        whole = study_of(SHACSampler(30, 10, 4))
        whole.optimize(objective, n_trials=30)
        address = f"sqlite:///{tmp_path / 'study.db'}"
        for start, stop in ((0, 3), (3, 17), (17, 30)):
            part = study_of(
                SHACSampler(30, 10, 4), study_name="s", storage=address, load_if_exists=True
            )
            part.optimize(objective, n_trials=stop - start)
        assert params_of(part) == params_of(whole)

    def test_a_sampler_that_was_pickled(self):
        study = study_of(SHACSampler(30, 10, 4))
        study.optimize(flat, n_trials=12)
        study.sampler = pickle.loads(pickle.dumps(study.sampler))
        study.optimize(flat, n_trials=12)
        whole = study_of(SHACSampler(30, 10, 4))
        whole.optimize(flat, n_trials=24)
        assert params_of(study) == params_of(whole)

    def test_without_a_seed_the_study_keeps_one(self):
        study = study_of(SHACSampler(30, 10))
        study.optimize(flat, n_trials=5)
        other = study_of(SHACSampler(30, 10))
        other.optimize(flat, n_trials=5)
        assert params_of(study) != params_of(other)
        seed = study._storage.get_study_system_attrs(study._study_id)["pyshac:seed"]
        again = study_of(SHACSampler(30, 10, int(seed)))
        again.optimize(flat, n_trials=5)
        assert params_of(study) == params_of(again)


class TestSpacesThatGrow:
    def conditions(self, study):
        sampler = study.sampler
        search = sampler._search(study)
        space = search.space(study.trials, -1)
        return {
            name: [(rule.parent, dict(rule.arguments)) for rule in rules]
            for name, rules in space.conditions.items()
        }

    def test_conditions_are_learned(self):
        study = study_of(SHACSampler(40, 10, 0), "minimize")
        study.optimize(branching, n_trials=40)
        found = self.conditions(study)
        assert found["depth"] == [("model", {"values": [0]})]
        assert found["layers"] == found["width_0"] == [("model", {"values": [1]})]
        assert found["width_1"] == [("layers", {"at_least": 2})]
        assert found["width_2"] == [("layers", {"at_least": 3})]

    @pytest.mark.slow
    def test_a_parameter_that_appears_late(self):
        study = study_of(SHACSampler(40, 10, 0))
        study.optimize(flat, n_trials=15)
        study.optimize(lambda trial: flat(trial) - trial.suggest_float("late", 0, 1), n_trials=25)
        assert not self.conditions(study)
        lates = [each["late"] for each in params_of(study)[15:]]
        assert len({*lates}) > 20

    def test_ranges_that_move(self):
        study = study_of(SHACSampler(40, 10, 0))
        for number in range(30):
            high = 5 + number % 3
            study.optimize(
                lambda trial: -trial.suggest_float("x", 0, high) - trial.suggest_int("n", 1, high),  # noqa: B023
                n_trials=1,
            )
        assert all(trial.state == TrialState.COMPLETE for trial in study.trials)

    def test_choices_of_any_kind(self):
        marker = object()
        kinds = [[1, 1.0, True], [math.nan, 0.5], [marker, "a"], [2, 2]]

        def objective(trial):
            values = [trial.suggest_categorical(f"c{n}", kind) for n, kind in enumerate(kinds)]
            assert all(any(v is c for c in k) for v, k in zip(values, kinds, strict=True))
            return trial.suggest_float("x", 0, 1)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            study = study_of(SHACSampler(20, 5, 0))
            study.optimize(objective, n_trials=20)
        assert len(study.trials) == 20

    def test_ranges_that_the_search_cannot_hold(self):
        def objective(trial):
            trial.suggest_int("huge", -(2**60), 2**60)
            return trial.suggest_float("x", 0, 1)

        study = study_of(SHACSampler(20, 5, 0))
        study.optimize(objective, n_trials=20)
        assert all(trial.state == TrialState.COMPLETE for trial in study.trials)

    def test_an_objective_without_parameters(self):
        study = study_of(SHACSampler(20, 5, 0))
        study.optimize(lambda trial: 1.0, n_trials=12)
        assert len(study.trials) == 12

    def test_a_finite_space_that_is_used_up(self):
        study = study_of(SHACSampler(20, 5, 0))
        study.optimize(lambda trial: trial.suggest_int("n", 1, 8), n_trials=20)
        assert {each["n"] for each in params_of(study)} == {*range(1, 9)}


class TestTrialsOfOthers:
    def test_trials_that_are_enqueued(self):
        study = study_of(SHACSampler(30, 10, 0))
        study.optimize(flat, n_trials=12)
        study.enqueue_trial({"x": 1.0, "n": 7})
        study.enqueue_trial({"x": 2.0, "rate": 0.5, "n": 3, "choice": None})
        study.optimize(flat, n_trials=18)
        assert params_of(study)[12]["x"] == 1.0
        assert params_of(study)[13] == {"x": 2.0, "rate": 0.5, "n": 3, "choice": None}
        assert len(study.trials) == 30

    @pytest.mark.filterwarnings("ignore:Fixed parameter")
    def test_enqueued_values_that_lie_outside(self):
        def objective(trial):
            return (
                trial.suggest_float("x", 0, 1)
                + trial.suggest_float("rate", 1e-3, 1, log=True)
                + trial.suggest_float("step", 0, 1, step=0.25)
                + trial.suggest_int("n", 1, 9, step=2)
            )

        study = study_of(SHACSampler(40, 5, 0))
        study.optimize(objective, n_trials=6)
        study.enqueue_trial({"x": 70.0, "rate": 5.0, "step": 0.3, "n": 4})
        study.optimize(objective, n_trials=20)
        assert params_of(study)[6] == {"x": 70.0, "rate": 5.0, "step": 0.3, "n": 4}
        assert all(0 <= each["x"] <= 1 for each in params_of(study)[7:])

    @pytest.mark.parametrize("name", ["", "é", "a\nb", "n" * 300, "a_1", "\0"])
    def test_odd_names(self, name):
        study = study_of(SHACSampler(20, 5, 0))
        study.optimize(
            lambda trial: trial.suggest_float(name, 0, 1) + trial.suggest_float("a", 0, 1),
            n_trials=12,
        )
        assert len({str(each) for each in params_of(study)}) == 12

    @pytest.mark.slow
    def test_trials_of_another_sampler_are_learned_from(self):
        study = study_of(optuna.samplers.RandomSampler(0))
        study.optimize(flat, n_trials=30)
        study.sampler = SHACSampler(60, 10, 0)
        study.optimize(flat, n_trials=30)
        values = [trial.value for trial in study.trials]
        assert sorted(values[30:])[15] > sorted(values[:30])[15]

    @pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
    def test_parameters_that_are_fixed(self):
        study = study_of(SHACSampler(30, 10, 0))
        study.optimize(flat, n_trials=12)
        study.sampler = optuna.samplers.PartialFixedSampler({"n": 7}, study.sampler)
        study.optimize(flat, n_trials=18)
        assert {each["n"] for each in params_of(study)[12:]} == {7}

    def test_pruned_trials_and_those_that_fail_early(self):
        def objective(trial):
            x = trial.suggest_float("x", 0, 1)
            if x > 0.9:
                raise ValueError("before the other parameter is known")
            for step in range(4):
                trial.report(x * step, step)
                if trial.should_prune():
                    raise optuna.TrialPruned
            return x + trial.suggest_float("y", 0, 1)

        study = study_of(SHACSampler(40, 10, 0), pruner=optuna.pruners.MedianPruner(4, 1))
        study.optimize(objective, n_trials=40, catch=ValueError)
        states = {trial.state for trial in study.trials}
        assert states == {TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL}

    def test_hyperband_shows_all_of_its_brackets(self):
        def objective(trial):
            x = trial.suggest_float("x", 0, 1)
            for step in range(9):
                trial.report(x * step, step)
                if trial.should_prune():
                    raise optuna.TrialPruned
            return x

        study = study_of(SHACSampler(30, 5, 0), pruner=optuna.pruners.HyperbandPruner(1, 9))
        study.optimize(objective, n_trials=30)
        assert len({str(each) for each in params_of(study)}) == 30

    def test_trials_that_never_end(self):
        study = study_of(SHACSampler(30, 5, 0))
        study.optimize(flat, n_trials=7)
        for _ in range(12):
            study.ask()
        study.optimize(flat, n_trials=30)
        search = study.sampler._search(study)
        assert search._search.num_told >= 35
        assert len({str(each) for each in params_of(study) if each}) == 37

    def test_attributes_of_somebody_else(self):
        study = study_of(SHACSampler(30, 5, 0))
        for value in (10**9, -7, "x", None, True):
            trial = study.ask()
            study._storage.set_trial_system_attr(trial._trial_id, "pyshac:ranking", value)
            study.tell(trial, trial.suggest_float("x", 0, 1))
        study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=12)


class TestInParallel:
    def test_threads(self):
        study = study_of(SHACSampler(40, 10, 0))
        study.optimize(flat, n_trials=40, n_jobs=4)
        assert len({str(each) for each in params_of(study)}) == 40

    @pytest.mark.parametrize("seed", range(3))
    def test_trials_that_ask_late_for_their_values(self, seed):
        """Samples are handed out before the storage shows them."""
        space = {"n": IntDistribution(1, 8), "m": IntDistribution(1, 5)}

        def late(trial):
            time.sleep(0.005)
            return trial.suggest_int("n", 1, 8) * trial.suggest_int("m", 1, 5)

        study = study_of(SHACSampler(40, 10, seed, search_space=space))
        study.optimize(late, n_trials=40, n_jobs=4)
        assert len({str(each) for each in params_of(study)}) == 40

    @pytest.mark.slow
    def test_processes_on_one_storage(self, tmp_path):
        address = f"sqlite:///{tmp_path / 'study.db'}"
        study = study_of(None, study_name="shared", storage=address)
        context = multiprocessing.get_context("spawn")
        workers = [context.Process(target=work, args=(address, 20, None)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert [worker.exitcode for worker in workers] == [0, 0]
        assert len({str(each) for each in params_of(study)}) == 40


class TestMisuse:
    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ((0, 5), ValueError, "num_trials must be.*Got 0"),
            ((10, 2.5), TypeError, "batch_size must be.*Got 2.5"),
            ((10, 5, -1), ValueError, "seed must be.*Got -1"),
            (("10", 5), TypeError, "num_trials must be.*Got '10'"),
        ],
    )
    def test_wrong_arguments(self, arguments, error, message):
        with pytest.raises(error, match=message):
            SHACSampler(*arguments)

    @pytest.mark.parametrize("space", [[], {"x": 3}, {1: FloatDistribution(0, 1)}])
    def test_a_wrong_space(self, space):
        with pytest.raises(TypeError, match="search_space must be a mapping"):
            SHACSampler(10, 5, search_space=space)

    def test_several_objectives(self):
        study = optuna.create_study(directions=["minimize"] * 2, sampler=SHACSampler(10, 5))
        with pytest.raises(ValueError, match="one objective. Got one with 2"):
            study.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 0.0), n_trials=1)
