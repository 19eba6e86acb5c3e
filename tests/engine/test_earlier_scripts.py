"""Calls and values of scripts for PySHAC 0.1 to 0.3."""

from __future__ import annotations

import dataclasses
import errno
import pickle
import subprocess
import threading
import traceback
import warnings
from collections import OrderedDict

import joblib
import pytest

from pyshac import SHAC, EvaluationError, UniformHP
from pyshac.config import callbacks, data
from pyshac.core.engine import _SHAC
from pyshac.core.evaluation.worker import Evaluator
from tests.engine.engine_helpers import branin, branin_space, evaluate, make_engine, make_space

CORES = joblib.cpu_count()


class TestSpellings:
    def test_eval_fn(self, tmp_path):
        engine = make_engine(tmp_path, None)
        with pytest.warns(
            DeprecationWarning, match=r"fit\(eval_fn=...\).*evaluation_function="
        ) as w:
            engine.fit(eval_fn=evaluate, verbose=0)
        assert w[0].filename == __file__
        assert len(engine.dataset) == engine.total_budget

    def test_dataset_path(self, tmp_path):
        path = tmp_path / "data.csv"
        path.write_text("id,x,scores\n" + "".join(f"{i},{i / 10},{i}\n" for i in range(10)))
        engine = SHAC([UniformHP("x", 0, 1)], 10, 1, save_dir=tmp_path / "run")
        with pytest.warns(DeprecationWarning, match=r"fit_dataset\(dataset_path=...\).*use path="):
            engine.fit_dataset(dataset_path=path, skip_cv_checks=True, verbose=0)
        assert len(engine.dataset) == 10

    def test_two_spellings_at_once(self, tmp_path):
        engine = make_engine(tmp_path, None)
        with pytest.raises(TypeError, match="two spellings of one argument.* leave eval_fn out"):
            engine.fit(eval_fn=evaluate, evaluation_function=evaluate)
        with pytest.raises(TypeError, match="given by position and as evaluation_function"):
            engine.fit(evaluate, evaluation_function=evaluate)
        with pytest.raises(TypeError, match="leave dataset_path out"):
            engine.fit_dataset(dataset_path="a", path="b")

    @pytest.mark.parametrize("save_dir", [None, ""])
    def test_no_save_dir_is_shac(self, save_dir, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert SHAC(make_space(), 18, 3, save_dir=save_dir).save_dir == str(tmp_path / "shac")

    @pytest.mark.parametrize("numbers", [(100.0, 10), (1e2, 10.0)])
    def test_whole_floats_are_numbers(self, numbers, tmp_path):
        engine = SHAC(make_space(), *numbers, save_dir=tmp_path)
        assert (engine.total_budget, engine.num_batches) == (100, 10)
        assert type(engine.total_budget) is int

    def test_other_floats_are_none(self, tmp_path):
        with pytest.raises(TypeError, match="total_budget must be an int.* Got 99.5"):
            SHAC(make_space(), 99.5, 10, save_dir=tmp_path)


class TestCores:
    @pytest.mark.parametrize("name", ["num_parallel_generators", "num_parallel_evaluators"])
    @pytest.mark.parametrize(("n", "expected"), [(-1, CORES), (-2, max(CORES - 1, 1)), (-999, 1)])
    def test_negative_numbers_count_from_all_cores(self, name, n, expected, tmp_path):
        engine = make_engine(tmp_path)
        setattr(engine, name, n)
        assert getattr(engine, name) == expected
        getattr(engine, f"set_{name}")(n)
        assert getattr(engine, name) == expected

    def test_too_many_workers_are_warned_of(self, tmp_path):
        workers = CORES + 3
        with pytest.warns(UserWarning, match=f"{workers} samples, more than the {CORES} co") as w:
            engine = SHAC(make_space(), workers * 2, 2, save_dir=tmp_path)
        assert [each.filename for each in w] == [__file__]
        for name in ("num_parallel_generators", "num_parallel_evaluators"):
            with pytest.warns(UserWarning, match=f"set_{name}") as w:
                setattr(engine, name, None)
            with pytest.warns(UserWarning, match=f"set_{name}"):
                getattr(engine, f"set_{name}")(None)
            assert w[0].filename == __file__

    def test_enough_cores_are_not(self, tmp_path):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            engine = SHAC(make_space(), 4, 4, save_dir=tmp_path)
            engine.set_num_parallel_evaluators(None)
            engine.set_num_parallel_generators(CORES + 7)


class Watcher:
    """Has some methods of a callback, and no base class."""

    def __init__(self):
        self.events = []

    def on_train_begin(self, logs=None):
        self.events.append("begin")

    def on_epoch_end(self, epoch, logs=None):
        self.events.append((epoch, self.engine.total_budget, len(logs["evaluations"])))


class Slotted:
    __slots__ = ("ended",)

    def on_train_end(self, logs=None):
        self.ended = True


class TestCallbacks:
    @pytest.mark.parametrize("in_list", [True, False])
    def test_objects_with_their_methods(self, in_list, tmp_path):
        watcher, slotted = Watcher(), Slotted()
        make_engine(tmp_path).fit(callbacks=[watcher, slotted] if in_list else watcher, verbose=0)
        assert watcher.events == ["begin", (1, 18, 6), (2, 18, 6), (3, 18, 6)]
        assert hasattr(slotted, "ended") == in_list

    def test_an_engine_of_their_own_is_left_alone(self, tmp_path):
        watcher = Watcher()
        watcher.engine = make_engine(tmp_path / "own", total_budget=6, num_batches=1)
        make_engine(tmp_path / "run").fit(callbacks=watcher, verbose=0)
        assert watcher.events[1] == (1, 6, 6)

    @pytest.mark.parametrize("value", [[object()], [Watcher], 5, "x"])
    def test_others_are_refused(self, value, tmp_path):
        with pytest.raises(TypeError, match="callbacks must"):
            make_engine(tmp_path).fit(callbacks=value)


class OddError(ValueError):
    """Neither its constructor nor its state is like that of other exceptions."""

    def __init__(self, code, *, unit):
        super().__init__(code)
        self.code = (code, unit)


@dataclasses.dataclass(frozen=True)
class FrozenError(Exception):
    code: int


class OwnError(EvaluationError):
    pass


class UnderivableError(Exception):
    def __init_subclass__(cls, **kwargs):
        raise TypeError("not to be derived from")


def raise_memory(worker_id, parameters):
    raise MemoryError("no room")


def raise_no_space(worker_id, parameters):
    raise OSError(errno.ENOSPC, "full", "model.pt")


def raise_odd(worker_id, parameters):
    raise OddError(3, unit="m")


def raise_key(worker_id, parameters):
    raise KeyError("k")


def raise_stop(worker_id, parameters):
    raise StopIteration(1)


def raise_underivable(worker_id, parameters):
    raise UnderivableError("u")


def run_command(worker_id, parameters):
    subprocess.run(["false"], check=True)


class TestErrors:
    @pytest.mark.parametrize("backend", ["threading", "loky"])
    @pytest.mark.parametrize(
        ("function", "kind"),
        [
            (raise_memory, MemoryError),
            (raise_no_space, OSError),
            (raise_key, LookupError),
            (run_command, subprocess.CalledProcessError),
        ],
    )
    def test_they_are_of_both_types(self, function, kind, backend, tmp_path):
        engine = make_engine(tmp_path, function, backend=backend)
        with pytest.raises(kind) as caught:
            engine.fit(verbose=0)
        error = caught.value
        assert isinstance(error, EvaluationError)
        assert type(error).__name__ == "EvaluationError"
        assert isinstance(error.__cause__, kind)
        assert error.sample_id == 0
        assert set(error.parameters) == {"x", "kind", "w"}
        assert str(error).startswith("The evaluation of sample 0 in slot 0 raised ")

    def test_they_have_what_the_cause_carries(self, tmp_path):
        with pytest.raises(OSError, match="model.pt") as caught:
            make_engine(tmp_path / "a", raise_no_space).fit(verbose=0)
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, "model.pt")
        with pytest.raises(OddError) as caught:
            make_engine(tmp_path / "b", raise_odd).fit(verbose=0)
        assert caught.value.code == (3, "m")

    @pytest.mark.parametrize("function", [raise_stop, raise_underivable])
    def test_some_can_only_be_the_cause(self, function, tmp_path):
        with pytest.raises(EvaluationError) as caught:
            make_engine(tmp_path, function).fit(verbose=0)
        assert type(caught.value) is EvaluationError
        assert isinstance(caught.value.__cause__, (StopIteration, UnderivableError))

    def test_they_are_pickled(self, tmp_path):
        with pytest.raises(MemoryError) as caught:
            make_engine(tmp_path, raise_memory).fit(verbose=0)
        again = pickle.loads(pickle.dumps(caught.value))
        assert isinstance(again, MemoryError)
        assert isinstance(again, EvaluationError)
        assert (str(again), again.sample_id) == (str(caught.value), 0)
        assert again.parameters == caught.value.parameters

    def test_an_error_of_a_search_within_a_search(self, tmp_path):
        def outer(worker_id, parameters):
            make_engine(tmp_path / "inner", raise_memory).fit(verbose=0)

        with pytest.raises(MemoryError) as caught:
            make_engine(tmp_path / "outer", outer).fit(verbose=0)
        assert isinstance(caught.value.__cause__, EvaluationError)
        assert isinstance(caught.value.__cause__.__cause__, MemoryError)

    def test_exceptions_that_cannot_be_changed(self, tmp_path):
        def fails(worker_id, parameters):
            raise FrozenError(7)

        with pytest.raises(FrozenError) as caught:
            make_engine(tmp_path, fails).fit(verbose=0)
        assert (caught.value.code, caught.value.sample_id) == (7, 0)
        assert repr(caught.value).startswith('EvaluationError("The evaluation of sample 0 ')

    def test_tracebacks_show_the_message(self, tmp_path):
        def fails(worker_id, parameters):
            raise SyntaxError("odd input")

        with pytest.raises(SyntaxError) as caught:
            make_engine(tmp_path, fails).fit(verbose=0)
        shown = "".join(traceback.format_exception_only(caught.value))
        assert "The evaluation of sample 0 in slot 0 raised SyntaxError: odd input" in shown

    def test_types_of_ones_own_are_pickled_as_they_are(self):
        error = OwnError("x", 3)
        error.extra = 5
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), again.extra, again.sample_id) == (OwnError, 5, 3)


class TestHints:
    @pytest.mark.parametrize(
        ("name", "value", "hint"),
        [
            ("dataset", None, "fit_dataset()"),
            ("classifiers", [], "restore_data() replaces it"),
            ("parameters", [], "make another engine"),
            ("objective", "max", "make another engine"),
            ("num_batches", 5, "make another engine"),
        ],
    )
    def test_attributes_that_cannot_be_set(self, name, value, hint, tmp_path):
        engine = make_engine(tmp_path)
        before = getattr(engine, name)
        with pytest.raises(AttributeError) as caught:
            setattr(engine, name, value)
        assert f"{name} of SHAC cannot be set" in str(caught.value)
        assert hint in str(caught.value)
        assert repr(getattr(engine, name)) == repr(before)

    @pytest.mark.parametrize(
        ("name", "hint"), [("temp_dir", "a folder of its own"), ("clf_dir", "folder 'classifiers'")]
    )
    def test_attributes_that_are_gone(self, name, hint, tmp_path):
        engine = make_engine(tmp_path)
        assert not hasattr(engine, name)
        with pytest.raises(AttributeError, match=f"{name} is gone since PySHAC 0.3.*{hint}"):
            getattr(engine, name)

    def test_names_of_parameters(self):
        with pytest.raises(AttributeError, match=r"param2type is gone.*from_text\(\)"):
            _ = UniformHP("x", 0, 1).param2type

    @pytest.mark.parametrize("form", ["from pyshac.utils import xgb_utils",
                                      "import pyshac.utils.xgb_utils"])  # fmt: skip
    def test_modules_that_are_gone(self, form):
        with pytest.raises(ImportError, match="engine.classifiers"):
            exec(form)

    def test_attributes_of_spaces_and_datasets(self):
        space = make_space()
        for name in ("num_choices", "id2param", "param2id", "name_map"):
            with pytest.raises(AttributeError, match=rf"^{name} of .* add_hyper_parameter\(\)"):
                setattr(space, name, 3)
        with pytest.raises(AttributeError, match=r"space\['x'\].random"):
            _ = space.random
        dataset = data.Dataset(space)
        for name, hint in (("X", "set_dataset"), ("Y", "set_dataset"), ("basedir", "Dataset"),
                           ("ids", "add_sample"), ("size", "clear")):  # fmt: skip
            with pytest.raises(
                AttributeError, match=rf"^{name} of Dataset cannot be set: .*{hint}"
            ):
                setattr(dataset, name, [])

    def test_engines_of_ones_own(self, tmp_path):
        with pytest.raises(TypeError, match=r"Old must define _make_evaluator\(\) instead of"):

            class Old(_SHAC):
                def _evaluation_handler(self, func, worker_id, parameter_dict):
                    return float(func(worker_id, parameter_dict))

        class New(_SHAC):
            def _make_evaluator(self):
                return Evaluator()

            @property
            def num_workers(self):
                return self.wanted

            @num_workers.setter
            def num_workers(self, number):
                self.wanted = number

            def __init__(self, *arguments, **keywords):
                self.max_gpu_evaluators = 2
                super().__init__(*arguments, **keywords)

        engine = New(branin, branin_space(), 40, 4, save_dir=tmp_path)
        engine.num_workers = 7
        assert (engine.num_workers, engine.max_gpu_evaluators) == (7, 2)
        assert New(branin, branin_space(), 40, 4, save_dir=tmp_path)._per_classifier_budget == 10


def test_functions_are_where_they_were():
    assert data.OrderedDict is OrderedDict
    history = callbacks.History()
    assert callbacks.get_history([Watcher(), history]) is history
    assert callbacks.get_history([Watcher()]) is None
    with pytest.warns(DeprecationWarning, match=r"flatten_parameters\(params=...\).*use param"):
        assert data.flatten_parameters(params={"a": [1, 2], "b": 3}) == [1, 2, 3]


def test_a_function_that_cannot_be_sent(tmp_path):
    lock = threading.Lock()

    def score(worker_id, parameters):
        with lock:
            return parameters["x"]

    engine = make_engine(tmp_path, score, backend="loky")
    with pytest.raises(Exception, match=r"concurrent_evaluators\(\)") as caught:
        engine.fit(verbose=0)
    assert "'lock'" in str(caught.value)


@pytest.mark.parametrize(("backend", "filled"), [("threading", 18), ("loky", 0)])
def test_globals_are_filled_by_threads_only(backend, filled, tmp_path):
    seen = []

    def score(worker_id, parameters):
        seen.append(worker_id)
        return parameters["x"]

    make_engine(tmp_path, score, backend=backend).fit(verbose=0)
    assert len(seen) == filled
