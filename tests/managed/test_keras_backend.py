"""Which Keras is in use: found out without importing it, and the same in worker processes."""

from __future__ import annotations

import json

import pytest

from pyshac import KerasSHAC, UniformHP
from pyshac.core.managed.keras_backend import KerasChoice, find_keras
from tests.managed.cases import installed
from tests.scripts import run_script

needs_keras = pytest.mark.skipif(
    not installed("keras", "tensorflow", "jax", "torch"), reason="needs Keras and its backends"
)


@pytest.fixture
def configure(monkeypatch, tmp_path):
    """Sets what Keras looks at: the environment, and its configuration file."""

    def set_up(backend=None, legacy=None, in_file=None):
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        for name, value in (("KERAS_BACKEND", backend), ("TF_USE_LEGACY_KERAS", legacy)):
            monkeypatch.delenv(name, raising=False)
            if value is not None:
                monkeypatch.setenv(name, value)
        if in_file is not None:
            (tmp_path / "keras.json").write_text(in_file)

    return set_up


@needs_keras
def test_environment_comes_before_the_file_and_the_file_before_the_default(configure):
    configure()
    assert find_keras() == KerasChoice("tensorflow")
    configure(in_file=json.dumps({"backend": "jax"}))
    assert find_keras() == KerasChoice("jax")
    configure(backend="torch")
    assert find_keras() == KerasChoice("torch")
    configure(backend="")
    assert find_keras() == KerasChoice("jax")


@needs_keras
@pytest.mark.parametrize("text", ["", "[]", "{}", '{"backend": 3}'])
def test_files_that_say_nothing_leave_the_default(configure, text):
    configure(in_file=text)
    assert find_keras() == KerasChoice("tensorflow")


@pytest.mark.skipif(not installed("tf_keras", "tensorflow"), reason="needs tf_keras")
def test_legacy_keras_is_asked_for_by_its_variable(configure):
    for value in ("1", "true", "True"):
        configure(backend="jax", legacy=value)
        assert find_keras() == KerasChoice("tensorflow", is_legacy=True)


@needs_keras
def test_other_values_of_the_variable_do_not_ask_for_legacy_keras(configure):
    for value in ("0", "", "no"):
        configure(backend="jax", legacy=value)
        assert find_keras() == KerasChoice("jax")


@pytest.mark.skipif(not installed("keras"), reason="needs Keras")
@pytest.mark.parametrize("backend", ["numpy", "openvino", "theano", "cntk"])
def test_backends_that_cannot_train_are_refused(configure, backend, tmp_path):
    configure(backend=backend)
    with pytest.raises(ValueError, match=f"'tensorflow', 'jax', 'torch'.* Got '{backend}'"):
        KerasSHAC([UniformHP("x", 0, 1)], 4, 2, 0, save_dir=tmp_path)


@pytest.mark.slow
@needs_keras
def test_workers_use_the_keras_that_is_imported_here(configure, tmp_path):
    # Once Keras is imported, what the environment says has come too late.
    configure(backend="torch")
    script = tmp_path / "late.py"
    script.write_text(
        """
import os
import keras
from pyshac import KerasSHAC, UniformHP

os.environ["KERAS_BACKEND"] = "numpy"

def evaluate(session, worker_id, parameters):
    import keras
    assert session is None
    return ["jax", "torch"].index(keras.config.backend())

shac = KerasSHAC(evaluate, [UniformHP("x", 0, 1)], 2, 1, 0, save_dir="run")
shac.fit()
assert shac.dataset.Y == [1.0, 1.0]
""",
        encoding="utf-8",
    )
    run_script(script, tmp_path)


@pytest.mark.slow
def test_cntk_gets_no_session(tmp_path, monkeypatch):
    # CNTK has no release for this Python: what stands for it here is what the engine needs of it.
    (tmp_path / "cntk.py").touch()
    (tmp_path / "keras.py").write_text(
        "class backend:\n"
        "    cleared = []\n"
        "    def backend(): return 'cntk'\n"
        "    def clear_session(): backend.cleared.append(1)\n"
    )
    script = tmp_path / "old.py"
    script.write_text(
        "import keras\n"
        "from pyshac import KerasSHAC, UniformHP\n"
        "shac = KerasSHAC([UniformHP('x', 0, 1)], 2, 1, 0, save_dir='run')\n"
        "shac.concurrent_evaluators()\n"
        "shac.fit(lambda session, worker_id, parameters: float(session is None))\n"
        "assert shac.dataset.Y == [1.0, 1.0]\n"
        "assert keras.backend.cleared == [1, 1]\n"
    )
    run_script(script, tmp_path)
