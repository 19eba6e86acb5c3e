"""What all trackers have in common: each evaluation is logged once, whatever happens."""

from __future__ import annotations

import copy
import importlib
import json
import logging
import math
import os
import pickle
import shutil
import sys
import time

import pytest

from pyshac import SHAC, Callback, UniformHP
from pyshac.core.errors import SaveDirectoryError
from pyshac.integrations.tracking import tracker as tracker_module
from pyshac.integrations.tracking.records import numbers_and_texts, settings_of, trackable
from pyshac.integrations.tracking.run_ids import RunIds
from pyshac.integrations.tracking.tracker import Ending
from tests.integrations.tracked import MemoryTracker, evaluate, fit, make_search
from tests.paces.searches import PACES


class Raises(Callback):
    """Raises once a number of evaluations has ended."""

    def __init__(self, error, count=3):
        super().__init__()
        self.error, self.count = error, count

    def on_sample_end(self, id, score, logs=None):
        self.count -= 1
        if self.count == 0:
            raise self.error


def numbers(tracker):
    return [row.number for row in tracker.records.rows]


@pytest.mark.parametrize("pace", PACES)
def test_each_evaluation_is_logged_once(tmp_path, pace):
    search, tracker = make_search(tmp_path, 30, 5, pace=pace), MemoryTracker()
    fit(search, tracker)

    assert sorted(numbers(tracker)) == list(range(30))
    assert [standing.count for standing in tracker.records.standings] == list(range(1, 31))
    assert tracker.records.standings[-1].best_score == search.best_score
    assert tracker.records.endings == [Ending.FINISHED]


def test_records_have_what_is_known_of_an_evaluation(tmp_path):
    search, tracker = make_search(tmp_path, evaluators=1), MemoryTracker()
    fit(search, tracker)

    assert {row.state for row in tracker.records.rows} == {"complete", "failed"}
    for row, known in zip(tracker.records.rows, search.evaluations, strict=True):
        assert row.number == known.number
        assert row.seconds == known.seconds
        assert row.started == known.started
        assert repr(row.curve) == repr(known.curve)
        assert row.extras == known.extras
        assert math.isnan(row.score) == (row.state == "failed")
        assert ("too high" in (row.failure or "")) == (row.state == "failed")
        assert ("rate" in row.parameters) == (row.parameters["kind"] == "none")
        assert row.parameters["kind"] in ("a network", "none")
        assert row.parameters["weights_2"] == known.parameters["weights"][1]
        assert row.parameters["choice"] in ("None", 1, "a", "(3, 3)", True)


def test_pruned_evaluations_have_a_curve_and_no_score(tmp_path):
    search, tracker = make_search(tmp_path, 40, 4), MemoryTracker()
    fit(search, tracker, pruning="halving")
    pruned = [row for row in tracker.records.rows if row.state == "pruned"]

    assert len(pruned) == sum(each.state == "pruned" for each in search.evaluations) > 0
    assert all(math.isnan(row.score) and row.curve.is_pruned for row in pruned)


def test_nothing_is_logged_twice_by_later_runs(tmp_path):
    search, tracker = make_search(tmp_path), MemoryTracker()
    fit(search, tracker)
    fit(search, tracker)
    search.total_budget = 18
    fit(search, tracker)
    tracker.log(SHAC.load(search.save_dir, total_budget=24))

    assert sorted(numbers(tracker)) == list(range(18))
    assert tracker.records.endings == [Ending.FINISHED] * 3 + [Ending.OPEN]


def test_a_later_run_logs_what_is_missing(tmp_path):
    search, tracker = make_search(tmp_path), MemoryTracker()
    fit(search)
    search.total_budget = 18
    fit(search, tracker)

    assert sorted(numbers(tracker)) == list(range(18))
    ends = [row.started.timestamp() + row.seconds for row in tracker.records.rows]
    assert ends[:12] == sorted(ends[:12])


@pytest.mark.parametrize(
    ("error", "ending"),
    [(KeyboardInterrupt(), Ending.INTERRUPTED), (RuntimeError("mine"), Ending.FAILED)],
)
def test_how_a_run_ends_is_told(tmp_path, error, ending):
    search, tracker = make_search(tmp_path), MemoryTracker()
    with pytest.raises(type(error)):
        fit(search, tracker, Raises(error))

    assert tracker.records.endings == [ending]
    assert sorted(numbers(tracker)) == sorted(each.number for each in search.evaluations)

    fit(search, tracker)
    assert sorted(numbers(tracker)) == list(range(12))
    assert tracker.records.endings[1:] == [Ending.FINISHED]


def test_a_tracker_that_is_down_at_the_start_raises_before_anything_is_spent(tmp_path):
    search, tracker = make_search(tmp_path), MemoryTracker()
    tracker.records.is_down = True
    with pytest.raises(ConnectionError):
        fit(search, tracker)

    assert len(search.dataset) == 0


def test_a_tracker_that_goes_down_loses_nothing(tmp_path, caplog):
    search, tracker = make_search(tmp_path, 12, 4), MemoryTracker()

    class GoesDown(Callback):
        def on_epoch_end(self, epoch, logs=None):
            tracker.records.is_down = epoch in (1, 2)
            time.sleep(0.1)

    fit(search, tracker, GoesDown())

    assert sorted(numbers(tracker)) == list(range(12))
    said = [record for record in caplog.records if record.levelno == logging.WARNING]
    said = [record.getMessage() for record in said if "Memory" in record.getMessage()]
    assert len(said) == 1
    assert "no answer" in said[0]


def test_a_tracker_that_stays_down_is_no_error(tmp_path, caplog):
    search, tracker = make_search(tmp_path), MemoryTracker()

    class GoesDown(Callback):
        def on_train_begin(self, logs=None):
            tracker.records.is_down = True

    fit(search, tracker, GoesDown())

    assert len(search.dataset) == 12
    assert "Memory lacks 12 evaluations and the end of the run" in caplog.text
    # A server that does not answer is not asked for each of them.
    assert tracker.records.num_calls <= 2 * 13

    tracker.records.is_down = False
    tracker.log(search)
    assert sorted(numbers(tracker)) == list(range(12))


def test_what_a_tracker_refuses_keeps_nothing_else_from_it(tmp_path, caplog):
    search, tracker = make_search(tmp_path), MemoryTracker()
    tracker.records.refused = {0, 1, 2, 5}
    fit(search, tracker)

    assert sorted(numbers(tracker)) == [3, 4, 6, 7, 8, 9, 10, 11]
    assert "Memory lacks 4 evaluations. " in caplog.text
    assert 1 <= caplog.text.count("did not take") <= 4


def test_a_slow_tracker_does_not_hold_up_a_run(tmp_path):
    search, tracker = make_search(tmp_path), MemoryTracker()

    class Waits(Callback):
        def on_train_begin(self, logs=None):
            tracker.records.may_answer.clear()

        def on_train_end(self, logs=None):
            self.count = len(self.engine.dataset)
            tracker.records.may_answer.set()

    waits = Waits()
    fit(search, waits, tracker)

    assert waits.count == 12
    assert sorted(numbers(tracker)) == list(range(12))


def test_an_interrupted_run_does_not_wait_for_a_tracker_for_long(tmp_path, monkeypatch, caplog):
    search, tracker = make_search(tmp_path), MemoryTracker()
    monkeypatch.setattr(tracker_module, "SECONDS_AFTER_ERROR", 0.2)

    class Blocks(Callback):
        def on_train_begin(self, logs=None):
            tracker.records.may_answer.clear()

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fit(search, Blocks(), tracker, Raises(KeyboardInterrupt()))

    assert time.monotonic() - start < 30
    assert "Memory lacks" in caplog.text
    tracker.records.may_answer.set()


def test_fit_dataset_is_logged(tmp_path):
    search, tracker = make_search(tmp_path), MemoryTracker()
    fit(search)
    path = tmp_path / "search" / "datasets" / "dataset.csv"
    other = make_search(tmp_path / "other")
    other.fit_dataset(path, callbacks=[tracker], verbose=0)

    assert sorted(numbers(tracker)) == list(range(12))
    assert all(row.started is None for row in tracker.records.rows)


def test_ask_and_tell_is_logged_by_a_call(tmp_path):
    search, tracker = make_search(tmp_path), MemoryTracker()
    while samples := search.ask():
        search.tell(samples, [sample["x"] for sample in samples])
        tracker.log(search)

    assert numbers(tracker) == list(range(12))
    assert tracker.records.endings == [Ending.OPEN, Ending.FINISHED]


def test_an_engine_without_a_search_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="restore_data"):
        MemoryTracker().log(SHAC(None, 10, 2, save_dir=tmp_path / "none"))


@pytest.mark.parametrize("engine", ["shac", None, SHAC])
def test_what_is_no_engine_is_refused(engine):
    with pytest.raises(TypeError, match=r"engine must be an engine, such as SHAC\.load"):
        MemoryTracker().log(engine)


def test_trackers_can_be_pickled_and_copied_while_they_run(tmp_path):
    search, tracker = make_search(tmp_path), MemoryTracker()
    copies = []

    class Copies(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            tracker.records, records = None, tracker.records
            copies.extend([pickle.loads(pickle.dumps(tracker)), copy.deepcopy(tracker)])
            tracker.records = records

    fit(search, tracker, Copies())

    assert len(copies) == 4
    assert all(each._logging is None and each.engine is None for each in copies)


def test_two_searches_in_one_process_stay_apart(tmp_path):
    first, second = MemoryTracker(), MemoryTracker()
    inner = make_search(tmp_path / "inner", 6, 1)

    class Nests(Callback):
        def on_epoch_end(self, epoch, logs=None):
            fit(inner, second)

    fit(make_search(tmp_path), first, Nests())

    assert (len(first.records.rows), len(second.records.rows)) == (12, 6)


# Ids in the save directory


def test_ids_are_kept_for_each_tracker_the_latest_last(tmp_path):
    ids = RunIds(str(tmp_path / "new"), "mlflow")
    assert ids.known() == []
    for id in ("a1", "b2", "a1", "a1"):
        ids.add(id)
    RunIds(str(tmp_path / "new"), "wandb").add("c3")

    assert RunIds(str(tmp_path / "new"), "mlflow").known() == ["b2", "a1"]
    assert RunIds(str(tmp_path / "new"), "wandb").known() == ["c3"]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"mlflow": "a"}', '{"mlflow": ["../../x"]}', '{"mlflow": [1]}', "[" * 10**5],
)
def test_corrupt_ids_are_refused(tmp_path, content):
    (tmp_path / "trackers.json").write_text(content)
    with pytest.raises(SaveDirectoryError, match="trackers.json.*Remove it"):
        RunIds(str(tmp_path), "mlflow").known()


def test_ids_are_not_read_through_a_link(tmp_path):
    (tmp_path / "elsewhere.json").write_text(json.dumps({"mlflow": ["a"]}))
    os.symlink(tmp_path / "elsewhere.json", tmp_path / "trackers.json")
    with pytest.raises(SaveDirectoryError, match="link"):
        RunIds(str(tmp_path), "mlflow").known()


def test_a_search_in_another_space_is_another_one_for_trackers(tmp_path):
    search = make_search(tmp_path)
    fit(search)
    RunIds(search.save_dir, "mlflow").add("a1")
    narrow = SHAC(
        evaluate, [UniformHP("x", 0, 0.8), *[p for p in search.parameters if p.name != "x"]],
        18, 3, save_dir=search.save_dir, resume=True,
    )  # fmt: skip
    narrow.concurrent_evaluators()
    fit(narrow)

    assert RunIds(search.save_dir, "mlflow").known() == []
    assert RunIds(str(tmp_path / "search" / "former-1"), "mlflow").known() == ["a1"]


def test_ids_outlast_a_save_and_go_with_the_directory(tmp_path):
    search = make_search(tmp_path)
    RunIds(search.save_dir, "mlflow").add("a1")
    fit(search)
    assert RunIds(search.save_dir, "mlflow").known() == ["a1"]
    shutil.move(search.save_dir, tmp_path / "moved")

    assert RunIds(str(tmp_path / "moved"), "mlflow").known() == ["a1"]


def test_a_directory_with_a_link_to_ids_is_no_save_directory(tmp_path):
    search = make_search(tmp_path)
    fit(search)
    os.symlink(tmp_path / "elsewhere", os.path.join(search.save_dir, "trackers.json"))
    with pytest.raises(SaveDirectoryError, match="link"):
        SHAC.load(search.save_dir)


# Packages


@pytest.mark.parametrize(
    ("module", "extra"),
    [("mlflow", "mlflow"), ("tensorboard", "tensorboard"), ("wandb", "wandb")],
)
def test_a_missing_package_is_named_with_its_extra(module, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"pyshac.integrations.{module}", raising=False)
    with pytest.raises(ModuleNotFoundError, match=rf"pip install 'pyshac\[{extra}\]'"):
        importlib.import_module(f"pyshac.integrations.{module}")


# Values


def test_values_are_bools_numbers_and_texts():
    row = [1, 1.5, True, "a", None, (1, "a"), math.inf, 10**400]
    names = "abcdefgh"
    assert trackable(names, row) == {
        "a": 1, "b": 1.5, "c": True, "d": "a", "e": "None", "f": "(1, 'a')", "g": math.inf,
        "h": str(10**400),
    }  # fmt: skip


def test_extras_are_numbers_and_texts_by_names_that_are_free():
    extras = {"curve": 1, "loss": 0.5, "is_good": True, "name": "ü", "nan": math.nan}
    found, texts = numbers_and_texts(extras, ("curve",))

    assert texts == {"is_good": "True", "name": "ü"}
    assert math.isnan(found.pop("nan"))
    assert found == {"extra_curve": 1.0, "loss": 0.5}
    both = {"curve": 1, "extra_curve": 2}
    assert numbers_and_texts(both, ("curve",))[0] == {"extra_curve": 1, "extra_extra_curve": 2}


def test_settings_name_the_space(tmp_path):
    settings = settings_of(make_search(tmp_path))

    assert settings["objective"] == "max"
    assert settings["total_budget"] == 12
    assert "UniformContinuousHyperParameter" in settings["space.x"]
