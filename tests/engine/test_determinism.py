"""Same seed, same run: whoever draws, whoever evaluates, and whatever happened before."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest

from pyshac import SHAC, DiscreteHP, HyperParameterList, UniformHP
from tests.engine.engine_helpers import (
    contents,
    evaluate,
    make_engine,
    make_space,
    restored,
    run_script,
    samples_of,
)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The run in which one caller does everything, one thing after the other."""
    engine = make_engine(tmp_path_factory.mktemp("alone"), total_budget=40, num_batches=5)
    engine.fit(skip_cv_checks=True)
    assert len(engine.classifiers) == 4
    return contents(engine.save_dir)


@pytest.mark.parametrize(
    ("backend", "evaluators"),
    [
        ("threading", 3),
        ("loky", 3),
        pytest.param("loky", 1, marks=pytest.mark.slow),
        pytest.param("multiprocessing", 2, marks=pytest.mark.slow),
    ],
)
def test_evaluators_do_not_matter(tmp_path, alone, backend, evaluators):
    engine = make_engine(
        tmp_path, total_budget=40, num_batches=5, backend=backend, evaluators=evaluators
    )
    engine.fit(skip_cv_checks=True)
    assert contents(tmp_path) == alone


@pytest.mark.parametrize(
    ("backend", "generators"),
    [
        ("threading", 3),
        ("loky", 3),
        pytest.param("loky", 1, marks=pytest.mark.slow),
        pytest.param("multiprocessing", 3, marks=pytest.mark.slow),
    ],
)
def test_generators_do_not_matter(tmp_path, alone, backend, generators):
    engine = make_engine(tmp_path, total_budget=40, num_batches=5)
    engine.generator_backend = backend
    engine.set_num_parallel_generators(generators)
    engine.fit(skip_cv_checks=True)
    assert contents(tmp_path) == alone


def test_the_order_in_which_evaluations_end_does_not_matter(tmp_path, alone):
    delays = random.Random(0)

    def dawdling(worker_id, parameters):
        time.sleep(delays.uniform(0, 0.01))
        return evaluate(worker_id, parameters)

    engine = make_engine(tmp_path, dawdling, total_budget=40, num_batches=5, evaluators=4)
    engine.fit(skip_cv_checks=True)
    assert contents(tmp_path) == alone


SPAWNED = """
import sys
from tests.engine.engine_helpers import *

make_engine(sys.argv[1], total_budget=40, num_batches=5).fit(skip_cv_checks=True)
print(hash("pyshac"))
"""


@pytest.mark.slow
def test_another_process_with_another_hash_seed(tmp_path, alone):
    result = run_script(SPAWNED, tmp_path, PYTHONHASHSEED="12345")
    assert result.returncode == 0, result.stderr
    # The hash seed is one that Python really used.
    assert int(result.stdout) != hash("pyshac")
    assert contents(tmp_path) == alone


def first_samples(save_dir, seed, parameters=make_space):
    return make_engine(save_dir, parameters=parameters, seed=seed).ask()


def test_seeds(tmp_path):
    assert first_samples(tmp_path / "a", 3) == first_samples(tmp_path / "b", 3)
    assert first_samples(tmp_path / "c", None) != first_samples(tmp_path / "d", None)


def test_neighbouring_seeds_share_nothing(tmp_path):
    """Seeds that are added to numbers of samples or parameters would give the same draws."""
    drawn = {seed: first_samples(tmp_path / str(seed), seed) for seed in range(8)}
    numbers = [value for samples in drawn.values() for s in samples for value in (s["x"], *s["w"])]
    assert len(set(numbers)) == len(numbers) == 8 * 6 * 3


def test_samples_of_a_batch_are_independent(tmp_path):
    """Of a seeded batch all samples, and all parameters of a sample, are different draws."""
    space = [UniformHP(name, 0.0, 1.0) for name in "abcd"]
    samples = first_samples(tmp_path, 0, lambda: space)
    assert len({value for sample in samples for value in sample.values()}) == 6 * 4


def test_the_seed_of_a_parameter_list_is_the_engines(tmp_path):
    seeded = make_engine(tmp_path / "a", parameters=make_space(seed=7), seed=None)
    seeded.fit(skip_cv_checks=True)
    engine = make_engine(tmp_path / "b", seed=7)
    engine.fit(skip_cv_checks=True)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    again = restored(tmp_path / "a")
    assert samples_of(again) == samples_of(engine)


def test_set_seed_to_none_draws_afresh(tmp_path):
    engine = make_engine(tmp_path)
    before = engine.predict(num_samples=2)
    engine.set_seed(7)
    assert engine.predict(num_samples=2) == before
    engine.set_seed(None)
    assert engine.predict(num_samples=2) != before


def test_set_seed_in_the_middle_of_a_run(tmp_path):
    # What the paper's method draws from the prior depends on the seed only.
    settings = {"total_budget": 12, "num_batches": 2, "method": "paper"}
    runs = []
    for name in "ab":
        engine = make_engine(tmp_path / name, seed=None, **settings)
        samples = engine.ask()
        engine.tell(samples, [1.0] * 6)
        engine.set_seed(4)
        # A process that takes over continues with the new seed.
        engine.save_data()
        runs.append(restored(tmp_path / name, **settings).ask())
    assert runs[0] == runs[1]


@pytest.mark.parametrize("seed", [-1, np.int64(-5)])
def test_seeds_must_not_be_negative(tmp_path, seed):
    engine = make_engine(tmp_path)
    with pytest.raises(ValueError, match="seed must be a non-negative int or None"):
        engine.set_seed(seed)
    with pytest.raises(ValueError, match=r"seed must be a non-negative int\. Got"), \
            engine.as_deterministic(seed):  # fmt: skip
        pass


def test_as_deterministic_needs_a_seed(tmp_path):
    engine = make_engine(tmp_path)
    with pytest.raises(TypeError, match=r"seed must be a non-negative int\. Got None"), \
            engine.as_deterministic(None):  # fmt: skip
        pass


@pytest.mark.parametrize("seed", [1.0, "1", True, [1]])
def test_seeds_must_be_ints(tmp_path, seed):
    with pytest.raises(TypeError, match="seed must be a non-negative int or None"):
        make_engine(tmp_path).set_seed(seed)


@pytest.mark.parametrize("seed", [0, 2**31, 2**64 + 1, np.int32(9)])
def test_seeds_may_be_any_non_negative_int(tmp_path, seed):
    first, second = first_samples(tmp_path / "a", seed), first_samples(tmp_path / "b", int(seed))
    assert first == second


def test_seeding_without_parameters(tmp_path):
    engine = SHAC(None, 12, 3, save_dir=tmp_path)
    with pytest.raises(RuntimeError, match="no hyperparameters"):
        engine.set_seed(1)
    with pytest.raises(RuntimeError, match="no hyperparameters"), engine.as_deterministic(1):
        pass


# as_deterministic


def test_as_deterministic_is_as_set_seed(tmp_path, alone):
    engine = make_engine(tmp_path, total_budget=40, num_batches=5, seed=None)
    with engine.as_deterministic(7) as same:
        assert same is engine
        engine.fit(skip_cv_checks=True)
    assert contents(tmp_path) == alone


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("raises", [False, True])
def test_as_deterministic_puts_back_what_was_there(tmp_path, seed, raises):
    def make(name):
        # The parameters' own seeds come back, too.
        space = HyperParameterList([UniformHP("x", 0.0, 1.0), DiscreteHP("a", list(range(9)))])
        engine = make_engine(tmp_path / name, parameters=space, seed=None)
        if seed is not None:
            engine.set_seed(seed)
        engine.predict(num_samples=1)
        return engine

    engine = make("a")
    parameters = list(engine.parameters)
    seeds = [parameter.seed for parameter in parameters], engine.parameters.seed
    states = [parameter.random for parameter in parameters]
    positions = [str(parameter.random.get_state()) for parameter in parameters]
    if raises:
        with pytest.raises(ZeroDivisionError), engine.as_deterministic(5):
            raise ZeroDivisionError
    else:
        with engine.as_deterministic(5):
            engine.predict(num_samples=3)
            engine.parameters.sample()
    assert ([parameter.seed for parameter in parameters], engine.parameters.seed) == seeds
    assert [parameter.random for parameter in parameters] == states
    assert [str(parameter.random.get_state()) for parameter in parameters] == positions
    if seed is not None:
        # What follows is what would have followed.
        assert engine.predict(num_samples=5) == make("b").predict(num_samples=5)
        assert engine.ask() == make("c").ask()
    else:
        with engine.as_deterministic(5):
            inside = engine.predict(num_samples=5)
        assert engine.predict(num_samples=5) != inside


def test_as_deterministic_can_be_nested_and_repeated(tmp_path):
    engine = make_engine(tmp_path, seed=1)
    with engine.as_deterministic(5):
        first = engine.predict(num_samples=2)
        with engine.as_deterministic(6):
            assert engine.predict(num_samples=2) != first
        second = engine.predict(num_samples=2)
    with engine.as_deterministic(5):
        assert [engine.predict(num_samples=2) for _ in range(2)] == [first, second]


def test_a_run_continued_inside_as_deterministic(tmp_path, alone):
    engine = make_engine(tmp_path, total_budget=40, num_batches=5, seed=None)
    with engine.as_deterministic(7):
        samples = engine.ask(11)
        engine.tell(samples, [evaluate(0, sample) for sample in samples], skip_cv_checks=True)
    again = restored(tmp_path, total_budget=40, num_batches=5)
    with again.as_deterministic(7):
        again.fit(skip_cv_checks=True)
    assert contents(tmp_path) == alone


def test_global_random_states_are_left_alone(tmp_path):
    np.random.seed(0)
    random.seed(0)
    before = str(np.random.get_state()), random.getstate()
    engine = make_engine(tmp_path)
    with engine.as_deterministic(3):
        engine.fit()
        engine.predict()
    assert (str(np.random.get_state()), random.getstate()) == before
