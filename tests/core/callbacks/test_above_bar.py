"""What a program and its workers print while a bar is shown: whole lines above the bar."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time

import pytest

from pyshac.core.basics.terminals import relay
from pyshac.core.basics.terminals.relay import OutputRelay
from pyshac.core.callbacks.displays import BarDisplay
from pyshac.core.callbacks.figures import Figures
from tests.core.callbacks.terminals import screen_of, terminal
from tests.engine.engine_helpers import ROOT


@contextlib.contextmanager
def bar_shown():
    """A terminal with a bar, which is standard output and standard error, too."""
    # Not in a fixture: pytest gives each part of a test other streams.
    with (
        terminal(columns=80) as screen, screen.open() as file,
        contextlib.redirect_stdout(file), contextlib.redirect_stderr(file),
    ):  # fmt: skip
        screen.display = BarDisplay(Figures(10, 3, stage="1 of 2"), file)
        screen.display.open()
        try:
            yield screen
        finally:
            screen.display.close()


BAR = "stage 1/2:  30%|"


def lines_of(screen, text, then=BAR):
    """The lines on the screen, once a text has been written and then another one."""
    return list(filter(None, screen_of(screen.shown_so_far(text, then))))


class TestPrints:
    def test_a_line_stands_above_the_bar(self):
        with bar_shown() as shown:
            print("one", 1)
            print("two", file=sys.stderr)
            sys.stdout.writelines(["three\n", "four\n"])
            *lines, bar = lines_of(shown, "four")
            assert lines == ["one 1", "two", "three", "four"]
            assert bar.startswith(BAR)

    def test_the_bar_waits_for_the_end_of_a_line_that_is_flushed(self):
        with bar_shown() as shown:
            print("Name? ", end="", flush=True)
            for _ in range(3):
                shown.display.draw()
            assert lines_of(shown, "Name? ", "") == ["Name?"]
            print("it")
            line, bar = lines_of(shown, "it")
            assert line == "Name? it"
            assert bar.startswith(BAR)

    def test_another_line_does_not_join_one_that_is_not_ended(self):
        with bar_shown() as shown:
            print("Name? ", end="", flush=True)
            shown.display.say("something else")
            first, second, bar = lines_of(shown, "something else")
            assert first == "Name?"
            assert second.endswith("pyshac: something else")
            assert bar.startswith(BAR)

    def test_lines_of_several_threads_do_not_mix(self):
        with bar_shown() as shown:

            def speak(word):
                for _ in range(50):
                    print(word, end="")
                    time.sleep(0.0001)
                    print(word)

            threads = [threading.Thread(target=speak, args=(word,)) for word in ("aa", "bb", "cc")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            print("end")
            *lines, _, _ = lines_of(shown, "end")
            assert sorted(lines) == sorted(["aaaa", "bbbb", "cccc"] * 50)

    @pytest.mark.parametrize("leave", [True, False])
    def test_a_bar_of_the_program_takes_the_line_until_it_is_done(self, leave):
        with bar_shown() as shown:
            from tqdm import tqdm

            for number in tqdm(range(3), desc="mine", leave=leave, mininterval=0):
                shown.display.draw()
                if number == 1:
                    assert [line[:5] for line in lines_of(shown, "mine:  33%", "")] == ["mine:"]
            print("end")
            *lines, end, bar = lines_of(shown, "end")
            assert [line[:10] for line in lines] == ["mine: 100%"] * leave
            assert end == "end"
            assert bar.startswith(BAR)

    def test_nothing_is_lost_when_the_bar_is_closed_and_the_streams_are_back(self, monkeypatch):
        with terminal(columns=80) as screen, screen.open() as file:
            monkeypatch.setattr(sys, "stdout", file)
            display = BarDisplay(Figures(10, 3, stage="1 of 2"), file)
            display.open()
            stand_in = sys.stdout
            print("begun", end="")
            display.close()
            assert sys.stdout is file
            print("late", file=stand_in, flush=True)
        begun, bar, late, _ = screen.screen
        assert (begun, late) == ("begun", "late")
        assert bar.startswith(BAR)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that are forked")
    def test_a_forked_process_draws_no_bar(self):
        with bar_shown() as shown:
            if os.fork() == 0:
                print("from a child", flush=True)
                os._exit(0)
            os.wait()
            text = shown.shown_so_far("from a child")
            assert text.endswith(("from a child\n", "from a child\r\n"))


class TestRelay:
    @pytest.fixture
    def written(self):
        return []

    @pytest.fixture
    def lane(self, written):
        """A lane of a terminal, and a process's end of it."""
        with terminal() as screen:
            opened = OutputRelay(screen.fileno(), written.append)
            lane = relay.new_lane()
            end = os.open(lane.route.path, os.O_WRONLY | os.O_NOCTTY)
            lane.release()
            yield end
            opened.close()
            assert not lane.is_open

    def ended(self, end, written):
        os.close(end)
        waiting = time.monotonic() + 30
        while relay._lanes and time.monotonic() < waiting:
            time.sleep(0.01)
        return b"".join(written)

    def test_lines_come_whole_and_the_last_one_gets_an_end(self, lane, written):
        for part in (b"a", b"b\nc", b"\xff\r\n", b"left"):
            os.write(lane, part)
            time.sleep(0.02)
        assert self.ended(lane, written) == b"ab\nc\xff\r\nleft\n"
        assert all(lines.endswith(b"\n") for lines in written)

    def test_a_bar_that_has_erased_itself_leaves_no_line(self, lane, written):
        os.write(lane, b"\r 10%\r 20%\r    \r")
        assert self.ended(lane, written) == b""

    def test_what_a_long_line_overwrites_is_forgotten(self, lane, written):
        for number in range(9000):
            os.write(lane, b"\rbar %06d" % number)
        os.write(lane, b"\n")
        data = self.ended(lane, written)
        assert data.endswith(b"\rbar 008999\n")
        assert len(data) <= relay.MAX_BYTES + 2**12

    def test_a_very_long_line_comes_in_parts(self, lane, written):
        for _ in range(200):
            os.write(lane, b"x" * 1000)
        data = self.ended(lane, written)
        assert data.count(b"x") == 200_000
        assert data.count(b"\n") <= 4

    def test_there_is_no_lane_without_a_bar(self):
        assert relay.new_lane() is None


PRINTS = """
import os, sys, time
from pyshac import SHAC, UniformHP

def evaluate(worker_id, parameters):
    name = f"{parameters['x']:.12f}"
    print("out", name, "." * 60)
    time.sleep(0.1)
    print("err", name, "." * 60, file=sys.stderr)
    if sys.argv[2] in ("loky", "multiprocessing"):
        assert os.isatty(1) and os.get_terminal_size(1).columns == 90
        os.write(1, f"raw {name}\\n".encode())
        os.system(f"echo child {name}")
        sys.stdout.write(f"part {name}")
        sys.stdout.flush()
        time.sleep(0.05)
        sys.stdout.write(" whole\\n")
    return parameters["x"]

engine = SHAC(evaluate, [UniformHP("x", 0, 1)], 8, 4, save_dir=sys.argv[1])
engine.evaluator_backend = sys.argv[2]
engine.num_parallel_evaluators = int(sys.argv[3])
number = len(os.listdir("/dev/fd"))
engine.fit(skip_cv_checks=True, verbose=1, **eval(sys.argv[4]))
assert len(os.listdir("/dev/fd")) <= number + 4, os.listdir("/dev/fd")
for x in engine.dataset.X:
    print(f"done {x[0]:.12f}")
"""

KILLED = """
import os, signal, sys, time
from pyshac import SHAC, UniformHP

def evaluate(worker_id, parameters):
    print("begun", "." * 60)
    print("not ended", end="", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

engine = SHAC(evaluate, [UniformHP("x", 0, 1)], 2, 1, save_dir=sys.argv[1])
engine.num_parallel_evaluators = 2
try:
    engine.fit(retries=0)
except Exception as error:
    print("ended by", type(error).__name__)
"""


def run_in_terminal(screen, source, *arguments, **streams):
    streams = {"stdin": screen, "stdout": screen, "stderr": screen, **streams}
    subprocess.run(
        [sys.executable, "-c", source, *map(str, arguments)],
        cwd=ROOT, check=True, timeout=120, **streams,
    )  # fmt: skip


@pytest.mark.slow
class TestPrograms:
    """Whole programs in a real terminal."""

    @pytest.mark.parametrize(
        ("backend", "slots", "options"),
        [("loky", 2, {}), ("loky", 2, {"fresh_process": True}), ("multiprocessing", 2, {}),
         ("threading", 2, {}), ("threading", 1, {})],
    )  # fmt: skip
    def test_lines_of_evaluations_come_whole(self, tmp_path, backend, slots, options):
        with terminal(columns=90) as screen:
            run_in_terminal(screen, PRINTS, tmp_path, backend, slots, options)
        lines = list(filter(None, screen.screen))
        names = [line.split()[1] for line in lines if line.startswith("done")]
        (bar,) = (line for line in lines if line.startswith("budget spent: 100%|"))
        expected = [f"{way} {name} {'.' * 60}" for way in ("out", "err") for name in names]
        if backend != "threading":
            for form in ("raw {}", "child {}", "part {} whole"):
                expected += [form.format(name) for name in names]
        assert len(names) == 8
        assert sorted(expected) == sorted(lines[: lines.index(bar)])

    def test_nothing_is_lost_when_a_worker_is_killed(self, tmp_path):
        with terminal(columns=90) as screen:
            run_in_terminal(screen, KILLED, tmp_path)
        lines = list(filter(None, screen.screen))
        assert lines.count(f"begun {'.' * 60}") == lines.count("not ended") >= 1
        assert lines[-1] == "ended by EvaluationError"
        assert not any("stage" in line for line in lines[:-2] if "stopped" not in line)

    def test_output_to_a_file_keeps_its_way(self, tmp_path):
        source = PRINTS.replace("assert os.isatty", "assert not os.isatty").replace(
            "and os.get_terminal_size(1).columns == 90", ""
        )
        with terminal(columns=90) as screen, open(tmp_path / "out", "wb") as file:
            run_in_terminal(screen, source, tmp_path / "shac", "loky", 2, {}, stdout=file)
        lines = list(filter(None, screen.screen))
        assert [line.split()[0] for line in lines] == ["err"] * 8 + ["budget"]
        written = (tmp_path / "out").read_text()
        for word in ("out", "raw", "child", "part", "whole", "done"):
            assert written.count(word) == 8
