"""Fixtures of the tests of plots."""

import pytest

from tests.utils.searches import run_search


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished search of five stages: the engine, whose save directory it is in."""
    return run_search(tmp_path_factory.mktemp("finished"), skip_cv_checks=True)[0]
