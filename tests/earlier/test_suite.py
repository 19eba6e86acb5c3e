"""The original's tests pass here, or `docs/moving.md` names them; and they are counted right."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.earlier import __main__ as command
from tests.earlier.moving_page import PAGE
from tests.earlier.suite import (
    CHECKOUT,
    LEAST,
    PROVIDED,
    Outcome,
    failed_names,
    outcomes,
    result_lines,
    run_suite,
)
from tests.managed.cases import installed
from tests.scripts import PACKAGE_PARENT

FIRST = """
import os
import pytest
import pyshac

def test_passes():
    assert os.path.dirname(os.path.dirname(pyshac.__file__)) == PARENT

def test_fails():
    os.mkdir("shac")
    assert 1 + 1 == 3, "first line\\nsecond line"

def test_after_it():
    assert not os.path.exists("shac")
    import tests.deep.test_first

@pytest.mark.parametrize("number", [1, 2, 3])
def test_three(number):
    assert number != 2

def test_skips():
    pytest.skip("for a reason")

@pytest.fixture
def resource():
    yield
    raise OSError("left behind")

def test_fails_afterwards(resource):
    pass
"""

BROKEN = """
import pyshac.never_was_there

def test_one():
    pass

def test_two():
    pass

def test_one():
    pass

def helper():
    pass
"""


def make_checkout(folder: Path, **sources: str) -> Path:
    tests = folder / "checkout" / "tests" / "deep"
    tests.mkdir(parents=True)
    (tests.parent / "__init__.py").touch()
    for name, source in sources.items():
        (tests / f"test_{name}.py").write_text(source, encoding="utf-8")
    return folder / "checkout"


class TestCounting:
    def test_a_run(self, tmp_path, monkeypatch):
        first = FIRST.replace("PARENT", repr(str(PACKAGE_PARENT)))
        checkout = make_checkout(tmp_path, first=first, broken=BROKEN)
        monkeypatch.setenv("PYTEST_ADDOPTS", "--maxfail=1")
        before = sorted(checkout.rglob("*"))
        results = run_suite(checkout)
        reasons = {
            result.name.removeprefix("tests/deep/test_"): result.reason for result in results
        }
        missing = "ModuleNotFoundError: No module named 'pyshac.never_was_there'"
        assert reasons.pop("first.py::test_skips").endswith("for a reason')")
        assert reasons == {
            "broken.py::test_one": missing,
            "broken.py::test_two": missing,
            "first.py::test_after_it": None,
            "first.py::test_fails": "AssertionError: first line",
            "first.py::test_fails_afterwards": "OSError: left behind",
            "first.py::test_passes": None,
            "first.py::test_three[1]": None,
            "first.py::test_three[2]": "assert 2 != 2",
            "first.py::test_three[3]": None,
        }
        assert sorted(checkout.rglob("*")) == before
        assert failed_names(results) == [
            "test_fails", "test_fails_afterwards", "test_one", "test_skips", "test_three",
            "test_two",
        ]  # fmt: skip

    def test_a_run_that_was_ended(self, tmp_path):
        path = tmp_path / "results"
        lines = [
            {"kind": "collected", "name": "a.py::test_1"},
            {"kind": "collected", "name": "a.py::test_2"},
            {"kind": "ended", "name": "a.py::test_1"},
        ]
        cut_off = '{"kind": "ended", "name": "a.p'
        path.write_text("".join(json.dumps(line) + "\n" for line in lines) + cut_off)
        tests = {"a.py": ["test_1", "test_2"], "b.py": ["test_3"]}
        assert outcomes(tests, result_lines(path)) == [
            Outcome("a.py::test_1", None),
            Outcome("a.py::test_2", "has not ended"),
            Outcome("b.py::test_3", "has not been collected"),
        ]

    def test_pytest_that_does_not_run(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PYTEST_PLUGINS", "never_was_there")
        with pytest.raises(RuntimeError, match="No module named 'never_was_there'"):
            run_suite(make_checkout(tmp_path, first=FIRST))

    def test_no_checkout(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="no folder tests in"):
            run_suite(tmp_path)


@pytest.mark.parametrize(("num_passed", "status"), [(LEAST, 0), (LEAST - 1, 1)])
def test_command(num_passed, status, monkeypatch, capsys):
    results = [Outcome(f"a.py::test_{n}", None if n < num_passed else "wrong") for n in range(113)]
    monkeypatch.setattr(command, "run_suite", lambda checkout: results)
    monkeypatch.setattr(sys, "argv", ["tests.earlier", "somewhere"])
    assert command.main() == status
    *failed, last = capsys.readouterr().out.splitlines()
    assert failed[0] == f"a.py::test_{num_passed}  wrong"
    assert len(failed) == 113 - num_passed
    assert last == f"{num_passed} of 113 pass"


HANGING = """
import subprocess
import sys
import time

def test_at_once():
    pass

def test_hangs():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open(FILE, "w") as file:
        file.write(str(child.pid))
    time.sleep(600)
"""


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_time_limit(tmp_path):
    file = tmp_path / "pid"
    checkout = make_checkout(tmp_path, hanging=HANGING.replace("FILE", repr(str(file))))
    began = time.monotonic()
    results = run_suite(checkout, limit_seconds=15)
    assert time.monotonic() - began < 60
    assert [result.reason for result in results] == [None, "has not ended"]
    # What was killed may take a moment to go.
    deadline = time.monotonic() + 30
    while is_running(int(file.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(int(file.read_text()))


def test_every_process_completes_tensorflow():
    code = "import sys; print('sitecustomize' in sys.modules, sys.meta_path[0].__name__)"
    said = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(PROVIDED)},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert said.split() == ["True", "Tensorflow1Finder"]


FRAMEWORKS = """
import tensorflow as tf

from pyshac import KerasSHAC, UniformHP

def evaluate(session, worker_id, parameters):
    from keras import backend as K
    assert K.__name__.startswith("tf_keras")
    assert isinstance(session, tf.Session)
    assert session.run(tf.constant(2.0)) == 2.0
    return float(K.eval(K.sum(K.variable([parameters["x"], 1.0]))))

def test_here():
    from keras import backend as K
    tf.set_random_seed(0)
    tf.set_random_seed(None)
    assert tf.Session().run(tf.constant(1.0) + 1.0) == 2.0
    assert K.eval(K.sum(K.variable([1.0, 2.0]))) == 3.0

def test_in_worker_processes():
    engine = KerasSHAC([UniformHP("x", 0.0, 1.0)], 4, 2, max_gpu_evaluators=0)
    engine.fit(evaluate, skip_cv_checks=True)
    assert len(engine.dataset) == 4
"""


@pytest.mark.slow
@pytest.mark.skipif(not installed("tensorflow", "tf_keras"), reason="needs tensorflow, tf_keras")
def test_frameworks_of_before(tmp_path):
    results = run_suite(make_checkout(tmp_path, frameworks=FRAMEWORKS))
    assert [result.reason for result in results] == [None, None]


@pytest.mark.long
@pytest.mark.skipif(not installed("tensorflow", "tf_keras"), reason="needs tensorflow, tf_keras")
def test_the_original():
    if CHECKOUT is None:
        pytest.skip("needs a checkout of the original, named by PYSHAC_ORIGINAL")
    results = run_suite(Path(CHECKOUT))
    failed = [result for result in results if result.reason is not None]
    assert len(results) - len(failed) >= LEAST, "\n".join(map(str, failed))
    page = PAGE.read_text(encoding="utf-8")
    unlisted = [name for name in failed_names(results) if not re.search(rf"\b{name}\b", page)]
    assert unlisted == []
