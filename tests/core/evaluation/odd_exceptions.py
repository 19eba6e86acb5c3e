"""Evaluations that raise exceptions of odd sorts. Worker processes import this module."""

from __future__ import annotations

import asyncio
import builtins
import itertools
import sys
import threading

MEGABYTES = 20


class OwnSignatureError(Exception):
    """Cannot be unpickled: its message is not an argument of its constructor."""

    def __init__(self, code, *, hint):
        super().__init__(f"code {code}, hint {hint}")


class UnreadableError(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


class UnreadableForExitError(Exception):
    def __str__(self):
        sys.exit("no text")


class RaisingReduceError(Exception):
    def __reduce__(self):
        raise RuntimeError("no pickle")


class EndlessReduceError(Exception):
    """Its pickle has no end."""

    def __reduce__(self):
        return (dict, (), None, None, ((str(n), str(n)) for n in itertools.count()))


class DeepReduceError(Exception):
    def __reduce__(self):
        return (DeepReduceError, (DeepReduceError(),))


class NotAnExceptionError(Exception):
    """Its pickle is not one of an exception."""

    def __reduce__(self):
        return (str, ("not an exception",))


class ExitOnLoadError(Exception):
    def __reduce__(self):
        return (sys.exit, ("on load",))


class FalseError(Exception):
    def __bool__(self):
        raise RuntimeError("neither true nor false")

    __hash__ = None

    def __eq__(self, other):
        raise RuntimeError("not comparable")


class FrozenError(Exception):
    def __setattr__(self, name, value):
        raise AttributeError(name)


class OwnBaseError(BaseException):
    pass


def circular():
    error, cause = ValueError("a"), KeyError("b")
    error.__cause__, cause.__cause__ = cause, error
    error.__context__ = error
    return error


def chained():
    error = ValueError("first")
    for number in range(5000):
        following = ValueError(str(number))
        following.__cause__, error = error, following
    return error


def holding(thing):
    error = ValueError("holds something")
    error.thing = thing
    return error


def group():
    kind = getattr(builtins, "ExceptionGroup", None)
    if kind is None:
        return ValueError("no groups before Python 3.11")
    return kind("several", [ValueError("one"), kind("more", [OSError("two")])])


# Name: what makes the exception, and a part of the message with which it fails.
EXCEPTIONS = {
    "own signature": (lambda: OwnSignatureError(3, hint="none"), "code 3, hint none"),
    "no text": (UnreadableError, "UnreadableError: <UnreadableError without a text"),
    "exit instead of text": (UnreadableForExitError, "UnreadableForExitError: <"),
    "huge message": (lambda: ValueError("x" * MEGABYTES * 10**6), "ValueError: xxx"),
    "raising reduce": (lambda: RaisingReduceError("a message"), "a message"),
    "endless reduce": (lambda: EndlessReduceError("a message"), "a message"),
    "deep reduce": (lambda: DeepReduceError("a message"), "a message"),
    "not an exception": (lambda: NotAnExceptionError("a message"), "a message"),
    "exit on load": (lambda: ExitOnLoadError("a message"), "a message"),
    "false": (lambda: FalseError("a message"), "a message"),
    "frozen": (lambda: FrozenError("a message"), "a message"),
    "circular": (circular, "ValueError: a"),
    "chained": (chained, "ValueError: 4999"),
    "holds a lock": (lambda: holding(threading.Lock()), "holds something"),
    "holds much": (lambda: holding(bytes(MEGABYTES * 10**6)), "holds something"),
    "group": (group, ""),
    "stop iteration": (lambda: StopIteration("a message"), "StopIteration: a message"),
    "recursion": (lambda: RecursionError("a message"), "a message"),
    "memory": (lambda: MemoryError("a message"), "a message"),
    "generator exit": (lambda: GeneratorExit("a message"), "GeneratorExit: a message"),
    "surrogates": (lambda: ValueError("\ud800 \0 \x1b[2J"), "ValueError: "),
}

# Not errors but requests to end: they come out of fit as they are.
REQUESTS = {
    "exit": lambda: SystemExit("enough"),
    "interrupt": lambda: KeyboardInterrupt("enough"),
    "cancelled": lambda: asyncio.CancelledError("enough"),
    "own": lambda: OwnBaseError("enough"),
}


class Raising:
    """Raises the exception of a name at the second sample."""

    def __init__(self, name):
        self.name = name

    def __call__(self, worker_id, parameters):
        if parameters["x"] == 1:
            make = EXCEPTIONS[self.name][0] if self.name in EXCEPTIONS else REQUESTS[self.name]
            raise make()
        return parameters["x"]
