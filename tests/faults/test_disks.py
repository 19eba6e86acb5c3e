"""Disks that are full, read-only or gone: the error names path and cause, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading

import pytest

from pyshac import SaveDirectoryError
from tests.engine.engine_helpers import (
    InterruptedAt,
    contents,
    evaluate,
    make_engine,
    restored,
    run_script,
    samples_of,
)

DISK_BYTES = 2**20


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The directory of the run that had a sound disk."""
    engine = make_engine(tmp_path_factory.mktemp("whole"))
    engine.fit(skip_cv_checks=True)
    return contents(engine.save_dir)


def mount(folder, *options):
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.fixture
def disk(tmp_path):
    """A file system of one megabyte, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if shutil.which("mount") is None or not mount(folder, f"size={DISK_BYTES}"):
        pytest.skip("only root can mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk):
    """Leaves no room at all."""
    with open(disk / "ballast", "wb", buffering=0) as file:
        size = DISK_BYTES
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2


class FillsAt:
    """An objective during whose n-th call the disk fills up."""

    def __init__(self, disk, call):
        self.disk, self.call, self.calls = disk, call, 0

    def __call__(self, worker_id, parameters):
        self.calls += 1
        if self.calls == self.call:
            fill(self.disk)
        return evaluate(worker_id, parameters)


@pytest.mark.parametrize(
    "call", [1, 9, *(pytest.param(call, marks=pytest.mark.slow) for call in (5, 12, 18))]
)
def test_a_disk_that_fills_up(disk, tmp_path, whole, call):
    engine = make_engine(disk / "shac", FillsAt(disk, call))
    with pytest.raises(OSError, match="No space left on device: .*/disk/shac/") as caught:
        engine.fit(skip_cv_checks=True)
    assert str(disk / "shac") in caught.value.filename
    # What was saved before restores; what came in since is still in memory. A last page of the
    # journal that was not full takes some more scores, but no batch can be saved.
    on_disk = samples_of(restored(disk / "shac"))
    assert call - 1 <= len(on_disk) <= len(engine.dataset) <= (call + 5) // 6 * 6
    assert samples_of(engine)[: len(on_disk)] == on_disk
    with pytest.raises(OSError, match="No space left on device: .*/disk/shac/"):
        engine.save_data()
    assert samples_of(restored(disk / "shac")) == on_disk
    # It can be saved elsewhere,
    engine.save_dir = tmp_path / "elsewhere"
    engine.save_data()
    assert samples_of(restored(tmp_path / "elsewhere")) == samples_of(engine)
    engine.fit(evaluate, skip_cv_checks=True)
    assert contents(tmp_path / "elsewhere") == whole
    # and an engine of the first directory goes on where there is room again.
    (disk / "ballast").unlink()
    again = restored(disk / "shac")
    again.fit(skip_cv_checks=True)
    assert contents(disk / "shac") == whole


def test_room_again_on_the_same_disk(disk, whole):
    engine = make_engine(disk / "shac", FillsAt(disk, 9))
    with pytest.raises(OSError, match="No space left"):
        engine.fit(skip_cv_checks=True)
    assert 9 <= len(engine.dataset) <= 12
    (disk / "ballast").unlink()
    engine.save_data()
    assert samples_of(restored(disk / "shac")) == samples_of(engine)
    engine.fit(evaluate, skip_cv_checks=True)
    assert contents(disk / "shac") == whole


def test_a_disk_that_is_full_from_the_start(disk):
    fill(disk)
    function = InterruptedAt(0)
    engine = make_engine(disk / "shac", function)
    with pytest.raises(OSError, match="No space left on device: .*/disk/shac"):
        engine.fit()
    assert function.calls == 0


def test_a_read_only_disk(disk, tmp_path):
    engine = make_engine(disk / "shac", InterruptedAt(9))
    with pytest.raises(RuntimeError):
        engine.fit(skip_cv_checks=True)
    before = contents(disk / "shac")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    # Reading needs no writing.
    again = restored(disk / "shac")
    assert len(again.dataset) == 8
    assert len(again.predict(num_samples=3)) == 3
    function = InterruptedAt(0)
    for call in (lambda: again.fit(function), again.ask, again.save_data):
        with pytest.raises(OSError, match="Read-only file system: .*/disk/shac/"):
            call()
    assert function.calls == 0
    assert contents(disk / "shac") == before
    again.save_dir = tmp_path / "elsewhere"
    again.save_data()
    assert contents(tmp_path / "elsewhere") == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_without_permission(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(PermissionError, match="closed"):
        make_engine(tmp_path / "closed" / "shac").fit()


@pytest.mark.parametrize("call", [1, 9])
def test_a_directory_that_is_removed_meanwhile(tmp_path, whole, call):
    path = tmp_path / "shac"
    calls = iter(range(1, 100))

    def removes(worker_id, parameters):
        if next(calls) == call:
            shutil.rmtree(path)
        return evaluate(worker_id, parameters)

    engine = make_engine(path, removes)
    with pytest.raises(FileNotFoundError, match="No such file or directory: .*shac"):
        engine.fit(skip_cv_checks=True)
    assert len(engine.dataset) == call
    # The scores are in memory: saving makes the directory again.
    engine.save_data()
    assert len(restored(path).dataset) == call
    engine.fit(evaluate, skip_cv_checks=True)
    assert contents(path) == whole


@pytest.mark.parametrize("name", ["", "datasets", "classifiers"])
def test_a_file_where_a_folder_should_be(tmp_path, name):
    path = tmp_path / "shac" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("keep me")
    function = InterruptedAt(0)
    with pytest.raises(OSError, match=f"shac/{name}"):
        make_engine(tmp_path / "shac", function).fit()
    assert function.calls == 0
    assert path.read_text() == "keep me"


@pytest.mark.parametrize(
    "name",
    [
        "state.json",
        "journal.jsonl",
        "datasets/dataset.csv",
        "datasets/evaluations.jsonl",
        "datasets/parameters.json",
    ],
)
def test_a_folder_where_a_file_should_be(tmp_path, name):
    (tmp_path / name).mkdir(parents=True)
    function = InterruptedAt(0)
    message = "holds another run" if name == "state.json" else name
    with pytest.raises((OSError, SaveDirectoryError), match=message):
        make_engine(tmp_path, function).fit()
    assert function.calls == 0
    assert (tmp_path / name).is_dir()


def test_evaluations_that_are_running_are_brought_in_before_the_error(tmp_path):
    """A day on a GPU is not thrown away because the disk is full."""
    resource = pytest.importorskip("resource", reason="no limits on the size of files here")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    started, full = threading.Barrier(2), threading.Event()

    def waits_for_the_other(worker_id, parameters):
        started.wait(30)
        if worker_id == 0:
            journal = (tmp_path / "journal.jsonl").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (journal + 10, limits[1]))
            full.set()
        else:
            full.wait(30)
            # Long enough for the first one's error to be there.
            threading.Event().wait(0.5)
        return evaluate(worker_id, parameters)

    engine = make_engine(tmp_path, waits_for_the_other, evaluators=2)
    try:
        with pytest.raises(OSError, match="File too large: .*journal.jsonl"):
            engine.fit(skip_cv_checks=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(engine.dataset) == 2
    engine.save_data()
    assert len(restored(tmp_path).dataset) == 2


HOLDS = """
import sys, time
from tests.engine.engine_helpers import *

def holds(worker_id, parameters):
    print("holding", flush=True)
    time.sleep(600)

make_engine(sys.argv[1], holds).fit()
"""


@pytest.mark.slow
def test_a_lock_of_a_process_that_was_killed_does_not_hold(tmp_path):
    source = f"""
import subprocess, sys
from tests.engine.engine_helpers import *
from pyshac import DirectoryInUseError
other = subprocess.Popen([sys.executable, "-c", {HOLDS!r}, sys.argv[1]],
                         stdout=subprocess.PIPE, text=True)
other.stdout.readline()
engine = restored(sys.argv[1])
try:
    engine.fit()
    raise SystemExit("was not refused")
except DirectoryInUseError as error:
    assert f"process {{other.pid}} on host" in str(error), error
other.kill()
other.wait()
engine.fit()
print(len(engine.dataset))
"""
    ended = run_script(source, tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "18\n"), ended.stderr
