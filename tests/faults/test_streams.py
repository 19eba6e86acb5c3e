"""Searches in programs without standard streams: services, windowed programs, closed terminals."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pyshac.core.basics.streams import ForgivingStream, usable_streams
from tests.engine.engine_helpers import ROOT
from tests.faults.streams import KINDS, Failing, WriteOnly

KINDS_AND_BACKENDS = [
    ("none", "loky"),
    *[
        pytest.param(kind, backend, marks=pytest.mark.slow)
        for kind in [*KINDS, "descriptors"]
        for backend in ("threading", "multiprocessing", "loky")
    ],
]


@pytest.mark.parametrize(("kind", "backend"), KINDS_AND_BACKENDS)
def test_a_search_needs_no_standard_streams(tmp_path, kind, backend):
    save_dir, result = tmp_path / "shac", tmp_path / "result"
    subprocess.run(
        [sys.executable, "-m", "tests.faults.streams", kind, backend, save_dir, result],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    assert result.read_text() == "12 evaluations"
    assert save_dir.with_suffix(".html").exists()


def test_streams_that_work_stay():
    before = sys.stdin, sys.stdout, sys.stderr
    with usable_streams():
        assert (sys.stdin, sys.stdout, sys.stderr) == before


@pytest.mark.parametrize("kind", KINDS)
def test_stand_ins_stand_only_inside_the_block(kind, monkeypatch):
    broken = KINDS[kind]()
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, broken)
    with usable_streams():
        print("goes nowhere", flush=True)
        assert type(sys.stderr) is ForgivingStream
    assert sys.stdin is sys.stdout is sys.stderr is broken


def test_a_stand_in_passes_on_what_it_can():
    written = []

    class Collecting(WriteOnly):
        def write(self, text):
            written.append(text)

    stream = ForgivingStream(Collecting())
    print("a line", file=stream, flush=True)
    assert "".join(written) == "a line\n"
    assert stream.writable()
    assert not ForgivingStream(Failing()).writable()
