"""ProgressBar: what it shows, on real terminals and in files, and that it leaves no trace."""

from __future__ import annotations

import io
import itertools
import logging
import math
import re
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from pyshac import SHAC, ProgressBar, UniformHP
from pyshac.core.callbacks import line_display
from pyshac.core.callbacks.displays import BarDisplay, choose_display
from pyshac.core.callbacks.figures import Figures, sample_line
from pyshac.core.callbacks.line_display import LineDisplay
from pyshac.core.callbacks.progress_bar import check_verbose
from tests.core.callbacks.terminals import screen_of, terminal
from tests.engine.engine_helpers import run_script

WATCHER = "pyshac-progress"


@pytest.fixture
def make_engine(tmp_path):
    """Makes engines that know some scores, each with a folder of its own."""
    numbers = itertools.count()

    def make(scores=(), objective="max", total_budget=10):
        space, folder = [UniformHP("x", 0.0, 1.0)], tmp_path / str(next(numbers))
        engine = SHAC(None, space, total_budget, 1, objective, save_dir=folder)
        if scores:
            engine.tell(engine.ask(len(scores)), scores)
        return engine

    return make


def watch(bar, engine, scores=()):
    """Shows a run of an engine that evaluates some samples."""
    bar.set_engine(engine)
    bar.on_train_begin({"begin_run_index": len(engine.dataset.Y)})
    for number, score in enumerate(scores):
        bar.on_sample_begin(number, {})
        bar.on_sample_end(number, score, {})
    bar.on_train_end({})


def is_watched():
    return any(thread.name == WATCHER for thread in threading.enumerate())


class TestFigures:
    def test_what_matters_most_comes_first(self):
        figures = Figures(10, 5, failed=2, best=0.123456, stage="3 of 10", running={3, 4})
        assert figures.title == "stage 3/10"
        assert figures.details == ["best 0.1235", "2 running", "2 failed"]

    def test_what_there_is_none_of_is_left_out(self):
        assert Figures(10, refused=1).details == []
        assert Figures(10, is_over=True).details == ["0 classifiers"]
        assert Figures(10, trained=1, is_over=True).details == ["1 classifier"]

    def test_in_the_end_they_say_what_happened(self):
        figures = Figures(10, 10, stage="budget spent", trained=2, refused=1, is_over=True)
        assert figures.title == "budget spent"
        assert figures.details == ["2 classifiers", "1 refused"]
        assert Figures(10, 5, stage="2 of 3", is_over=True).title == "stopped in stage 2/3"

    def test_an_activity_shows_when_it_takes_long(self):
        figures = Figures(10)
        figures.begin("drawing samples")
        assert figures.details == []
        figures.since -= 60
        (text,) = figures.details
        assert re.fullmatch(r"drawing samples for 6\d s", text)
        figures.begin("")
        figures.since -= 60
        assert figures.details == []

    def test_an_evaluation_in_a_line(self):
        logs = {"parameters": {"x": 0.5, "kind": "a"}, "worker_id": 1, "failure": None}
        assert sample_line(7, 1.0, 2.5, logs) == (
            "Sample 7: score 1.0; 2.5 s; slot 1; x=0.5, kind='a'"
        )
        failed = {**logs, "failure": "ValueError: a\nb", "worker_id": None}
        line = sample_line(7, math.nan, 7200.0, failed)
        assert line.startswith("Sample 7: failed (ValueError: a")
        assert line.endswith("); 2:00:00; x=0.5, kind='a'")
        assert line.isprintable()


class TestVerbose:
    @pytest.mark.parametrize(("verbose", "shows"), [(0, 0), (1, 1), (2, 2), (True, 1), (False, 0)])
    def test_three_values(self, verbose, shows):
        assert check_verbose(verbose) == shows

    @pytest.mark.parametrize(
        ("verbose", "error"),
        [(3, ValueError), (-1, ValueError), ("1", TypeError), (None, TypeError)],
    )
    def test_no_other(self, verbose, error):
        with pytest.raises(error, match=f"verbose must be 0 .*Got {verbose!r}"):
            check_verbose(verbose)


class TestChoice:
    def test_a_bar_in_a_terminal(self):
        with terminal() as screen, screen.open() as file:
            assert isinstance(choose_display(Figures(1), file, None, 60), BarDisplay)

    def test_lines_in_a_file(self, tmp_path):
        with open(tmp_path / "log", "w", encoding="utf-8") as file:
            display = choose_display(Figures(1), file, None, 60)
        assert isinstance(display, LineDisplay)

    def test_the_user_may_choose(self):
        assert isinstance(choose_display(Figures(1), io.StringIO(), True, 60), BarDisplay)
        with terminal() as screen, screen.open() as file:
            assert isinstance(choose_display(Figures(1), file, False, 60), LineDisplay)

    def test_nothing_where_nobody_can_see_it(self, make_engine, monkeypatch):
        file = io.StringIO()
        file.close()
        assert choose_display(Figures(1), file, True, 60) is None
        monkeypatch.setattr(sys, "stderr", None)
        assert choose_display(Figures(1), None, None, 60) is None
        watch(ProgressBar(), make_engine(), [1.0])

    def test_something_else_in_the_place_of_standard_error_will_do(self, make_engine, monkeypatch):
        written = []
        monkeypatch.setattr(sys, "stderr", SimpleNamespace(write=written.append))
        assert isinstance(choose_display(Figures(1), None, None, 60), LineDisplay)
        watch(ProgressBar(), make_engine(), [1.0])
        assert len(written) == 2

    def test_standard_error_is_the_default(self, make_engine, capsys, monkeypatch):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        watch(ProgressBar(), make_engine(), [1.0])
        captured = capsys.readouterr()
        assert "1/10" in captured.err
        assert captured.out == ""


class TestBar:
    @pytest.mark.parametrize(("objective", "best"), [("max", "best 3,"), ("min", "best -1,")])
    def test_the_last_state_stays(self, make_engine, objective, best):
        file = io.StringIO()
        scores = [1.0, math.nan, 3.0, -1.0]
        watch(ProgressBar(file, as_bar=True), make_engine(objective=objective), scores)
        (line,) = filter(None, screen_of(file.getvalue()))
        assert line.startswith("stopped in stage 1/1:  40%|")
        assert " 4/10 [" in line
        assert best in line
        assert "1 failed, 0 classifiers]" in line
        assert "running" not in line

    def test_a_run_that_goes_on_begins_where_it_was(self, make_engine):
        file = io.StringIO()
        engine = make_engine([2.0, math.nan, 1.0])
        bar = ProgressBar(file, as_bar=True)
        bar.set_engine(engine)
        bar.on_train_begin({"begin_run_index": 3})
        (line,) = filter(None, screen_of(file.getvalue()))
        bar.on_train_end({})
        assert re.match(r"stage 1/1:  30%\|.*\| 3/10 \[00:00<\?, best 2, 1 failed\]", line)

    def test_a_bar_can_be_used_again(self, make_engine):
        file = io.StringIO()
        bar = ProgressBar(file, as_bar=True)
        for total in (4, 5):
            watch(bar, make_engine(total_budget=total), [1.0] * total)
        first, second = filter(None, screen_of(file.getvalue()))
        assert " 4/4 [" in first
        assert " 5/5 [" in second

    @pytest.mark.parametrize(
        ("columns", "shown"),
        [
            (
                120,
                r"stage 3/19:  42%\|█+.? +\| 42/100 \[00:00<\?, best 0.398, 4 running, 1 failed\]",
            ),
            (
                80,
                r"stage 3/19:  42%\|█+.? *\| 42/100 \[00:00<\?, best 0.398, 4 running, 1 failed\]",
            ),
            (60, r"stage 3/19:  42% 42/100 \[00:00<\?, best 0.398, 4 running\]"),
            (46, r"stage 3/19:  42% 42/100 \[00:00<\?, best 0.398\]"),
            (40, r"42/100 \[00:00<\?, best 0.398\]"),
            (20, r"42/100, best 0.398"),
            (10, r"42/100"),
        ],
    )
    def test_a_narrow_terminal_keeps_the_numbers(self, columns, shown):
        figures = Figures(100, 42, 1, 0.398, "3 of 19", running={1, 2, 3, 4})
        with terminal(columns) as screen, screen.open() as file:
            display = BarDisplay(figures, file)
            display.open()
            lines = screen_of(screen.shown_so_far("best" if columns > 10 else "42/100"))
            display.close()
        (line,) = filter(None, lines)
        assert len(line) <= columns
        assert re.fullmatch(shown, line), line

    @pytest.mark.parametrize("columns", [60, 40])
    def test_a_narrow_terminal_shows_how_it_ended(self, make_engine, columns):
        with terminal(columns) as screen, screen.open() as file:
            watch(ProgressBar(file), make_engine([math.nan]), [1.0, 2.0])
        (line,) = filter(None, screen.screen)
        assert len(line) <= columns
        assert "3/10 [00:00, best 2" in line
        assert line.startswith("stopped in stage 1/1:") == (columns == 60)

    def test_it_is_drawn_while_the_run_does_something_else(self, make_engine):
        file = io.StringIO()
        bar = ProgressBar(file, as_bar=True)
        bar.set_engine(make_engine())
        bar.on_train_begin({})
        for number in (0, 1):
            bar.on_sample_begin(number, {})
        bar.on_sample_end(0, 1.0, {})
        waiting = time.monotonic() + 60
        while "1 running" not in file.getvalue() and time.monotonic() < waiting:
            time.sleep(0.01)
        assert is_watched()
        bar.on_train_error(KeyboardInterrupt())
        assert "1 running" in file.getvalue()
        assert not is_watched()
        assert "running" not in screen_of(file.getvalue())[0]

    def test_a_terminal_that_goes_away_does_not_stop_the_run(self, make_engine):
        class Gone(io.StringIO):
            def write(self, text):
                if self.is_gone:
                    raise BrokenPipeError
                return super().write(text)

            is_gone = False

        file = Gone()
        bar = ProgressBar(file, as_bar=True)
        bar.set_engine(make_engine())
        bar.on_train_begin({})
        file.is_gone = True
        bar.on_sample_end(0, 1.0, {})
        bar.on_train_end({})
        assert not is_watched()


class TestLines:
    def test_a_line_says_all(self):
        file = io.StringIO()
        figures = Figures(10, 2, stage="1 of 10")
        display = LineDisplay(figures, file, 0)
        display.open("It begins")
        display.end_batch()
        figures.done, figures.best = 4, 0.5
        display.draw()
        display.end_batch()
        figures.done = 10
        display.end_batch()
        display.close("It ends")
        stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d pyshac: "
        for line, text in zip(
            file.getvalue().splitlines(),
            [
                "It begins",
                "2 of 10 evaluations; stage 1/10",
                r"4 of 10 evaluations; stage 1/10; best 0.5; 00:0\d left",
                "It ends",
            ],
            strict=True,
        ):
            assert re.fullmatch(stamp + text, line), line

    @pytest.mark.parametrize(("seconds", "lines"), [(0.1, 1), (25, 33), (3 * 3600, 99)])
    def test_a_line_per_batch_or_per_minute_whichever_is_rarer(self, monkeypatch, seconds, lines):
        """Of 100 batches; the last line stands for the last batch."""
        clock = [0.0]
        monkeypatch.setattr(line_display.time, "monotonic", lambda: clock[0])
        figures, file = Figures(100, stage="1 of 19"), io.StringIO()
        display = LineDisplay(figures, file, 60)
        display.open("It begins")
        for number in range(1, 101):
            clock[0] += seconds
            figures.done = number
            display.end_batch()
        display.close("It ends")
        between = file.getvalue().splitlines()[1:-1]
        assert len(between) == (lines if seconds > 1 else 0)

    def test_a_short_run_writes_how_it_begins_and_ends(self, make_engine):
        file = io.StringIO()
        engine = make_engine()
        watch(ProgressBar(file), engine, [1.0] * 10)
        first, last = file.getvalue().splitlines()
        assert re.search(
            r"pyshac: Searching x for the highest score; 10 evaluations in 1 batch of 10; "
            rf"\d+ slots?; saved in {str(engine.save_dir)!r}$", first
        )  # fmt: skip
        assert "pyshac: Stopped: 0 of 10 evaluations; classifiers: 0 trained, up to 1" in last

    def test_a_line_for_each_evaluation(self, make_engine):
        file = io.StringIO()
        watch(ProgressBar(file, each_sample=True), make_engine(), [1.0, math.nan])
        _, first, second, _ = file.getvalue().splitlines()
        assert re.search(r"pyshac: Sample 0: score 1.0; \S+ s; ", first)
        assert "pyshac: Sample 1: failed (no score); " in second

    def test_the_time_between_lines_is_whole_seconds(self):
        for seconds in (0, 0.5, -1):
            with pytest.raises((TypeError, ValueError), match="line_seconds must be an int"):
                ProgressBar(line_seconds=seconds)


class TestLogLines:
    @pytest.fixture
    def logger(self):
        """The library's logger, which says everything and nothing to pytest."""
        logger = logging.getLogger("pyshac")
        before = (logger.level, logger.propagate, list(logger.handlers))
        logger.setLevel(logging.INFO)
        logger.propagate = False
        yield logger
        logger.level, logger.propagate, logger.handlers = before

    def log_during_a_run(self, bar, engine, logger):
        bar.set_engine(engine)
        bar.on_train_begin({})
        for number in range(10):
            logger.info("line %d", number)
            bar.on_sample_end(number, float(number), {})
        bar.on_train_end({})
        logger.info("after the run")

    def test_they_stand_above_the_bar(self, make_engine, logger):
        with terminal() as screen, screen.open() as file, screen.open() as other:
            # Another file of the same terminal, as standard output is beside standard error.
            handler = logging.StreamHandler(other)
            logger.addHandler(handler)
            self.log_during_a_run(ProgressBar(file), make_engine(), logger)
            assert handler.stream is other
        *lines, bar, last, _ = screen.screen
        assert lines == [f"line {number}" for number in range(10)]
        assert bar.startswith("stopped in stage 1/1: 100%|")
        assert last == "after the run"

    def test_the_bar_shows_what_is_new_when_a_line_is_written(self, make_engine, logger):
        file = io.StringIO()
        logger.addHandler(logging.StreamHandler(file))
        self.log_during_a_run(ProgressBar(file, as_bar=True), make_engine(), logger)
        after_the_last = file.getvalue().split("line 9")[1].split("\r")
        assert " 9/10 " in after_the_last[1]

    def test_a_handler_keeps_its_level_format_and_filters(self, make_engine, logger):
        with terminal() as screen, screen.open() as file:
            handler = logging.StreamHandler(file)
            handler.setLevel(logging.WARNING)
            handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
            handler.addFilter(lambda record: "secret" not in record.getMessage())
            logger.addHandler(handler)
            bar = ProgressBar(file)
            bar.set_engine(make_engine())
            bar.on_train_begin({})
            logger.info("too much")
            logger.warning("look at this")
            logger.warning("a secret")
            bar.on_train_end({})
        assert screen.screen[0] == "WARNING: look at this"
        assert screen.screen[1].startswith("stopped in stage 1/1")
        assert not any("too much" in line or "secret" in line for line in screen.screen)

    def test_other_files_are_left_alone(self, make_engine, logger, tmp_path):
        elsewhere = io.StringIO()
        logger.addHandler(logging.StreamHandler(elsewhere))
        logger.addHandler(logging.FileHandler(tmp_path / "run.log", encoding="utf-8"))
        with terminal() as screen, screen.open() as file:
            self.log_during_a_run(ProgressBar(file), make_engine(), logger)
        expected = [*(f"line {number}" for number in range(10)), "after the run"]
        assert elsewhere.getvalue().splitlines() == expected
        assert (tmp_path / "run.log").read_text(encoding="utf-8").splitlines() == expected
        assert len(list(filter(None, screen.screen))) == 1

    def test_a_handler_that_was_given_another_stream_keeps_it(self, make_engine, logger):
        file, another = io.StringIO(), io.StringIO()
        handler = logging.StreamHandler(file)
        logger.addHandler(handler)
        bar = ProgressBar(file, as_bar=True)
        bar.set_engine(make_engine())
        bar.on_train_begin({})
        handler.setStream(another)
        bar.on_train_end({})
        assert handler.stream is another

    def test_warnings_without_a_handler_stand_above_the_bar(self, make_engine, logger, monkeypatch):
        logger.handlers = []
        before = logging.lastResort
        with terminal() as screen, screen.open() as file:
            monkeypatch.setattr(sys, "stderr", file)
            bar = ProgressBar()
            bar.set_engine(make_engine())
            bar.on_train_begin({})
            logger.info("nobody asked for this")
            logger.warning("look at this")
            bar.on_train_end({})
            assert logging.lastResort is before
        assert screen.screen[0] == "look at this"
        assert screen.screen[1].startswith("stopped in stage 1/1")
        assert not any("nobody" in line for line in screen.screen)


@pytest.mark.slow
def test_a_line_written_with_the_lock_of_all_bars_and_a_redrawing_do_not_wait_for_each_other():
    """As within `tqdm.contrib.logging.logging_redirect_tqdm`."""
    done = run_script(BOTH_WRITE, timeout=60)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr[-2000:]


BOTH_WRITE = """
import logging, sys, threading
from tqdm.contrib.logging import logging_redirect_tqdm
from pyshac.core.callbacks.displays import BarDisplay
from pyshac.core.callbacks.figures import Figures

logging.basicConfig(level="INFO", stream=sys.stderr)
with logging_redirect_tqdm():
    bar = BarDisplay(Figures(100, 1), sys.stderr)
    bar.open()
    drawing = threading.Thread(target=lambda: [bar.draw() for _ in range(3000)], daemon=True)
    drawing.start()
    for _ in range(3000):
        logging.getLogger("pyshac").info("hello")
    drawing.join()
    bar.close()
print("done")
"""
