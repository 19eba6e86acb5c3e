"""Forked processes: only the process that opened a directory writes to it."""

from __future__ import annotations

import os

import pytest

from pyshac import DirectoryInUseError
from pyshac.core.basics import files
from tests.engine.engine_helpers import contents, evaluate, make_engine, restored, run_script

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

# An evaluation forks a child, which leaves once its parent has gone on to later samples.
FORKING = """
import os, sys, time
from tests.engine.engine_helpers import *

parent, path, how = os.getpid(), sys.argv[1], sys.argv[2]
children = []

def forks(worker_id, parameters):
    if len(children) < 3 and os.getpid() == parent:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(writing)
            os.read(reading, 1)
            if how == "sys.exit":
                sys.exit(3)
            if how == "an exception":
                raise ArithmeticError("in the child")
            if how == "Ctrl-C":
                raise KeyboardInterrupt
            if how != "a result":
                getattr(engine, how)()
            return 5.0
        os.close(reading)
        children.append((child, writing))
    elif len(children) == 3 and os.getpid() == parent:
        for child, writing in children:
            os.write(writing, b"x")
            os.waitpid(child, 0)
        children.append(None)
    return evaluate(worker_id, parameters)

engine = make_engine(path, forks)
engine.fit(skip_cv_checks=True, verbose=0)
assert os.getpid() == parent, "the child went on with the run"
assert len(children) == 4
print(len(restored(path).dataset))
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    engine = make_engine(tmp_path_factory.mktemp("whole"))
    engine.fit(skip_cv_checks=True)
    return contents(engine.save_dir)


@pytest.mark.parametrize(
    "how",
    [
        "sys.exit",
        *(
            pytest.param(how, marks=pytest.mark.slow)
            for how in ("an exception", "Ctrl-C", "a result", "save_data", "ask", "fit")
        ),
    ],
)
def test_a_child_of_an_evaluation_writes_nothing(tmp_path, whole, how):
    ended = run_script(FORKING, tmp_path / "shac", how)
    assert (ended.returncode, ended.stdout) == (0, "18\n"), ended.stderr
    assert contents(tmp_path / "shac") == whole
    assert "Could not save" not in ended.stderr


def in_child(function):
    """Calls a function in a forked process; returns what it returned, as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            result = str(function())
        except BaseException as error:
            result = f"{type(error).__name__}: {error}"
        os.write(writing, result.encode())
        os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as file:
        result = file.read()
    os.waitpid(child, 0)
    return result


def test_a_child_is_told_whose_the_directory_is(tmp_path):
    engine = make_engine(tmp_path / "shac")
    asked = engine.ask()
    before = contents(tmp_path / "shac")
    for call in (engine.save_data, engine.fit, lambda: engine.tell(asked[0], 1.0)):
        message = in_child(call)
        assert message.startswith("DirectoryInUseError"), message
        assert f"belongs to process {os.getpid()}" in message
        assert "set save_dir to another directory" in message
    assert contents(tmp_path / "shac") == before

    def elsewhere():
        engine.save_dir = tmp_path / "elsewhere"
        engine.tell(asked[0], 1.0)

    assert in_child(elsewhere) == "None"
    assert len(restored(tmp_path / "elsewhere").dataset) == 1
    engine.tell(asked[0], 2.0)
    assert restored(tmp_path / "shac").dataset.Y == [2.0]


def test_a_child_may_restore_and_go_on(tmp_path):
    engine = make_engine(tmp_path)
    asked = engine.ask()

    def goes_on():
        engine.restore_data()
        engine.fit(evaluate, skip_cv_checks=True, verbose=0)

    assert in_child(goes_on) == "None"
    assert len(restored(tmp_path).dataset) == 18
    with pytest.raises(DirectoryInUseError, match="Another engine has written"):
        engine.tell(asked[0], 1.0)


def test_an_engine_that_has_opened_nothing_may_be_used_in_a_child(tmp_path):
    engine = make_engine(tmp_path)
    assert in_child(lambda: engine.fit(skip_cv_checks=True, verbose=0) and "done") == "done"
    assert len(restored(tmp_path).dataset) == 18


def test_a_child_that_leaves_keeps_the_lock_of_its_parent(tmp_path):
    engine = make_engine(tmp_path)
    run = engine._require_run()
    with run.writing():
        temporary = tmp_path / f"{files.TEMPORARY_PREFIX}of-the-parent"
        temporary.write_text("half a file")
        child = os.fork()
        if child == 0:
            leave(run)
        os.waitpid(child, 0)
        with pytest.raises(DirectoryInUseError):
            make_engine(tmp_path).save_data()
        assert temporary.exists()


def leave(run):
    """Leaves the process as `sys.exit` does in a script, through open blocks of the parent's."""
    try:
        with run.writing():
            pass
    except DirectoryInUseError:
        run.save()
    os._exit(0)
