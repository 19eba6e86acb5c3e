"""A plugin of pytest: a folder for each test, and its result as a line of JSON once it is known."""

import json
import os
import tempfile

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    # A test that fails leaves its save directory behind, which is not the next one's fault.
    before = os.getcwd()
    os.chdir(tempfile.mkdtemp(dir=before))
    try:
        return (yield)
    finally:
        os.chdir(before)


def pytest_itemcollected(item):
    _write(kind="collected", name=item.nodeid)


def pytest_collectreport(report):
    if report.failed:
        _write(kind="not collected", name=report.nodeid, reason=_last_line(report.longrepr))


def pytest_runtest_logreport(report):
    if report.failed or report.skipped:
        _write(kind="failed", name=report.nodeid, reason=_reason(report))
    if report.when == "teardown":
        _write(kind="ended", name=report.nodeid)


def _reason(report):
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return _last_line(report.longrepr)
    return crash.message.strip().splitlines()[0]


def _last_line(longrepr):
    lines = str(longrepr).strip().splitlines() or ["unknown"]
    return lines[-1].removeprefix("E").strip()


def _write(**fields):
    with open(os.environ["PYSHAC_RESULT_LINES"], "a", encoding="utf-8") as file:
        file.write(json.dumps(fields) + "\n")
