"""scikit-learn's checks of estimators, and its own tests of RandomizedSearchCV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", "1.6")

from sklearn.linear_model import LogisticRegression, Ridge  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from pyshac import LogUniformHP  # noqa: E402
from pyshac.integrations.sklearn import SHACSearchCV  # noqa: E402
from tests.integrations.sklearn_suite import find, run_suite, surprises  # noqa: E402

SEARCHES = [
    # Workers of pytest-xdist need the same ids, so no text of a search may have an address in it.
    SHACSearchCV(Ridge(), [LogUniformHP("alpha", 0.1, 10)], 4, 2, cv=2, error_score="raise"),
    SHACSearchCV(
        LogisticRegression(), {"C": np.array([0.1, 1.0])}, 2, 2, cv=2, error_score="raise"
    ),
    SHACSearchCV(
        make_pipeline(StandardScaler(), Ridge()),
        [{"ridge__alpha": [0.1, 1.0]}, {"ridge__fit_intercept": [True, False]}],
        3,
        2,
        cv=2,
        error_score="raise",
    ),
]


@pytest.mark.slow
@parametrize_with_checks(SEARCHES)
def test_it_is_an_estimator(estimator, check):
    check(estimator)


@pytest.mark.long
def test_scikit_learns_own_tests_fail_only_where_they_test_its_draws():
    outcomes = run_suite(find(Path(sklearn.__file__).parent))

    assert len(outcomes) > 100
    assert surprises(outcomes) == []
