"""The real optuna-dashboard, with a search that is mirrored, in a real browser."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

optuna = pytest.importorskip("optuna", reason="needs optuna")
pytest.importorskip("optuna_dashboard", reason="needs optuna-dashboard")

from pyshac.integrations.optuna import OptunaMirror  # noqa: E402
from tests.integrations.optuna_study.searches import engine_in, evaluate  # noqa: E402
from tests.reporting.conftest import browser  # noqa: E402, F401

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:A batch has")]

SERVER = "from optuna_dashboard._cli import main; main()"
SECONDS = 90


def eventually(look, what):
    """Waits until a look returns something; fails with a text otherwise."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if found := look():
                return found
        time.sleep(0.3)
    raise AssertionError(f"{what} after {SECONDS} s")


@pytest.fixture
def address(tmp_path):
    return f"sqlite:///{tmp_path / 'study.db'}"


@pytest.fixture
def dashboard(address):
    """The address of a dashboard on a free port of the loopback."""
    optuna.create_study(storage=address, study_name="run", direction="maximize")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SERVER, address, "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen([*command, "--server", "wsgiref", "--quiet"])
    url = f"http://127.0.0.1:{port}/dashboard"
    try:
        eventually(lambda: urllib.request.urlopen(url, timeout=5), "the dashboard does not answer")
        yield url
    finally:
        process.terminate()
        process.wait()


def test_trials_and_the_best_value_are_on_the_page(tmp_path, address, dashboard, browser):  # noqa: F811
    engine = engine_in(tmp_path / "run", 12, 2)
    engine.fit(evaluate, catch=ValueError, callbacks=[OptunaMirror(address)], verbose=0)
    study = optuna.load_study(study_name="run", storage=address)
    text = lambda: browser.run("return document.body.innerText")  # noqa: E731

    browser.driver.get(dashboard)
    eventually(lambda: "run" in text(), "no study is listed")
    browser.driver.get(f"{dashboard}/studies/{study._study_id}")
    best = f"{engine.best_score:.5g}"[:6]
    eventually(lambda: "Best Trial" in text() and best in text(), f"no best value {best}")
    assert f"x={engine.best_parameters['x']}"[:8] in text().replace(" = ", "=").replace(": ", "=")

    browser.driver.get(f"{dashboard}/studies/{study._study_id}/trials")
    eventually(lambda: text().count("Trial ") >= 12, "not all trials are listed")
    assert "Complete" in text()
