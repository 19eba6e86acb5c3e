"""A program of another environment that answers each line of JSON with a line of JSON."""

from __future__ import annotations

import atexit
import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any


class LineProcess:
    """Runs the program until this one ends.

    Args:
        command: The program and its arguments.
        variables: Its environment variables.
    """

    def __init__(self, command: Sequence[str], variables: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=variables,
            text=True,
        )
        atexit.register(self._process.kill)

    def ask(self, request: Any) -> Any:
        """Returns the program's answer; raises `EOFError` if it has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        if not (line := self._process.stdout.readline()):
            raise EOFError("the process has ended")
        return json.loads(line)
