"""Small finite spaces: the search ends when all of their points are evaluated."""

from __future__ import annotations

import itertools
import json
import logging
import math

import numpy as np
import pytest
from scipy import stats

from pyshac import (
    DiscreteHP,
    DistributionHP,
    EvaluationError,
    IntegerHP,
    MultiDiscreteHP,
    UniformHP,
)
from pyshac.looking.snapshot import take_snapshot
from pyshac.reporting.live.status import status_of
from tests.engine.engine_helpers import (
    InterruptedAt,
    contents,
    make_engine,
    restored,
    samples_of,
)

SAID = "All points of the search space have been evaluated: the search ends."


def total(worker_id, parameters):
    return float(sum(value for value in parameters.values() if value is not None))


def small():
    """24 points."""
    return [DiscreteHP("a", list(range(4))), DiscreteHP("b", list(range(6)))]


def spend(engine, function, loop, n=None, skip_cv_checks=True):
    if loop == "fit":
        engine.fit(skip_cv_checks=skip_cv_checks, verbose=0)
        return
    while samples := engine.ask(n):
        scores = [function(0, sample) for sample in samples]
        engine.tell(samples, scores, skip_cv_checks=skip_cv_checks)


def assert_all_once(engine, points):
    assert sorted(map(tuple, engine.dataset.X), key=str) == sorted(points, key=str)


@pytest.mark.parametrize("loop", ["fit", "ask"])
@pytest.mark.parametrize("skip_cv_checks", [True, False])
def test_the_search_ends_and_says_so(tmp_path, caplog, loop, skip_cv_checks):
    engine = make_engine(tmp_path, total, small(), 40, 5)
    with caplog.at_level(logging.INFO, "pyshac"):
        spend(engine, total, loop, skip_cv_checks=skip_cv_checks)
    assert_all_once(engine, list(itertools.product(range(4), range(6))))
    assert caplog.messages.count(SAID) == 1
    assert engine.ask() == []
    assert engine.best_score == 0


def test_the_last_batch_may_be_smaller(tmp_path):
    # Batches of 10 for 24 points: 10, 10 and 4.
    engine = make_engine(tmp_path, total, small(), 60, 6)
    history = engine.fit(skip_cv_checks=True, verbose=0).history
    assert [len(scores) for scores in history["evaluations"]] == [10, 10, 4]
    assert [len(slots) for slots in history["device_ids"]] == [10, 10, 4]
    assert_all_once(engine, list(itertools.product(range(4), range(6))))


@pytest.mark.parametrize("loop", ["fit", "ask"])
def test_a_batch_larger_than_the_space(tmp_path, loop):
    engine = make_engine(tmp_path, total, small(), 100, 2)
    spend(engine, total, loop)
    assert_all_once(engine, list(itertools.product(range(4), range(6))))


def test_promising_points_come_first(tmp_path):
    space = [IntegerHP("a", 0, 9), IntegerHP("b", 0, 9)]
    engine = make_engine(tmp_path, total, space, 100, 10)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) == 100
    early, late = engine.dataset.scores[10:30], engine.dataset.scores[-20:]
    assert early.max() < late.mean()


@pytest.mark.parametrize("loop", ["fit", "ask"])
@pytest.mark.parametrize(
    "space",
    [
        [DiscreteHP("a", ["only"])],
        [IntegerHP("i", 5, 5)],
        [IntegerHP("i", 5, 5, log=True), MultiDiscreteHP("m", [None], sample_count=2)],
    ],
)
def test_a_space_of_one_point(tmp_path, space, loop):
    function = lambda worker_id, parameters: 1.0  # noqa: E731
    engine = make_engine(tmp_path, function, space, 12, 3)
    spend(engine, function, loop)
    assert len(engine.dataset) == 1
    assert engine.ask() == []
    assert engine.classifiers != [] or engine.predict(num_samples=3)


def test_log_scaled_integers(tmp_path):
    space = [IntegerHP("width", 1, 40, log=True)]
    engine = make_engine(tmp_path, total, space, 60, 6)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert_all_once(engine, [(value,) for value in range(1, 41)])
    # Restored, the points are recognised from the text of their values.
    again = restored(tmp_path, function=total, total_budget=60, num_batches=6)
    assert again.ask() == []


@pytest.mark.parametrize("loop", ["fit", "ask"])
def test_failed_points_are_not_evaluated_again(tmp_path, loop):
    def fails(worker_id, parameters):
        return math.nan if parameters["a"] == 2 else total(worker_id, parameters)

    engine = make_engine(tmp_path, fails, small(), 40, 5)
    spend(engine, fails, loop)
    assert_all_once(engine, list(itertools.product(range(4), range(6))))
    assert sum(map(math.isnan, engine.dataset.Y)) == 6


def test_a_whole_batch_of_failures_still_stops_the_run(tmp_path):
    engine = make_engine(tmp_path, lambda i, p: math.nan, small(), 40, 5)
    with pytest.raises(EvaluationError):
        engine.fit(verbose=0)
    assert len(engine.dataset) == 8


@pytest.mark.parametrize("stop", [3, 12, 17, 20, 23])
def test_a_run_that_was_interrupted_ends_as_one_that_was_not(tmp_path, stop):
    options = {"total_budget": 50, "num_batches": 5}
    whole = make_engine(tmp_path / "whole", total, small(), **options)
    whole.fit(skip_cv_checks=True, verbose=0)
    part = make_engine(tmp_path / "part", InterruptedAt(stop, total), small(), **options)
    with pytest.raises(RuntimeError):
        part.fit(skip_cv_checks=True, verbose=0)
    again = restored(tmp_path / "part", function=total, **options)
    again.fit(skip_cv_checks=True, verbose=0)
    assert samples_of(again) == samples_of(whole)
    assert contents(tmp_path / "part") == contents(tmp_path / "whole")
    assert restored(tmp_path / "part", function=total, **options).ask() == []


def test_asked_a_few_at_a_time_it_is_the_same_run(tmp_path):
    engines = [make_engine(tmp_path / name, total, small(), 40, 5) for name in "ab"]
    spend(engines[0], total, "ask")
    spend(engines[1], total, "ask", 3)
    assert samples_of(engines[0]) == samples_of(engines[1])


def test_a_run_with_a_larger_budget_has_nothing_left(tmp_path):
    make_engine(tmp_path, total, small(), 40, 5).fit(skip_cv_checks=True, verbose=0)
    engine = restored(tmp_path, function=total, total_budget=80, num_batches=10)
    before = contents(tmp_path)
    assert engine.fit(skip_cv_checks=True, verbose=0).epochs == []
    assert len(engine.dataset) == 24
    assert {name: before[name] for name in before if name.startswith("datasets")} == {
        name: data for name, data in contents(tmp_path).items() if name.startswith("datasets")
    }


def test_samples_learnt_elsewhere_are_not_evaluated_again(tmp_path):
    lines = ["id,a,b,scores"]
    points = list(itertools.product(range(4), range(6)))
    lines += [f"{number},{a},{b},{a + b}" for number, (a, b) in enumerate(points[:16])]
    (tmp_path / "samples.csv").write_text("\n".join(lines) + "\n")
    engine = make_engine(tmp_path / "run", None, small(), 16, 2)
    engine.fit_dataset(tmp_path / "samples.csv", skip_cv_checks=True, verbose=0)
    again = restored(tmp_path / "run", function=total, total_budget=40, num_batches=5)
    again.fit(skip_cv_checks=True, verbose=0)
    assert_all_once(again, points)


@pytest.mark.parametrize("loop", ["fit", "ask"])
def test_the_paper_evaluates_points_again(tmp_path, caplog, loop):
    space = [DiscreteHP("a", [0, 1, 2])]
    engine = make_engine(tmp_path, total, space, 60, 6, method="paper")
    with caplog.at_level(logging.INFO, "pyshac"):
        if loop == "fit":
            engine.fit(verbose=0)
        else:
            spend(engine, total, loop, skip_cv_checks=False)
    assert len(engine.dataset) == 60
    assert "the search ends" not in caplog.text


def test_spaces_that_are_no_grid_go_on(tmp_path):
    # A number beside the choices; a tiny range of it has few different values.
    space = [DiscreteHP("a", [0, 1]), UniformHP("x", 1.0, 1.0 + 2**-51)]
    engine = make_engine(tmp_path, total, space, 24, 4)
    engine.fit(skip_cv_checks=True, verbose=0)
    assert len(engine.dataset) == 24
    assert len({tuple(row) for row in engine.dataset.X}) <= 6


def test_a_finished_run_of_every_point_is_saved_as_closed(tmp_path):
    make_engine(tmp_path, total, small(), 60, 6).fit(skip_cv_checks=True, verbose=0)
    state = json.loads((tmp_path / "state.json").read_text())
    assert state["num_complete"] == 24
    assert (tmp_path / "journal.jsonl").read_bytes() == b""


def test_a_run_of_every_point_is_shown_as_ended(tmp_path):
    engine = make_engine(tmp_path, total, small(), 60, 6)
    engine.tell(engine.ask(1), [1.0])
    assert take_snapshot(tmp_path).ending == take_snapshot(engine).ending == ""
    engine.fit(skip_cv_checks=True, verbose=0)
    for source in (tmp_path, engine, restored(tmp_path, total_budget=60, num_batches=6)):
        progress = take_snapshot(source).progress
        assert progress.stage == "all points evaluated"
        assert progress.to_come == 0
    status = status_of(tmp_path, take_snapshot(tmp_path), "", is_missing=False)
    assert status["state"] == "ended"
    assert status["status"] == "The search has ended: all points evaluated."


def test_a_dataset_that_covers_the_space_is_learnt_from(tmp_path):
    rows = "".join(f"{number},{number % 5 + 1},{number % 5 + 1}.0\n" for number in range(40))
    (tmp_path / "samples.csv").write_text("id,a,scores\n" + rows)
    engine = make_engine(tmp_path / "shac", total, [IntegerHP("a", 1, 5)], 40, 4)
    engine.fit_dataset(tmp_path / "samples.csv", skip_cv_checks=True, verbose=0)
    assert len(engine.classifiers) == 3


def test_the_cascade_is_shortened_only_where_it_accepts_too_few_new_points(tmp_path):
    geometric = [DistributionHP(name, stats.geom(0.3)) for name in "ab"]
    engine = make_engine(tmp_path, total, geometric, 200, 20)
    search = engine._run.search
    pairs = itertools.product(range(1, 20), repeat=2)
    points = np.array([search.space.encode(pair) for pair in pairs])
    shortened = 0
    while True:
        cascade, seen = search.cascade, {row.tobytes() for row in search.dataset.encoded}
        is_new = np.array([point.tobytes() not in seen for point in points])
        num_new = int((is_new & cascade.accepts(points)).sum())
        samples = engine.ask()
        if not samples:
            break
        if search.open.first.num_checks < len(cascade):
            shortened += 1
            assert num_new < 10
        scores = [abs(sample["a"] - 2) + abs(sample["b"] - 2) for sample in samples]
        engine.tell(samples, scores, skip_cv_checks=True)
    assert shortened
