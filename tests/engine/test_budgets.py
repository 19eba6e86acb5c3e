"""Budgets: any number of evaluations, more of them later, and a limit of time."""

from __future__ import annotations

import time

import pytest

from pyshac import SHAC, UniformHP
from tests.engine.engine_helpers import (
    InterruptedAt,
    InterruptionError,
    contents,
    evaluate,
    make_engine,
    make_space,
    restored,
    samples_of,
)


class TestBatchSize:
    @pytest.mark.parametrize(
        ("budget", "size", "sizes"),
        [
            (40, 16, [16, 16, 8]),
            (48, 16, [16, 16, 16]),
            (5, 16, [5]),
            (17, 4, [4, 4, 4, 4, 1]),
            (3, 1, [1, 1, 1]),
        ],
    )
    def test_the_last_batch_may_be_shorter(self, tmp_path, budget, size, sizes):
        engine = make_engine(
            tmp_path, total_budget=budget, num_batches=None, batch_size=size, max_classifiers=3
        )
        assert (engine.num_workers, engine.num_batches) == (size, len(sizes))
        history = engine.fit(verbose=0)
        assert [len(batch) for batch in history.history["evaluations"]] == sizes
        assert history.epochs == [*range(1, len(sizes) + 1)]
        again = restored(tmp_path, total_budget=budget, num_batches=1, max_classifiers=3)
        assert len(again.dataset) == budget

    def test_it_is_the_same_run_as_with_a_number_of_batches(self, tmp_path):
        make_engine(tmp_path / "size", num_batches=None, batch_size=6).fit(verbose=0)
        make_engine(tmp_path / "number", num_batches=3).fit(verbose=0)
        assert contents(tmp_path / "size") == contents(tmp_path / "number")

    @pytest.mark.parametrize("call", [15, 16, 18, 19])
    def test_interrupted_in_the_last_batch(self, tmp_path, call):
        def engine_in(folder, function=evaluate):
            return make_engine(
                tmp_path / folder, function, num_batches=None, batch_size=5, total_budget=18,
                resume=True,
            )  # fmt: skip

        engine_in("whole").fit(verbose=0)
        if call <= 18:
            with pytest.raises(InterruptionError):
                engine_in("parts", InterruptedAt(call)).fit(verbose=0)
        engine_in("parts").fit(verbose=0)
        assert contents(tmp_path / "parts") == contents(tmp_path / "whole")

    def test_ask_and_tell(self, tmp_path):
        engine = make_engine(tmp_path, total_budget=7, num_batches=None, batch_size=4)
        samples = engine.ask()
        assert len(samples) == 4
        engine.tell(samples, [1.0, 2.0, 3.0, 4.0])
        samples = engine.ask()
        assert len(samples) == 3
        engine.tell(samples, [1.0, 2.0, 3.0])
        assert engine.ask() == []

    def test_fit_dataset(self, tmp_path):
        source = tmp_path / "samples.csv"
        rows = "".join(f'{n},{n / 10},"""1""",0.5,0.5,{n}\n' for n in range(18))
        source.write_text("id,x,kind,w_1,w_2,scores\n" + rows)
        engine = make_engine(tmp_path / "shac", num_batches=None, batch_size=7)
        history = engine.fit_dataset(source, skip_cv_checks=True, verbose=0)
        assert [len(batch) for batch in history.history["evaluations"]] == [7, 7, 4]
        assert len(engine.classifiers) == 2

    def test_a_budget_that_does_not_divide_proposes_what_does(self, tmp_path):
        with pytest.raises(ValueError, match="must be divisible by num_batches") as info:
            SHAC(evaluate, make_space(), total_budget=100, num_batches=30, save_dir=tmp_path)
        assert "total_budget=90 or 120" in str(info.value)
        assert "batch_size=4 instead of num_batches" in str(info.value)
        with pytest.raises(ValueError, match="total_budget=10, or batch_size=1"):
            SHAC(evaluate, make_space(), total_budget=7, num_batches=10, save_dir=tmp_path)

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({}, TypeError, "num_batches must be an int of at least 1, or batch_size"),
            ({"num_batches": 2, "batch_size": 5}, TypeError, "must not be given both"),
            ({"batch_size": 0}, ValueError, "batch_size must be an int of at least 1"),
            ({"batch_size": 2.5}, TypeError, "batch_size must be an int of at least 1"),
            ({"batch_size": "4"}, TypeError, "batch_size must be an int of at least 1"),
        ],
    )
    def test_misuse(self, tmp_path, arguments, error, message):
        with pytest.raises(error, match=message):
            SHAC(evaluate, make_space(), total_budget=10, save_dir=tmp_path, **arguments)


class TestMoreBudget:
    def test_of_a_run_that_ended(self, tmp_path):
        engine = make_engine(tmp_path, total_budget=20, num_batches=None, batch_size=8)
        engine.fit(verbose=0)
        first = samples_of(engine)
        engine.total_budget = 30
        assert engine.num_batches == 4
        history = engine.fit(verbose=0)
        assert history.epochs == [4, 5]
        assert [len(batch) for batch in history.history["evaluations"]] == [8, 2]
        assert samples_of(engine)[:20] == first
        assert len(SHAC.load(tmp_path).dataset) == 30

    def test_of_a_run_that_goes_on(self, tmp_path):
        engine = make_engine(tmp_path, InterruptedAt(8))
        with pytest.raises(InterruptionError):
            engine.fit(verbose=0)
        engine.total_budget = 25
        assert SHAC.load(tmp_path).total_budget == 25
        engine.fit(evaluate, verbose=0)
        assert len(engine.dataset) == 25

    def test_before_anything_was_evaluated(self, tmp_path):
        engine = make_engine(tmp_path)
        engine.total_budget = 9
        assert not (tmp_path / "state.json").exists()
        engine.fit(verbose=0)
        assert len(engine.dataset) == 9

    def test_by_an_engine_that_restores(self, tmp_path):
        make_engine(tmp_path).fit(verbose=0)
        engine = make_engine(tmp_path, total_budget=30, num_batches=5, resume=True)
        engine.fit(verbose=0)
        assert len(engine.dataset) == 30

    def test_a_smaller_one_that_still_fits_ends_the_run_sooner(self, tmp_path):
        engine = make_engine(tmp_path, InterruptedAt(8))
        with pytest.raises(InterruptionError):
            engine.fit(verbose=0)
        engine.total_budget = 9
        engine.fit(evaluate, verbose=0)
        assert len(engine.dataset) == 9
        assert engine.ask() == []

    def test_it_is_the_same_run_after_an_interruption(self, tmp_path):
        for folder, calls in (("whole", []), ("parts", [3, 20, 1, 7])):
            engine = make_engine(tmp_path / folder, total_budget=18)
            for budget in (18, 40):
                engine.total_budget = budget
                while True:
                    call = calls.pop(0) if calls else 99
                    try:
                        engine.fit(InterruptedAt(call), verbose=0)
                        break
                    except InterruptionError:
                        engine = SHAC.load(tmp_path / folder, max_classifiers=18)
                        engine.set_num_parallel_evaluators(1)
                        engine.concurrent_evaluators()
        assert contents(tmp_path / "parts") == contents(tmp_path / "whole")

    def test_ask_hands_out_nothing_beyond_a_smaller_one(self, tmp_path):
        engine = make_engine(tmp_path, total_budget=24, num_batches=3)
        samples = engine.ask(4)
        engine.total_budget = 2
        with pytest.raises(RuntimeError, match="No further sample"):
            engine.ask()
        engine.tell(samples, [1.0, 2.0, 3.0, 4.0])
        assert len(SHAC.load(tmp_path).dataset) == 4

    def test_below_what_is_evaluated(self, tmp_path):
        engine = make_engine(tmp_path)
        engine.fit(verbose=0)
        with pytest.raises(ValueError, match="at least 18, the number of evaluations") as info:
            engine.total_budget = 17
        assert "Got 17" in str(info.value)
        assert engine.total_budget == 18

    @pytest.mark.parametrize(
        ("value", "error"), [(0, ValueError), ("9", TypeError), (2.5, TypeError)]
    )
    def test_misuse(self, tmp_path, value, error):
        with pytest.raises(error, match="total_budget must be an int of at least 1"):
            make_engine(tmp_path).total_budget = value

    def test_while_fit_runs(self, tmp_path):
        errors = []

        def function(worker_id, parameters):
            try:
                engine.total_budget = 30
            except RuntimeError as error:
                errors.append(str(error))
            return 0.0

        engine = make_engine(tmp_path, function, total_budget=2, num_batches=1)
        engine.fit(verbose=0)
        assert len(errors) == 2
        assert "total_budget cannot be used while fit()" in errors[0]


def slow(worker_id, parameters):
    time.sleep(0.2)
    return parameters["x"]


class TestMaxSeconds:
    @pytest.mark.parametrize(
        ("backend", "evaluators"), [("threading", 1), ("threading", 3), ("loky", 2)]
    )
    def test_running_evaluations_are_brought_in(self, tmp_path, backend, evaluators):
        engine = make_engine(
            tmp_path, slow, [UniformHP("x", 0, 1)], 60, 3, backend=backend, evaluators=evaluators
        )
        engine.fit(verbose=0, max_seconds=0.5)
        number = len(engine.dataset)
        assert number < 20
        assert [row[0] for row in engine.dataset.X] == engine.dataset.Y
        engine.fit(lambda worker_id, parameters: parameters["x"], verbose=0)
        assert len(engine.dataset) == 60

    def test_it_is_the_same_run(self, tmp_path):
        make_engine(tmp_path / "whole").fit(verbose=0)
        engine = make_engine(tmp_path / "parts")
        while len(engine.dataset) < 18:
            engine.fit(verbose=0, max_seconds=0.01)
        engine.fit(verbose=0)
        assert contents(tmp_path / "parts") == contents(tmp_path / "whole")

    def test_a_time_that_is_long_enough(self, tmp_path):
        engine = make_engine(tmp_path)
        assert engine.fit(verbose=0, max_seconds=600).epochs == [1, 2, 3]

    @pytest.mark.parametrize(
        ("value", "error"),
        [(0, ValueError), (-1, ValueError), (float("nan"), ValueError), (float("inf"), ValueError),
         ("8h", TypeError), (True, TypeError)],
    )  # fmt: skip
    def test_misuse(self, tmp_path, value, error):
        with pytest.raises(error, match="max_seconds must be"):
            make_engine(tmp_path).fit(verbose=0, max_seconds=value)
        assert not tmp_path.joinpath("state.json").exists()
