"""predict: samples that the cascade accepts."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
from scipy import stats

from pyshac import SHAC, DiscreteHP, IntegerHP, UniformHP
from pyshac.core.errors import NothingAcceptedError
from pyshac.core.sampling.generators import ALONE
from tests.cascades import cascade_of, features_of
from tests.engine.engine_helpers import (
    branin,
    branin_space,
    contents,
    evaluate,
    make_engine,
    restored,
)


def sum_of(worker_id, parameters):
    return float(sum(parameters.values()))


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


@pytest.fixture
def contradicting(tmp_path):
    """An engine with a batch, and two classifiers that never accept the same."""
    engine = make_engine(tmp_path, branin, branin_space, 30, 3)
    samples = engine.ask()
    engine.tell(samples, [branin(0, sample) for sample in samples])
    search = engine._run.search
    search.cascade._classifiers.clear()
    rules = (lambda rows: rows[:, 0] < 0, lambda rows: rows[:, 0] > 5)
    for classifier in cascade_of(search.space, *rules, num_rows=2000):
        search.cascade.append(classifier)
    search.stage_starts[:] = [10, 10]
    return engine


@pytest.mark.parametrize("name", ["max_classfiers", "max_classifiers"])
def test_only_the_first_classifiers_are_asked(contradicting, name):
    rows = features(contradicting, contradicting.predict(num_samples=30, **{name: 1}))
    first, second = contradicting.classifiers
    assert first.predict(rows).all()
    assert not second.predict(rows).any()
    # By position it is the fourth argument.
    assert len(contradicting.predict(1, None, False, 1)) == 3


def test_no_classifiers_asked_is_the_whole_space(contradicting):
    best = contradicting.predict(num_samples=20, max_classifiers=0)
    assert len({sample["h1"] for sample in best}) == 20


def test_nothing_accepted(contradicting):
    with pytest.raises(NothingAcceptedError, match="relax_checks=True"):
        contradicting.predict(num_samples=5)
    rows = features(contradicting, contradicting.predict(num_samples=9, relax_checks=True))
    first, second = (classifier.predict(rows) for classifier in contradicting.classifiers)
    # Of each sample one rejection is overlooked.
    assert (first ^ second).all()


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
    calls = [engine.predict(num_samples=20) for _ in range(3)]
    calls.append(engine.predict(num_samples=20, relax_checks=True))
    x = [sample["x"] for samples in calls for sample in samples]
    assert len(set(x)) == 80
    assert not set(x) & {row[0] for row in engine.dataset.X}


def standing(engine, samples):
    """How highly the search's rankings together place samples."""
    search = engine._run.search
    selection = search.drawing._selection(search.situation(), np.random.SeedSequence(0))
    space = search.space
    rows = np.array([space.encode(space.to_row(sample)) for sample in samples])
    places = [stats.rankdata(one(rows, selection.surrogate)) for one in selection.rankings]
    return np.average(places, axis=0, weights=selection.shares)


@pytest.mark.parametrize("relax_checks", [False, True])
def test_the_best_by_the_rankings_come_first(engine, relax_checks):
    placed = standing(engine, engine.predict(num_samples=40, relax_checks=relax_checks))
    assert (np.diff(placed) <= 1e-9).all()
    assert placed[0] > placed[-1]


def test_they_are_chosen_as_the_search_chooses(engine):
    # Far better than draws that are accepted.
    scores = [evaluate(0, sample) for sample in engine.predict(num_samples=10)]
    search = engine._run.search
    rows = search.region(False, ALONE).draw(200, np.random.SeedSequence(1))
    space = search.space
    accepted = [evaluate(0, space.to_parameters(space.decode(row))) for row in rows]
    assert np.median(scores) < np.quantile(accepted, 0.1)


def test_in_a_finite_space_all_are_different_and_new(tmp_path):
    space = [DiscreteHP("a", list(range(8))), IntegerHP("i", 1, 8, log=True)]
    engine = make_engine(tmp_path, sum_of, space, 24, 3)
    engine.fit(skip_cv_checks=True)
    search = engine._run.search
    points = search.drawing.planner.grid.points
    accepted = {tuple(search.space.decode(row)) for row in points[search.cascade.accepts(points)]}
    evaluated = {tuple(row) for row in engine.dataset.X}
    new = accepted - evaluated
    assert new
    assert accepted & evaluated

    def predict(number):
        return [tuple(sample.values()) for sample in engine.predict(num_samples=number)]

    some = predict(len(new) - 1)
    assert len(set(some)) == len(some)
    assert set(some) < new
    assert sorted(predict(len(new))) == sorted(new)
    # Evaluated ones fill up, and then some come again.
    assert sorted(predict(len(accepted))) == sorted(accepted)
    assert set(predict(len(accepted) + 5)) == accepted
    # Relaxed, there is all of the space.
    relaxed = engine.predict(num_samples=64, relax_checks=True)
    assert len({tuple(sample.values()) for sample in relaxed}) == 64


def test_a_space_whose_points_are_all_evaluated(tmp_path):
    engine = make_engine(tmp_path, sum_of, [DiscreteHP("a", [1, 2, 3])], 12, 3)
    engine.fit(skip_cv_checks=True)
    assert [sample["a"] for sample in engine.predict()] == [1, 2, 3]


def test_in_the_middle_of_a_batch_what_is_running_is_not_predicted(tmp_path):
    space = [DiscreteHP("a", list(range(5))), DiscreteHP("b", list(range(5)))]
    engine = make_engine(tmp_path, sum_of, space, 24, 3)
    first = engine.ask()
    # Nothing was learned yet.
    assert len({tuple(sample.values()) for sample in engine.predict(num_samples=5)}) == 5
    engine.tell(first, [sum_of(0, sample) for sample in first])
    running = engine.ask(4)
    engine.tell(running[:2], [sum_of(0, sample) for sample in running[:2]])
    samples = engine.predict(num_samples=6, relax_checks=True)
    points = {tuple(sample.values()) for sample in samples}
    assert len(points) == 6
    batch = {tuple(row) for row in engine._run.search.open.first.rows}
    assert not points & (batch | {tuple(row) for row in engine.dataset.X})
    # The run goes on as if nobody had asked.
    other = make_engine(tmp_path / "other", sum_of, space, 24, 3)
    other.tell(first, [sum_of(0, sample) for sample in other.ask()])
    assert [*other.ask()][:4] == running
    engine.fit()
    assert len(engine.dataset) == 24


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
    assert len(rows) == 50
    # The cascade as it is accepts enough.
    assert all(classifier.predict(rows).all() for classifier in engine.classifiers)


def test_an_engine_for_smaller_batches_predicts_from_the_saved_cascade(save_dir):
    small = restored(save_dir, total_budget=2, num_batches=2)
    assert len(small.predict()) == 2


def test_samples_of_the_first_batch_are_not_predicted(tmp_path):
    engine = make_engine(tmp_path, sum_of, [IntegerHP("a", 1, 12)], 12, 2)
    running = {sample["a"] for sample in engine.ask()}
    assert {sample["a"] for sample in engine.predict(num_samples=6)} == {*range(1, 13)} - running
