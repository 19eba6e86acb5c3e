"""More than a score: what evaluations return beside it, and how they went, from call to disk."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import pytest

from pyshac import Callback, Dataset, EvaluationError, SaveDirectoryError
from pyshac.looking.snapshot import take_snapshot
from tests.engine.engine_helpers import (
    FIXTURES,
    InterruptedAt,
    evaluate,
    make_engine,
    restored,
)

FILE = "datasets/evaluations.jsonl"


def with_extras(worker_id, parameters):
    """A score with extras of every type, from which the sample can be told."""
    x = parameters["x"]
    beside = {"half": x / 2, "kind": str(parameters["kind"]), "low": x < 0, "whole": int(x)}
    return {"score": evaluate(worker_id, parameters), **beside, "none": math.nan}


def assert_right(evaluations, slots=(0,)):
    """Every evaluation has the extras of its own parameters."""
    for found in evaluations:
        expected = with_extras(0, found.parameters)
        assert found.score == expected.pop("score")
        assert repr(found.extras) == repr(expected)
        assert (found.state, found.failure) == ("complete", None)
        assert found.slot in slots
        assert 0 <= found.seconds < 60
        assert 0 <= (datetime.now(timezone.utc) - found.started).total_seconds() < 600


@pytest.mark.parametrize(
    ("backend", "evaluators"),
    [("threading", 1), ("threading", 3), ("multiprocessing", 2), ("loky", 2)],
)
def test_wherever_they_run(tmp_path, backend, evaluators):
    engine = make_engine(tmp_path, with_extras, backend=backend, evaluators=evaluators)
    engine.fit(skip_cv_checks=True)
    assert_right(engine.evaluations, range(evaluators))
    assert repr(restored(tmp_path).evaluations) == repr(engine.evaluations)
    assert repr(Dataset.load_from_directory(tmp_path).evaluations) == repr(engine.evaluations)
    assert repr(take_snapshot(tmp_path).dataset.evaluations) == repr(engine.evaluations)
    assert [found.number for found in engine.evaluations] == list(range(18))


def test_in_an_executor(tmp_path):
    with ThreadPoolExecutor(2) as executor:
        engine = make_engine(tmp_path, with_extras, backend=executor, evaluators=2)
        engine.fit(skip_cv_checks=True)
    assert_right(engine.evaluations, range(2))


def test_the_same_run_as_with_scores_alone(tmp_path):
    engine = make_engine(tmp_path / "extras", with_extras)
    other = make_engine(tmp_path / "scores")
    for each in (engine, other):
        each.fit(skip_cv_checks=True)
    assert engine.dataset.to_csv() == other.dataset.to_csv()


def test_times_are_those_of_the_function(tmp_path):
    def sleeps(worker_id, parameters):
        time.sleep(0.05)
        return 1.0

    before = datetime.now(timezone.utc)
    engine = make_engine(tmp_path, sleeps, total_budget=4, num_batches=2)
    engine.fit()
    starts = [found.started for found in engine.evaluations]
    assert starts == sorted(starts)
    assert starts[0] >= before.replace(microsecond=0)
    for found, following in zip(engine.evaluations, engine.evaluations[1:], strict=False):
        assert 0.05 <= found.seconds <= (following.started - found.started).total_seconds() + 0.01


class TestFailures:
    def test_a_caught_exception(self, tmp_path):
        engine = make_engine(tmp_path, InterruptedAt(3))
        engine.fit(skip_cv_checks=True, catch=Exception)
        failed = [found for found in engine.evaluations if found.state == "failed"]
        assert [found.number for found in failed] == [2]
        assert math.isnan(failed[0].score)
        assert failed[0].failure == "InterruptionError: call 3"
        assert failed[0].slot == 0
        assert failed[0].seconds >= 0
        assert 2 not in [found.number for found in engine.top(99)]
        assert repr(restored(tmp_path).evaluations) == repr(engine.evaluations)

    def test_a_score_that_is_not_finite(self, tmp_path):
        def fails(worker_id, parameters):
            return {"score": math.inf if parameters["x"] > 0 else 1.0, "x": parameters["x"]}

        engine = make_engine(tmp_path, fails)
        engine.fit(skip_cv_checks=True)
        for found in engine.evaluations:
            assert found.extras == {"x": found.parameters["x"]}
            is_failed = found.parameters["x"] > 0
            assert found.failure == ("its score is not finite" if is_failed else None)

    @pytest.mark.parametrize("backend", ["multiprocessing"])
    def test_a_time_limit(self, tmp_path, backend):
        def slow(worker_id, parameters):
            time.sleep(60 if parameters["x"] > 0 else 0)
            return 1.0

        engine = make_engine(tmp_path, slow, total_budget=6, num_batches=1, backend=backend)
        engine.fit(timeout=0.5, catch=TimeoutError)
        failed = [found for found in engine.evaluations if found.parameters["x"] > 0]
        assert failed
        for found in failed:
            assert found.failure.endswith("took longer than 0.5 s")
            assert 0.5 <= found.seconds < 20

    def test_text_that_no_file_can_hold(self, tmp_path):
        def fails(worker_id, parameters):
            if parameters["x"] > 0:
                raise ValueError("\ud800\0" + "x" * 10_000)
            return 1.0

        engine = make_engine(tmp_path, fails)
        engine.fit(skip_cv_checks=True, catch=ValueError)
        again = restored(tmp_path)
        assert repr(again.evaluations) == repr(engine.evaluations)
        assert any("\\ud800\0" in (found.failure or "") for found in again.evaluations)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"loss": 1.0}, "has no 'score', but only .'loss'."),
        ({"score": None}, "The score of sample 2, .* must be a number. Got None"),
        ({"score": 1, "model": object()}, "of type object as 'model'.*ints of 64 bits"),
        ({"score": 1, 5: 1}, "has a value named 5"),
    ],
)
@pytest.mark.parametrize("backend", ["threading", "multiprocessing"])
def test_other_results_stop_the_run(tmp_path, result, message, backend):
    def returns(worker_id, parameters):
        number = len(list(tmp_path.glob("called-*")))
        (tmp_path / f"called-{number}").touch()
        return result if number == 2 else 1.0

    engine = make_engine(tmp_path / "shac", returns, backend=backend)
    with pytest.raises(TypeError, match=message):
        engine.fit(catch=Exception)
    assert len(restored(tmp_path / "shac").evaluations) == 2


class TestAskAndTell:
    def test_mappings_are_told(self, tmp_path):
        engine = make_engine(tmp_path)
        for sample in engine.ask():
            engine.tell(sample, with_extras(0, sample))
        samples = engine.ask()
        engine.tell(samples, [with_extras(0, sample) for sample in samples], skip_cv_checks=True)
        assert_right(engine.evaluations, {None})
        assert repr(restored(tmp_path).evaluations) == repr(engine.evaluations)

    def test_times_run_from_asking_to_telling(self, tmp_path):
        engine = make_engine(tmp_path)
        before = datetime.now(timezone.utc)
        sample = engine.ask(1)[0]
        time.sleep(0.05)
        engine.tell(sample, math.nan)
        (found,) = engine.evaluations
        assert (found.started - before).total_seconds() < 5
        assert 0.05 <= found.seconds < 5
        assert (found.slot, found.failure) == (None, "its score is not finite")

    def test_what_is_no_result(self, tmp_path):
        engine = make_engine(tmp_path)
        samples = engine.ask()
        with pytest.raises(TypeError, match="has no 'score'"):
            engine.tell(samples[0], {"loss": 1.0})
        with pytest.raises(TypeError, match="scores must be as many as parameters"):
            engine.tell(samples, {"score": 1.0})
        with pytest.raises(TypeError, match="as 'loss'"):
            engine.tell(samples[:2], [1.0, {"score": 1.0, "loss": []}])
        assert engine.evaluations == []
        engine.tell(samples, [1.0] * len(samples))

    def test_the_same_again(self, tmp_path):
        engine = make_engine(tmp_path)
        sample = engine.ask(1)[0]
        engine.tell(sample, {"score": 1.0, "loss": 2.0})
        with pytest.raises(ValueError, match="score already"):
            engine.tell(sample, {"score": 1.0, "loss": 3.0})
        assert engine.evaluations[0].extras == {"loss": 2.0}


class TestInterruptions:
    @pytest.mark.parametrize("call", [1, 2, 6, 7, 9, 14])
    def test_what_is_known_survives(self, tmp_path, call):
        engine = make_engine(tmp_path, InterruptedAt(call, with_extras))
        with pytest.raises(EvaluationError):
            engine.fit(skip_cv_checks=True)
        before = repr(engine.evaluations)
        assert repr(Dataset.load_from_directory(tmp_path).evaluations) == before
        again = restored(tmp_path, function=with_extras)
        assert repr(again.evaluations) == before
        again.fit(skip_cv_checks=True)
        assert repr(again.evaluations[: call - 1]) == before
        assert_right(again.evaluations)

    def test_from_the_journal_alone(self, tmp_path):
        copies = []

        class Copying(Callback):
            def on_sample_end(self, id, score, logs=None):
                shutil.copytree(tmp_path / "shac", tmp_path / f"copy-{id}")
                copies.append(repr(self.engine.evaluations))

        make_engine(tmp_path / "shac", with_extras).fit(skip_cv_checks=True, callbacks=Copying())
        for number, expected in enumerate(copies):
            path = tmp_path / f"copy-{number}"
            assert repr(restored(path).evaluations) == expected
            assert repr(Dataset.load_from_directory(path).evaluations) == expected

    def test_a_later_save_that_was_cut_short(self, tmp_path):
        """Files of two saves: the state is the earlier one's, the other files are later."""
        engine = make_engine(tmp_path / "shac", with_extras)
        engine.tell(samples := engine.ask(), [with_extras(0, each) for each in samples])
        shutil.copytree(tmp_path / "shac", tmp_path / "before")
        before = repr(engine.evaluations)
        engine.tell(samples := engine.ask(), [with_extras(0, each) for each in samples])
        shutil.copy(tmp_path / "shac" / FILE, tmp_path / "before" / FILE)
        again = restored(tmp_path / "before")
        assert repr(again.evaluations) == before
        again.save_data()
        assert repr(restored(tmp_path / "before").evaluations) == before


class TestTheFile:
    @pytest.fixture
    def directory(self, tmp_path):
        make_engine(tmp_path, with_extras).fit(skip_cv_checks=True)
        return tmp_path

    def test_it_is_json_a_line_for_each_line_of_the_dataset(self, directory):
        records = [json.loads(line) for line in (directory / FILE).read_text().splitlines()]
        ids = [line.split(",")[0] for line in
               (directory / "datasets" / "dataset.csv").read_text().splitlines()[1:]]  # fmt: skip
        assert [str(record["id"]) for record in records] == ids
        assert records[3]["extras"]["none"] == {"__float__": "nan"}

    def test_it_is_missing(self, directory):
        (directory / FILE).unlink()
        with pytest.raises(SaveDirectoryError, match=r"evaluations\.jsonl' is missing"):
            restored(directory)

    @pytest.mark.parametrize(("old", "new"), [(b'"half":', b'"Half":'), (b'"id":3,', b'"id":4,')])
    def test_it_was_changed(self, directory, old, new):
        data = (directory / FILE).read_bytes()
        assert old in data
        (directory / FILE).write_bytes(data.replace(old, new, 1))
        with pytest.raises(SaveDirectoryError, match=r"evaluations\.jsonl' is corrupt"):
            restored(directory)

    def test_it_was_cut(self, directory):
        data = (directory / FILE).read_bytes()
        (directory / FILE).write_bytes(data[:-20])
        for read in (restored, Dataset.load_from_directory, take_snapshot):
            with pytest.raises(SaveDirectoryError, match=r"evaluations\.jsonl"):
                read(directory)


def test_callbacks_are_told(tmp_path):
    told = []

    class Listening(Callback):
        def on_sample_end(self, id, score, logs=None):
            told.append((id, logs["started"], logs["seconds"], dict(logs["extras"])))
            logs["extras"].clear()

    engine = make_engine(tmp_path, with_extras)
    engine.fit(skip_cv_checks=True, callbacks=Listening())
    assert repr(told) == repr(
        [(each.number, each.started, each.seconds, each.extras) for each in engine.evaluations]
    )


def test_fit_dataset_knows_scores_only(tmp_path):
    make_engine(tmp_path / "first", with_extras).fit(skip_cv_checks=True)
    told = []

    class Listening(Callback):
        def on_sample_end(self, id, score, logs=None):
            told.append([logs[key] for key in ("worker_id", "failure", "started", "seconds")])

    engine = make_engine(tmp_path / "second")
    path = tmp_path / "first" / "datasets" / "dataset.csv"
    engine.fit_dataset(path, skip_cv_checks=True, callbacks=Listening())
    assert told == [[None] * 4] * 18
    for found in restored(tmp_path / "second").evaluations:
        assert (found.started, found.seconds, found.slot, found.extras) == (None, None, None, {})


def test_directories_of_earlier_releases(tmp_path):
    path = next(path.parents[1] for path in FIXTURES.rglob("dataset.csv"))
    for found in take_snapshot(path).dataset.evaluations:
        assert (found.started, found.seconds, found.slot, found.extras) == (None, None, None, {})
    released = FIXTURES.parent / "saved-by-pyshac-1.0.0" / "serial"
    snapshot = take_snapshot(released)
    assert len(snapshot.dataset)
    assert not any(snapshot.dataset.details.column("started"))


class TestLookingUp:
    def test_the_best_of_an_engine(self, tmp_path):
        engine = make_engine(tmp_path, with_extras)
        assert engine.top() == engine.evaluations == []
        engine.fit(skip_cv_checks=True)
        ranked = sorted(engine.evaluations, key=lambda found: (found.score, found.number))
        assert repr(engine.top()) == repr(ranked[:10])
        assert repr(engine.top(3)) == repr(ranked[:3])
        assert engine.top(1)[0].score == engine.best_score
        assert engine.top(1)[0].parameters == engine.best_parameters
        with pytest.raises(ValueError, match="n must be an int of at least 1"):
            engine.top(0)

    def test_the_highest_score_first(self, tmp_path):
        engine = make_engine(tmp_path, objective="max")
        engine.fit(skip_cv_checks=True)
        scores = [found.score for found in engine.top(99)]
        assert scores == sorted(engine.dataset.Y, reverse=True)

    def test_an_engine_without_a_search(self, tmp_path):
        engine = make_engine(tmp_path, parameters=None)
        assert engine.top() == engine.evaluations == []

    def test_best_parameters_print_as_a_dict(self, tmp_path):
        engine = make_engine(tmp_path)
        assert engine.best_parameters is None
        engine.fit(skip_cv_checks=True)
        best = engine.best_parameters
        assert isinstance(best, OrderedDict)
        assert repr(best) == repr(dict(best))
