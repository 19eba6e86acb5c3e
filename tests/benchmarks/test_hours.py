"""Searches on a simulated clock: when what happens, what counts, what is kept and reported."""

import numpy as np
import pytest
from hours_runs import ours, problems, runs
from hours_runs.clock import Asked, Engine, Incumbent, Outcome, Server, Simulation
from hours_runs.problems import EPOCHS, Curve, Problem, Reference

from pyshac import HyperParameterList, UniformHP

# Seconds of an epoch.
EPOCH = 10.0


class FakeProblem:
    """A training's score after an epoch is what the sample says, less one for each epoch."""

    space = HyperParameterList([UniformHP("x", 0, 1)])

    def curve(self, row):
        epochs = np.arange(1, EPOCHS + 1)
        return Curve(100 + row[0] - epochs, EPOCH * epochs)


class Timer:
    """Stands still but when it is told."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class FakeEngine(Engine):
    """Asks for 0, 1, 2 and so on, in no more than `room` open ones; each call takes a second.

    Args:
        timer: The timer that it advances.
        epochs: How many it asks for.
        last: After which epoch it stops an evaluation, if it decides.
        room: How many it asks for before it is told of one.
    """

    def __init__(self, timer, epochs=EPOCHS, last=None, room=100):
        self.timer, self.epochs, self.last, self.room = timer, epochs, last, room
        self.decides = last is not None
        self.asked, self.told = 0, []

    def ask(self):
        self.timer.now += 1
        if self.asked - len(self.told) >= self.room:
            return None
        self.asked += 1
        return Asked(np.array([self.asked - 1.0]), self.asked - 1, self.epochs)

    def goes_on(self, asked, epoch, score):
        self.timer.now += 1
        return epoch < self.last

    def tell(self, asked, epoch, score):
        self.timer.now += 1
        self.told.append((asked.handle, epoch, score))


def simulate(num_slots, horizon, **options):
    timer = Timer()
    engine = FakeEngine(timer, **options)
    simulation = Simulation(engine, FakeProblem(), num_slots, horizon, Server(timer))
    return engine, simulation.run()


def test_slots_wait_for_an_engine_that_answers_one_after_the_other():
    # Asked for until 1 and 2, they end at 521 and 522. The engine is told of the first until 522,
    # is asked until 523, is told of the second until 524, and is asked until 525.
    engine, outcome = simulate(2, 1000.0)
    assert engine.told == [(0, 52, 48.0), (1, 52, 49.0)]
    assert outcome.trace == ((0.521, 48.0),)
    assert (outcome.started, outcome.complete, outcome.seconds) == (4, 2, 6.0)
    assert outcome.busy == pytest.approx((520 + 520 + (1000 - 523) + (1000 - 525)) / 2000)


def test_an_engine_that_decides_is_asked_after_each_epoch():
    # It answers until 1 and 12; what it answers at 23 stops what ended at 22.
    engine, outcome = simulate(1, 24.5, last=2)
    assert engine.told == [(0, 2, 98.0)]
    assert outcome.trace == ((22 / 24.5, 48.0),)
    # Asked for the second until 25, it answers too late.
    assert (outcome.started, outcome.complete, outcome.seconds) == (2, 0, 5.0)
    assert outcome.busy == pytest.approx(20 / 24.5)


def test_one_that_decides_to_go_on_trains_all_epochs():
    engine, outcome = simulate(1, 1 + 52 * EPOCH + 51, last=EPOCHS)
    assert engine.told == [(0, 52, 48.0)]
    assert outcome.trace == ((1.0, 48.0),)
    assert outcome.complete == 1


def test_fewer_epochs_take_their_own_time():
    engine, outcome = simulate(1, 100.0, epochs=3)
    assert engine.told[:2] == [(0, 3, 97.0), (1, 3, 98.0)]
    assert outcome.trace == ((0.31, 48.0),)


def test_slots_idle_until_a_score_is_told():
    engine, outcome = simulate(3, 600.0, room=1)
    assert engine.told == [(0, 52, 48.0)]
    assert outcome.started == 2
    assert outcome.busy == pytest.approx((520 + 600 - 524) / 1800, abs=2e-3)


def test_an_engine_that_asks_for_nothing_is_an_error():
    with pytest.raises(RuntimeError, match="must ask for something"):
        simulate(2, 100.0, room=0)


def test_what_ends_after_the_horizon_has_not_happened():
    assert simulate(2, 520.0)[1].trace == ()


def test_the_incumbent_is_the_best_of_those_with_the_most_epochs():
    def curve(final, **scores):
        values = np.full(EPOCHS, final)
        for epoch, score in scores.items():
            values[int(epoch[1:]) - 1] = score
        return Curve(values, np.arange(EPOCHS))

    incumbent = Incumbent()
    incumbent.add(0.1, 3, curve(5.0, e3=1.0))
    incumbent.add(0.2, 3, curve(1.0, e3=2.0))
    incumbent.add(0.3, 9, curve(7.0, e9=9.0))
    incumbent.add(0.4, 3, curve(0.5, e3=0.0))
    incumbent.add(0.5, 9, curve(6.0, e9=8.0))
    assert incumbent.trace == [(0.1, 5.0), (0.3, 7.0), (0.5, 6.0)]


def test_time_does_not_fall_along_a_curve(monkeypatch):
    class Surrogate:
        def parameters(self):
            return ()

        def outputs(self, name, columns):
            assert columns["epoch"].tolist() == list(range(1, EPOCHS + 1))
            seconds = np.arange(EPOCHS) % 10
            return np.stack([seconds, 0 * seconds, -seconds], axis=1)

    monkeypatch.setattr(problems.yahpo, "surrogate_of", lambda suite: Surrogate())
    found = Problem("3945").curve(np.empty(0))
    assert found.seconds[:12].tolist() == [*range(10), 9, 9]
    assert found.scores[:3].tolist() == [0, -1, -2]


def test_every_data_set_has_a_reference():
    assert len(problems.names("even")) == len(problems.names("odd")) == 17
    assert not set(problems.names("even")) & set(problems.names("odd"))
    assert all(one.best < one.median for one in problems.references().values())
    assert Reference(0.0, 1.0, 8.0).horizon == 100.0


@pytest.mark.parametrize("name", ["random", "PySHAC batch"])
def test_a_run_depends_on_its_seed(name):
    def trace(seed):
        # Without the time that the engine took.
        found = runs.make(runs.Run("a", 4, name, seed), FakeProblem(), 2500.0)
        return [score for _, score in found.outcome.trace]

    assert trace(1) == trace(1) != trace(2)


def test_a_batch_is_open_until_its_scores_are_told():
    engine = ours.PySHAC(FakeProblem.space, 2, 0, pace="batch", pruning=None)
    asked = [engine.ask(), engine.ask()]
    assert engine.ask() is None
    for one in asked:
        assert engine.begin(one, np.arange(52.0)) == EPOCHS
        engine.tell(one, EPOCHS, 51.0)
    assert engine.ask() is not None
    engine.close()


def result(contender, instance, *trace, slots=8, seed=0):
    return runs.Result(runs.Run(instance, slots, contender, seed), Outcome(1.5, 0.75, 9, 8, trace))


def test_results_are_read_as_they_were_kept(tmp_path):
    path = tmp_path / "folder" / "results.csv"
    kept = [
        result("PySHAC stream", "3945", (0.25, 0.123456789), (1.0, 1e-12)),
        result("random", "7593", slots=64, seed=7),
    ]
    for one in kept:
        runs.append(path, one)
    assert runs.read(path) == kept
    assert runs.read(tmp_path / "none.csv") == []
    assert [kept[0].score(share) for share in (0.2, 0.25, 0.9)] == [
        np.inf,
        0.123456789,
        0.123456789,
    ]


def test_runs_that_a_file_has_are_not_made_again(tmp_path, capsys):
    path = tmp_path / "results.csv"
    one = result("random", "3945", (0.5, 1.0))
    runs.append(path, one)
    runs.make_all([one.run], path, 1)
    assert runs.read(path) == [one]
    assert not capsys.readouterr().out


@pytest.fixture
def report(monkeypatch):
    report = pytest.importorskip("hours_runs.report", reason="needs matplotlib")
    found = {name: Reference(0.0, 10.0, 1.0) for name in "123456"}
    monkeypatch.setattr(report, "references", lambda: found)
    return report


def test_a_report_compares_contenders_at_each_time(report):
    results = [
        one
        for name in "123456"
        for one in (
            result(report.OURS, name, (0.2, 8.0), (0.4, 4.0), (0.9, 2.0)),
            result(report.PLAIN, name, (0.2, 6.0), (0.6, 4.0)),
            result("random", name, (0.3, 4.0)),
        )
    ]
    # Nobody else has this seed, and no other run is as good.
    results.append(result("random", "6", (0.5, -10.0), seed=1))
    (table,) = report.tables(results, [report.OURS, report.PLAIN, "random"])
    assert len(table.pairs) == 6
    assert table.regrets(report.OURS, 0.25)[:5] == pytest.approx(0.8)
    assert table.regrets("random", 0.25).tolist() == [1.0] * 6
    assert table.regrets("random", 1.0) == pytest.approx([0.4] * 5 + [0.7])
    assert table.ranks(0.25)[0].tolist() == [2, 1, 3]
    assert table.ranks(0.5)[0].tolist() == [1.5, 3, 1.5]
    assert table.time_to_reach(report.OURS, report.PLAIN).tolist() == [0.4] * 6
    assert table.time_to_reach(report.PLAIN, report.OURS).tolist() == [np.inf] * 6
    assert any(
        line.startswith(f"| {report.OURS} | 2.00, 2.00 to 2.00 |") for line in report.lines(table)
    )
    *_, row, _ = report.versus([table], lambda name: name == "random")
    assert row == "| random | 8 | 6:0, 0.047 | 0:0, 1 | 6:0, 0.047 |"
    assert "after 40.0% of the time" in next(report.speed(table))


def test_a_report_of_nothing_says_what_to_do(report):
    with pytest.raises(ValueError, match="the same data sets, slots and seeds"):
        report.write([], ["random"], None)
