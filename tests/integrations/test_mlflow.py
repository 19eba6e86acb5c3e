"""MLflowLogger against a real tracking server, with a database and artifacts of its own.

The server is that of the installed MLflow. Where only its client is installed, the variable
PYSHAC_MLFLOW_PYTHON names a Python that has all of it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from unittest.mock import patch

import pytest

from pyshac import SHAC, Callback, MedianPruning, UniformHP
from tests.integrations.tracked import evaluate, fit, has_all_of_mlflow, make_search

# MLflow 1 may be installed, and not work with what else is.
pytest.importorskip("mlflow", exc_type=ImportError)

import mlflow

from pyshac.integrations.mlflow import MLflowLogger, _valid_names
from pyshac.integrations.tracking import tracker

pytestmark = pytest.mark.slow
PYTHON = os.environ.get("PYSHAC_MLFLOW_PYTHON") or (sys.executable if has_all_of_mlflow() else "")
KILLED = """
import os, sys
import mlflow
from pyshac import Callback
from pyshac.integrations.mlflow import MLflowLogger
from tests.integrations.tracked import fit, make_search
from pathlib import Path

class Dies(Callback):
    def on_sample_end(self, id, score, logs=None):
        if id == 7:
            os._exit(1)

mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("killed")
fit(make_search(Path(sys.argv[2]), evaluators=1), Dies(), MLflowLogger())
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Server:
    """A tracking server on loopback.

    Args:
        folder: The folder for its database and artifacts.
    """

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        store = f"sqlite:///{self.folder / 'mlflow.db'}"
        command = [PYTHON, "-m", "mlflow", "server", "--backend-store-uri", store]
        command += ["--artifacts-destination", str(self.folder / "artifacts"), "--workers", "1"]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        for _ in range(600):
            assert self.process.poll() is None, (self.folder / "server.log").read_text()[-2000:]
            try:
                urllib.request.urlopen(f"{self.address}/health", timeout=1).close()
                return
            except OSError:
                time.sleep(0.3)
        raise AssertionError("the server does not answer")

    def signal(self, number):
        os.killpg(self.process.pid, number)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if not PYTHON:
        pytest.skip("needs all of MLflow, here or where PYSHAC_MLFLOW_PYTHON says")
    server = Server(tmp_path_factory.mktemp("mlflow"))
    yield server
    server.signal(signal.SIGKILL)
    server.process.wait()


@pytest.fixture(autouse=True)
def own_environment():
    """Keeps what MLflow sets in the environment from other tests, and from their processes."""
    with patch.dict(os.environ):
        yield


@pytest.fixture
def experiment(server, request, monkeypatch):
    """The runs of an experiment of the test's own: a function that returns them."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    mlflow.set_tracking_uri(server.address)
    name = "killed" if "killed" in request.node.name else request.node.name
    id = mlflow.set_experiment(name).experiment_id

    def runs():
        found = mlflow.MlflowClient().search_runs([id], max_results=1000)
        return [run for run in found if "pyshac.objective" in run.data.tags], {
            int(run.data.tags["pyshac.number"]): run
            for run in found
            if "pyshac.number" in run.data.tags
        }

    return runs


def test_an_evaluation_is_a_nested_run(experiment, tmp_path):
    search = make_search(tmp_path, 12, 3)
    search.set_seed(0)
    fit(search, MLflowLogger(), pruning=MedianPruning(min_curves=2))
    parents, nested = experiment()

    assert len(parents) == 1
    assert sorted(nested) == list(range(12))
    names = search.parameters.get_parameter_names()
    client = mlflow.MlflowClient()
    assert {each.state for each in search.evaluations} == {"complete", "failed", "pruned"}
    for each in search.evaluations:
        run = nested[each.number]
        values = search.dataset.X[each.number]
        shown = {n: str(v) for n, v in zip(names, values, strict=True) if str(v) != ""}
        assert run.data.params == shown
        assert run.info.status == ("FAILED" if each.state == "failed" else "FINISHED")
        assert run.data.tags["mlflow.parentRunId"] == parents[0].info.run_id
        assert run.data.tags["mlflow.runName"] == f"evaluation {each.number}"
        assert run.data.tags["pyshac.state"] == each.state
        assert run.data.metrics.get("score") == (each.score if each.state == "complete" else None)
        duration = run.info.end_time - run.info.start_time
        assert abs(duration - each.seconds * 1000) <= 1
        if each.state == "complete":
            assert run.data.metrics["loss"] == each.extras["loss"]
            assert run.data.tags["name"] == "ü"
            assert run.data.tags["is_good"] == "True"
        if each.state == "failed":
            assert "too high" in run.data.tags["pyshac.failure"]
    each = next(each for each in search.evaluations if each.state == "complete")
    points = client.get_metric_history(nested[each.number].info.run_id, "curve")
    assert [(point.step, str(point.value)) for point in points] == [
        (step, str(score)) for step, score in zip(each.curve.steps, each.curve.scores, strict=True)
    ]


def test_the_search_has_the_best_score_and_parameters(experiment, tmp_path):
    search = make_search(tmp_path)
    fit(search, MLflowLogger("mine", {"team": "a"}))
    (parent,), _ = experiment()

    assert parent.info.status == "FINISHED"
    assert parent.info.run_name == "mine"
    assert parent.data.metrics["best_score"] == search.best_score
    assert parent.data.tags["best.x"] == str(search.best_parameters["x"])
    assert parent.data.tags["pyshac.total_budget"] == "12"
    assert parent.data.tags["team"] == "a"
    history = mlflow.MlflowClient().get_metric_history(parent.info.run_id, "best_score")
    best = [point.value for point in sorted(history, key=lambda point: point.step)]
    assert best == sorted(set(best))


def test_the_best_parameters_are_those_of_the_last_best_sample(experiment, tmp_path):
    class Two(Callback):
        def on_train_end(self, logs=None):
            mlflow.MlflowClient().set_tag(self.id, "best.gone", "1")

    search, two = make_search(tmp_path), Two()
    logger = MLflowLogger()
    search.ask()
    logger.log(search)
    (parent,), _ = experiment()
    two.id = parent.info.run_id
    fit(search, two, logger)
    (parent,), _ = experiment()

    assert "best.gone" not in parent.data.tags
    assert ("best.rate" in parent.data.tags) == ("rate" in search.best_parameters)


def test_a_search_that_is_resumed_goes_on_with_its_run(experiment, tmp_path, monkeypatch):
    # A busy machine may need longer.
    monkeypatch.setattr(tracker, "SECONDS_AFTER_ERROR", 120.0)
    search = make_search(tmp_path)

    class Interrupts(Callback):
        def on_sample_end(self, id, score, logs=None):
            if id == 4:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(search, MLflowLogger(), Interrupts())
    (parent,), nested = experiment()
    assert parent.info.status == "KILLED"
    assert 5 <= len(nested) < 12

    resumed = make_search(tmp_path, 18, 3, resume=True)
    fit(resumed, MLflowLogger())
    (again,), nested = experiment()
    assert again.info.run_id == parent.info.run_id
    assert again.info.status == "FINISHED"
    assert again.data.tags["pyshac.total_budget"] == "18"
    assert sorted(nested) == list(range(18))


def test_what_a_killed_process_has_not_logged_is_logged_later(experiment, server, tmp_path):
    root = os.getcwd()
    path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", KILLED, server.address, str(tmp_path)]
    process = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, timeout=300)
    assert process.returncode == 1
    (parent,), _ = experiment()
    assert parent.info.status == "RUNNING"

    fit(make_search(tmp_path, resume=True, evaluators=1), MLflowLogger())
    (again,), nested = experiment()
    assert again.info.run_id == parent.info.run_id
    assert sorted(nested) == list(range(12))
    assert all(run.info.status in ("FINISHED", "FAILED") for run in nested.values())


def test_a_nested_run_that_was_left_running_is_completed(experiment, tmp_path):
    search, logger = make_search(tmp_path), MLflowLogger()
    fit(search, logger)
    _, nested = experiment()
    client = mlflow.MlflowClient()
    client.update_run(nested[3].info.run_id, status="RUNNING")
    client.delete_run(nested[4].info.run_id)
    fit(search, logger)
    _, again = experiment()

    assert again[3].info.run_id == nested[3].info.run_id
    assert again[3].info.status in ("FINISHED", "FAILED")
    # Somebody did not want it.
    assert 4 not in again


def test_a_run_that_was_deleted_is_logged_anew(experiment, tmp_path):
    search = make_search(tmp_path)
    fit(search, MLflowLogger())
    (parent,), _ = experiment()
    mlflow.MlflowClient().delete_run(parent.info.run_id)
    fit(search, MLflowLogger())
    (again,), nested = experiment()

    assert again.info.run_id != parent.info.run_id
    assert {run.data.tags["mlflow.parentRunId"] for run in nested.values()} >= {again.info.run_id}


def test_a_server_that_hangs_does_not_stop_a_search(
    experiment, server, tmp_path, caplog, monkeypatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
    search = make_search(tmp_path, 12, 3)

    class Hangs(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                server.signal(signal.SIGSTOP)

    try:
        fit(search, MLflowLogger(), Hangs())
        assert len(search.dataset) == 12
        assert "MLflow did not take" in caplog.text
        assert "MLflow lacks" in caplog.text
    finally:
        server.signal(signal.SIGCONT)

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    MLflowLogger().log(search)
    (parent,), nested = experiment()
    assert parent.info.status == "FINISHED"
    assert sorted(nested) == list(range(12))


def test_a_server_that_is_not_there_raises_before_anything_is_spent(experiment, tmp_path):
    mlflow.set_tracking_uri(f"http://127.0.0.1:{free_port()}")
    search = make_search(tmp_path)
    with pytest.raises(mlflow.exceptions.MlflowException):
        fit(search, MLflowLogger())

    assert len(search.dataset) == 0


def test_a_search_inside_an_active_run_is_nested_in_it(experiment, tmp_path):
    with mlflow.start_run() as active:
        fit(make_search(tmp_path / "1", 4, 1), MLflowLogger())
        fit(make_search(tmp_path / "2", 4, 1), MLflowLogger())
        assert mlflow.active_run().info.run_id == active.info.run_id
    parents, _ = experiment()

    assert len(parents) == 2
    assert all(p.data.tags["mlflow.parentRunId"] == active.info.run_id for p in parents)


@pytest.mark.parametrize("pace", ["pipeline", "stream"])
def test_batches_that_overlap_are_logged(experiment, tmp_path, pace):
    fit(make_search(tmp_path, 12, 3, pace=pace), MLflowLogger())
    _, nested = experiment()

    assert sorted(nested) == list(range(12))


def test_ask_and_tell_is_logged_by_a_call(experiment, tmp_path):
    search, logger = make_search(tmp_path), MLflowLogger()
    seen = []
    while samples := search.ask():
        search.tell(samples, [evaluate(0, {**sample, "x": 0.5}) for sample in samples])
        logger.log(search)
        (parent,), nested = experiment()
        seen.append((parent.info.status, len(nested)))

    assert seen == [("RUNNING", 6), ("FINISHED", 12)]


def test_odd_names_and_long_values_are_taken(experiment, tmp_path):
    names = ["größe", "a+b", "a/b", "../up", "/root", ".", "x" * 300, "a*b", "n:1"]
    space = [UniformHP(name, 0, 1) for name in names] + [UniformHP("many", 0, 1)]

    def odd(worker_id, parameters):
        return {"score": 0.5, "val/loss": 1, "a+b": 2, "nan": float("nan"), "long": "y" * 1000}

    search = SHAC(odd, space, 2, 1, save_dir=tmp_path / "odd")
    search.concurrent_evaluators()
    fit(search, MLflowLogger())
    _, nested = experiment()

    assert all(len(run.data.params) == 10 for run in nested.values())
    assert nested[0].data.metrics["val/loss"] == 1
    assert nested[0].data.tags["long"] == "y" * 1000


def test_nothing_is_printed(experiment, tmp_path, capsys):
    fit(make_search(tmp_path, 4, 1), MLflowLogger())

    assert capsys.readouterr().out == ""
    assert "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT" not in os.environ


def test_names_that_become_one_are_kept_apart():
    assert _valid_names({"a+b": 1, "a*b": 2, "a_b": 3}) == {"a_b": 1, "a_b 2": 2, "a_b 3": 3}
    assert _valid_names({"": 1, ".": 2, "_": 3}) == {"_": 1, "_ 2": 2, "_ 3": 3}


@pytest.mark.parametrize(("argument", "value"), [("run_name", 1), ("tags", ["a"])])
def test_wrong_arguments_are_refused(argument, value):
    with pytest.raises(TypeError, match=argument):
        MLflowLogger(**{argument: value})
