"""Callbacks by themselves; what a run tells them is tested with the engine."""

from __future__ import annotations

import csv
import inspect
from collections import OrderedDict
from typing import Any

import pytest

from pyshac.core.callbacks.callback import Callback
from pyshac.core.callbacks.callback_list import CallbackList
from pyshac.core.callbacks.csv_logger import CSVLogger
from pyshac.core.callbacks.history import History

EVENTS = {
    "on_train_begin": (),
    "on_train_end": (),
    "on_train_error": (KeyboardInterrupt(),),
    "on_epoch_begin": (3,),
    "on_epoch_end": (3,),
    "on_draw_begin": (3,),
    "on_draw_end": (3,),
    "on_evaluation_begin": (["parameters"],),
    "on_sample_begin": (7,),
    "on_sample_end": (7, 0.5),
    "on_evaluation_ended": ([0.5],),
    "on_dataset_changed": ("dataset",),
    "on_classifier_begin": (2,),
    "on_classifier_end": (2,),
}
LOGS = {
    "parameters": [OrderedDict(a=1, b="x, y"), OrderedDict(a=2, b="é")],
    "evaluations": [0.5, float("nan")],
    "device_ids": [0, 1],
    "dataset_index": 10,
    "model": object(),
    "generator_threads": 2,
    "per_classifier_budget": 10,
}


class Recorder(Callback):
    """Notes every event, with its name, into a list that several may share."""

    def __init__(self, name: str, events: list[Any]) -> None:
        super().__init__()
        self.name, self.events = name, events

    def __getattribute__(self, name: str) -> Any:
        if name not in EVENTS:
            return super().__getattribute__(name)
        return lambda *args: self.events.append((self.name, name, args))


class TestCallbackList:
    def test_every_event_reaches_every_callback_in_order(self):
        events: list[Any] = []
        callbacks = CallbackList([Recorder("first", events), Recorder("second", events)])
        callbacks.append(Recorder("third", events))
        for event, arguments in EVENTS.items():
            getattr(callbacks, event)(*arguments, {event: 1})
        assert events == [
            (name, event, (*arguments, {event: 1}))
            for event, arguments in EVENTS.items()
            for name in ("first", "second", "third")
        ]

    def test_these_are_all_the_events(self):
        assert set(EVENTS) == {name for name in vars(Callback) if name.startswith("on_")}

    @pytest.mark.parametrize("event", EVENTS)
    def test_logs_may_be_left_out_and_a_plain_callback_does_nothing(self, event):
        for callback in (Callback(), CallbackList([Callback()])):
            assert getattr(callback, event)(*EVENTS[event]) is None
        assert inspect.signature(getattr(Callback, event)).parameters["logs"].default is None

    def test_all_are_told_of_an_error_even_if_one_raises(self, caplog):
        class Raising(Callback):
            def on_train_error(self, error, logs=None):
                raise ValueError("no mail today")

        events: list[Any] = []
        error = RuntimeError("the first")
        CallbackList([Raising(), Recorder("second", events)]).on_train_error(error, {})
        assert events == [("second", "on_train_error", (error, {}))]
        assert "no mail today" in caplog.text

    def test_the_engine_reaches_every_callback(self):
        engine, parts = object(), [Callback(), Callback()]
        callbacks = CallbackList(parts)
        callbacks.set_engine(engine)
        assert all(part.engine is engine for part in [callbacks, *parts, callbacks.history])

    def test_a_history_is_added_if_there_is_none(self):
        given = [Callback()]
        assert isinstance(CallbackList(given).history, History)
        assert len(given) == 1
        assert [type(part) for part in CallbackList(None)] == [History]
        own = History()
        assert CallbackList([Callback(), own]).history is own
        assert len(list(CallbackList([own]))) == 1

    def test_one_callback_needs_no_list(self):
        one = Callback()
        assert next(iter(CallbackList(one))) is one

    @pytest.mark.parametrize(
        ("callbacks", "message"),
        [
            ([5], "callbacks must hold callbacks. Got 5 instead"),
            ([Callback(), print], "callbacks must hold callbacks. Got <built-in function print>"),
            ([Callback], "callbacks must hold callbacks. Got <class"),
            (5, "callbacks must be a list of callbacks. Got 5 instead"),
            (print, "callbacks must be a list of callbacks. Got <built-in function print>"),
        ],
    )
    def test_other_things_are_refused(self, callbacks, message):
        with pytest.raises(TypeError) as caught:
            CallbackList(callbacks)
        assert message in str(caught.value)


class TestHistory:
    def test_one_entry_an_epoch(self):
        history = History()
        history.on_train_begin({"begin_run_index": 20})
        history.on_epoch_end(3, {"evaluations": [1.0], "model": None})
        history.on_epoch_end(4, {"evaluations": [2.0], "model": "m"})
        assert history.epochs == [3, 4]
        assert history.history == {
            "begin_run_index": 20,
            "evaluations": [[1.0], [2.0]],
            "model": [None, "m"],
        }

    def test_a_new_run_starts_a_new_history(self):
        history = History()
        history.on_train_begin({"begin_run_index": 0})
        history.on_epoch_end(1, {"evaluations": [1.0]})
        history.on_train_begin({"begin_run_index": 10})
        assert history.history == {"begin_run_index": 10}
        assert history.epochs == []

    def test_it_shows_itself(self):
        history = History()
        assert repr(history).splitlines()[:3] == [
            "History", "  epochs       none", "  evaluations  0",
        ]  # fmt: skip
        history.on_train_begin({"begin_run_index": 20})
        history.on_epoch_end(3, {"evaluations": [1.0, float("nan")], "model": None})
        history.on_epoch_end(4, {"evaluations": [2.5, -1.0], "model": "m"})
        assert repr(history).splitlines() == [
            "History",
            "  epochs       3 to 4",
            "  evaluations  4, 1 failed",
            "  scores       -1.0 to 2.5",
            "  classifiers  1",
            "  keys         begin_run_index, evaluations, model",
        ]


class TestCSVLogger:
    def log(self, path: Any, epochs: range = range(1, 3), **options: Any) -> list[list[str]]:
        logger = CSVLogger(path, **options)
        logger.on_train_begin({"begin_run_index": 0})
        for epoch in epochs:
            logger.on_epoch_begin(epoch, {})
            logger.on_epoch_end(epoch, LOGS)
        logger.on_train_end({})
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.reader(file, delimiter=options.get("separator", ",")))

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_one_line_an_epoch_of_everything_but_the_model(self, tmp_path, separator):
        table = self.log(tmp_path / "log.csv", separator=separator)
        assert len(table) == 3
        row = dict(zip(table[0], table[1], strict=True))
        assert set(row) == {"epoch", *LOGS} - {"model"}
        assert [line[0] for line in table] == ["epoch", "1", "2"]
        assert row["dataset_index"] == "10"
        assert row["evaluations"] == "[0.5, nan]"
        assert row["parameters"] == "[{'a': 1, 'b': 'x, y'}, {'a': 2, 'b': 'é'}]"

    def test_a_new_run_replaces_the_file_unless_told_to_append(self, tmp_path):
        path = str(tmp_path / "log.csv")
        self.log(path)
        assert [line[0] for line in self.log(path, range(5, 6))] == ["epoch", "5"]
        table = self.log(path, range(6, 8), append=True)
        assert [line[0] for line in table] == ["epoch", "5", "6", "7"]

    def test_appending_to_no_file_starts_one_with_its_header(self, tmp_path):
        table = self.log(tmp_path / "log.csv", append=True)
        assert [line[0] for line in table] == ["epoch", "1", "2"]

    def test_every_epoch_is_on_disk_when_it_has_ended(self, tmp_path):
        path = tmp_path / "log.csv"
        logger = CSVLogger(path)
        logger.on_train_begin({})
        assert path.read_text(encoding="utf-8") == ""
        logger.on_epoch_end(1, LOGS)
        assert len(path.read_text(encoding="utf-8").splitlines()) == 2

    def test_a_folder_that_is_not_there_fails_as_the_run_begins(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            CSVLogger(tmp_path / "no" / "log.csv").on_train_begin({})
