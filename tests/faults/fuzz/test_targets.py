"""What fuzzing found, and that the targets do what they are for. Needs no fuzzer."""

from __future__ import annotations

import json

import pytest

from tests.faults.fuzz import targets

# scipy.stats raises a RuntimeError for it.
YULESIMON = {"name": "x", "distribution": "yulesimon", "args": [1e-4], "kwds": {}}

FINDINGS = [
    (
        "parameters",
        json.dumps({"x": ["DistributionHP", {**YULESIMON, "log_encode": False}]}).encode(),
    ),
    # A tuple where there should be an object.
    ("parameters", b'{"__tuple__": []}'),
    ("parameters", b'  {"__tuple__": ["seed"]}'),
    ("parameters", b'{"x": {"__tuple__": ["UniformHP", {"__tuple__": []}]}}'),
]


@pytest.fixture(scope="module", autouse=True)
def _clean_up():
    yield
    targets.clean_up()


@pytest.mark.parametrize(("target", "data"), FINDINGS, ids=range(len(FINDINGS)))
def test_findings_are_refused(target, data):
    assert not targets.TARGETS[target](data)


@pytest.mark.parametrize("target", targets.TARGETS)
def test_seeds_are_accepted(target):
    """A target that refuses everything would find nothing."""
    accepted = [targets.TARGETS[target](seed) for seed in targets.seeds(target)]
    assert any(accepted)


@pytest.mark.parametrize("target", targets.TARGETS)
@pytest.mark.parametrize("data", [b"", b"\0", b"\xff" * 100, b"[" * 4096, b"{}", b"null"])
def test_garbage_is_no_finding(target, data):
    targets.TARGETS[target](data)


def test_every_reader_is_a_target():
    assert set(targets.SHARES) == set(targets.TARGETS)


def test_a_signed_state_reaches_what_is_behind_the_checksum():
    state = targets.seeds("state")[0]
    content = {**json.loads(state), "sha256": "wrong"}
    assert targets.fuzz_state(json.dumps(content).encode())
    assert not targets.fuzz_state(json.dumps({**content, "num_complete": "x"}).encode())
