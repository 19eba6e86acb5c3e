"""A search in a program whose standard streams are missing or broken.

python -m tests.faults.streams KIND BACKEND SAVE_DIR RESULT
"""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from pathlib import Path

from pyshac import SHAC, UniformHP
from pyshac.cli import main as command_line

STREAMS = ("stdin", "stdout", "stderr")


class Bare:
    """An object that is no stream at all."""


class WriteOnly:
    """What some programs put in the place of a stream."""

    def write(self, text):
        return len(text)


class Failing(io.StringIO):
    """A terminal that has gone away."""

    def write(self, text):
        raise OSError("gone")

    flush = fileno = isatty = write

    @property
    def encoding(self):
        raise RuntimeError("gone")


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


KINDS = {
    "none": lambda: None,
    "closed": closed,
    "bare": Bare,
    "write only": WriteOnly,
    "failing": Failing,
}


def evaluate(worker_id, parameters):
    return parameters["x"]


def search(backend, save_dir):
    logging.basicConfig(level="DEBUG", format="%(message)s")
    engine = SHAC(evaluate, [UniformHP("x", 0.0, 1.0)], 12, 2, save_dir=save_dir)
    engine.evaluator_backend = backend
    engine.num_parallel_evaluators = 1 if backend == "threading" else 2
    engine.fit(skip_cv_checks=True)
    command_line(["show", str(save_dir)])
    command_line(["report", "-o", f"{save_dir}.html", str(save_dir)])
    command_line(["show", f"{save_dir}-which-does-not-exist"])
    return len(engine.dataset)


def main():
    kind, backend, save_dir, result = sys.argv[1:]
    if kind in KINDS:
        for name in STREAMS:
            setattr(sys, name, KINDS[kind]())
    elif kind == "descriptors":
        for number in range(3):
            os.close(number)
    try:
        text = f"{search(backend, save_dir)} evaluations"
    except BaseException:
        text = traceback.format_exc()
    Path(result).write_text(text)


if __name__ == "__main__":
    main()
