"""What a run shows and tells while it goes on: hooks for single samples, progress bar, log."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import subprocess
import sys
import threading

import pytest

from pyshac import Callback, EvaluationError, ProgressBar
from tests.core.callbacks.terminals import screen_of, terminal
from tests.engine.engine_helpers import (
    ROOT,
    InterruptedAt,
    InterruptionError,
    evaluate,
    make_engine,
    restored,
    run_script,
    samples_of,
)
from tests.engine.test_fit_dataset import make_rows, write


class Listener(Callback):
    """Notes every event with what it was told, as text: `draw begin`, `sample 3 end`."""

    def __init__(self):
        super().__init__()
        self.events = []
        for name in vars(Callback):
            if name.startswith("on_"):
                setattr(self, name, lambda *args, name=name: self.events.append((name, *args)))

    def of(self, *names):
        return [event for event in self.events if event[0] in names]


def bars_running():
    return [thread for thread in threading.enumerate() if thread.name == "pyshac-progress"]


class TestHooks:
    def test_a_batch_from_draw_to_classifier(self, tmp_path):
        listener = Listener()
        engine = make_engine(tmp_path, total_budget=4, num_batches=2)
        engine.fit(skip_cv_checks=True, callbacks=listener)
        one_sample = ["on_sample_begin", "on_sample_end"]
        assert [event[0] for event in listener.events] == [
            "on_train_begin",
            "on_epoch_begin", "on_draw_begin", "on_draw_end", "on_evaluation_begin",
            *one_sample, *one_sample,
            "on_evaluation_ended", "on_dataset_changed",
            "on_classifier_begin", "on_classifier_end", "on_epoch_end",
            "on_epoch_begin", "on_draw_begin", "on_draw_end", "on_evaluation_begin",
            *one_sample, *one_sample,
            "on_evaluation_ended", "on_dataset_changed", "on_epoch_end",
            "on_train_end",
        ]  # fmt: skip

    def test_what_they_are_told(self, tmp_path):
        listener = Listener()
        engine = make_engine(tmp_path, total_budget=4, num_batches=2)
        result = engine.fit(skip_cv_checks=True, callbacks=listener).history
        parameters = [sample for batch in result["parameters"] for sample in batch]
        assert [event[1:] for event in listener.of("on_sample_begin")] == [
            (number, {"parameters": sample, "worker_id": 0})
            for number, sample in enumerate(parameters)
        ]
        evaluations = engine.evaluations
        assert [event[1:] for event in listener.of("on_sample_end")] == [
            (
                found.number,
                found.score,
                {
                    "parameters": sample,
                    "worker_id": 0,
                    "failure": None,
                    "started": found.started,
                    "seconds": found.seconds,
                    "extras": {},
                    "curve": None,
                    "pruned": False,
                },
            )
            for found, sample in zip(evaluations, parameters, strict=True)
        ]
        ((_, number, logs),) = listener.of("on_classifier_end")
        assert number == 1
        assert logs["model"] is engine.classifiers[0]
        assert logs["reason"]
        assert [event[1] for event in listener.of("on_draw_begin", "on_draw_end")] == [1, 1, 2, 2]
        assert "reason" not in result

    def test_a_score_is_on_disk_before_it_is_told(self, tmp_path):
        seen = []

        class Restoring(Callback):
            def on_sample_end(self, id, score, logs=None):
                seen.append((id, score) == tuple(samples_of(restored(tmp_path))[-1][::2]))

        make_engine(tmp_path, total_budget=6, num_batches=2).fit(callbacks=Restoring())
        assert seen == [True] * 6

    def test_a_batch_that_was_drawn_is_not_drawn_again(self, tmp_path):
        with pytest.raises(EvaluationError):
            make_engine(tmp_path, InterruptedAt(3)).fit()
        listener = Listener()
        restored(tmp_path).fit(callbacks=listener)
        assert [event[1] for event in listener.of("on_draw_begin")] == [2, 3]
        assert [event[1] for event in listener.of("on_sample_end")] == list(range(2, 18))

    def test_a_failed_sample_says_why(self, tmp_path):
        listener = Listener()
        engine = make_engine(tmp_path, InterruptedAt(2), total_budget=6, num_batches=2)
        engine.fit(callbacks=listener, catch=InterruptionError)
        failures = [logs["failure"] for *_, logs in listener.of("on_sample_end")]
        assert failures == [None, "InterruptionError: call 2", None, None, None, None]

    def test_at_most_as_many_run_as_there_are_slots(self, tmp_path):
        listener = Listener()
        engine = make_engine(tmp_path, evaluators=3)
        engine.fit(callbacks=listener)
        running, most = {}, 0
        for name, number, *_, logs in listener.of("on_sample_begin", "on_sample_end"):
            if name == "on_sample_begin":
                assert logs["worker_id"] not in running.values()
                running[number] = logs["worker_id"]
            else:
                assert running.pop(number) == logs["worker_id"]
            most = max(most, len(running))
        assert (running, most) == ({}, 3)

    def test_samples_of_a_dataset_file_are_told_too(self, tmp_path):
        listener = Listener()
        path = write(tmp_path / "samples.csv", make_rows(8))
        engine = make_engine(tmp_path / "shac", None, total_budget=8, num_batches=2)
        engine.fit_dataset(path, skip_cv_checks=True, callbacks=listener)
        ended = listener.of("on_sample_end")
        assert [(number, score) for _, number, score, _ in ended] == [
            (number, score) for number, _, score in samples_of(engine)
        ]
        assert {logs["worker_id"] for *_, logs in ended} == {None}
        assert listener.of("on_sample_begin", "on_draw_begin") == []
        assert [event[1] for event in listener.of("on_classifier_end")] == [1]

    @pytest.mark.parametrize("event", ["on_sample_begin", "on_sample_end"])
    def test_an_error_in_a_callback_waits_for_what_runs(self, tmp_path, event):
        both_run, has_raised = threading.Barrier(2, timeout=60), threading.Event()

        class Raising(Callback):
            def note(self, id, *args):
                if id == 0:
                    has_raised.set()
                    raise InterruptionError(event)

        def waits(worker_id, parameters):
            if event == "on_sample_end":
                both_run.wait()
                assert worker_id == 0 or has_raised.wait(60)
            return evaluate(worker_id, parameters)

        callback, listener = Raising(), Listener()
        setattr(callback, event, callback.note)
        engine = make_engine(tmp_path, waits, evaluators=2)
        with pytest.raises(InterruptionError, match=event):
            engine.fit(callbacks=[callback, listener])
        # A sample of which a callback was not told does not start.
        evaluated = [] if event == "on_sample_begin" else [0, 1]
        assert engine.dataset.ids == restored(tmp_path).dataset.ids == evaluated
        ((_, error, history),) = listener.of("on_train_error")
        assert type(error) is InterruptionError
        assert history == {"begin_run_index": 0}
        assert listener.of("on_train_end") == []

    def test_an_error_of_the_run_is_told_when_all_is_saved(self, tmp_path):
        told = []

        class Told(Callback):
            def on_train_error(self, error, logs=None):
                told.append((type(error), len(restored(tmp_path).dataset)))

        def interrupted(worker_id, parameters):
            if len(engine.dataset) == 4:
                raise KeyboardInterrupt
            return evaluate(worker_id, parameters)

        engine = make_engine(tmp_path, interrupted)
        with pytest.raises(KeyboardInterrupt):
            engine.fit(callbacks=Told())
        assert told == [(KeyboardInterrupt, 4)]


class TestProgressBar:
    def fit(self, engine, **options):
        """Fits with a bar and returns what was written."""
        file = io.StringIO()
        engine.fit(skip_cv_checks=True, callbacks=[ProgressBar(file, as_bar=True)], **options)
        return file.getvalue()

    def last_line(self, text):
        return list(filter(None, screen_of(text)))[-1]

    def test_a_whole_run(self, tmp_path):
        engine = make_engine(tmp_path)
        line = self.last_line(self.fit(engine))
        assert line.startswith("budget spent: 100%|")
        assert " 18/18 [" in line
        assert f", best {engine.best_score:.4g}, 2 classifiers]" in line

    def test_a_resumed_run_begins_where_it_was(self, tmp_path):
        with pytest.raises(EvaluationError):
            make_engine(tmp_path, InterruptedAt(9)).fit(skip_cv_checks=True)
        text = self.fit(restored(tmp_path))
        first = screen_of(text.split("\r")[1])[0]
        assert first.startswith("stage 2/3:  44%|")
        assert " 8/18 [" in first
        assert " 18/18 [" in self.last_line(text)

    def test_failed_samples_are_counted(self, tmp_path):
        engine = make_engine(tmp_path, InterruptedAt(2))
        line = self.last_line(self.fit(engine, catch=InterruptionError))
        assert " 18/18 [" in line
        assert ", 1 failed, " in line

    def test_a_dataset_file(self, tmp_path):
        path = write(tmp_path / "samples.csv", make_rows(8))
        engine = make_engine(tmp_path / "shac", None, total_budget=8, num_batches=2)
        file = io.StringIO()
        engine.fit_dataset(path, skip_cv_checks=True, callbacks=ProgressBar(file, as_bar=True))
        assert " 8/8 [" in self.last_line(file.getvalue())

    @pytest.mark.parametrize("way", ["end", "stop", "error", "Ctrl-C", "callback", "last callback"])
    def test_it_is_closed_on_every_way_out(self, tmp_path, way):
        def ends(worker_id, parameters):
            if len(engine.dataset) == 3:
                if way == "stop":
                    engine.stop()
                if way in ("error", "Ctrl-C"):
                    raise {"error": ValueError, "Ctrl-C": KeyboardInterrupt}[way]
            return evaluate(worker_id, parameters)

        class Raising(Callback):
            def on_sample_end(self, id, score, logs=None):
                if way == "callback":
                    raise InterruptionError

            def on_train_end(self, logs=None):
                if way == "last callback":
                    raise InterruptionError

        engine, file = make_engine(tmp_path, ends, total_budget=6, num_batches=2), io.StringIO()
        handler = logging.StreamHandler(file)
        logging.getLogger("pyshac").addHandler(handler)
        try:
            engine.fit(callbacks=[Raising(), ProgressBar(file, as_bar=True)])
            assert way in ("end", "stop")
        except (EvaluationError, KeyboardInterrupt, InterruptionError):
            assert way not in ("end", "stop")
        finally:
            logging.getLogger("pyshac").removeHandler(handler)
        assert not bars_running()
        assert handler.stream is file
        assert file.getvalue().endswith("\n")
        # A callback that raises keeps the sample from those after it.
        done = {"end": 6, "stop": 4, "error": 3, "Ctrl-C": 3, "callback": 0, "last callback": 6}
        assert f" {done[way]}/6 [" in self.last_line(file.getvalue())

    @pytest.mark.parametrize("verbose", [0, 1])
    def test_a_bar_of_the_users_own_is_the_only_one(self, tmp_path, capsys, monkeypatch, verbose):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        text = self.fit(make_engine(tmp_path), verbose=verbose)
        assert " 18/18 [" in text
        assert capsys.readouterr().err == ""

    def test_verbose_0_shows_nothing_and_1_a_bar(self, tmp_path, capsys, monkeypatch):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        make_engine(tmp_path / "silent", total_budget=6, num_batches=2).fit(verbose=0)
        assert capsys.readouterr() == ("", "")
        make_engine(tmp_path / "shown", total_budget=6, num_batches=2).fit()
        captured = capsys.readouterr()
        assert " 6/6 [" in self.last_line(captured.err)
        assert captured.out == ""

    @pytest.mark.parametrize("verbose", [3, "yes", None])
    def test_another_verbose_is_refused_before_anything_happens(self, tmp_path, verbose):
        engine = make_engine(tmp_path / "shac")
        with pytest.raises((TypeError, ValueError), match="verbose must be 0"):
            engine.fit(verbose=verbose)
        with pytest.raises((TypeError, ValueError), match="verbose must be 0"):
            engine.fit_dataset(tmp_path / "samples.csv", verbose=verbose)
        assert not (tmp_path / "shac").exists()


class TestLog:
    def test_info_says_what_happens(self, tmp_path, caplog):
        caplog.set_level(logging.INFO, "pyshac")
        make_engine(tmp_path, total_budget=4, num_batches=2).fit(skip_cv_checks=True)
        said = "\n".join(record.getMessage() for record in caplog.records)
        for line in [
            "Searching x, kind, w for the lowest score; 4 evaluations in 2 batches of 2; ",
            "Drew 2 samples in 0.",
            "Batch 1 of 2: 2 samples to evaluate.",
            "2 samples evaluated, 0 of them failed; scores from ",
            "Classifier trained, 1 now: ",
            f"Saved 2 samples and 1 classifiers to {str(tmp_path)!r}",
            "Batch 2 of 2: 2 samples to evaluate.",
            "Budget spent: 4 of 4 evaluations; best score ",
            "; classifiers: 1 trained; time ",
        ]:
            assert line in said
        assert {record.name for record in caplog.records} == {"pyshac"}
        assert {record.levelno for record in caplog.records} == {logging.INFO}

    def test_a_refused_classifier_says_why(self, tmp_path, caplog):
        caplog.set_level(logging.INFO, "pyshac")
        engine = make_engine(tmp_path, lambda worker_id, parameters: 1.0)
        engine.fit()
        assert len(engine.classifiers) == 0
        assert "Classifier refused, 0 now: " in caplog.text

    @pytest.mark.parametrize("way", ["stop", "error"])
    def test_a_run_that_ends_early_says_how(self, tmp_path, caplog, way):
        caplog.set_level(logging.INFO, "pyshac")

        def ends(worker_id, parameters):
            if len(engine.dataset) == 3:
                if way == "error":
                    raise ValueError
                engine.stop()
            return evaluate(worker_id, parameters)

        engine = make_engine(tmp_path, ends)
        with contextlib.suppress(EvaluationError):
            engine.fit()
        done, how = {"stop": (4, "Stopped"), "error": (3, "Ended by EvaluationError")}[way]
        last = caplog.records[-1].getMessage()
        assert last.startswith(f"{how}: {done} of 18 evaluations; best score ")
        assert "; classifiers: 0 trained, up to 2 to come; time " in last

    def test_two_lines_are_said_unasked_and_nothing_with_verbose_0(self, tmp_path, capfd):
        make_engine(tmp_path / "silent").fit(skip_cv_checks=True, verbose=0)
        assert capfd.readouterr() == ("", "")
        make_engine(tmp_path / "told").fit(skip_cv_checks=True)
        out, err = capfd.readouterr()
        assert out == ""
        first, last = err.splitlines()
        assert " pyshac: Searching x, kind, w for the lowest score; " in first
        assert " pyshac: Budget spent: 18 of 18 evaluations; " in last


IN_A_TERMINAL = """
import logging, sys
from tests.engine.engine_helpers import evaluate, make_engine
if len(sys.argv) > 3:
    logging.basicConfig(level=logging.INFO, format="[%(message)s]")
engine = make_engine(sys.argv[1], evaluate, backend="loky", evaluators=2)
engine.fit(skip_cv_checks=True, verbose=int(sys.argv[2]))
"""

# Each batch lasts for several looks at the figures.
SLOW_EVALUATIONS = """
import sys, time
from tests.engine.engine_helpers import make_engine

def evaluate(worker_id, parameters):
    time.sleep(0.7)
    return parameters["x"]

engine = make_engine(sys.argv[1], evaluate, backend="loky", evaluators=2)
engine.fit(skip_cv_checks=True)
"""


def run_in_terminal(screen: terminal, source: str, *arguments: object) -> None:
    subprocess.run(
        [sys.executable, "-c", source, *map(str, arguments)],
        cwd=ROOT, stdin=screen, stdout=screen, stderr=screen, check=True, timeout=120,
    )  # fmt: skip


@pytest.mark.slow
class TestPrograms:
    """Whole programs, with processes as slots, as users start them."""

    def test_a_terminal_shows_one_bar(self, tmp_path):
        with terminal() as screen:
            run_in_terminal(screen, IN_A_TERMINAL, tmp_path, 1)
        (line,) = filter(None, screen.screen)
        assert line.startswith("budget spent: 100%|")
        assert " 18/18 [" in line

    def test_a_terminal_shows_what_runs(self, tmp_path):
        with terminal() as screen:
            run_in_terminal(screen, SLOW_EVALUATIONS, tmp_path)
        assert " running" in screen.written

    def test_a_terminal_shows_nothing_with_verbose_0(self, tmp_path):
        with terminal() as screen:
            run_in_terminal(screen, IN_A_TERMINAL, tmp_path, 0)
        assert screen.written == ""

    def test_tqdm_can_be_told_to_be_silent(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TQDM_DISABLE", "1")
        with terminal() as screen:
            run_in_terminal(screen, IN_A_TERMINAL, tmp_path, 1, "log")
        assert "18/18" not in screen.written
        assert "[Budget spent: 18 of 18 evaluations; " in "".join(screen.screen)

    def test_log_lines_and_the_bar_do_not_tear_each_other(self, tmp_path):
        with terminal(columns=200) as screen:
            run_in_terminal(screen, IN_A_TERMINAL, tmp_path, 1, "log")
        *lines, bar = filter(None, screen.screen)
        assert bar.startswith("budget spent: 100%|")
        assert len(lines) > 10
        assert all(line[0] == "[" and line[-1] == "]" for line in lines)
        assert lines[-1].startswith("[Budget spent: 18 of 18 evaluations; ")

    def test_a_batch_job_says_at_once_what_it_does(self, tmp_path):
        result = run_script(IN_A_TERMINAL, tmp_path, 1)
        assert (result.returncode, result.stdout) == (0, "")
        first, last = result.stderr.splitlines()
        assert " pyshac: Searching " in first
        assert " pyshac: Budget spent: 18 of 18 evaluations; best score " in last

    def test_verbose_2_is_a_line_per_evaluation(self, tmp_path):
        result = run_script(IN_A_TERMINAL, tmp_path, 2)
        _, *lines, _ = result.stderr.splitlines()
        assert len(lines) == 18
        assert all(re.search(r" pyshac: Sample \d+: score \S+; \S+ s; slot [01]; x=", line)
                   for line in lines)  # fmt: skip
        with terminal(columns=200) as screen:
            run_in_terminal(screen, IN_A_TERMINAL, tmp_path / "again", 2)
        *lines, bar = filter(None, screen.screen)
        assert len(lines) == 18
        assert bar.startswith("budget spent: 100%|")

    def test_a_batch_job_writes_a_line_from_time_to_time(self, tmp_path):
        result = run_script(BATCH_JOB, tmp_path)
        assert result.returncode == 0, result.stderr
        first, *lines, last = result.stderr.splitlines()
        assert "pyshac: Searching " in first
        assert len(lines) == 1
        assert re.search(r"pyshac: 3 of 6 evaluations; stage \d/\d; best ", lines[0])
        assert "pyshac: Budget spent: 6 of 6 evaluations; " in last
        assert "\r" not in result.stderr

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that are forked")
    def test_forked_evaluations_can_have_bars_of_their_own(self):
        result = run_script(FORKS)
        assert (result.returncode, result.stdout) == (0, "all ended\n"), result.stderr

    def test_drawing_and_training_show_when_they_take_long(self, tmp_path):
        with terminal(columns=150) as screen:
            run_in_terminal(screen, SLOW_DRAW, tmp_path)
        assert re.search(r"drawing samples for \d s", screen.written)
        assert "drawing" not in screen.screen[0]


BATCH_JOB = """
import sys, time
from pyshac import ProgressBar
from tests.engine.engine_helpers import make_engine

def evaluates(worker_id, parameters):
    time.sleep(0.6)
    return parameters["x"]

engine = make_engine(sys.argv[1], evaluates, total_budget=6, num_batches=2)
began = time.monotonic()
engine.fit(callbacks=ProgressBar(line_seconds=1))
print(time.monotonic() - began)
"""

# Processes are forked from one that draws all the time, and draw bars, too.
FORKS = """
import os, sys, threading, time
from tqdm import tqdm
from pyshac.core.callbacks.displays import BarDisplay
from pyshac.core.callbacks.figures import Figures

nowhere = open(os.devnull, "w")
display = BarDisplay(Figures(1000), nowhere)
display.open()
is_over = threading.Event()

def draw():
    while not is_over.is_set():
        display.draw()

drawing = threading.Thread(target=draw)
drawing.start()
for _ in range(50):
    child = os.fork()
    if child == 0:
        for _ in tqdm(range(3), file=nowhere):
            pass
        os._exit(0)
    waiting = time.monotonic() + 60
    while not os.waitpid(child, os.WNOHANG)[0]:
        if time.monotonic() > waiting:
            os.kill(child, 9)
            os._exit(1)
        time.sleep(0.001)
is_over.set()
drawing.join()
print("all ended")
"""

# A parameter of one's own, of which the draw takes long.
SLOW_DRAW = """
import sys, time
from pyshac import SHAC, UniformHP, set_custom_parameter_class
from tests.engine.engine_helpers import make_engine

class SlowHP(UniformHP):
    def from_unit(self, unit):
        time.sleep(3.5)
        return super().from_unit(unit)

set_custom_parameter_class(SlowHP)
engine = make_engine(sys.argv[1], lambda worker_id, p: p["x"], [SlowHP("x", 0, 1)], 2, 1)
engine.fit()
"""


NOTEBOOK = """
import logging
from tests.engine.engine_helpers import evaluate, make_engine
def speaking(worker_id, parameters):
    print("said in a worker", flush=True)
    return evaluate(worker_id, parameters)
engine = make_engine("shac", speaking, backend="loky")
engine.fit(skip_cv_checks=True)
engine
"""


@pytest.mark.slow
def test_a_notebook_shows_a_bar_and_the_engine(tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # With it, a kernel does not capture the output of other processes.
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(NOTEBOOK)])
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=120, resources=resources
    ).execute()
    outputs = notebook.cells[0].outputs
    shown = [output for output in outputs if output.output_type == "execute_result"]
    assert "<td" in shown[0].data["text/html"]
    texts = [str(output) for output in outputs if output.output_type != "execute_result"]
    assert any(" 18/18 [" in text for text in texts), texts
    assert "Warning" not in str(texts)
    # So says docs/callbacks.md.
    printed = "".join(o.text for o in outputs if o.get("name") == "stdout")
    assert printed.count("said in a worker") == (18 if os.name == "posix" else 0)
