"""Short versions of the commands that kill runs, workers and engines."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from tests.engine.engine_helpers import run_script
from tests.faults import configurations, kill_runs, kill_workers
from tests.faults.trials import read_results

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="looks at processes and shared memory as Linux has them"
)


def run_module(name, *arguments):
    """Runs `python -m tests.faults.<name>`, which forks, in a process without other threads."""
    source = f"import runpy; runpy.run_module('tests.faults.{name}', run_name='__main__')"
    return run_script(source, *arguments, timeout=600, OMP_NUM_THREADS="1")


# One kill for every phase that kills are aimed at.
@pytest.mark.slow
def test_killed_runs(tmp_path):
    number = len(kill_runs.TARGETS)
    ended = run_module("kill_runs", "--runs", number, "--results", tmp_path / "kills.jsonl")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    records = read_results(tmp_path / "kills.jsonl")
    assert sorted(records) == list(range(number))
    # Repeated, it has nothing left to do.
    before = (tmp_path / "kills.jsonl").read_text()
    run_module("kill_runs", "--runs", number, "--results", tmp_path / "kills.jsonl")
    assert (tmp_path / "kills.jsonl").read_text() == before


@pytest.mark.parametrize(
    "number", [pytest.param(6, marks=pytest.mark.slow), pytest.param(100, marks=pytest.mark.long)]
)
def test_killed_scripts_that_give_samples_and_raise_the_budget(tmp_path, number):
    results = ("--results", tmp_path / "scripts.jsonl")
    ended = run_module("kill_runs", "--scripts", "--runs", number, *results)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(4, marks=pytest.mark.slow),
        pytest.param(2 * len(configurations.CONFIGURATIONS), marks=pytest.mark.long),
    ],
)
def test_interrupted_runs(tmp_path, number):
    pytest.importorskip("distributed")
    results = ("--results", tmp_path / "interruptions.jsonl")
    ended = run_module("kill_runs", "--configurations", "--runs", number, *results)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("pace", "pruning"), [("pipeline", None), ("stream", None), ("stream", "halving")]
)
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(len(kill_runs.TARGETS), marks=pytest.mark.slow),
        pytest.param(100, marks=pytest.mark.long),
    ],
)
def test_killed_runs_whose_batches_overlap(tmp_path, pace, pruning, number):
    options = ["--pace", pace, *(["--pruning", pruning] if pruning else [])]
    results = ("--results", tmp_path / "kills.jsonl")
    ended = run_module("kill_runs", *options, "--runs", number, *results)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("pace", ["pipeline", "stream"])
@pytest.mark.parametrize(
    "number", [pytest.param(4, marks=pytest.mark.slow), pytest.param(100, marks=pytest.mark.long)]
)
def test_killed_scripts_whose_batches_overlap(tmp_path, pace, number):
    options = ("--pace", pace, "--results", tmp_path / "scripts.jsonl")
    ended = run_module("kill_runs", "--scripts", "--runs", number, *options)
    assert ended.returncode == 0, ended.stdout + ended.stderr


# Runs take turns with the kinds of workers.
@pytest.mark.parametrize(
    ("workers", "engines", "orphans"),
    [
        pytest.param(2, 1, 4, marks=pytest.mark.slow),
        pytest.param(20, 4, 12, marks=pytest.mark.long),
    ],
)
def test_killed_workers_and_engines(tmp_path, workers, engines, orphans):
    numbers = ("--workers", workers, "--engines", engines, "--orphans", orphans)
    ended = run_module("kill_workers", *numbers, "--results", tmp_path / "workers.jsonl")
    assert ended.returncode == 0, ended.stdout + ended.stderr


LOG = """1 begin 0.5
1 end 0.5
1 begin 0.25
2 begin 0.75
1 end 0.25
1 begin 0.125"""


@pytest.mark.parametrize(
    ("saved", "again", "expected"),
    [
        # Whoever finds everything evaluates the two again that had not ended.
        (["0.5", "0.25"], [0.75, 0.125], (0, 0, 0)),
        # The slot had gone on, and the score is gone.
        (["0.5"], [0.25, 0.75, 0.125], (1, 0, 0)),
        # A sample that was there is evaluated again.
        (["0.5", "0.25"], [0.25, 0.75, 0.125], (0, 1, 0)),
        # A sample is evaluated twice after the kill.
        (["0.5", "0.25"], [0.75, 0.75, 0.125], (0, 1, 0)),
    ],
)
def test_what_counts_as_lost_and_repeated(saved, again, expected):
    before = LOG.splitlines()
    after = [*before, *(f"3 begin {x}" for x in again)]
    assert kill_runs.compare(before, after, saved) == expected


def test_a_score_that_was_about_to_be_handed_over_is_not_lost():
    before = LOG.splitlines()[:-1]
    assert kill_runs.compare(before, before, ["0.5"]) == (0, 0, 1)
    assert kill_runs.compare(before, before, []) == (1, 0, 1)


def test_a_worker_that_was_killed_before_it_could_reply_repeats_nothing():
    first = ["1 begin 0.5", "1 end 0.5", "1 begin 0.25", "1 end 0.25"]
    again = ["2 begin 0.25", "2 end 0.25", "2 begin 0.75"]
    assert kill_workers.count_repeated([*first, *again]) == (0, 1, {"0.5", "0.25"})
    wrong = ["2 begin 0.5", "2 end 0.5", "2 begin 0.75"]
    assert kill_workers.count_repeated([*first, *wrong]) == (1, 0, {"0.5", "0.25"})


def test_what_others_leave_in_shared_folders_is_theirs():
    paths = {"/dev/shm/sem.loky-12-ab_3", "/dev/shm/sem.loky-123-ab", "/tmp/joblib_folder_12_x"}
    assert kill_workers.ours(paths, {12, 5}) == {
        "/dev/shm/sem.loky-12-ab_3",
        "/tmp/joblib_folder_12_x",
    }


PRELOADS = [
    pytest.mark.skipif(
        shutil.which("cc") is None and shutil.which("gcc") is None, reason="there is no C compiler"
    ),
    pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="something else is preloaded"),
]
OTHERS = ["first", "save", "legacy", "moved"]


def fail_calls(operations, step):
    """Lets calls of some operations fail; returns how many did of each, and what it printed."""
    options = ("--operations", *operations, "--errors", "ENOSPC", "--step", step)
    ended = run_module("fail_calls", *options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return [int(line.split(": ")[1].split()[0]) for line in ended.stdout.splitlines()], ended.stdout


class TestFailingCalls:
    pytestmark = PRELOADS

    @pytest.mark.parametrize(
        "operation",
        [
            pytest.param("record", marks=pytest.mark.slow),
            *(pytest.param(name, marks=pytest.mark.long) for name in OTHERS),
        ],
    )
    def test_every_system_call_of_a_save_fails_once(self, operation):
        (number,), output = fail_calls([operation], 1)
        # Making folders, locking, and at the least one file: opened, written, flushed and renamed.
        assert number >= 30
        for call in ("open", "write", "fsync", "rename", "mkdir", "flock", "close"):
            assert f" {call}" in output

    @pytest.mark.slow
    def test_some_system_calls_of_other_saves_fail_once(self):
        numbers, _ = fail_calls(OTHERS, 9)
        assert len(numbers) == len(OTHERS)
        # A ninth of about a hundred.
        assert min(numbers) >= 10
