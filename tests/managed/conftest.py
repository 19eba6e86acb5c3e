"""Settings of the tests that train models."""

import pytest


@pytest.fixture(autouse=True)
def few_threads(monkeypatch):
    # Models this small gain nothing from threads, and lose where other work keeps cores busy.
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        monkeypatch.setenv(name, "1")
