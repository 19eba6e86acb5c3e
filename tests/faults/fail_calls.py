"""Makes every system call of a save fail once, and looks whether what was there still restores.

    python -m tests.faults.fail_calls [--errors ENOSPC EIO EACCES] [--operations save record ...]

Builds the library `failing_calls.c` with a C compiler, and runs itself again with it preloaded.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import ctypes
import errno
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from pyshac import HyperParameterList, UniformHP
from pyshac.core.basics import files
from pyshac.core.classifiers.training import Admission
from pyshac.core.dataset.objective import MIN
from pyshac.core.errors import DirectoryInUseError
from pyshac.core.run.restoring import restored, resumed
from pyshac.core.run.run import Run
from pyshac.core.search.schedule import Schedule
from pyshac.core.search.search import Search
from pyshac.core.search.settings import Settings
from pyshac.core.storage.save_directory import SaveDirectory
from pyshac.core.storage.saved_run import SavedRun
from tests.core.storage.searches import advance, as_saved, details_of, load, new_search, same
from tests.engine.engine_helpers import FIXTURES, ROOT, contents, make_space

LIBRARY = Path(__file__).with_name("failing_calls.c")
ERRORS = ("ENOSPC", "EIO", "EACCES")


def build_library(folder: Path, source: Path = LIBRARY) -> Path:
    """Compiles a library to preload; raises `FileNotFoundError` if there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise FileNotFoundError("there is no C compiler")
    path = folder / f"{source.stem}.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", path, source, "-ldl"], check=True)
    return path


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--errors", nargs="+", choices=ERRORS, default=ERRORS)
    parser.add_argument("--operations", nargs="+", choices=OPERATIONS, default=list(OPERATIONS))
    parser.add_argument("--step", type=int, default=1, help="let every STEP-th call fail")
    options = parser.parse_args(arguments)
    # A change of the search space is told as often as it is tried.
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        if "LD_PRELOAD" not in os.environ:
            environment = {**os.environ, "LD_PRELOAD": str(build_library(Path(name)))}
            environment.update(PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
            command = [sys.executable, "-m", "tests.faults.fail_calls", "--errors"]
            command += [
                *options.errors,
                "--operations",
                *options.operations,
                "--step",
                str(options.step),
            ]
            return subprocess.run(command, env=environment).returncode
        for operation in options.operations:
            for error in options.errors:
                trials = Trials(OPERATIONS[operation], Path(name) / f"{operation}-{error}")
                calls = trials.run(getattr(errno, error), options.step)
                total = sum(calls.values())
                names = ", ".join(f"{count} {call}" for call, count in sorted(calls.items()))
                print(f"{operation}, {error}: {total} calls failed once ({names})", flush=True)
    return 0


@contextlib.contextmanager
def failing(folder: Path, number: int, error: int) -> Iterator[Callable[[], str]]:
    """Lets one call on files under a folder fail; yields what tells which one it was."""
    library = ctypes.CDLL(None)
    library.failed_call.restype = ctypes.c_char_p
    library.fail_call(os.fsencode(folder), number, error)
    try:
        yield lambda: library.failed_call().decode()
    finally:
        library.fail_call(None, 0, 0)


class Operation:
    """Something that writes to a save directory.

    Args:
        folder: Where to keep what the directory is copied from.

    Attributes:
        before: The run that the directory holds before; None if it holds none.
        after: The run that it holds afterwards.
    """

    before: SavedRun | None
    after: SavedRun

    def __init__(self, folder: Path) -> None:
        raise NotImplementedError

    def prepare(self, folder: Path) -> SaveDirectory:
        """Makes the directory as it is before, and returns what will write to it."""
        raise NotImplementedError

    def write(self, directory: SaveDirectory) -> None:
        """Writes."""
        with directory.writing():
            directory.save(self.after)


def attached(folder: Path) -> SaveDirectory:
    directory = SaveDirectory(folder)
    directory.attach(directory.load()[1])
    return directory


class FirstSave(Operation):
    """The first save, of a search that has not begun."""

    def __init__(self, folder: Path) -> None:
        self.before, self.after = None, as_saved(new_search(30, 3))

    def prepare(self, folder: Path) -> SaveDirectory:
        return SaveDirectory(folder)


def save_open_batch(folder: Path) -> Search:
    """Saves a search with a batch, a classifier and half of another batch; returns it."""
    search = new_search(30, 3)
    directory = SaveDirectory(folder)
    with directory.writing():
        advance(search)
        search.close_batch(Admission.ALL)
        directory.save(as_saved(search))
        advance(search, directory, 15)
    return search


class Save(Operation):
    """A save that adds a batch and a classifier to those that are there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "template"
        search = save_open_batch(self._folder)
        self.before = load(self._folder)
        advance(search, None, 20)
        search.close_batch(Admission.ALL)
        self.after = as_saved(search)

    def prepare(self, folder: Path) -> SaveDirectory:
        shutil.copytree(self._folder, folder)
        return attached(folder)


class Record(Save):
    """A score that is added to the journal."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.after = copy.deepcopy(self.before)
        self.score = (15, 0.25, details_of(15))
        self.after.open.of(self.score[0]).add_score(self.after.dataset, *self.score)

    def prepare(self, folder: Path) -> SaveDirectory:
        directory = super().prepare(folder)
        with directory.writing():
            directory.save(self.before)
        return directory

    def write(self, directory: SaveDirectory) -> None:
        with directory.writing():
            directory.append_scores([self.score])


class Legacy(Operation):
    """The first save of a directory of an earlier PySHAC."""

    def __init__(self, folder: Path) -> None:
        self._folder = next(path.parent.parent for path in FIXTURES.rglob("dataset.csv"))
        self.before = load(self._folder)
        settings = Settings(Schedule.in_batches(len(self.before.dataset), 1))
        self.after = restored(SaveDirectory(self._folder), settings)[0].as_saved()

    def prepare(self, folder: Path) -> SaveDirectory:
        shutil.copytree(self._folder, folder)
        return attached(folder)


class Moved(Operation):
    """The first save after a change of the search space, which replaces every file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "template"
        save_open_batch(self._folder)
        self.before = load(self._folder)
        self.after = self._resumed(SaveDirectory(self._folder)).as_saved()

    def _resumed(self, directory: SaveDirectory) -> Run:
        wider = HyperParameterList([UniformHP("x", -9.0, 9.0), *list(make_space())[1:]])
        settings = Settings(Schedule.in_batches(30, 3), MIN)
        new = Run.new(wider, settings, directory)
        run, stamp = resumed(directory, settings, new, new.lock)
        directory.attach(stamp)
        return run

    def prepare(self, folder: Path) -> SaveDirectory:
        shutil.copytree(self._folder, folder)
        directory = SaveDirectory(folder)
        self._resumed(directory)
        return directory


OPERATIONS = {
    "first": FirstSave, "save": Save, "record": Record, "legacy": Legacy, "moved": Moved,
}  # fmt: skip


class Trials:
    """Lets one operation fail at each of its system calls.

    Args:
        operation: The operation.
        folder: Where to work.
    """

    def __init__(self, operation: type[Operation], folder: Path) -> None:
        folder.mkdir()
        self._operation = operation(folder)
        self._folder = folder

    def run(self, error: int, step: int = 1) -> Counter[str]:
        """Lets every call fail, or every `step`-th; returns how many of which name did."""
        calls: Counter[str] = Counter()
        number = 1
        while call := self.trial(number, error):
            calls[call] += 1
            number += step
        return calls

    def trial(self, number: int, error: int) -> str:
        """Lets one call fail, and checks what is left; returns its name, empty if there is none."""
        operation, path = self._operation, self._folder / "shac"
        directory = operation.prepare(path)
        caught: OSError | ValueError | None = None
        with failing(path, number, error) as failed:
            try:
                operation.write(directory)
            except (OSError, ValueError) as raised:
                caught = raised
            call = failed()
        what = f"call {number}, {call}: {caught!r}"
        if caught is not None:
            assert str(path) in str(caught), what
        self.check_state(path, caught is not None, what)
        self.write_again(directory, call, what)
        shutil.rmtree(path, ignore_errors=True)
        return call

    def check_state(self, path: Path, has_failed: bool, what: str) -> None:
        """What is there is the state before or after; without an error it is the one after."""
        before, after = self._operation.before, self._operation.after
        try:
            found = load(path)
        except FileNotFoundError:
            assert has_failed, what
            assert before is None, what
            return
        if found.is_legacy:
            assert has_failed, what
            assert found.dataset.X == before.dataset.X, what
            assert found.dataset.Y == before.dataset.Y, what
            return
        is_before = before is not None and same(found, before)
        assert same(found, after) or (has_failed and is_before), what

    def write_again(self, directory: SaveDirectory, call: str, what: str) -> None:
        """Once the disk is well again, the same engine can save, there or elsewhere."""
        operation = self._operation
        try:
            with directory.writing():
                directory.save(operation.after)
        except DirectoryInUseError:
            # It could not see what the directory was left like, and does not guess.
            assert "stat" in call, what
            directory = SaveDirectory(self._folder / "elsewhere")
            with directory.writing():
                directory.save(operation.after)
        assert same(load(directory.path), operation.after), what
        left = [name for name in contents(directory.path) if files.TEMPORARY_PREFIX in name]
        assert not left, (what, left)
        shutil.rmtree(self._folder / "elsewhere", ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
