"""Samples that the user gives: to be evaluated next, or with scores from elsewhere."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from pyshac import SHAC, DirectoryInUseError, DiscreteHP, IntegerHP, MultiUniformHP, UniformHP
from pyshac.core.basics import plain_values
from tests.engine.engine_helpers import (
    FIXTURES,
    InterruptedAt,
    InterruptionError,
    contents,
    evaluate,
    make_engine,
    restored,
    samples_of,
)

GOOD = {"x": 1.0, "kind": "1", "w": [0.0, 0.25]}
OTHER = {"x": -2.0, "kind": None, "w": [0.5, 0.5]}


class TestEnqueue:
    @pytest.mark.parametrize("method", ["default", "paper"])
    def test_evaluated_first_in_the_next_batch_within_the_budget(self, tmp_path, method):
        engine = make_engine(tmp_path, method=method)
        assert engine.enqueue([GOOD, OTHER]) == 2
        history = engine.fit(verbose=0)
        assert engine.dataset.X[0] == [1.0, "1", 0.0, 0.25]
        assert engine.dataset.X[1] == [-2.0, None, 0.5, 0.5]
        assert [len(batch) for batch in history.history["evaluations"]] == [6, 6, 6]

    def test_what_is_missing_is_drawn(self, tmp_path):
        engine = make_engine(tmp_path, total_budget=300, num_batches=3)
        engine.enqueue([{"x": 0.5}] * 100)
        samples = engine.ask()
        assert {sample["x"] for sample in samples} == {0.5}
        values = np.array([sample["w"] for sample in samples])
        # Uniform draws: the mean of 200 is within 0.1 of 1/2 but in one of a million cases.
        assert abs(values.mean() - 0.5) < 0.1
        assert len({repr(sample["kind"]) for sample in samples}) == 5

    def test_more_than_a_batch(self, tmp_path):
        engine = make_engine(tmp_path)
        engine.enqueue([{"x": number / 10} for number in range(8)])
        engine.fit(verbose=0)
        assert [row[0] for row in engine.dataset.X[:8]] == [number / 10 for number in range(8)]
        assert engine.dataset.X[8][0] not in {number / 10 for number in range(8)}

    def test_in_the_middle_of_a_run(self, tmp_path):
        engine = make_engine(tmp_path)
        samples = engine.ask()
        engine.enqueue(GOOD)
        engine.tell(samples, [evaluate(0, sample) for sample in samples])
        assert dict(engine.ask()[0]) == GOOD

    def test_no_ranking_is_credited_for_them(self, tmp_path):
        engine = make_engine(tmp_path, total_budget=40, num_batches=4)
        engine.fit(InterruptedAt(99), verbose=0, max_seconds=600)
        engine.total_budget = 50
        engine.enqueue([{"x": 1.0}] * 10)
        before = engine._run.search.shares
        engine.fit(evaluate, verbose=0)
        assert engine._run.search.shares == before

    @pytest.mark.parametrize("call", [1, 3, 8])
    def test_an_interrupted_script_enqueues_nothing_twice(self, tmp_path, call):
        def script(folder, function=evaluate):
            engine = make_engine(tmp_path / folder, function, resume=True)
            engine.enqueue([GOOD, OTHER, GOOD])
            engine.enqueue({"x": 0.5})
            engine.fit(verbose=0)

        script("whole")
        with pytest.raises(InterruptionError):
            script("parts", InterruptedAt(call))
        script("parts")
        assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
        rows = restored(tmp_path / "parts").dataset.X
        assert rows[0] == rows[2] == [1.0, "1", 0.0, 0.25]
        assert [row[0] for row in rows].count(0.5) == 1

    def test_saved_at_once_if_the_directory_is_the_runs(self, tmp_path):
        make_engine(tmp_path).save_data()
        engine = make_engine(tmp_path, resume=True)
        engine.enqueue(GOOD)
        assert restored(tmp_path).ask()[0]["x"] == 1.0

    def test_numpy_values(self, tmp_path):
        space = [IntegerHP("n", 1, 9), MultiUniformHP("w", 0, 1, sample_count=2)]
        engine = make_engine(tmp_path, parameters=space)
        engine.enqueue({"n": np.int64(4), "w": np.array([0.25, 0.5])})
        sample = engine.ask()[0]
        assert dict(sample) == {"n": 4, "w": [0.25, 0.5]}
        assert type(sample["n"]) is int

    @pytest.mark.parametrize(
        ("given", "error", "message"),
        [
            ({"y": 1.0}, ValueError, r"no parameters \['y'\]"),
            ({"x": 9.0}, ValueError, "'x' must be"),
            ({"x": "one"}, TypeError, "'x'"),
            ([GOOD, {"x": 9.0}], ValueError, "'x' must be"),
            ([1.0], TypeError, "parameters must be"),
            (None, TypeError, "parameters must be"),
        ],
    )
    def test_misuse(self, tmp_path, given, error, message):
        engine = make_engine(tmp_path)
        with pytest.raises(error, match=message):
            engine.enqueue(given)
        engine.fit(verbose=0)
        assert engine.dataset.X[0] != [1.0, "1", 0.0, 0.25]

    def test_no_room_in_the_budget(self, tmp_path):
        engine = make_engine(tmp_path)
        engine.fit(verbose=0)
        with pytest.raises(RuntimeError, match=r"room for 0 more.*total_budget"):
            engine.enqueue(GOOD)
        engine.total_budget = 19
        assert engine.enqueue(GOOD) == 1
        engine.fit(verbose=0)
        assert engine.dataset.X[18] == [1.0, "1", 0.0, 0.25]

    def test_without_parameters(self, tmp_path):
        with pytest.raises(RuntimeError, match="no hyperparameters"):
            make_engine(tmp_path, parameters=None).enqueue(GOOD)

    def test_a_finite_space_that_is_exhausted(self, tmp_path):
        engine = make_engine(tmp_path, lambda w, p: p["n"], [IntegerHP("n", 1, 4)], 12, 3)
        engine.fit(verbose=0)
        assert len(engine.dataset) == 4
        engine.enqueue({"n": 2})
        engine.fit(verbose=0)
        assert [row[0] for row in engine.dataset.X][4:] == [2]


def near(worker_id, parameters):
    return (parameters["x"] - 0.7) ** 2 + (parameters["y"] - 0.2) ** 2


PLANE = [UniformHP("x", 0, 1), UniformHP("y", 0, 1)]


def grid(number):
    axis = np.linspace(0.05, 0.95, number).tolist()
    return [{"x": x, "y": y} for x in axis for y in axis]


class TestAdd:
    def test_not_counted(self, tmp_path):
        engine = make_engine(tmp_path)
        assert engine.add([GOOD, OTHER], [-5.0, math.nan]) == 2
        engine.fit(verbose=0)
        assert len(engine.dataset) == 18
        assert engine.best_score > -5.0
        assert (tmp_path / "datasets" / "added.csv").read_text().splitlines() == [
            "id,x,kind,w_1,w_2,scores", '0,1.0,"""1""",0.0,0.25,-5.0', "1,-2.0,null,0.5,0.5,",
        ]  # fmt: skip

    def test_learned_from(self, tmp_path):
        bests = {}
        for number in (0, 5):
            scores = []
            for seed in range(8):
                engine = make_engine(tmp_path / f"{number}-{seed}", near, PLANE, 6, 1, seed=seed)
                known = grid(number)
                engine.add(known, [near(0, each) for each in known])
                engine.fit(verbose=0)
                scores.append(engine.best_score)
            bests[number] = np.median(scores)
        # With 25 known points, six evaluations are not spent on draws from the prior.
        assert bests[5] < bests[0] / 5

    def test_classifiers_learn_from_them(self, tmp_path):
        engine = make_engine(tmp_path, near, PLANE, 20, 2)
        known = grid(6)
        engine.add(known, [near(0, each) for each in known])
        samples = engine.ask()
        # Without them, one score for all would make no classifier.
        engine.tell(samples, [0.5] * len(samples))
        assert len(engine.classifiers) == 1

    def test_they_are_not_evaluated_again_in_a_finite_space(self, tmp_path):
        engine = make_engine(tmp_path, lambda w, p: p["n"], [IntegerHP("n", 1, 6)], 12, 6)
        engine.add([{"n": 2}, {"n": 5}], [2.0, 5.0])
        engine.fit(verbose=0)
        assert sorted(row[0] for row in engine.dataset.X) == [1, 3, 4, 6]

    @pytest.mark.parametrize("method", ["default", "paper"])
    @pytest.mark.parametrize("call", [1, 7, 13])
    def test_an_interrupted_script_adds_nothing_twice(self, tmp_path, call, method):
        known = grid(4)

        def script(folder, function=near):
            engine = make_engine(tmp_path / folder, function, PLANE, resume=True, method=method)
            engine.add(known, [near(0, each) for each in known])
            engine.add(known[0], near(0, known[0]))
            engine.fit(verbose=0)

        script("whole")
        with pytest.raises(InterruptionError):
            script("parts", InterruptedAt(call, near))
        script("parts")
        assert contents(tmp_path / "parts") == contents(tmp_path / "whole")

    def test_between_batches(self, tmp_path):
        for folder in ("at once", "in two processes"):
            engine = make_engine(tmp_path / folder, near, PLANE)
            samples = engine.ask()
            engine.tell(samples, [near(0, each) for each in samples])
            engine.add({"x": 0.7, "y": 0.2}, 0.0)
            if folder != "at once":
                engine = make_engine(tmp_path / folder, near, PLANE, resume=True, seed=None)
            engine.fit(verbose=0)
        assert contents(tmp_path / "at once") == contents(tmp_path / "in two processes")

    def test_a_classifier_of_the_users_is_trained_again_with_them(self, tmp_path):
        from sklearn.tree import DecisionTreeClassifier

        def engine_of(**kwargs):
            classifier = DecisionTreeClassifier(max_depth=2)
            return make_engine(tmp_path, near, PLANE, 40, 4, classifier=classifier, **kwargs)

        engine = engine_of()
        known = grid(4)
        engine.add(known, [near(0, each) for each in known])
        engine.fit(verbose=0, skip_cv_checks=True)
        again = engine_of(resume=True, seed=None)
        assert len(again.classifiers) == len(engine.classifiers) > 0
        assert again.predict(num_samples=5) == engine.predict(num_samples=5)

    @pytest.mark.parametrize(
        ("parameters", "scores", "error", "message"),
        [
            ({**GOOD, "x": 9.0}, 1.0, ValueError, "'x' must be"),
            ({"x": 1.0}, 1.0, ValueError, "must have the names"),
            ({**GOOD, "y": 1.0}, 1.0, ValueError, "must have the names"),
            ([GOOD, {**GOOD, "kind": "2"}], [1.0, 2.0], ValueError, "'kind'"),
            ([GOOD], [1.0, 2.0], ValueError, "scores must be as many"),
            (GOOD, "best", TypeError, "must be a number"),
            (None, 1.0, TypeError, "parameters must be a mapping from names to values"),
            ([5], [1.0], TypeError, "parameters must be a mapping"),
            ("ab", [1.0, 2.0], TypeError, "parameters must be a mapping"),
        ],
    )
    def test_misuse(self, tmp_path, parameters, scores, error, message):
        engine = make_engine(tmp_path)
        with pytest.raises(error, match=message):
            engine.add(parameters, scores)
        engine.save_data()
        assert not (tmp_path / "datasets" / "added.csv").exists()


class TestUndone:
    """What cannot be done as a whole is not done at all, and can be tried again."""

    @pytest.fixture
    def engine(self, tmp_path):
        engine = make_engine(tmp_path)
        engine.fit(InterruptedAt(99), verbose=0)
        engine.total_budget = 30
        return engine

    @pytest.fixture
    def failing(self, monkeypatch):
        def fail(path, data):
            raise OSError(28, "No space left on device", str(path))

        context = monkeypatch.context()
        with context as patched:
            patched.setattr("pyshac.core.basics.files.write_atomically", fail)
            yield patched

    def test_a_disk_that_fails(self, engine, failing):
        for call in (
            lambda: engine.enqueue(GOOD),
            lambda: engine.add(OTHER, 1.0),
            lambda: setattr(engine, "total_budget", 40),
        ):
            with pytest.raises(OSError, match="No space left"):
                call()
        failing.undo()
        assert engine.total_budget == 30
        assert engine.enqueue(GOOD) == engine.add(OTHER, 1.0) == 1
        engine.total_budget = 40
        loaded = SHAC.load(engine.save_dir)
        assert loaded.total_budget == 40
        assert len(loaded._run.search.added) == len(loaded._run.search.queue.samples) == 1

    def test_a_directory_that_another_engine_has_written_to(self, engine):
        other = make_engine(engine.save_dir, total_budget=30, num_batches=5, resume=True)
        other.fit(verbose=0)
        with pytest.raises(DirectoryInUseError):
            engine.enqueue(GOOD)
        assert engine._run.search.queue.samples == []

    def test_a_budget_without_room(self, tmp_path):
        first = make_engine(tmp_path, total_budget=8, num_batches=1)
        first.enqueue({"x": 0.25})
        first.fit(verbose=0)
        engine = make_engine(tmp_path, total_budget=8, num_batches=1, resume=True, seed=None)
        with pytest.raises(RuntimeError, match="room for 0 more"):
            engine.enqueue([{"x": 0.25}, {"x": 0.75}])
        engine.total_budget = 16
        assert engine.enqueue([{"x": 0.25}, {"x": 0.75}]) == 1


def test_many_of_them_take_time_in_proportion(tmp_path):
    engine = make_engine(tmp_path, total_budget=5000, num_batches=5)
    calls = Counter()
    identity = plain_values.identity

    def counted(value):
        calls["identity"] += 1
        return identity(value)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plain_values, "identity", counted)
        for number in range(20):
            engine.enqueue([{"x": number / 10 + each / 100 - 2} for each in range(5)])
            engine.add({**GOOD, "x": number / 10}, 1.0)
    # Each value of a sample a few times, whatever is there already.
    assert calls["identity"] < 100 * 20


class TestStartFrom:
    @pytest.fixture
    def old(self, tmp_path):
        make_engine(tmp_path / "old", near, PLANE, 40, 4).fit(verbose=0)
        return tmp_path / "old"

    def test_other_ranges(self, old, tmp_path, caplog):
        space = [UniformHP("x", 0.5, 2.0), UniformHP("y", 0, 1)]
        engine = make_engine(tmp_path / "new", near, space, 20, 2, start_from=old)
        inside = [
            row for row in restored(old, total_budget=40, num_batches=4).dataset.X if row[0] >= 0.5
        ]
        assert 0 < len(inside) < 40
        assert f"{len(inside)} of 40 evaluations lie in the search space" in caplog.text
        engine.fit(verbose=0)
        assert len(engine.dataset) == 20
        added = (tmp_path / "new" / "datasets" / "added.csv").read_text().splitlines()
        assert len(added) == 1 + len(inside)

    def test_it_helps(self, old, tmp_path):
        engine = make_engine(tmp_path / "new", near, PLANE, 5, 1, start_from=old, seed=11)
        engine.fit(verbose=0)
        fresh = make_engine(tmp_path / "fresh", near, PLANE, 5, 1, seed=11)
        fresh.fit(verbose=0)
        assert engine.best_score < fresh.best_score / 10

    def test_parameters_that_the_old_search_lacks(self, old, tmp_path, caplog):
        space = [*PLANE, IntegerHP("n", 1, 3)]
        make_engine(tmp_path / "new", near, space, start_from=str(old)).fit(verbose=0)
        assert "0 of 40 evaluations lie in the search space" in caplog.text
        assert "they have no 'n'" in caplog.text

    def test_the_same_script_again(self, old, tmp_path):
        for call in (3, 9):
            engine = make_engine(
                tmp_path / "new", InterruptedAt(call, near), PLANE, resume=True, start_from=old
            )
            with pytest.raises(InterruptionError):
                engine.fit(verbose=0)
        make_engine(tmp_path / "new", near, PLANE, resume=True, start_from=old).fit(verbose=0)
        make_engine(tmp_path / "whole", near, PLANE, resume=True, start_from=old).fit(verbose=0)
        assert contents(tmp_path / "new") == contents(tmp_path / "whole")

    def test_an_earlier_release(self, tmp_path):
        source = next(path.parent.parent for path in sorted(FIXTURES.rglob("dataset.csv")))
        known = SHAC.load(source)
        engine = SHAC(
            None, list(known.parameters), 8, 2, known.objective, save_dir=tmp_path / "new",
            start_from=source,
        )  # fmt: skip
        engine.save_data()
        lines = (tmp_path / "new" / "datasets" / "added.csv").read_text().splitlines()
        assert len(lines) == 1 + len(known.dataset)

    @pytest.mark.parametrize(
        ("name", "kwargs", "error", "message"),
        [
            ("missing", {}, FileNotFoundError, "holds no saved search"),
            (
                "old",
                {"objective": "max"},
                ValueError,
                "start_from must hold a search with objective '.*Pass objective='",
            ),
        ],
    )
    def test_misuse(self, old, tmp_path, name, kwargs, error, message):
        with pytest.raises(error, match=message):
            make_engine(tmp_path / "new", near, PLANE, start_from=tmp_path / name, **kwargs)

    def test_a_run_that_is_on_its_way(self, old, tmp_path):
        engine = make_engine(tmp_path / "new", InterruptedAt(9, near), PLANE, 20, 4)
        with pytest.raises(InterruptionError):
            engine.fit(verbose=0)
        engine.add({"x": 0.5, "y": 0.5}, 0.13)
        again = make_engine(tmp_path / "new", near, PLANE, 20, 4, resume=True, start_from=old)
        again.fit(verbose=0)
        assert len(SHAC.load(tmp_path / "new").dataset) == 20

    def test_the_objective_of_an_earlier_release(self, tmp_path):
        source = FIXTURES / "branin"
        space = list(SHAC.load(source).parameters)
        with pytest.raises(ValueError, match="objective 'max'.*'min'"):
            SHAC(None, space, 8, 2, save_dir=tmp_path / "new", start_from=source)

    def test_its_own_directory_by_another_path(self, old, tmp_path):
        (tmp_path / "link").symlink_to(old)
        with pytest.raises(ValueError, match="resume=True"):
            make_engine(old, near, PLANE, 40, 4, start_from=tmp_path / "link", resume=True)

    def test_its_own_directory(self, old):
        with pytest.raises(ValueError, match="resume=True"):
            make_engine(old, near, PLANE, start_from=old)

    def test_without_parameters(self, old, tmp_path):
        with pytest.raises(RuntimeError, match="no hyperparameters"):
            make_engine(tmp_path / "new", parameters=None, start_from=old)


def test_samples_of_all_kinds_in_one_directory(tmp_path):
    engine = make_engine(tmp_path, total_budget=20, num_batches=None, batch_size=8)
    engine.enqueue([GOOD, {"x": 0.5}])
    engine.add(OTHER, 3.0)
    with pytest.raises(InterruptionError):
        engine.fit(InterruptedAt(6), verbose=0)
    engine.enqueue({"x": 0.25})
    loaded = SHAC.load(tmp_path, evaluate)
    loaded.set_num_parallel_evaluators(1)
    loaded.concurrent_evaluators()
    loaded.fit(verbose=0)
    assert [row[0] for row in loaded.dataset.X][:2] == [1.0, 0.5]
    assert loaded.dataset.X[8][0] == 0.25
    assert len(samples_of(loaded)) == 20


@pytest.mark.parametrize(
    ("before", "given", "after"),
    [
        ([UniformHP("y", 0, 1)], {"y": 0.75}, []),
        (
            [DiscreteHP("k", ["a", "b"]), UniformHP("y", 0, 1)],
            {"k": "a", "y": 0.5},
            [DiscreteHP("k", ["a", "b"]), UniformHP("y", 0, 1).when("k", "b")],
        ),
        ([DiscreteHP("y", [1, 2])], {"y": 1}, [UniformHP("y", 0, 3)]),
    ],
)
def test_enqueued_samples_in_a_space_that_changes(tmp_path, before, given, after):
    """A parameter is removed, becomes inactive, or gets another type."""

    def function(worker_id, parameters):
        return parameters["x"]

    engine = make_engine(tmp_path, function, [UniformHP("x", 0, 1), *before], 8, 2)
    engine.enqueue(given)
    engine.fit(verbose=0)
    changed = make_engine(tmp_path, function, [UniformHP("x", 0, 1), *after], 12, 3, resume=True)
    changed.fit(verbose=0)
    assert len(SHAC.load(tmp_path).dataset) == 12
