"""How many classifiers a run has: all of them without checks, and none if it stops early."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pyshac import UniformHP
from pyshac.core.search.schedule import Schedule
from tests.engine.engine_helpers import (
    branin,
    branin_space,
    evaluate,
    make_engine,
    make_space,
    restored,
    samples_of,
)


def constant(worker_id, parameters):
    return 1.0


def failing_often(worker_id, parameters):
    return math.nan if parameters["x"] > -3 else evaluate(worker_id, parameters)


def spend(engine, function, loop):
    if loop == "fit":
        engine.fit(skip_cv_checks=True, verbose=0)
        return
    while samples := engine.ask():
        scores = [function(0, sample) for sample in samples]
        engine.tell(samples, scores, skip_cv_checks=True)


@pytest.mark.parametrize("loop", ["fit", "ask and tell"])
@pytest.mark.parametrize(
    ("total_budget", "num_batches", "max_classifiers"),
    [
        (20, 4, 18),
        (12, 12, 18),
        (10, 1, 18),
        (6, 6, 18),
        (40, 20, 4),
        pytest.param(100, 20, 18, marks=pytest.mark.slow),
        pytest.param(60, 60, 18, marks=pytest.mark.slow),
        pytest.param(200, 20, 18, marks=pytest.mark.slow),
    ],
)
def test_without_checks_a_run_has_all_classifiers(
    tmp_path, total_budget, num_batches, max_classifiers, loop
):
    engine = make_engine(
        tmp_path, evaluate, make_space, total_budget, num_batches, max_classifiers=max_classifiers
    )
    spend(engine, evaluate, loop)
    schedule = Schedule.in_batches(total_budget, num_batches, max_classifiers)
    assert len(engine.classifiers) == engine.total_classifiers == schedule.total_classifiers
    # One at the end of each stage.
    ends = range(1, schedule.total_classifiers + 1)
    starts = engine._run.search.stage_starts
    assert starts == [schedule.per_classifier_budget * end for end in ends]
    assert len(engine.dataset) == total_budget


@pytest.mark.parametrize("loop", ["fit", "ask and tell"])
@pytest.mark.parametrize("function", [constant, failing_often])
def test_scores_that_teach_nothing_do_not_matter(tmp_path, function, loop):
    engine = make_engine(tmp_path, function, make_space, 30, 5, objective="max")
    spend(engine, function, loop)
    assert len(engine.classifiers) == 4
    assert len(engine.dataset) == 30
    if function is constant:
        rows = engine._run.search.cascade.features(
            engine.parameters.draw(500, np.random.SeedSequence(1))
        )
        assert all(classifier.predict(rows).all() for classifier in engine.classifiers)


def test_the_reason_is_in_the_log(tmp_path, caplog):
    with caplog.at_level("INFO", "pyshac"):
        make_engine(tmp_path, constant, make_space, 20, 4).fit(skip_cv_checks=True, verbose=0)
    reason = "it accepts everything, because no sample is better than the others"
    for number in (1, 2, 3):
        assert f"Classifier trained, {number} now: {reason}." in caplog.messages


def test_classifiers_that_accept_everything_are_restored(tmp_path):
    engine = make_engine(tmp_path, constant, make_space, 20, 4)
    engine.fit(skip_cv_checks=True, verbose=0)
    again = restored(tmp_path, function=constant, total_budget=20, num_batches=4)
    assert [one.to_bytes() for one in again.classifiers] == [
        one.to_bytes() for one in engine.classifiers
    ]
    assert again.predict(num_samples=4) == engine.predict(num_samples=4)


def test_a_run_that_was_interrupted_has_them_too(tmp_path):
    options = {"total_budget": 30, "num_batches": 6}
    whole = make_engine(tmp_path / "whole", **options)
    whole.fit(skip_cv_checks=True, verbose=0)
    part = make_engine(tmp_path / "part", **options)
    samples = part.ask(4)
    part.tell(samples, [evaluate(0, sample) for sample in samples], skip_cv_checks=True)
    again = restored(tmp_path / "part", **options)
    again.fit(skip_cv_checks=True, verbose=0)
    assert len(again.classifiers) == 5
    assert samples_of(again) == samples_of(whole)


def test_with_checks_some_may_be_refused(tmp_path):
    engine = make_engine(tmp_path, constant, make_space, 20, 4)
    assert engine.fit(verbose=0).history["model"] == [None] * 4
    assert engine.classifiers == []


@pytest.mark.slow
def test_predictions_by_the_first_16_classifiers(tmp_path):
    engine = make_engine(tmp_path, branin, branin_space, 200, 20)
    engine.fit(skip_cv_checks=True, verbose=0)
    samples = engine.predict(5, max_classfiers=16)
    assert len(samples) == 5 * 20
    rows = np.array([list(sample.values()) for sample in samples])
    assert engine._run.search.cascade.first(16).accepts(rows).all()


@pytest.mark.parametrize(
    "space", [make_space, branin_space, [UniformHP("x", 0, 1)]], ids=["mixed", "branin", "one"]
)
@pytest.mark.parametrize("seed", range(3))
def test_early_stop_ends_a_first_stage_of_five(tmp_path, space, seed):
    def function(worker_id, parameters):
        return float(sum(v for v in parameters.values() if isinstance(v, float)))

    engine = make_engine(tmp_path, function, space, 100, 20, seed=seed)
    history = engine.fit(skip_cv_checks=True, early_stop=True, verbose=0)
    assert len(engine.dataset) == 5
    assert engine.classifiers == []
    assert history.epochs == [1]
    assert history.history["model"] == [None]


def test_early_stop_goes_on_where_stages_teach_something(tmp_path):
    engine = make_engine(tmp_path, branin, branin_space, 50, 5)
    engine.fit(skip_cv_checks=True, early_stop=True, verbose=0)
    assert len(engine.dataset) == 50
    assert len(engine.classifiers) == 4
