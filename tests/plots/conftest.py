"""Fixtures of the tests of plots."""

import pytest

from tests.looking.searches import run_search


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished search of five stages: the engine, whose save directory it is in."""
    return run_search(tmp_path_factory.mktemp("finished"), skip_cv_checks=True)[0]


@pytest.fixture(scope="session")
def halving(tmp_path_factory):
    """The same by the published procedure, whose regions are not as small in the end."""
    folder = tmp_path_factory.mktemp("halving")
    return run_search(folder, skip_cv_checks=True, method="paper")[0]
