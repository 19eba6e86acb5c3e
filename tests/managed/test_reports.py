"""Callbacks that report epochs: real trainings, in searches that prune and outside of them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import pyshac
from pyshac import DiscreteHP
from tests.house import ROOT
from tests.managed import reports
from tests.managed.cases import BY_NAME, CPU, Case, installed, parameters
from tests.managed.reports import NUM_EPOCHS
from tests.scripts import PACKAGE_PARENT, run_script

GOOD, HOPELESS = 0.02, 1e-7
EPOCHS = tuple(range(1, NUM_EPOCHS + 1))
LIGHTNING = Case(
    "Lightning", "TorchSHAC", reports.train_lightning, CPU, packages=("torch", "lightning")
)
KERAS = [BY_NAME[f"KerasSHAC{name}"] for name in (" on tensorflow", " on torch", ", legacy")]
ON_JAX = BY_NAME["KerasSHAC on jax"]

needs_lightning = pytest.mark.skipif(not installed("torch", "lightning"), reason="needs Lightning")
keras_cases = pytest.mark.parametrize(
    "case", [*parameters(KERAS, pytest.mark.slow), *parameters([ON_JAX], pytest.mark.long)]
)


def search(case, function, save_dir):
    """A search whose second batch is hopeless."""
    space = [DiscreteHP("learning_rate", [GOOD, HOPELESS])]
    engine = case.make(space, 8, 2, objective="min", save_dir=save_dir)
    engine.set_seed(0)
    for rate in [GOOD] * 4 + [HOPELESS] * 4:
        engine.enqueue({"learning_rate": rate})
    engine.fit(function, pruning="halving", skip_cv_checks=True, verbose=0)
    return engine


def check(engine):
    """The good ones were trained to the end, the hopeless ones for an epoch."""
    first, second = engine.evaluations[:4], engine.evaluations[4:]
    for each in first:
        assert (each.state, each.curve.steps) == ("complete", EPOCHS)
        assert each.curve.scores[-1] == pytest.approx(each.score, rel=1e-5)
        assert each.curve.scores[0] > each.score
    assert [(each.state, each.curve.steps) for each in second] == [("pruned", (1,))] * 4


@keras_cases
def test_keras_trainings_that_are_hopeless_end(case, tmp_path, monkeypatch):
    for name, value in case.environment.items():
        monkeypatch.setenv(name, value)
    check(search(case, reports.train_keras, tmp_path))


@pytest.mark.parametrize("case", parameters([LIGHTNING], pytest.mark.slow))
def test_lightning_trainings_that_are_hopeless_end(case, tmp_path):
    check(search(case, reports.train_lightning, tmp_path))


@keras_cases
def test_keras_outside_an_evaluation_and_with_wrong_names(case, tmp_path):
    script = tmp_path / "keras_report.py"
    # In a process of its own, since a process has one Keras.
    script.write_text(
        f"""
import pytest
from pyshac import evaluate
from tests.managed.reports import train_keras

good = {{"learning_rate": {GOOD}}}
assert train_keras(None, 0, good) > 0
result = evaluate(lambda worker_id, parameters: train_keras(None, worker_id, parameters), good)
assert result.curve.steps == {EPOCHS}
assert abs(result.curve.scores[-1] - result.score) < 1e-5
with pytest.raises(ValueError, match=r"\\['loss', 'val_loss'\\]. Got 'val_acc' .* validation data"):
    train_keras(None, 0, {{**good, "monitor": "val_acc"}})
with pytest.raises(TypeError, match="monitor must be .* Got 7 instead"):
    train_keras(None, 0, {{**good, "monitor": 7}})
""",
        encoding="utf-8",
    )
    # The script needs these tests, too, which an installed package does not bring.
    path = os.pathsep.join(map(str, (PACKAGE_PARENT, ROOT)))
    run_script(script, tmp_path, PYTHONPATH=path, **case.environment)


@pytest.mark.slow
@needs_lightning
class TestLightning:
    @pytest.mark.parametrize("package", ["lightning.pytorch", "pytorch_lightning"])
    def test_trainers_of_both_packages(self, package):
        sample = {"learning_rate": GOOD, "package": package}
        assert reports.train_lightning(0, sample) > 0
        result = pyshac.evaluate(reports.train_lightning, sample)
        assert result.curve.steps == EPOCHS
        assert result.curve.scores[-1] == pytest.approx(result.score, rel=1e-5)

    def test_each_validation_is_a_step(self):
        sample = {"learning_rate": GOOD, "options": {"val_check_interval": 0.5}}
        result = pyshac.evaluate(reports.train_lightning, sample)
        assert result.curve.steps == tuple(range(1, 2 * NUM_EPOCHS + 1))

    def test_misuse(self):
        with pytest.raises(ValueError, match=r"\['val_loss'\]. Got 'loss' .* self.log"):
            reports.train_lightning(0, {"learning_rate": GOOD, "monitor": "loss"})
        with pytest.raises(ValueError, match="this fit has none"):
            reports.train_lightning(0, {"learning_rate": GOOD, "loaders": 1})
        with pytest.raises(TypeError, match="monitor must be .* Got None instead"):
            reports.train_lightning(0, {"learning_rate": GOOD, "monitor": None})

    def test_checkpoints_keep_the_step(self, tmp_path):
        from lightning import pytorch as lightning

        from pyshac.managed import LightningReport

        path = tmp_path / "saved.ckpt"

        def steps_of(report, max_epochs, checkpoint=None):
            trainer = reports.quiet_trainer(lightning, [report], max_epochs)
            model = reports.lightning_model(lightning, GOOD)

            def fit(worker_id, sample):
                trainer.fit(model, *reports.loaders(), ckpt_path=checkpoint)
                return 0.0

            result = pyshac.evaluate(fit, {})
            trainer.save_checkpoint(path)
            return result.curve.steps

        assert steps_of(LightningReport(), 3) == (1, 2, 3)
        assert steps_of(report := LightningReport(), 5, path) == (4, 5)
        # Without a checkpoint a fit counts from 1, whatever the callback has seen before.
        assert steps_of(report, 2) == (1, 2)


def said_by(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.slow
class TestImports:
    def test_frameworks_load_with_their_callback(self):
        code = """
import sys
import pyshac.managed
print({"KerasReport", "LightningReport"} <= {*dir(pyshac.managed)})
print([name for name in ("keras", "tensorflow", "torch", "lightning") if name in sys.modules])
"""
        assert said_by(code) == "True\n[]"

    @pytest.mark.parametrize(
        ("name", "package", "extra"),
        [("KerasReport", "keras", "keras"), ("LightningReport", "lightning", "lightning")],
    )
    def test_without_a_framework_the_error_says_what_to_install(self, name, package, extra):
        code = f"""
import sys
for missing in ({package!r}, "pytorch_lightning"):
    sys.modules[missing] = None
try:
    from pyshac.managed import {name}
except ImportError as error:
    print(error)
"""
        assert said_by(code) == (
            f"{name} needs the package {package!r}, which is not installed: "
            f"pip install 'pyshac[{extra}]'"
        )

    def test_other_names_are_no_attributes(self):
        import pyshac.managed

        with pytest.raises(AttributeError, match=r"'pyshac.managed' has no attribute 'KerasSHAC'"):
            pyshac.managed.KerasSHAC  # noqa: B018
