"""The plan of the package: which folder may import which, and how large things may get."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import pyshac
from pyshac import SHAC, HyperParameterList
from pyshac.core.dataset import Dataset
from pyshac.core.evaluation.worker import TaskRunner
from pyshac.core.storage import journal
from tests.engine.engine_helpers import make_engine
from tests.house import PACKAGE, PLAN, House, breaches, folder_of

MAX_FILES = 12
MAX_FILE_LINES = 450
MAX_FUNCTION_LINES = 40


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def test_no_file_imports_more_than_the_plan_allows(house):
    assert breaches(house) == []


def test_every_folder_of_the_plan_is_there():
    assert [folder for folder in PLAN if not (PACKAGE / folder).is_dir()] == []


def test_the_plan_has_no_circles():
    done: set[str] = set()
    while ready := [folder for folder in PLAN.keys() - done if PLAN[folder] <= done]:
        done.update(ready)
    assert done == PLAN.keys()


def test_no_files_import_each_other(house):
    assert house.files.keys() - house.floors.keys() == set()


def test_no_folder_holds_more_than_a_dozen_files():
    folders = [PACKAGE, *(path for path in PACKAGE.rglob("*") if path.is_dir())]
    sizes = {
        folder: len([path for path in folder.iterdir() if path.is_file()])
        for folder in folders
        if folder.name != "__pycache__"
    }
    assert {folder: size for folder, size in sizes.items() if size > MAX_FILES} == {}
    assert {path.name for path in (PACKAGE / "core").glob("*.py")} == {"__init__.py", "errors.py"}


def test_files_and_functions_are_short(house):
    lines = Counter(
        {name: len((PACKAGE / name).read_text(encoding="utf-8").splitlines())
         for name in house.files}
    )  # fmt: skip
    assert {name: size for name, size in lines.items() if size > MAX_FILE_LINES} == {}
    assert [(name, n) for name, n in house.functions() if n > MAX_FUNCTION_LINES] == []


def own_frames() -> list[str]:
    """The functions of the package on the stack, the outermost first, without class names."""
    installed = str(Path(pyshac.__file__).parent)
    names, frame = [], sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename.startswith(installed):
            names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names[::-1]


def noting(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[list[str]]:
    """Notes the functions through which one is called."""
    stacks: list[list[str]] = []
    function = getattr(owner, name)

    def noted(*args: Any, **kwargs: Any) -> Any:
        stacks.append([*own_frames(), name])
        return function(*args, **kwargs)

    monkeypatch.setattr(owner, name, noted)
    return stacks


class TestTrips:
    """Short pieces have a price: the trips from one to the next."""

    @pytest.fixture
    def engine(self, tmp_path) -> SHAC:
        return make_engine(tmp_path)

    def test_from_ask_to_drawn_samples_in_at_most_ten_functions(self, engine, monkeypatch):
        engine.tell(samples := engine.ask(), list(range(len(samples))), skip_cv_checks=True)
        assert len(engine.classifiers) == 1
        stacks = noting(monkeypatch, HyperParameterList, "encode_unit")
        engine.ask()
        drawn = [stack for stack in stacks if stack[0] == "ask" and "accepted" in stack]
        assert drawn
        assert max(map(len, drawn)) <= 10, drawn

    def test_no_two_functions_on_the_way_of_a_score_have_one_name(self, engine, monkeypatch):
        ends = [
            noting(monkeypatch, journal, "append_records"),
            noting(monkeypatch, Dataset, "_add_row"),
            noting(monkeypatch, TaskRunner, "__call__"),
        ]
        engine.fit(skip_cv_checks=True, verbose=0)
        for stacks in ends:
            assert stacks
            for stack in stacks:
                assert len(set(stack)) == len(stack), stack


class TestThePlanItself:
    """It notices what it is there for."""

    @pytest.fixture
    def package(self, tmp_path) -> Path:
        """The face, and one file in each of three folders."""
        root = tmp_path / "pyshac"
        for name in ("core/basics/files.py", "core/storage/loading.py", "core/search/search.py"):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        (root / "__init__.py").write_text("")
        return root

    def test_a_house_as_planned(self, package):
        (package / "core/storage/loading.py").write_text("from pyshac.core.basics import files\n")
        assert breaches(House(package)) == []
        assert House(package).floors["core/storage/loading.py"] == 1

    @pytest.mark.parametrize(
        "line",
        ["import pyshac.core.storage.loading", "from pyshac.core.storage.loading import load",
         "def f():\n    from pyshac.core.storage import loading"],
    )  # fmt: skip
    def test_an_import_upwards(self, package, line):
        (package / "core/basics/files.py").write_text(line + "\n")
        assert breaches(House(package)) == ["core/basics/files.py imports core/storage/loading.py"]

    def test_the_disk_above_the_algorithm(self, package):
        path = package / "core/storage/loading.py"
        path.write_text("from pyshac.core.search.search import Search\n")
        assert breaches(House(package)) == ["core/storage/loading.py imports core/search/search.py"]

    def test_a_folder_that_is_not_in_the_plan(self, package):
        (package / "core/attic").mkdir()
        (package / "core/attic/boxes.py").write_text("")
        (package / "cellar.py").write_text("")
        assert breaches(House(package)) == [
            "cellar.py stands beside the folders of the plan",
            "core/attic is not in the plan",
        ]

    def test_files_that_import_each_other(self, package):
        (package / "core/basics/one.py").write_text("import pyshac.core.basics.two\n")
        (package / "core/basics/two.py").write_text("import pyshac.core.basics.one\n")
        house = House(package)
        assert house.files.keys() - house.floors.keys() == {
            "core/basics/one.py", "core/basics/two.py",
        }  # fmt: skip
        assert folder_of("core/basics/one.py") == "core/basics"
