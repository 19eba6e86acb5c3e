"""What an evaluation finds around it, and that nothing of it stays behind."""

from __future__ import annotations

import itertools
import os
import random

import numpy as np
import pytest

import pyshac
from pyshac import IntegerHP, KerasSHAC, TensorflowSHAC, TorchSHAC, UniformHP
from pyshac.core.managed.seeds import seeded_python
from tests.managed.cases import installed
from tests.scripts import run_script

needs_torch = pytest.mark.skipif(not installed("torch"), reason="needs torch")
needs_tensorflow = pytest.mark.skipif(not installed("tensorflow"), reason="needs tensorflow")


def test_seeds_of_python_and_numpy_are_put_back():
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)
    with seeded_python(5):
        first = random.random(), np.random.random()
    assert (random.random(), np.random.random()) == expected
    with seeded_python(5):
        assert (random.random(), np.random.random()) == first


@pytest.mark.parametrize(
    ("engine", "extra"),
    [(TorchSHAC, "torch"), (TensorflowSHAC, "tensorflow"), (KerasSHAC, "keras")],
)
def test_without_its_framework_an_engine_says_what_to_install(engine, extra, monkeypatch, tmp_path):
    monkeypatch.setattr("pyshac.core.basics.optional_packages.is_installed", lambda package: False)
    monkeypatch.delenv("TF_USE_LEGACY_KERAS", raising=False)
    with pytest.raises(ModuleNotFoundError, match=rf"{engine.__name__} .*'pyshac\[{extra}\]'"):
        engine([UniformHP("x", 0, 1)], 4, 2, 0, save_dir=tmp_path)


@pytest.mark.slow
def test_engines_are_public_and_load_no_framework(tmp_path):
    assert {"KerasSHAC", "TensorflowSHAC", "TorchSHAC"} <= set(pyshac.__all__)
    script = tmp_path / "lazy.py"
    script.write_text(
        "import sys, pyshac\n"
        "assert 'pyshac.core.managed' not in sys.modules\n"
        "from pyshac import KerasSHAC, TensorflowSHAC, TorchSHAC\n"
        "from pyshac.core.managed.torch_engine import TorchSHAC\n"
        "from pyshac.core.managed.tf_engine import TensorflowSHAC\n"
        "from pyshac.core.managed.keras_engine import KerasSHAC\n"
        "assert not {'torch', 'tensorflow', 'keras', 'tf_keras', 'jax'} & set(sys.modules)\n"
    )
    run_script(script, tmp_path)


IN_THIS_PROCESS = """
import pyshac
from pyshac import UniformHP

def fit(engine, function, **options):
    shac = engine(function, [UniformHP("x", 0, 1)], 2, 1, 0, save_dir="run", objective="min")
    shac.set_seed(3)
    shac.concurrent_evaluators()
    shac.fit(**options)
    return shac
"""

TENSORFLOW = """
import tensorflow as tf
from tensorflow.python.eager import context

v1 = tf.compat.v1
sessions = []

def evaluate(session, worker_id, parameters):
    assert v1.get_default_session() is session and v1.get_default_graph() is session.graph
    assert session.graph not in [other.graph for other in sessions]
    sessions.append(session)
    value = tf.constant(1.0)
    assert value.graph is session.graph and "CPU:0" in value.device.upper()
    assert session.graph.seed == context.global_seed() is not None
    tf.random.set_seed(99)
    if parameters["x"] < 0:
        raise ZeroDivisionError
    return session.run(value)

def fail(session, worker_id, parameters):
    sessions.append(session)
    raise ZeroDivisionError

outer = tf.Graph()
with outer.as_default():
    v1.set_random_seed(11)
    assert fit(pyshac.TensorflowSHAC, evaluate).dataset.Y == [1.0, 1.0]
    assert v1.get_default_graph() is outer and outer.seed == 11 and not outer.get_operations()
assert context.global_seed() is None and tf.executing_eagerly()

tf.random.set_seed(12)
import shutil; shutil.rmtree("run")
try:
    fit(pyshac.TensorflowSHAC, fail)
except pyshac.EvaluationError:
    pass
assert context.global_seed() == 12 and v1.get_default_session() is None
assert len(sessions) == 3
for session in sessions:
    try:
        session.run(session.graph.get_operations() or [])
    except RuntimeError as error:
        assert "closed" in str(error)
    else:
        raise SystemExit("a session is still open")
"""

TORCH = """
import torch

torch.manual_seed(1)
expected = torch.rand(3)
torch.manual_seed(1)

def evaluate(worker_id, parameters):
    torch.manual_seed(4)
    return torch.rand(1)

fit(pyshac.TorchSHAC, evaluate)
assert torch.equal(torch.rand(3), expected)
"""

LEGACY_KERAS = """
import os
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import numpy as np
import tensorflow as tf

def evaluate(session, worker_id, parameters):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((1, 1)), np.ones((1, 1)), verbose=0)
    # Names start anew with every evaluation.
    assert model.layers[0].name == "dense"
    return 0.0

outer = tf.compat.v1.get_default_graph()
fit(pyshac.KerasSHAC, evaluate)
assert tf.compat.v1.get_default_graph() is outer
assert tf.keras.layers.Dense(1).name == "dense"
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        pytest.param(TENSORFLOW, id="TensorflowSHAC", marks=needs_tensorflow),
        pytest.param(TORCH, id="TorchSHAC", marks=needs_torch),
        pytest.param(
            LEGACY_KERAS,
            id="KerasSHAC, legacy",
            marks=pytest.mark.skipif(not installed("tf_keras"), reason="needs tf_keras"),
        ),
    ],
)
def test_in_this_process_all_is_left_as_it_was(source, tmp_path):
    script = tmp_path / "serial.py"
    script.write_text(IN_THIS_PROCESS + source, encoding="utf-8")
    run_script(script, tmp_path)


@pytest.mark.parametrize("gpus", [0, 1])
@needs_torch
def test_an_error_on_a_gpu_ends_with_its_process(gpus, tmp_path):
    # As after an error of CUDA: what comes next in the process fails, too.
    def evaluate(worker_id, parameters):
        if parameters["x"] < 0.2 or os.environ.get("BROKEN"):
            os.environ["BROKEN"] = "1"
            raise RuntimeError("device-side assert triggered")
        return {"score": parameters["x"], "process": os.getpid()}

    shac = TorchSHAC(evaluate, [UniformHP("x", 0, 1)], 12, 1, gpus, save_dir=tmp_path)
    shac.set_seed(0)
    shac.fit(catch=RuntimeError, verbose=0)
    states = [each.state for each in shac.evaluations]
    spoils = [each.parameters["x"] < 0.2 for each in shac.evaluations]
    if gpus:
        assert states == ["failed" if fails else "complete" for fails in spoils]
        ends = sum(fails and not next_fails for fails, next_fails in itertools.pairwise(spoils))
        processes = {each.extras["process"] for each in shac.evaluations if not each.failure}
        assert len(processes) == ends + (not spoils[0])
    else:
        first = spoils.index(True)
        assert states == ["complete"] * first + ["failed"] * (12 - first)


@pytest.mark.parametrize("as_extra", [False, True])
@needs_torch
def test_an_error_that_shows_when_a_tensor_is_read_is_one_of_its_evaluation(as_extra, tmp_path):
    torch = pytest.importorskip("torch")

    def evaluate(worker_id, parameters):
        # A tensor of this device cannot be read, as after an error of CUDA.
        device = "meta" if parameters["x"] < 0.2 else "cpu"
        score = torch.full((1,), parameters["x"], device=device)
        return {"score": parameters["x"], "loss": score} if as_extra else score

    shac = TorchSHAC(evaluate, [UniformHP("x", 0, 1)], 12, 1, 0, save_dir=tmp_path)
    shac.set_seed(0)
    shac.fit(catch=RuntimeError, verbose=0)
    for each in shac.evaluations:
        assert (each.state == "failed") == (each.parameters["x"] < 0.2)
        assert each.failure is None or "meta tensors" in each.failure
    assert any(each.failure for each in shac.evaluations)


@pytest.mark.parametrize("is_read", [False, True])
@pytest.mark.gpu
@needs_torch
def test_a_device_side_assert_fails_one_sample(is_read, tmp_path):
    torch = pytest.importorskip("torch")
    if torch.cuda.device_count() == 0:
        pytest.skip("needs a CUDA device")

    def evaluate(worker_id, parameters):
        device = torch.device(f"cuda:{worker_id}")
        values = torch.arange(10.0, device=device)
        score = values[torch.tensor([parameters["i"]], device=device)].sum()
        return score.item() if is_read else score

    shac = TorchSHAC(evaluate, [IntegerHP("i", 0, 19)], 12, 1, 1, save_dir=tmp_path)
    shac.set_seed(0)
    shac.fit(catch=RuntimeError, verbose=0)
    found = [(each.parameters["i"] > 9, each.state) for each in shac.evaluations]
    assert set(found) == {(True, "failed"), (False, "complete")}


@pytest.mark.gpu
@needs_torch
def test_every_slot_has_a_gpu_to_itself(tmp_path):
    torch = pytest.importorskip("torch")
    number = torch.cuda.device_count()
    if number == 0:
        pytest.skip("needs a CUDA device")

    def evaluate(worker_id, parameters):
        x = torch.full((100, 100), parameters["x"], device=f"cuda:{worker_id}")
        return (x @ x).mean()

    shac = TorchSHAC(evaluate, [UniformHP("x", 0, 1)], 8, 1, number, save_dir=tmp_path)
    shac.fit()
    expected = [100 * row[0] ** 2 for row in shac.dataset.X]
    assert list(shac.dataset.Y) == pytest.approx(expected, rel=1e-3)
