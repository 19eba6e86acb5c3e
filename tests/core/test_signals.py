"""Signals: put off while a step must be whole, and SIGTERM that unwinds before it ends."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from pyshac.core.signals import TerminatedError, ending_on_sigterm, whole
from tests.engine.engine_helpers import run_script

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX systems")


def send(number: int) -> None:
    os.kill(os.getpid(), number)


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


def test_other_threads_have_no_signals_to_put_off():
    handler = signal.getsignal(signal.SIGINT)
    found = []

    def look():
        with whole(), ending_on_sigterm():
            found.append((signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [(handler, signal.SIG_DFL)]


def test_handlers_are_put_back():
    for error in (None, ZeroDivisionError):
        try:
            with ending_on_sigterm(), whole():
                assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
                if error is not None:
                    raise error
        except ZeroDivisionError:
            pass
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda number, frame: None])
def test_a_handler_of_the_program_stays(handler):
    before = signal.signal(signal.SIGTERM, handler)
    try:
        with ending_on_sigterm():
            assert signal.getsignal(signal.SIGTERM) is handler
            send(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_it_is_a_keyboard_interrupt():
    """So that code which lets Ctrl-C pass lets it pass as well."""
    assert issubclass(TerminatedError, KeyboardInterrupt)


ENDS = """
import os, signal, sys
from pyshac.core.signals import ending_on_sigterm
try:
    with ending_on_sigterm():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            print("never")
        except BaseException as error:
            print(type(error).__name__, flush=True)
            if sys.argv[1] == "swallowed":
                print("goes on", flush=True)
            else:
                raise
finally:
    print("never", flush=True)
"""


@pytest.mark.parametrize("how", ["passed on", "swallowed"])
def test_the_process_ends_by_the_signal(how):
    ended = run_script(ENDS, how)
    assert ended.returncode == -signal.SIGTERM
    assert ended.stdout.split("\n")[0] == "TerminatedError"
    assert "never" not in ended.stdout


FORKED = """
import os, signal, time
from pyshac.core.signals import ending_on_sigterm
reader, writer = os.pipe()
with ending_on_sigterm():
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
