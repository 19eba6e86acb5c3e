"""Signals: put off while a step must be whole, and SIGTERM that unwinds before it ends."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from pyshac.core.basics.signals import TerminatedError, ending_on_sigterm, whole
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
from pyshac.core.basics.signals import ending_on_sigterm
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
from pyshac.core.basics.signals import ending_on_sigterm, whole
reader, writer = os.pipe()
with ending_on_sigterm(), whole():
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
from pyshac.core.basics.signals import ending_on_sigterm
with ending_on_sigterm():
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
