"""One owner at a time: a second fit is refused, and threads may ask, tell, read and draw."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pyshac import SHAC, Callback, UniformHP
from pyshac.looking.snapshot import take_snapshot
from tests.engine.engine_helpers import contents, evaluate, make_engine, restored, samples_of

REFUSED = r"cannot be used while fit\(\) or fit_dataset\(\) runs on the same engine.*stop\(\)"


class Gate:
    """An objective that waits in its first call, until it may go on."""

    def __init__(self):
        self.begun, self.may_go_on = threading.Event(), threading.Event()

    def __call__(self, worker_id, parameters):
        self.begun.set()
        assert self.may_go_on.wait(60)
        return evaluate(worker_id, parameters)


class CallsBack(Callback):
    """Calls a function once, when the first sample has its score; keeps what it raises."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.error = None

    def on_sample_end(self, id, score, logs=None):
        if id == 0:
            try:
                self.function(self.engine)
            except RuntimeError as error:
                self.error = error


@pytest.fixture
def running(tmp_path):
    """An engine whose fit waits in another thread for the gate to open."""
    gate = Gate()
    engine = make_engine(tmp_path / "shac", gate)
    thread = threading.Thread(target=engine.fit, kwargs={"skip_cv_checks": True})
    thread.start()
    assert gate.begun.wait(60)
    yield engine
    gate.may_go_on.set()
    thread.join(60)
    assert len(restored(tmp_path / "shac").dataset) == 18


@pytest.mark.parametrize(
    "use",
    [
        lambda engine: engine.fit(),
        lambda engine: engine.fit_dataset("samples.csv"),
        lambda engine: engine.ask(),
        lambda engine: engine.tell({"x": 1.0, "kind": "1", "w": [0.0, 0.0]}, 1.0),
        lambda engine: engine.restore_data(),
        lambda engine: engine.set_seed(1),
        lambda engine: setattr(engine, "save_dir", "elsewhere"),
        lambda engine: engine.as_deterministic(1).__enter__(),
    ],
    ids=["fit", "fit_dataset", "ask", "tell", "restore_data", "set_seed", "save_dir", "seeded"],
)
def test_an_engine_that_fits_in_a_thread_refuses_what_would_disturb_it(running, use):
    with pytest.raises(RuntimeError, match=REFUSED):
        use(running)


def test_an_engine_that_fits_in_a_thread_still_saves_draws_and_shows(running):
    running.save_data()
    assert len(running.predict(num_samples=3)) == 3
    assert "0 of 18" in repr(running)
    assert take_snapshot(running).num_pending == 6


@pytest.mark.parametrize("method", ["fit", "ask", "restore_data"])
def test_a_callback_cannot_begin_anew_and_the_run_goes_on(tmp_path, method):
    engine, whole = make_engine(tmp_path / "a"), make_engine(tmp_path / "b")
    callback = CallsBack(lambda engine: getattr(engine, method)())
    engine.fit(skip_cv_checks=True, callbacks=callback)
    assert "stop()" in str(callback.error)
    whole.fit(skip_cv_checks=True)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_callback_may_draw_with_another_seed(tmp_path):
    def draw(engine):
        with engine.as_deterministic(1):
            engine.predict(num_samples=1)

    engine, whole = make_engine(tmp_path / "a"), make_engine(tmp_path / "b")
    callback = CallsBack(draw)
    engine.fit(skip_cv_checks=True, callbacks=callback)
    assert callback.error is None
    whole.fit(skip_cv_checks=True)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_fit_that_waits_for_restore_data_goes_on_with_what_that_restores(tmp_path):
    saved = make_engine(tmp_path)
    sample = saved.ask(1)[0]
    saved.tell(sample, evaluate(0, sample))
    engine = make_engine(tmp_path)
    fit = threading.Thread(target=engine.fit, kwargs={"skip_cv_checks": True})
    # As inside a step of this thread.
    with engine._turns.lock:
        fit.start()
        engine.restore_data()
    fit.join(60)
    assert samples_of(engine)[0] == samples_of(saved)[0]
    assert len(restored(tmp_path).dataset) == 18


def test_an_engine_fits_again_after_a_fit_that_failed(tmp_path):
    def fails(worker_id, parameters):
        raise ValueError("no")

    engine = make_engine(tmp_path)
    with pytest.raises(RuntimeError, match="no"):
        engine.fit(fails)
    engine.fit(skip_cv_checks=True)
    assert len(engine.dataset) == 18


def test_threads_may_ask_and_tell_at_once(tmp_path):
    """Which sample a thread gets is open; the run is that of one thread."""
    engine, whole = make_engine(tmp_path / "a"), make_engine(tmp_path / "b")
    while samples := engine.ask():
        with ThreadPoolExecutor(8) as threads:
            done = threads.map(
                lambda sample: engine.tell(sample, evaluate(0, sample), skip_cv_checks=True),
                samples,
            )
            assert list(done) == [None] * len(samples)
    whole.fit(skip_cv_checks=True)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_threads_that_ask_get_different_samples(tmp_path):
    engine = make_engine(tmp_path)
    with ThreadPoolExecutor(6) as threads:
        asked = list(threads.map(lambda _: engine.ask(1)[0], range(6)))
    assert len({sample["x"] for sample in asked}) == 6


class Watched(SHAC):
    """An engine whose samples arrive out of order while somebody looks, as fast as they can."""

    def spend_while(self, look, times):
        """Spends the budget in another thread, again and again until there were enough looks."""
        has_looked = threading.Semaphore(0)

        def spend():
            while samples := self.ask():
                for number, sample in enumerate(reversed(samples)):
                    self.tell(sample, sample["x"], skip_cv_checks=True)
                    # Half of the samples arrive during a look, as far as there are looks.
                    if number % 2:
                        has_looked.acquire(timeout=60)

        thread = threading.Thread(target=spend)
        thread.start()
        for _ in range(times):
            look()
            has_looked.release()
        has_looked.release(self.total_budget)
        thread.join(300)
        assert not thread.is_alive()
        assert len(self.dataset) == self.total_budget


def make_watched(save_dir):
    space = [UniformHP("x", 0.0, 1.0), UniformHP("y", 0.0, 1.0)]
    return Watched(space, 240, 3, save_dir=save_dir, method="paper")


def test_who_reads_the_dataset_sees_one_moment(tmp_path):
    engine = make_watched(tmp_path)

    def look():
        values, scores = engine.dataset.get_dataset()
        assert [row[0] for row in values] == list(scores)
        present = engine.dataset.copy()
        assert [row[0] for row in present.X] == present.Y
        assert len(present.ids) == len(present.Y) == len(present.encoded)
        snapshot = take_snapshot(engine)
        assert len(snapshot.stages) == len(snapshot.dataset)
        repr(engine), repr(engine.dataset)

    engine.spend_while(look, 100)


@pytest.mark.slow
def test_plots_of_an_engine_that_runs(tmp_path):
    pytest.importorskip("matplotlib").use("agg")
    from matplotlib import pyplot

    import pyshac.plots.parameter_plots as parameter_plots
    import pyshac.plots.score_plots as score_plots

    engine = make_watched(tmp_path)
    first = engine.ask(10)
    engine.tell(first, [sample["x"] for sample in first])

    def look():
        for plot in (score_plots.plot_best_so_far, parameter_plots.plot_slices):
            plot(engine)
            pyplot.close("all")

    engine.spend_while(look, 20)
