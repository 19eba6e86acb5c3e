"""Calls of other threads, for which a thread waits before it locks."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from pyshac.core.basics import locks


def test_a_thread_waits_for_its_own_calls_only():
    gate = threading.Event()
    with ThreadPoolExecutor(2) as executor:
        other = executor.submit(gate.wait, 30)
        thread = threading.Thread(target=locks.note_call, args=(other,))
        thread.start()
        thread.join()
        own = executor.submit(time.sleep, 0.05)
        locks.note_call(own)
        locks.await_calls()
        assert own.done()
        assert not other.done()
        gate.set()
    locks.await_calls()
    assert not locks._calls
