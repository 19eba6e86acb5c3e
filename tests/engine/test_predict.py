"""predict: samples that the cascade accepts."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
from scipy import stats

from pyshac import SHAC, UniformHP
from tests.cascades import features_of
from tests.engine.engine_helpers import contents, make_engine, restored


@pytest.fixture(scope="module")
def save_dir(tmp_path_factory):
    engine = make_engine(tmp_path_factory.mktemp("shac"), total_budget=40, num_batches=4)
    engine.fit(skip_cv_checks=True)
    assert len(engine.classifiers) == 3
    return engine.save_dir


@pytest.fixture
def engine(save_dir):
    """A fitted engine with three classifiers and four batches."""
    return restored(save_dir, total_budget=40, num_batches=4)


def features(engine, samples):
    rows = [engine.parameters.encode(engine.parameters.to_row(sample)) for sample in samples]
    return features_of(engine.parameters)(np.array(rows))


@pytest.mark.parametrize("num_batches", [1, 2, 5])
def test_num_batches_times_the_engines_own(engine, num_batches):
    samples = engine.predict(num_batches)
    assert len(samples) == num_batches * 4
    assert {type(sample) for sample in samples} == {OrderedDict}
    assert list(samples[0]) == ["x", "kind", "w"]


@pytest.mark.parametrize("num_samples", [1, 3, 50])
def test_an_exact_number(engine, num_samples):
    assert len(engine.predict(num_samples=num_samples)) == num_samples


def test_samples_pass_the_whole_cascade(engine):
    rows = features(engine, engine.predict(num_samples=100))
    assert all(classifier.predict(rows).all() for classifier in engine.classifiers)


@pytest.mark.parametrize("name", ["max_classfiers", "max_classifiers"])
def test_only_the_first_classifiers_are_asked(engine, name):
    rows = features(engine, engine.predict(num_samples=200, **{name: 1}))
    first, second, _ = engine.classifiers
    assert first.predict(rows).all()
    assert not second.predict(rows).all()
    # By position it is the fourth argument.
    assert len(engine.predict(1, None, False, 2)) == 4


def test_no_classifiers_asked_is_the_prior(engine):
    samples = engine.predict(num_samples=500, max_classifiers=0)
    x = [sample["x"] for sample in samples]
    # A right prior is refused once in a thousand seeds, and this one is fixed.
    assert stats.kstest(x, stats.uniform(-5, 10).cdf).pvalue > 0.001


@pytest.mark.parametrize("count", [4, 100, -1])
@pytest.mark.parametrize("name", ["max_classfiers", "max_classifiers"])
def test_more_classifiers_than_there_are(engine, name, count):
    with pytest.raises(ValueError, match=rf"an int in \[0, 3\].*Got {count} instead"):
        engine.predict(**{name: count})


def test_the_two_spellings_must_agree(engine):
    assert len(engine.predict(max_classfiers=2, max_classifiers=2)) == 4
    with pytest.raises(ValueError, match="two spellings"):
        engine.predict(max_classfiers=1, max_classifiers=2)


@pytest.mark.parametrize("count", [1.0, "1", True])
def test_number_of_classifiers_must_be_an_int(engine, count):
    with pytest.raises(TypeError, match=r"max_classifiers must be None or an int in \[0, 3\]"):
        engine.predict(max_classifiers=count)


@pytest.mark.parametrize("name", ["num_batches", "num_workers_per_batch", "num_samples"])
@pytest.mark.parametrize(
    ("value", "error"), [(0, ValueError), (-3, ValueError), (2.5, TypeError), ("2", TypeError)]
)
def test_numbers_must_be_positive_ints(engine, name, value, error):
    with pytest.raises(error, match=rf"{name} must be an int of at least 1\. Got"):
        engine.predict(**{name: value})


def test_without_parameters(tmp_path):
    with pytest.raises(RuntimeError, match="no hyperparameters"):
        SHAC(None, 40, 4, save_dir=tmp_path).predict()


def test_without_classifiers_draws_come_from_the_prior(tmp_path):
    engine = make_engine(tmp_path, parameters=[UniformHP("x", 2.0, 3.0)])
    x = [sample["x"] for sample in engine.predict(num_samples=2000)]
    assert len(set(x)) == 2000
    # A right prior is refused once in a thousand seeds, and this one is fixed.
    assert stats.kstest(x, stats.uniform(2.0, 1.0).cdf).pvalue > 0.001
    assert contents(tmp_path) == {}


def test_every_call_draws_new_samples(engine):
    first, second = engine.predict(num_samples=20), engine.predict(num_samples=20)
    x = {sample["x"] for sample in first + second}
    assert len(x) == 40


def test_prediction_writes_nothing_and_evaluates_nothing(engine, save_dir):
    before = contents(save_dir)
    engine.predict(3)
    assert contents(save_dir) == before
    assert len(engine.dataset) == 40


def test_a_seeded_prediction_repeats_for_any_number_of_workers(engine, save_dir):
    with engine.as_deterministic(11):
        alone = engine.predict(num_samples=30, num_workers_per_batch=1)
    with engine.as_deterministic(11):
        assert engine.predict(num_samples=30, num_workers_per_batch=3) == alone
    other = restored(save_dir, total_budget=40, num_batches=4)
    other.set_num_parallel_generators(2)
    other.generator_backend = "threading"
    other.set_seed(11)
    assert other.predict(num_samples=30) == alone
    other.set_seed(12)
    assert other.predict(num_samples=30) != alone


def test_predictions_repeat_after_restoring(engine, save_dir):
    again = restored(save_dir, total_budget=40, num_batches=4)
    assert [again.predict(), again.predict()] == [engine.predict(), engine.predict()]


def test_relaxed_prediction(engine):
    rows = features(engine, engine.predict(num_samples=50, relax_checks=True))
    # No more rejections than classifiers can be forgiven, and the seed decides how many are.
    rejections = sum(~classifier.predict(rows) for classifier in engine.classifiers)
    assert len(rows) == 50
    assert rejections.max() <= 3


def test_an_engine_for_smaller_batches_predicts_from_the_saved_cascade(save_dir):
    small = restored(save_dir, total_budget=2, num_batches=2)
    assert len(small.predict()) == 2
