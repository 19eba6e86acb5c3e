"""A real Dask cluster of processes over TCP: what is lost on the way is not lost for the run."""

from __future__ import annotations

import math
import os
import random
import socket
import threading
import time
from collections import Counter

import pytest

from pyshac import Callback, EvaluationError, TensorflowSHAC, TorchSHAC, UniformHP
from tests.distributed.cluster import Cluster
from tests.engine.engine_helpers import contents, evaluate, make_engine, restored, samples_of
from tests.managed import trainings
from tests.managed.cases import installed

distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.slow

BUDGET = {"total_budget": 400, "num_batches": 10, "max_classifiers": 5}


def connect(cluster, seconds=120):
    return distributed.Client(cluster.address, timeout=seconds)


@pytest.fixture
def cluster(tmp_path):
    (tmp_path / "cluster").mkdir()
    with Cluster(tmp_path / "cluster") as cluster:
        yield cluster


# Of the evaluations that were running, Dask may give up some twice before it gives up all.
GONE = r"(lost its cluster|gave up sample|takes no evaluations).*call fit\(\)"


class Takes:
    """An objective that takes some time, and notes each attempt."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __call__(self, worker_id, parameters):
        with open(os.path.join(self.folder, f"{os.getpid()}.jsonl"), "a") as file:
            file.write(f"{dict(parameters)}\n")
        # From nothing to a quarter of a second, 30 ms on average; the same in every run.
        time.sleep(min(0.25, random.Random(parameters["x"]).expovariate(1 / 0.03)))
        return evaluate(worker_id, parameters)


def beginnings(folder):
    """How often evaluations began, by their parameters."""
    return Counter(line for path in folder.iterdir() for line in path.read_text().splitlines())


class Chaos(Callback):
    """Does something to the cluster after so many scores; notes whose they were."""

    def __init__(self, actions):
        super().__init__()
        self.actions = dict(actions)
        self.told = []

    def on_sample_end(self, id, score, logs=None):
        self.told.append(id)
        for action in self.actions.pop(len(self.told), ()):
            action()


def test_workers_die_and_join_and_the_scheduler_starts_anew(tmp_path, cluster):
    notes = tmp_path / "notes"
    notes.mkdir()
    make_engine(tmp_path / "local", evaluate, **BUDGET).fit(skip_cv_checks=True)
    chaos = Chaos(
        {
            50: [lambda: cluster.kill_workers(1)],
            90: [lambda: cluster.start_workers(1)],
            140: [lambda: cluster.kill_workers(2), lambda: cluster.start_workers(2)],
            # The scheduler and all that it knew.
            210: [
                cluster.kill_scheduler,
                lambda: cluster.kill_workers(4),
                cluster.start_scheduler,
                lambda: cluster.start_workers(3),
            ],
            300: [lambda: cluster.start_workers(2)],
        }
    )
    cluster.start_workers(4)
    with connect(cluster) as client:
        client.wait_for_workers(4)
        engine = make_engine(
            tmp_path / "shac", Takes(notes), backend="dask", evaluators=6, **BUDGET
        )
        history = engine.fit(skip_cv_checks=True, callbacks=chaos).history
        # The user's client goes on.
        assert client.submit(int, "3").result() == 3
    assert chaos.actions == {}
    # Nothing is lost, nothing is scored twice.
    assert sorted(chaos.told) == list(range(400))
    assert contents(tmp_path / "shac") == contents(tmp_path / "local")
    assert {worker for batch in history["device_ids"] for worker in batch} == set(range(6))
    began = beginnings(notes)
    assert len(began) == 400
    # Begun more than once: only what was under way when something was killed, three workers with
    # one evaluation and one that had just ended each, and the scheduler with one for each slot.
    assert 400 <= sum(began.values()) <= 400 + 3 * 2 + 6


def test_a_cluster_that_is_gone_leaves_the_run_resumable(tmp_path, cluster):
    notes = tmp_path / "notes"
    notes.mkdir()
    budget = {"total_budget": 60, "num_batches": 3}
    make_engine(tmp_path / "local", evaluate, **budget).fit(skip_cv_checks=True)
    chaos = Chaos({30: [cluster.kill_scheduler]})
    cluster.start_workers(2)
    engine = make_engine(tmp_path / "shac", Takes(notes), backend="dask", evaluators=4, **budget)
    # A client that waits for two seconds for another scheduler.
    with connect(cluster, 2) as client:
        client.wait_for_workers(2)
        with pytest.raises(EvaluationError, match=GONE):
            engine.fit(skip_cv_checks=True, callbacks=chaos)
    assert len(engine.dataset) == len(chaos.told) >= 30
    cluster.kill_workers(2)
    cluster.start_scheduler()
    cluster.start_workers(2)
    again = restored(tmp_path / "shac", backend="dask", evaluators=4, **budget)
    assert samples_of(again) == samples_of(engine)
    with connect(cluster):
        history = again.fit(Takes(notes), skip_cv_checks=True).history
    assert len(history["evaluations"]) in (1, 2)
    assert contents(tmp_path / "shac") == contents(tmp_path / "local")


class Relay:
    """Passes bytes between a client and a server on this machine, and counts them."""

    def __init__(self, port):
        self._port = port
        self.sent = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            for pair in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source, target, is_counted):
        while data := source.recv(2**16):
            self.sent += len(data) * is_counted
            target.sendall(data)
        target.close()

    def close(self):
        self._listener.close()


def bytes_of_a_run(tmp_path, cluster, number, ballast):
    """Bytes that a client sends to the scheduler in a run of so many evaluations."""
    large = os.urandom(ballast)

    def holds_much(worker_id, parameters):
        time.sleep(0.02)
        return parameters["x"] + 0.0 * len(large)

    relay = Relay(cluster.port)
    with distributed.Client(relay.address) as client:
        client.wait_for_workers(2)
        before = relay.sent
        engine = make_engine(
            tmp_path / f"{number}-{ballast}", holds_much, [UniformHP("x", 0, 1)], number, 1,
            backend="dask", evaluators=4,
        )  # fmt: skip
        engine.fit()
        sent = relay.sent - before
    relay.close()
    return sent


def test_a_sample_is_all_that_is_sent_with_a_sample(tmp_path, cluster):
    cluster.start_workers(2)
    few, many = (bytes_of_a_run(tmp_path, cluster, number, 0) for number in (20, 120))
    # It was 1,170: 220 are ours, the rest is what Dask says of a task.
    assert (many - few) / 100 < 2_000
    # At first each of four slots asks; a worker asks once more if what was meant for it went to the
    # other. With every sample it would be 120 MB.
    assert 2_000_000 < bytes_of_a_run(tmp_path, cluster, 120, 1_000_000) < 12_000_000


def allow_no_failures(dask_scheduler):
    dask_scheduler.allowed_failures = 0


def test_a_worker_that_always_dies(tmp_path, cluster):
    """Dask tries elsewhere by itself; then it counts as the death of a worker does everywhere."""

    def kills(worker_id, parameters):
        if parameters["x"] > 0:
            os._exit(3)
        return parameters["x"]

    with distributed.Client(cluster.address) as client:
        client.run_on_scheduler(
            lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 0)
        )
        cluster.start_workers(2)
        engine = make_engine(
            tmp_path / "shac", kills, [UniformHP("x", -1, 1)], 4, 1, backend="dask", evaluators=1
        )
        with pytest.raises(EvaluationError, match=r"WorkerDiedError: .* died .*\(once\)"):
            engine.fit(retries=0)


def unfinished_tasks(dask_scheduler):
    """In what states tasks are that have no result."""
    return [task.state for task in dask_scheduler.tasks.values() if task.state != "memory"]


def wait_until_idle(client):
    deadline = time.monotonic() + 60
    while states := client.run_on_scheduler(unfinished_tasks):
        assert time.monotonic() < deadline, states
        time.sleep(0.05)


def test_time_limits_and_interruptions_leave_nothing_behind(tmp_path, cluster):
    def hangs(worker_id, parameters):
        # Below 0 for ever, in Python code; else for a while.
        while parameters["x"] < 0:
            time.sleep(0.01)
        time.sleep(0.05)
        return parameters["x"]

    class Interrupting(Callback):
        def on_sample_end(self, id, score, logs=None):
            raise KeyboardInterrupt

    cluster.start_workers(2)
    with connect(cluster) as client:
        engine = make_engine(
            tmp_path / "a", hangs, [UniformHP("x", -1, 1)], 12, 1, backend="dask", evaluators=4
        )
        engine.fit(timeout=0.5, catch=TimeoutError)
        for (x,), score in zip(engine.dataset.X, engine.dataset.Y, strict=True):
            assert math.isnan(score) if x < 0 else score == x
        wait_until_idle(client)
        engine = make_engine(
            tmp_path / "b", hangs, [UniformHP("x", 0, 1)], 12, 1, backend="dask", evaluators=12
        )
        with pytest.raises(KeyboardInterrupt):
            engine.fit(callbacks=Interrupting())
        assert 1 <= len(engine.dataset) < 12
        wait_until_idle(client)
        engine.fit()
    assert len(engine.dataset) == 12


def test_without_a_client_the_engine_says_so(tmp_path):
    engine = make_engine(tmp_path, backend="dask")
    assert engine.evaluator_backend == "dask"
    with pytest.raises(RuntimeError, match=r"there is no Dask client: make one before fit\(\)"):
        engine.fit()


# Frameworks: each of two workers trains small networks.


def managed_run(engine_class, train, save_dir, backend, evaluators):
    engine = engine_class(
        train,
        trainings.space(),
        total_budget=12,
        num_batches=3,
        max_gpu_evaluators=0,
        max_cpu_evaluators=evaluators,
        save_dir=save_dir,
    )
    engine.evaluator_backend = backend
    engine.set_num_parallel_generators(1)
    engine.set_seed(5)
    engine.fit(skip_cv_checks=True)
    return engine


@pytest.mark.parametrize(
    ("engine_class", "framework", "train"),
    [
        (TorchSHAC, "torch", trainings.train_torch),
        pytest.param(
            TensorflowSHAC, "tensorflow", trainings.train_tensorflow, marks=pytest.mark.long
        ),
    ],
    ids=["torch", "tensorflow"],
)
def test_trainings_run_on_the_workers(tmp_path, engine_class, framework, train):
    """Session, graph and seeds are made where the evaluation runs: the scores are the same."""
    if not installed(framework):
        pytest.skip(f"needs {framework}")
    one_thread = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
    (tmp_path / "cluster").mkdir()
    with Cluster(tmp_path / "cluster", **one_thread) as cluster:
        cluster.start_workers(2)
        with connect(cluster) as client:
            client.wait_for_workers(2)
            there = managed_run(engine_class, train, tmp_path / "shac", "dask", 2)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in one_thread.items():
            patch.setenv(name, value)
        here = managed_run(engine_class, train, tmp_path / "local", "loky", 1)
    assert samples_of(there) == samples_of(here)
    # A guess is right in one of ten.
    assert min(there.dataset.Y) > 0.2


def test_extras_and_times_come_back(tmp_path, cluster):
    cluster.start_workers(2)

    def more(worker_id, parameters):
        time.sleep(0.01)
        return {"score": parameters["x"], "half": parameters["x"] / 2, "note": "é"}

    with connect(cluster) as client:
        client.wait_for_workers(2)
        engine = make_engine(
            tmp_path / "shac", more, [UniformHP("x", 0, 1)], 8, 2, backend="dask", evaluators=2
        )
        engine.fit()
    for found in engine.evaluations:
        assert found.extras == {"half": found.score / 2, "note": "é"}
        assert 0.01 <= found.seconds < 60
        assert found.started is not None
        assert found.slot in (0, 1)
