"""stop: a run that is asked to stop brings in what runs, saves, and can go on as if nothing was."""

from __future__ import annotations

import threading
import time

import pytest

from pyshac import Callback, History
from tests.engine.engine_helpers import (
    contents,
    evaluate,
    make_engine,
    restored,
    run_script,
    samples_of,
)
from tests.engine.objectives import Attempts, kill_self
from tests.engine.test_fit_dataset import make_rows, write


class Stopper(Callback):
    """Stops the run the n-th time that it is told of an event; notes how the run ends."""

    def __init__(self, event="on_sample_end", count=1):
        super().__init__()
        self.count = count
        self.ends = []
        setattr(self, event, self.note)

    def note(self, *args, **kwargs):
        self.count -= 1
        if self.count == 0:
            self.engine.stop()

    def on_train_end(self, logs=None):
        self.ends.append("end")

    def on_train_error(self, error, logs=None):
        self.ends.append(error)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole")
    engine = make_engine(path)
    engine.fit(skip_cv_checks=True)
    return samples_of(engine), contents(path)


CASES = [
    ("on_sample_end", 5, 5, []),
    # The last of a batch: what follows from the batch belongs to it.
    ("on_sample_end", 6, 6, [1]),
    ("on_epoch_end", 2, 12, [1, 2]),
]
MORE_CASES = [
    ("on_train_begin", 1, 0, []),
    ("on_epoch_begin", 2, 6, [1]),
    ("on_draw_begin", 1, 0, []),
    ("on_draw_end", 2, 6, [1]),
    ("on_evaluation_begin", 1, 0, []),
    # One that was about to start does not.
    ("on_sample_begin", 1, 0, []),
    ("on_sample_begin", 8, 7, [1]),
    ("on_sample_end", 7, 7, [1]),
    ("on_evaluation_ended", 1, 6, [1]),
    ("on_classifier_begin", 2, 12, [1, 2]),
    ("on_classifier_end", 1, 6, [1]),
    ("on_sample_end", 18, 18, [1, 2, 3]),
    ("on_epoch_end", 3, 18, [1, 2, 3]),
]


@pytest.mark.parametrize(
    ("event", "count", "evaluated", "epochs"),
    [*CASES, *(pytest.param(*case, marks=pytest.mark.slow) for case in MORE_CASES)],
)
@pytest.mark.parametrize("continued_by", ["the same engine", "another engine"])
def test_a_stopped_run_goes_on_as_if_nothing_was(
    tmp_path, event, count, evaluated, epochs, continued_by, uninterrupted
):
    engine = make_engine(tmp_path)
    stopper = Stopper(event, count)
    result = engine.fit(skip_cv_checks=True, callbacks=[stopper])
    assert type(result) is History
    assert result.epochs == epochs
    assert stopper.ends == ["end"]
    assert len(engine.dataset) == evaluated
    assert samples_of(restored(tmp_path)) == samples_of(engine)

    again = engine if continued_by == "the same engine" else restored(tmp_path)
    assert again.fit(skip_cv_checks=True).history["begin_run_index"] == evaluated
    samples, files = uninterrupted
    assert samples_of(again) == samples
    assert contents(tmp_path) == files


@pytest.mark.slow
def test_stopping_again_and_again(tmp_path, uninterrupted):
    engine = make_engine(tmp_path)
    for number in range(1, 19):
        engine.fit(skip_cv_checks=True, callbacks=Stopper())
        assert len(engine.dataset) == number
    assert samples_of(engine) == uninterrupted[0]


def test_ask_goes_on_with_the_batch(tmp_path, uninterrupted):
    engine = make_engine(tmp_path)
    engine.fit(callbacks=Stopper(count=4))
    left = engine.ask()
    assert len(left) == 2
    engine.tell(left, [evaluate(0, parameters) for parameters in left], skip_cv_checks=True)
    engine.fit(skip_cv_checks=True)
    assert samples_of(engine) == uninterrupted[0]


def test_an_evaluation_in_this_process_can_stop_the_run(tmp_path):
    def stops(worker_id, parameters):
        if len(engine.dataset) == 2:
            engine.stop()
        return evaluate(worker_id, parameters)

    engine = make_engine(tmp_path, stops)
    engine.fit()
    assert len(engine.dataset) == 3


def test_another_thread_stops_the_run_and_what_runs_is_brought_in(tmp_path):
    both_run, may_end = threading.Barrier(3, timeout=60), threading.Event()

    def waits(worker_id, parameters):
        both_run.wait()
        assert may_end.wait(60)
        return evaluate(worker_id, parameters)

    engine = make_engine(tmp_path, waits, evaluators=2)

    def stop():
        both_run.wait()
        engine.stop()
        may_end.set()

    thread = threading.Thread(target=stop)
    thread.start()
    engine.fit()
    thread.join()
    assert len(engine.dataset) == 2
    assert engine.dataset.ids == [0, 1]


def test_free_slots_stay_free(tmp_path):
    engine = make_engine(tmp_path, evaluators=3)
    engine.fit(callbacks=Stopper("on_sample_begin", 2))
    assert engine.dataset.ids == [0]


@pytest.mark.slow
def test_a_sample_whose_worker_died_is_not_tried_again(tmp_path):
    attempts, stopped = Attempts(tmp_path), tmp_path / "stopped"

    def dies_at_first(worker_id, parameters):
        if attempts.next(parameters["x"]) == 1:
            while not stopped.exists():
                time.sleep(0.01)
            kill_self()
        return evaluate(worker_id, parameters)

    engine = make_engine(tmp_path / "shac", dies_at_first, backend="loky", evaluators=1)

    def stop():
        while not any(tmp_path.glob("*-1")):
            time.sleep(0.01)
        engine.stop()
        stopped.touch()

    thread = threading.Thread(target=stop)
    thread.start()
    engine.fit()
    thread.join()
    assert len(engine.dataset) == 0
    engine.fit(callbacks=Stopper("on_sample_end"))
    assert engine.dataset.ids == [0]
    assert attempts.of(engine.dataset.X[0][0]) == 2


def test_without_a_run_there_is_nothing_to_stop(tmp_path):
    engine = make_engine(tmp_path)
    engine.stop()
    engine.fit()
    assert len(engine.dataset) == 18
    engine.stop()


def test_a_spent_run_can_be_told_to_stop(tmp_path):
    engine = make_engine(tmp_path, total_budget=6, num_batches=1)
    engine.fit()
    assert engine.fit(callbacks=Stopper("on_train_begin")).epochs == []
    assert len(engine.dataset) == 6


def test_fit_dataset_trains_no_further_classifiers(tmp_path):
    path = write(tmp_path / "samples.csv", make_rows(40))
    engine = make_engine(tmp_path / "shac", None, total_budget=40, num_batches=4)
    stopper = Stopper("on_epoch_end", 2)
    result = engine.fit_dataset(path, skip_cv_checks=True, callbacks=stopper)
    assert result.epochs == [1, 2]
    assert stopper.ends == ["end"]
    assert len(engine.classifiers) == 2
    again = restored(tmp_path / "shac", total_budget=40, num_batches=4)
    assert (len(again.dataset), len(again.classifiers)) == (40, 2)
    assert again.ask() == []


def test_the_log_says_that_the_run_was_stopped(tmp_path, caplog):
    caplog.set_level("INFO", "pyshac")
    make_engine(tmp_path).fit(callbacks=Stopper(count=4))
    assert "Stopped: 4 of 18 evaluations; best score " in caplog.text


STOPPED_IN_PROCESSES = """
import sys, time
from pyshac import Callback
from tests.engine.engine_helpers import evaluate, make_engine, restored, samples_of

class Stopper(Callback):
    def on_sample_end(self, id, score, logs=None):
        self.engine.stop()

def evaluates(worker_id, parameters):
    time.sleep(0.2 * worker_id)
    return evaluate(worker_id, parameters)

if __name__ == "__main__":
    engine = make_engine(sys.argv[1] + "/cut", evaluates, backend=sys.argv[2], evaluators=3)
    engine.fit(skip_cv_checks=True, callbacks=Stopper())
    # The first to end stops the run, when three were running.
    assert engine.dataset.ids == [0, 1, 2], engine.dataset.ids
    assert samples_of(restored(sys.argv[1] + "/cut")) == samples_of(engine)
    engine.fit(skip_cv_checks=True)
    whole = make_engine(sys.argv[1] + "/whole", evaluate)
    whole.fit(skip_cv_checks=True)
    assert samples_of(engine) == samples_of(whole)
    print("went on")
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_worker_processes_that_run_are_brought_in(tmp_path, backend):
    result = run_script(STOPPED_IN_PROCESSES, tmp_path, backend)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "went on\n"
