"""File systems that cannot change modes, flush folders or lock files: runs go on all the same."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from tests.engine.engine_helpers import contents, make_engine, run_script
from tests.faults.fail_calls import build_library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="preloads a library")

RUN = """
import os, sys
from tests.engine.engine_helpers import *
path = sys.argv[1]
engine = make_engine(path)
asked = engine.ask()
engine.save_data()
# Not the mode of new files, so that every later write tries to keep it.
os.umask(0o077)
engine.tell(asked, [evaluate(0, sample) for sample in asked], skip_cv_checks=True)
engine.fit(skip_cv_checks=True, verbose=0)
print(len(restored(path).dataset))
"""

HELD = """
import json, os, socket, sys, warnings
warnings.simplefilter("ignore")
from tests.engine.engine_helpers import *
from pyshac import DirectoryInUseError
path = sys.argv[1]
engine = make_engine(path)
engine.save_data()
with engine._require_run().writing():
    assert open(path + "/lock").read(), "the lock is one of the operating system"
    content = open(path + "/lock").read()
# A process of another host that is gone has left its lock.
with open(path + "/lock", "w") as file:
    file.write(content.replace(socket.gethostname(), "another-host"))
with open(path + "/lock.json", "w") as file:
    json.dump({"process": 7, "host": "another-host"}, file)
try:
    engine.fit(verbose=0)
    raise SystemExit("was not refused")
except DirectoryInUseError as error:
    print(error)
os.remove(path + "/lock")
engine.fit(skip_cv_checks=True, verbose=0)
assert len(restored(path).dataset) == 18
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    try:
        return build_library(
            tmp_path_factory.mktemp("library"), Path(__file__).with_name("poor_disk.c")
        )
    except FileNotFoundError as error:
        pytest.skip(str(error))


def run_on_poor_disk(library, path, source, error=errno.EPERM, locks="1"):
    return run_script(
        source, path, LD_PRELOAD=str(library), POOR_DISK=str(path),
        POOR_DISK_ERROR=str(error), POOR_DISK_LOCKS=locks,
    )  # fmt: skip


@pytest.mark.parametrize(
    "error",
    [
        errno.EPERM,
        *(
            pytest.param(e, marks=pytest.mark.slow)
            for e in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
        ),
    ],
)
def test_a_disk_without_modes_and_flushed_folders(library, tmp_path, error):
    ended = run_on_poor_disk(library, tmp_path / "shac", RUN, error)
    assert (ended.returncode, ended.stdout) == (0, "18\n"), ended.stderr
    engine = make_engine(tmp_path / "whole")
    engine.fit(skip_cv_checks=True)
    assert contents(tmp_path / "shac") == contents(tmp_path / "whole")


@pytest.mark.slow
def test_a_disk_that_fails_to_change_modes_is_told(library, tmp_path):
    os.makedirs(tmp_path / "shac" / "datasets")
    (tmp_path / "shac" / "datasets" / "parameters.json").touch(mode=0o640)
    (tmp_path / "shac" / "datasets" / "parameters.json").chmod(0o666)
    ended = run_on_poor_disk(library, tmp_path / "shac", RUN, errno.EIO)
    assert ended.returncode != 0
    assert "Input/output error" in ended.stderr


@pytest.mark.slow
def test_a_lock_that_a_dead_host_left_names_the_way_out(library, tmp_path):
    """Without locks of the operating system a file stands for the lock, and stays."""
    path = tmp_path / "shac"
    ended = run_on_poor_disk(library, path, HELD, locks="0")
    assert ended.returncode == 0, ended.stderr
    assert "process 7 on host 'another-host'" in ended.stdout
    assert f"if that one has ended, remove {str(path / 'lock')!r}" in ended.stdout
