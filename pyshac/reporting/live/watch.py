"""Watch: serves the live page of a search until it is asked to end."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

from pyshac.core.basics import signals
from pyshac.core.basics.messages.printable import printable
from pyshac.core.basics.paths import absolute_path
from pyshac.plots.drawing import new_figure
from pyshac.reporting.live.server import LiveServer

INTERVAL_SECONDS = 2.0
MIN_INTERVAL, MAX_INTERVAL = 0.1, 3600.0


def watch(
    directory: str | os.PathLike[str],
    objective: str | None = None,
    *,
    port: int = 0,
    interval: float = INTERVAL_SECONDS,
    announce: Callable[[str], object],
) -> None:
    """Serves the live page of a search on this machine until Ctrl-C or SIGTERM.

    Args:
        directory: The save directory; the search may begin later.
        objective: 'max' or 'min' for a directory that does not record it; None for 'max'.
        port: The port, from 1 to 65535; 0 for one that is free.
        interval: Seconds between two updates of the page, from 0.1 to 3600.
        announce: Called with text for the user, which has the address.

    Raises:
        ImportError: If Matplotlib is not installed.
        OSError: If the port is taken, or the path is a file.
        ValueError: If an argument is out of its range.
    """
    path = absolute_path("directory", directory)
    _check(path, port, interval)
    new_figure()  # Raises at once if Matplotlib is missing.
    with signals.ending_on_signals(), _open(path, objective, port, interval) as server:
        try:
            announce(
                f"Watching {printable(str(path))} at\n\n    {server.address}\n\n"
                "Only this machine can open the page. Ctrl-C ends it.\n"
            )
            server.serve_forever(poll_interval=0.2)
        except signals.TerminatedError:
            raise
        except KeyboardInterrupt:
            announce("Ended.\n")


def _check(path: Path, port: int, interval: float) -> None:
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(f"{str(path)!r} is a file: give the save directory of a search.")
    if not 0 <= port <= 65535:
        raise ValueError(f"port must be from 0 to 65535, 0 for one that is free. Got {port}.")
    if not math.isfinite(interval) or not MIN_INTERVAL <= interval <= MAX_INTERVAL:
        raise ValueError(
            f"interval must be from {MIN_INTERVAL} to {MAX_INTERVAL:g} seconds. Got {interval!r}."
        )


def _open(path: Path, objective: str | None, port: int, interval: float) -> LiveServer:
    try:
        return LiveServer(path, objective, port, interval)
    except OSError as error:
        raise OSError(
            f"port {port} cannot be listened on: {error.strerror}. Choose another one, or 0 for "
            "one that is free."
        ) from None
