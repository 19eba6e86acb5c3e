"""Two forms of a small package: each difference is found, and nothing else."""

from __future__ import annotations

import sys
import zipfile

import pytest

from tests.earlier import wheel as wheel_command
from tests.earlier.interface import Difference, differences, grouped
from tests.earlier.moving_page import is_listed, listed_names

BEFORE = {
    "__init__": """
from imitation.things import Thing, call
from imitation import things
__version__ = "1"
""",
    "gone": "value = 1",
    "things": """
import os
from collections import OrderedDict, Iterable
import imitation.gone as gone

try:
    LIMIT = 1
except NameError:
    NEVER = 2

class _Base(object):
    def __init__(self, first, second=2):
        self.first = first
        self._hidden = 1

    def inherited(self, number=1):
        self.later = number

    @property
    def read(self):
        pass

    @property
    def written(self):
        pass

    @written.setter
    def written(self, value):
        pass

class Thing(_Base):
    level = 1

    @classmethod
    def load(cls, path="here"):
        pass

    @staticmethod
    def make(path):
        pass

    def __len__(self):
        pass

class Other(_Base):
    pass

class Lost(_Base):
    pass

def call(a, b=1, c="text", d=None):
    pass

def _private():
    pass

Alias = Thing
""",
}

WIDER = {
    "__init__": "from imitation import things\nfrom imitation.things import Thing, call",
    "gone": "value = None",
    "things": """
from collections import OrderedDict
from collections.abc import Iterable
LIMIT = object()

class Thing:
    level = property(lambda self: 1)
    first: int

    def __init__(self, first=1, second=2, third=3, *, fourth=4, **more):
        pass

    def inherited(self, number=1):
        self.later = number

    read = property(lambda self: 1)
    written = property(lambda self: 1, lambda self, value: None)

    @classmethod
    def load(cls, path="here", mode=0):
        pass

    @staticmethod
    def make(path):
        pass

    def __len__(self):
        return 1

Other = Lost = Alias = Thing

def call(a, b=1, c="text", d=None, *args, e=0, **more):
    pass
""",
}


@pytest.fixture
def compare(tmp_path, monkeypatch):
    """Compares the package of before with the wider one, in which texts are replaced."""

    def compare(*replacements: tuple[str, str], without: str = "", before=BEFORE):
        path = tmp_path / "imitation-1-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, source in before.items():
                archive.writestr(f"imitation/{name}.py", source)
            archive.writestr("tests/__init__.py", "")
            archive.writestr("imitation-1.dist-info/METADATA", "")
        (tmp_path / "imitation").mkdir()
        for name, source in WIDER.items():
            for old, new in replacements if name == "things" else ():
                assert old in source
                source = source.replace(old, new)
            if name != without:
                (tmp_path / "imitation" / f"{name}.py").write_text(source, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return differences(path, "imitation")

    yield compare
    for name in [name for name in sys.modules if name.partition(".")[0] == "imitation"]:
        del sys.modules[name]


THINGS = "imitation.things."


def test_what_accepts_more_is_no_difference(compare):
    assert compare() == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("LIMIT = object()", "", [("LIMIT", "is missing", None)]),
        ("import OrderedDict", "import deque", [("OrderedDict", "is missing", None)]),
        ("= Lost =", "=", [("Lost", "is missing", None)]),
        ("Other = Lost", "Lost", [("Other", "is missing", None)]),
        ("def call(a,", "def call(a, x,", [
            ("call", "has another place", "b"),
            ("call", "has another place", "c"),
            ("call", "has another place", "d"),
            ("call", "is new and required", "x"),
        ]),
        ("def call(a,", "def call(z,", [("call", "is called z", "a")]),
        ('d=None, *args, e=0', "*, d=None", [("call", "has another place", "d")]),
        (", d=None, *args, e=0", "", [("call", "is missing", "d")]),
        ('c="text"', 'c="other"', [("call", "has the default 'other', before 'text'", "c")]),
        ("b=1, c=", "b=True, c=", [("call", "has the default True, before 1", "b")]),
        ('b=1, c="text", d=None', 'b, c="text", d=None', [
            ("call", "has no default, before 1", "b")
        ]),
        ("def call(", "call = 1\ndef other(", [("call", "cannot be called", None)]),
    ],
)  # fmt: skip
def test_names_of_modules(compare, old, new, expected):
    found = compare((old, new))
    assert [(one.name, one.text, one.parameter) for one in found] == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("self.later = number", "pass", ("later", "is missing", None)),
        ("    first: int\n", "", ("first", "is missing", None)),
        ("    first: int\n", "    first = property(lambda self: 1)\n",
         ("first", "cannot be set", None)),
        (", lambda self, value: None", "", ("written", "cannot be set", None)),
        ("read = property(lambda self: 1)", "read = lambda self: 1", ("read", "is a method", None)),
        ("def inherited(self, number=1)", "inherited = property(lambda self: 1)\n"
         "    def other(self, number=1)", ("inherited", "cannot be called", None)),
        ("self, number=1", "self", ("inherited", "is missing", "number")),
        ('path="here"', 'path="there"',
         ("load", "has the default 'there', before 'here'", "path")),
        ("def make(path)", "def make(file)", ("make", "is called file", "path")),
        ("def __len__", "def length", ("__len__", "is missing", None)),
        ("level =", "other =", ("level", "is missing", None)),
    ],
)  # fmt: skip
def test_members_of_classes(compare, old, new, expected):
    found = compare((old, new))
    assert {(one.name, one.text, one.parameter) for one in found} == {expected}
    assert found[0].path.startswith(THINGS)


def test_constructors(compare):
    found = compare(("self, first=1, second=2, third=3, *,", "self, first=1, *, second=3,"))
    texts = ["has another place", "has the default 3, before 2"]
    assert found == [
        Difference(THINGS + name, text, "second")
        for name in ("Lost", "Other", "Thing")
        for text in texts
    ]
    assert grouped(found[:2]) == [f"{THINGS}Lost: parameter second {text}" for text in texts]


def test_missing_modules_stand_for_what_they_held(compare):
    assert compare(without="gone") == [Difference("imitation.gone", "is missing")]


def test_second_spellings_are_accepted(compare):
    wrapped = """import functools

def spelled(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        pass
    call.second_spellings = {"a": "z"}
    return call

@spelled
def call(z,"""
    assert compare(("def call(a,", wrapped)) == []


FUNCTION_FIRST = """
from pyshac.core.engine.call_forms import begins_with_function, is_not_flag, optional_function

class Thing:
    @optional_function(is_not_flag)
    def fit(self, evaluation_function, flag=False):
        pass

"""


@pytest.mark.parametrize(
    ("fit", "expected"),
    [
        ("evaluation_function, flag=False", []),
        ("flag=False", []),
        ("eval_fn, flag=False", [("fit", "is called evaluation_function", "eval_fn")]),
    ],
)
def test_the_evaluation_function_may_come_first(compare, fit, expected):
    things = BEFORE["things"].replace("level = 1", f"def fit(self, {fit}): pass")
    found = compare(
        ("class Thing:\n", FUNCTION_FIRST),
        (
            "    def __init__(self, first=1",
            "    @optional_function(begins_with_function)\n"
            "    def __init__(self, evaluation_function, first=1",
        ),
        before={**BEFORE, "things": things},
    )
    assert [(one.name, one.text, one.parameter) for one in found] == expected


def test_grouping(compare):
    found = [Difference(f"a.{name}.x", "is missing") for name in "bcd"]
    assert grouped(found) == ["a.b.x: is missing; also in 2 more"]


def test_the_page():
    rows = listed_names(
        "| Before | Now |\n|---|---|\n| `fit(eval_fn=...)`, `a \\| b` | `other` |\n| word | `x` |"
    )
    assert is_listed({"fit", "eval_fn"}, rows)
    assert is_listed({"a", "b"}, rows)
    assert not is_listed({"other"}, rows)
    assert not is_listed({"word"}, rows)


def test_where_the_wheel_is(tmp_path, monkeypatch):
    monkeypatch.delenv(wheel_command.VARIABLE, raising=False)
    monkeypatch.setattr(wheel_command, "FOLDER", tmp_path)
    assert wheel_command.find_wheel() is None
    (tmp_path / wheel_command.NAME).touch()
    assert wheel_command.find_wheel() == tmp_path / wheel_command.NAME
    monkeypatch.setenv(wheel_command.VARIABLE, str(tmp_path / "absent.whl"))
    with pytest.raises(FileNotFoundError, match=r"must name a wheel.*absent\.whl"):
        wheel_command.find_wheel()
