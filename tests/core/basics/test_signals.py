"""Signals: put off while a step must be whole, and such as unwind before they end the process."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from pyshac.core.basics.signals import TerminatedError, ending_on_signals, whole
from tests.engine.engine_helpers import run_script
from tests.scripts import PACKAGE_PARENT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX systems")


ENDING = ["SIGTERM", "SIGHUP"]


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@contextlib.contextmanager
def handled(**handlers):
    """Sets handlers by the names of their signals."""
    before = {name: signal.signal(getattr(signal, name), h) for name, h in handlers.items()}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def test_ctrl_c_waits_for_the_end_of_the_block():
    steps = []

    def interrupted():
        with whole():
            send(signal.SIGINT)
            steps.append("goes on")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert steps == ["goes on"]
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGINT)


def test_inner_blocks_wait_for_the_outermost():
    steps = []

    def interrupted():
        with whole():
            with whole():
                send(signal.SIGINT)
                steps.append("inner")
            steps.append("outer")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert steps == ["inner", "outer"]


def test_an_error_inside_is_not_lost():
    def fails():
        with whole():
            send(signal.SIGINT)
            raise ZeroDivisionError

    with pytest.raises(KeyboardInterrupt) as caught:
        fails()
    assert type(caught.value.__context__) is ZeroDivisionError
    with pytest.raises(ZeroDivisionError), whole():
        raise ZeroDivisionError


def test_handlers_of_the_program_are_called_afterwards():
    calls = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: calls.append(number))
    try:
        with whole():
            send(signal.SIGTERM)
            assert calls == []
        assert calls == [signal.SIGTERM]
        send(signal.SIGTERM)
        assert len(calls) == 2
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("numbers", [*itertools.permutations(["SIGINT", "SIGTERM", "SIGHUP"])])
def test_all_handlers_are_called_even_if_some_raise(numbers):
    calls = []

    def fail(number, frame):
        calls.append(signal.Signals(number).name)
        raise ZeroDivisionError(calls[-1])

    def interrupted():
        with whole(), whole():
            for name in numbers:
                send(getattr(signal, name))

    with handled(**dict.fromkeys(numbers, fail)), pytest.raises(ZeroDivisionError) as caught:
        interrupted()
    # What ends the process comes last, and comes out.
    assert calls == ["SIGINT", *(name for name in numbers if name != "SIGINT")]
    errors = [caught.value, caught.value.__context__, caught.value.__context__.__context__]
    assert [str(error) for error in errors] == calls[::-1]


def test_a_handler_is_called_once_however_often_its_signal_arrived():
    calls = []
    with handled(SIGINT=lambda number, frame: calls.append(number)):
        with whole():
            for _ in range(1000):
                send(signal.SIGINT)
        assert calls == [signal.SIGINT]


def test_what_arrives_while_handlers_are_called_has_its_turn():
    calls = []

    def again(number, frame):
        calls.append(signal.Signals(number).name)
        if len(calls) < 4:
            send(signal.SIGINT)
            send(signal.SIGTERM)

    with handled(SIGINT=again, SIGTERM=again):
        with whole():
            send(signal.SIGTERM)
        assert calls == ["SIGTERM", "SIGINT", "SIGINT", "SIGINT", "SIGTERM"]
        assert signal.getsignal(signal.SIGINT) is again


def test_a_handler_that_the_program_sets_meanwhile_stays():
    handler = lambda number, frame: None  # noqa: E731
    with handled(SIGTERM=signal.SIG_DFL):
        with ending_on_signals(), whole():
            signal.signal(signal.SIGTERM, handler)
        assert signal.getsignal(signal.SIGTERM) is handler


def test_an_event_loop_gets_its_signals():
    async def run():
        arrived = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, arrived.set)
        with ending_on_signals(), whole():
            send(signal.SIGTERM)
        await asyncio.wait_for(arrived.wait(), 60)
        return "arrived"

    assert asyncio.run(run()) == "arrived"


def test_other_threads_have_no_signals_to_put_off():
    handler = signal.getsignal(signal.SIGINT)
    found = []

    def look():
        with whole(), ending_on_signals():
            found.append((signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [(handler, signal.SIG_DFL)]


MAIN_THREAD_OF_ANOTHER_NAME = """
import _thread, sys
assert "threading" not in sys.modules
ended = _thread.allocate_lock()
ended.acquire()

def run():
    try:
        import threading
        from pyshac.core.basics.signals import ending_on_signals, whole
        with ending_on_signals(), whole():
            print(threading.current_thread() is threading.main_thread(), "done", flush=True)
    finally:
        ended.release()

_thread.start_new_thread(run, ())
ended.acquire()
"""


def test_a_thread_that_only_looks_like_the_main_thread_has_none_either():
    """Such are where Python is embedded, or where another thread first imports `threading`."""
    ended = subprocess.run(
        [sys.executable, "-S", "-c", MAIN_THREAD_OF_ANOTHER_NAME],
        env={**os.environ, "PYTHONPATH": str(PACKAGE_PARENT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # From Python 3.13 on, threading knows.
    assert ended.stdout in ("True done\n", "False done\n"), ended.stderr


def test_handlers_are_put_back():
    for error in (None, ZeroDivisionError):
        try:
            with ending_on_signals(), whole():
                assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
                if error is not None:
                    raise error
        except ZeroDivisionError:
            pass
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("name", ENDING)
@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda number, frame: None])
def test_a_handler_of_the_program_stays(handler, name):
    number = getattr(signal, name)
    with handled(**{name: handler}):
        with ending_on_signals():
            assert signal.getsignal(number) is handler
            send(number)
        assert signal.getsignal(number) is handler


def test_one_signal_that_is_handled_says_nothing_of_the_other():
    with handled(SIGHUP=signal.SIG_IGN), ending_on_signals():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert callable(signal.getsignal(signal.SIGTERM))


def test_it_is_a_keyboard_interrupt():
    """So that code which lets Ctrl-C pass lets it pass as well."""
    assert issubclass(TerminatedError, KeyboardInterrupt)


ENDS = """
import os, signal, sys
from pyshac.core.basics.signals import ending_on_signals
try:
    with ending_on_signals():
        try:
            os.kill(os.getpid(), getattr(signal, sys.argv[1]))
            print("never")
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
            if sys.argv[2] == "swallowed":
                print("goes on", flush=True)
            else:
                raise
finally:
    print("never", flush=True)
"""


@pytest.mark.parametrize("name", ENDING)
@pytest.mark.parametrize("how", ["passed on", "swallowed"])
def test_the_process_ends_by_the_signal(name, how):
    ended = run_script(ENDS, name, how)
    assert ended.returncode == -getattr(signal, name)
    error = f"TerminatedError The process was asked to end ({name})."
    assert ended.stdout.split("\n")[0] == error
    assert "never" not in ended.stdout


BOTH_IN_ONE_BLOCK = """
import os, signal, sys
from pyshac.core.basics.signals import ending_on_signals, whole
with ending_on_signals():
    try:
        with whole():
            for name in sys.argv[1:]:
                os.kill(os.getpid(), getattr(signal, name))
            print("whole", flush=True)
    except KeyboardInterrupt as error:
        print(type(error).__name__, type(error.__context__).__name__, flush=True)
print("never", flush=True)
"""


@pytest.mark.parametrize("names", [("SIGINT", "SIGTERM"), ("SIGTERM", "SIGINT")])
def test_ctrl_c_does_not_hide_a_signal_that_ends_the_process(names):
    ended = run_script(BOTH_IN_ONE_BLOCK, *names)
    assert ended.returncode == -signal.SIGTERM
    assert ended.stdout == "whole\nTerminatedError KeyboardInterrupt\n"


HANDLED_BY_C = """
#include <signal.h>
static void handle(int number) { (void)number; }
__attribute__((constructor)) static void start(void) {
    signal(SIGINT, handle);
    signal(SIGTERM, handle);
    signal(SIGHUP, handle);
}
"""
HANDLERS_OF_C = """
import os, signal
from pyshac.core.basics.signals import ending_on_signals, whole
print(signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP))
with ending_on_signals(), whole():
    for number in (signal.SIGTERM, signal.SIGHUP):
        os.kill(os.getpid(), number)
print("goes on")
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_handlers_that_c_code_has_set_stay(tmp_path):
    source, library = tmp_path / "handlers.c", tmp_path / "handlers.so"
    source.write_text(HANDLED_BY_C)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    ended = run_script(HANDLERS_OF_C, LD_PRELOAD=str(library))
    assert ended.stdout == "None None\ngoes on\n", ended.stderr


FORKED = """
import os, signal, time
from pyshac.core.basics.signals import ending_on_signals, whole
reader, writer = os.pipe()
with ending_on_signals(), whole():
    process = os.fork()
    if not process:
        try:
            os.write(writer, b"!")
            time.sleep(60)
        finally:
            print("never", flush=True)
    os.read(reader, 1)
    os.kill(process, signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"""


def test_a_forked_process_has_nothing_to_unwind():
    assert run_script(FORKED).stdout == f"{-signal.SIGTERM}\n"


ENDED_AT_ONCE = """
import os, signal, time
from pyshac.core.basics.signals import ending_on_signals
with ending_on_signals():
    for _ in range(50):
        process = os.fork()
        if not process:
            time.sleep(60)
            os._exit(0)
        os.kill(process, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGTERM
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""


def test_a_forked_process_can_be_ended_before_it_has_begun():
    """As a pool does that has lost another worker; what is not heeded then never is."""
    assert run_script(ENDED_AT_ONCE).stdout == "set()\n"


FORKED_BY_A_PROGRAM_WITH_HANDLERS = """
import os, signal, threading
from pyshac.core.basics.signals import whole
signal.signal(signal.SIGTERM, lambda number, frame: os._exit(7))

def fork():
    process = os.fork()
    if not process:
        for number in (signal.SIGTERM, signal.SIGINT):
            print(signal.getsignal(number) is handlers[number])
        print(signal.pthread_sigmask(signal.SIG_BLOCK, []), flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))

handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
with whole(), whole():
    thread = threading.Thread(target=fork)
    thread.start()
    thread.join()
"""


def test_a_process_forked_meanwhile_has_the_handlers_of_the_program():
    """Also one that another thread forks."""
    assert run_script(FORKED_BY_A_PROGRAM_WITH_HANDLERS).stdout == "True\nTrue\nset()\n7\n"
