"""Runs that the same script begins and continues, that are loaded, and whose space changes."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time

import pytest

from pyshac import (
    SHAC,
    AbstractHyperParameter,
    Callback,
    Dataset,
    DiscreteHP,
    IntegerHP,
    SaveDirectoryError,
    UniformHP,
    set_custom_parameter_class,
)
from pyshac.core.storage import former_run
from tests.engine.engine_helpers import (
    FIXTURES,
    ROOT,
    InterruptedAt,
    InterruptionError,
    contents,
    evaluate,
    make_engine,
    make_space,
    restored,
    samples_of,
)


@pytest.fixture
def whole(tmp_path_factory):
    """What a run that nobody interrupts leaves behind."""
    path = tmp_path_factory.mktemp("whole")
    make_engine(path).fit(verbose=0)
    return contents(path)


class TestSameScript:
    def test_begins_a_run_where_there_is_none(self, tmp_path, whole):
        make_engine(tmp_path, resume=True).fit(verbose=0)
        assert contents(tmp_path) == whole

    @pytest.mark.parametrize("call", [1, 4, 7, 13, 18])
    def test_continues_the_run_that_is_there(self, tmp_path, whole, call):
        with pytest.raises(InterruptionError):
            make_engine(tmp_path, InterruptedAt(call), resume=True).fit(verbose=0)
        engine = make_engine(tmp_path, resume=True)
        assert len(engine.dataset) == call - 1
        engine.fit(verbose=0)
        assert contents(tmp_path) == whole

    def test_a_finished_run_stays_as_it_is(self, tmp_path, whole):
        make_engine(tmp_path, resume=True).fit(verbose=0)
        again = make_engine(tmp_path, resume=True, seed=None)
        assert again.fit(verbose=0).epochs == []
        assert len(again.dataset) == 18
        assert contents(tmp_path) == whole

    def test_a_second_engine_while_the_first_still_exists(self, tmp_path):
        # The cell of a notebook that is run again.
        first = make_engine(tmp_path, InterruptedAt(5), resume=True)
        with pytest.raises(InterruptionError):
            first.fit(verbose=0)
        second = make_engine(tmp_path, resume=True)
        second.fit(verbose=0)
        assert len(second.dataset) == 18
        with pytest.raises(SaveDirectoryError, match="restore_data"):
            first.fit(evaluate, verbose=0)

    def test_without_resume_one_line_shows_the_call_to_make(self, tmp_path):
        make_engine(tmp_path).fit(verbose=0)
        with pytest.raises(SaveDirectoryError) as info:
            make_engine(tmp_path).fit(verbose=0)
        assert "SHAC(..., resume=True)" in str(info.value)
        assert "\n" not in str(info.value)
        assert len(make_engine(tmp_path, resume=True).dataset) == 18

    def test_the_seed_is_the_saved_one(self, tmp_path):
        make_engine(tmp_path, seed=5).save_data()
        make_engine(tmp_path, seed=None, resume=True).fit(verbose=0)
        make_engine(tmp_path / "other", seed=5).fit(verbose=0)
        assert samples_of(restored(tmp_path)) == samples_of(restored(tmp_path / "other"))

    def test_an_earlier_release_is_continued(self, tmp_path):
        source = next(path.parent.parent for path in sorted(FIXTURES.rglob("dataset.csv")))
        shutil.copytree(source, tmp_path / "shac")
        known = SHAC(None, 1, 1, save_dir=tmp_path / "shac")
        known.restore_data()
        number = len(known.dataset)
        engine = SHAC(
            None, total_budget=number + 4, batch_size=4, save_dir=tmp_path / "shac", resume=True
        )
        engine.set_num_parallel_evaluators(1)
        engine.concurrent_evaluators()
        engine.fit(lambda worker_id, parameters: 0.5, verbose=0)
        assert len(engine.dataset) == number + 4

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"method": "paper"}, "holds a search with method 'default', not 'paper'"),
            ({"total_budget": 6, "num_batches": 1}, "at least 18, the number of evaluations"),
        ],
    )
    def test_what_may_not_change(self, tmp_path, arguments, message):
        make_engine(tmp_path).fit(verbose=0)
        before = contents(tmp_path)
        with pytest.raises(ValueError, match=message):
            make_engine(tmp_path, resume=True, seed=None, **arguments)
        assert contents(tmp_path) == before

    def test_nothing_is_written_by_the_constructor(self, tmp_path):
        SHAC(evaluate, make_space(), 18, 3, save_dir=tmp_path / "shac", resume=True)
        assert not (tmp_path / "shac").exists()


class TestLoad:
    def test_everything_comes_from_the_directory(self, tmp_path):
        made = make_engine(tmp_path, total_budget=20, num_batches=None, batch_size=8)
        made.fit(verbose=0)
        engine = SHAC.load(tmp_path)
        assert (engine.total_budget, engine.num_workers, engine.num_batches) == (20, 8, 3)
        assert (engine.objective, engine.method) == ("min", "default")
        assert samples_of(engine) == samples_of(made)
        assert engine.best_parameters == made.best_parameters
        assert engine.predict(num_samples=3) == made.predict(num_samples=3)

    def test_it_goes_on(self, tmp_path, whole):
        with pytest.raises(InterruptionError):
            make_engine(tmp_path, InterruptedAt(9)).fit(verbose=0)
        engine = SHAC.load(tmp_path, evaluate)
        engine.set_num_parallel_evaluators(1)
        engine.concurrent_evaluators()
        engine.fit(verbose=0)
        assert contents(tmp_path) == whole

    def test_an_earlier_release(self):
        for path in sorted(FIXTURES.rglob("dataset.csv")):
            engine = SHAC.load(path.parent.parent)
            assert len(engine.dataset) > 0
            assert engine.best_parameters

    def test_a_classifier_of_the_users(self, tmp_path):
        from sklearn.tree import DecisionTreeClassifier

        classifier = DecisionTreeClassifier(max_depth=3)
        made = make_engine(tmp_path, classifier=classifier, total_budget=40, num_batches=4)
        made.fit(verbose=0, skip_cv_checks=True)
        with pytest.raises(SaveDirectoryError, match="classifier 'DecisionTree"):
            SHAC.load(tmp_path)
        engine = SHAC.load(tmp_path, classifier=DecisionTreeClassifier(max_depth=3))
        assert len(engine.classifiers) == len(made.classifiers) > 0

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"evaluation_function": 5}, TypeError, "evaluation_function must be callable"),
            ({"num_batches": 7}, ValueError, "divisible"),
            ({"resume": True}, TypeError, r"load\(\) always resumes the run. Leave resume out"),
            ({"method": "paper"}, SaveDirectoryError, "method 'default', not 'paper'"),
        ],
    )
    def test_misuse(self, tmp_path, options, error, message):
        make_engine(tmp_path).save_data()
        with pytest.raises(error, match=message):
            SHAC.load(tmp_path, **options)

    def test_nobody_is_warned_who_only_looks(self, tmp_path, recwarn):
        make_engine(tmp_path, total_budget=300, num_batches=1).save_data()
        SHAC.load(tmp_path)
        assert not [each for each in recwarn if "cores" in str(each.message)]

    def test_nothing_there(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="holds no saved search"):
            SHAC.load(tmp_path / "missing")


class EvenUpTo(AbstractHyperParameter):
    """An even number, whose `encode` checks nothing."""

    def __init__(self, name, high, seed=None):
        super().__init__(name, seed=seed)
        self.high = high

    def sample(self):
        return 2 * int(self.random.randint(0, self.high // 2 + 1))

    def encode(self, x):
        return float(x)

    def decode(self, x):
        return 2 * round(x / 2)

    def get_config(self):
        return {**super().get_config(), "high": self.high}


set_custom_parameter_class(EvenUpTo)


def test_a_run_that_is_all_on_disk_says_so_when_it_is_interrupted(tmp_path):
    class Interrupting(Callback):
        def on_train_begin(self, logs=None):
            raise KeyboardInterrupt

    make_engine(tmp_path).fit(verbose=0)
    with pytest.raises(KeyboardInterrupt, match="18 of 18 evaluations are saved in"):
        make_engine(tmp_path, resume=True).fit(verbose=0, callbacks=[Interrupting()])


@pytest.mark.parametrize("value", ["yes", None, 1])
def test_resume_is_a_bool(tmp_path, value):
    with pytest.raises(TypeError, match="resume must be True or False"):
        make_engine(tmp_path, resume=value)


def score_of(worker_id, parameters):
    return (parameters["x"] - 1.3) ** 2 + 0.01 * parameters["k"]


def space_to(high, *others):
    return [UniformHP("x", 0.0, high), IntegerHP("k", 1, 5), *others]


def in_space(save_dir, space, total_budget=40, **kwargs):
    return make_engine(
        save_dir, score_of, space, total_budget, None, batch_size=10, resume=True, **kwargs
    )


@pytest.fixture
def narrow(tmp_path):
    """A search of a space that the minimum is not in."""
    in_space(tmp_path, space_to(1.0)).fit(verbose=0)
    return tmp_path


class TestChangedSpace:
    def test_a_wider_space_keeps_all_samples_and_finds_more(self, narrow):
        before = restored(narrow, total_budget=40, num_batches=4)
        engine = in_space(narrow, space_to(2.0), 80, seed=None)
        assert samples_of(engine) == samples_of(before)
        assert [each.started for each in engine.evaluations] == [
            each.started for each in before.evaluations
        ]
        # No classifier has seen what is new.
        assert engine.classifiers == []
        engine.fit(verbose=0)
        assert len(engine.dataset) == 80
        assert len(engine.classifiers) > 0
        assert engine.best_parameters["x"] > 1.1

    def test_a_narrower_space_keeps_what_lies_in_it(self, narrow, caplog):
        before = restored(narrow, total_budget=40, num_batches=4)
        inside = [row for row in before.dataset.X if row[0] <= 0.9]
        assert 0 < len(inside) < 40
        engine = in_space(narrow, space_to(0.9), 60, seed=None)
        assert f"{len(inside)} of 40 evaluations lie in the search space" in caplog.text
        assert f"{40 - len(inside)} do not" in caplog.text
        assert list(engine.dataset.X) == inside
        # All of it was seen, so that classifiers are there at once.
        assert len(engine.classifiers) > 0
        engine.fit(verbose=0)
        assert len(engine.dataset) == 60
        assert max(row[0] for row in engine.dataset.X) <= 0.9

    def test_what_does_not_lie_in_it_stays_on_disk(self, narrow):
        before = contents(narrow)
        in_space(narrow, space_to(0.9), 60, seed=None).fit(verbose=0)
        former = contents(narrow / "former-1")
        assert former == before
        assert len(SHAC.load(narrow / "former-1").dataset) == 40

    def test_a_new_parameter_begins_anew_and_says_why(self, narrow, caplog):
        engine = in_space(narrow, space_to(1.0, DiscreteHP("kind", ["a", "b"])), 40, seed=None)
        assert "they have no 'kind'" in caplog.text
        assert len(engine.dataset) == 0
        engine.fit(verbose=0)
        assert len(engine.dataset) == 40

    def test_a_parameter_that_is_gone_is_left_out(self, narrow, caplog):
        engine = make_engine(
            narrow, lambda w, p: p["x"], [UniformHP("x", 0, 1)], 60, None, batch_size=10,
            resume=True, seed=None,
        )  # fmt: skip
        assert "'k' is left out" in caplog.text
        assert len(engine.dataset) == 40
        engine.fit(verbose=0)

    def test_choices(self, tmp_path):
        def engine_of(choices):
            space = [DiscreteHP("c", choices), UniformHP("x", 0, 1)]
            score = lambda w, p: float(choices.index(p["c"])) + p["x"]  # noqa: E731
            return make_engine(tmp_path, score, space, 40, None, batch_size=8, resume=True)

        engine_of(["a", "b"]).fit(verbose=0)
        wider = engine_of(["a", "b", "c"])
        assert (len(wider.dataset), len(wider.classifiers)) == (40, 0)
        narrower = engine_of(["b"])
        assert 0 < len(narrower.dataset) < 40
        assert {row[0] for row in narrower.dataset.X} == {"b"}

    def test_the_run_is_the_same_however_often_it_is_interrupted(self, narrow, tmp_path_factory):
        copy = tmp_path_factory.mktemp("copy") / "shac"
        shutil.copytree(narrow, copy)
        in_space(narrow, space_to(2.0), 60, seed=None).fit(verbose=0)
        for call in (1, 4, 9):
            engine = in_space(copy, space_to(2.0), 60, seed=None)
            with pytest.raises(InterruptionError):
                engine.fit(InterruptedAt(call, score_of), verbose=0)
        in_space(copy, space_to(2.0), 60, seed=None).fit(verbose=0)
        assert contents(copy) == contents(narrow)

    def test_an_open_batch_is_drawn_anew_and_its_scores_stay(self, tmp_path):
        engine = in_space(tmp_path, space_to(1.0))
        with pytest.raises(InterruptionError):
            engine.fit(InterruptedAt(15, score_of), verbose=0)
        moved = in_space(tmp_path, space_to(2.0), seed=None)
        assert len(moved.dataset) == 14
        moved.fit(verbose=0)
        assert len(moved.dataset) == 40

    def test_enqueued_and_added_samples_come_along(self, tmp_path):
        first = in_space(tmp_path, space_to(1.0))
        first.enqueue([{"x": 0.25, "k": 1}, {"x": 0.95, "k": 2}])
        first.add({"x": 0.5, "k": 1}, 0.6)
        first.save_data()
        moved = in_space(tmp_path, space_to(0.9), seed=None)
        assert moved.enqueue({"x": 0.25, "k": 1}) == 0
        assert moved.add({"x": 0.5, "k": 1}, 0.6) == 0
        moved.fit(verbose=0)
        assert moved.dataset.X[0] == [0.25, 1]
        assert 0.95 not in [row[0] for row in moved.dataset.X]

    def test_an_earlier_release_tells_its_objective(self, tmp_path):
        shutil.copytree(FIXTURES / "branin", tmp_path / "shac")
        space = [UniformHP("h1", -4, 10), UniformHP("h2", 0, 15)]
        engine = SHAC(
            None, space, total_budget=200, batch_size=20, save_dir=tmp_path / "shac", resume=True
        )
        assert engine.objective == "min"
        assert engine.best_score < 1
        engine.save_data()
        assert SHAC.load(tmp_path / "shac").objective == "min"

    def test_the_dataset_alone_is_of_the_run_that_counts(self, narrow, monkeypatch):
        before = samples_of(restored(narrow, total_budget=40, num_batches=4))

        def crash(*args, **kwargs):
            raise InterruptionError("a power cut")

        monkeypatch.setattr("pyshac.core.storage.save_directory.encode_state", crash)
        with pytest.raises(InterruptionError):
            in_space(narrow, space_to(2.0), 80, seed=None).fit(verbose=0)
        assert [row for _, row, _ in before] == Dataset.load_from_directory(narrow).X

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('{"former": "former-1"}', "there is none in that folder"),
            ('{"former": "../other"}', "names no folder"),
            ("[" * 4000, "not valid JSON"),
            ("{}", "names no folder"),
        ],
    )
    def test_a_marker_that_leads_nowhere_is_refused(self, narrow, text, message):
        (narrow / "former.json").write_text(text)
        for read in (lambda: SHAC.load(narrow), lambda: in_space(narrow, space_to(1.0))):
            with pytest.raises(SaveDirectoryError, match=message):
                read()

    def test_a_finite_space_of_which_all_is_known_is_saved(self, tmp_path):
        def engine_of(high):
            score = lambda w, p: p["n"]  # noqa: E731
            return make_engine(tmp_path, score, [IntegerHP("n", 1, high)], 60, 6, resume=True)

        engine_of(8).fit(verbose=0)
        engine_of(5).fit(verbose=0)
        assert len(SHAC.load(tmp_path).dataset) == 5

    def test_own_types_with_other_arguments_begin_anew(self, tmp_path, caplog):
        def engine_of(high):
            score = lambda w, p: p["n"]  # noqa: E731
            return make_engine(tmp_path, score, [EvenUpTo("n", high)], 8, 2, resume=True)

        engine_of(20).fit(verbose=0)
        assert len(engine_of(20).dataset) == 8
        assert len(engine_of(10).dataset) == 0
        assert "0 of 8 evaluations lie in the search space" in caplog.text

    def test_without_resume_it_is_refused(self, narrow):
        engine = make_engine(narrow, score_of, space_to(2.0), 80, None, batch_size=10)
        with pytest.raises(SaveDirectoryError, match=r"another space: \['x'\].*resume=True"):
            engine.restore_data()

    @pytest.mark.parametrize("step", ["keep", "files", "replaced"])
    def test_a_crash_while_it_is_replaced(self, narrow, monkeypatch, step):
        before = samples_of(restored(narrow, total_budget=40, num_batches=4))

        def crash(*args, **kwargs):
            raise InterruptionError("a power cut")

        with monkeypatch.context() as patched:
            if step == "files":
                # After the parameters, before the state.
                patched.setattr("pyshac.core.storage.save_directory.encode_state", crash)
            else:
                patched.setattr(former_run, step, crash)
            with pytest.raises(InterruptionError):
                in_space(narrow, space_to(2.0), 80, seed=None).fit(verbose=0)
        assert samples_of(SHAC.load(narrow))[:40] == before
        engine = in_space(narrow, space_to(2.0), 80, seed=None)
        engine.fit(verbose=0)
        assert len(engine.dataset) == 80
        assert [path.name for path in narrow.glob("former*")] == ["former-1"]
        assert len(SHAC.load(narrow / "former-1").dataset) == 40


SCRIPT = """
import sys, time
from tests.engine.engine_helpers import make_engine

def evaluate(worker_id, parameters):
    time.sleep(0.1)
    return parameters["x"]

make_engine(sys.argv[1], evaluate, total_budget=30, backend=sys.argv[2], evaluators=2,
            resume=True).fit()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("backend", ["threading", "loky"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_script_says_in_one_line_how_to_go_on(tmp_path, how, backend):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "shac"), backend]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        journal = tmp_path / "shac" / "journal.jsonl"
        while not journal.exists() or b'"id"' not in journal.read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(how)
        errors = process.communicate(timeout=60)[1]
    number = len(SHAC.load(tmp_path / "shac").dataset)
    assert 0 < number < 30
    *_, last = errors.strip().splitlines()
    assert f"Interrupted: {number} of 30 evaluations are saved in" in last
    assert "resume=True" in last
    if how == signal.SIGTERM:
        assert "Traceback" not in errors
        assert "Warning" not in errors
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert len(SHAC.load(tmp_path / "shac").dataset) == 30
