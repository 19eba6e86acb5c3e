"""Locks that can be copied, and that processes do not inherit from threads of their parents."""

from __future__ import annotations

import copy
import os
import pickle
import threading

import pytest

from pyshac.core.basics.locks import CopyableLock

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))]
)
def test_a_copy_is_free(copied):
    lock = CopyableLock()
    with lock, lock:
        other = copied(lock)
        assert not other._is_owned()
        with other:
            assert other._is_owned()


def status_of_child(code):
    """Runs code in a forked process, for a minute at most; returns its exit status."""
    child = os.fork()
    if child == 0:
        import signal

        signal.alarm(60)
        code()
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@needs_fork
def test_a_lock_of_another_thread_is_free_in_a_forked_process():
    lock, is_held, may_end = CopyableLock(), threading.Event(), threading.Event()

    def hold():
        with lock:
            is_held.set()
            may_end.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert is_held.wait(60)
    try:
        assert status_of_child(lambda: lock.acquire()) == 7
    finally:
        may_end.set()
        thread.join()


@needs_fork
def test_a_lock_of_the_thread_that_forks_stays_its_own():
    lock = CopyableLock()
    with lock:
        assert status_of_child(lambda: lock.release()) == 7
