"""Optuna's own suites of tests for samplers, with one objective."""

from __future__ import annotations

import pytest

pytest.importorskip("optuna", reason="needs optuna")
suites = pytest.importorskip("optuna.testing.pytest_samplers", reason="needs its test suites")

from pyshac.integrations.optuna import SHACSampler  # noqa: E402

pytestmark = pytest.mark.slow


class TestBatchesOfFour(
    suites.BasicSamplerTestCase, suites.RelativeSamplerTestCase, suites.SingleOnlySamplerTestCase
):
    @pytest.fixture
    def sampler(self):
        return lambda: SHACSampler(20, 4, seed=0)


class TestWithoutSeed(
    suites.BasicSamplerTestCase, suites.RelativeSamplerTestCase, suites.SingleOnlySamplerTestCase
):
    @pytest.fixture
    def sampler(self):
        return lambda: SHACSampler(100, 10)
