"""Which distributions a file may ask for: those whose values are found quickly in any case."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from pyshac.core.hyperparameters import DistributionHP
from pyshac.core.hyperparameters.types.distributions import scipy_distributions

# What is in the installed SciPy; earlier and later ones lack a few.
QUICK = sorted(
    name for name in scipy_distributions.QUICK if scipy_distributions.by_name(name) is not None
)
EXTREME = [
    -math.inf,
    -1e300,
    -1.0,
    0.0,
    1e-300,
    1e-9,
    0.5,
    1.0,
    2.0,
    1e9,
    1e300,
    math.inf,
    math.nan,
]

# All of these take minutes, gigabytes, or end the process, when their values are looked for.
COSTLY = [
    ("zipf", [1.0001], {}),
    ("zipf", [], {"a": 1.0001}),
    ("zipfian", [1e-9, 1e9], {}),
    ("logser", [0.999999], {}),
    ("yulesimon", [1e-4], {}),
    ("nbinom", [1e12, 1e-9], {}),
    ("nbinom", [1e-9], {"p": 1e-9}),
    ("nbinom", [1e300, 0.5], {}),
    ("nbinom", [math.nan, 0.5], {}),
    ("binom", [1e300, 0.5], {}),
    ("binom", [], {"n": 1e300, "p": 1e-9}),
    ("hypergeom", [10**12, 1000, 1000], {}),
    ("betabinom", [1e9, 2, 3], {}),
    ("betabinom", [1000, 1, 1e-9], {}),
    ("betanbinom", [1, 1e-9, 1e-9], {}),
    ("nhypergeom", [10**5, 500, 300], {}),
    ("skellam", [1e-9, 1e9], {}),
    ("nchypergeom_fisher", [20, 7, 5, 1e300], {}),
    ("nchypergeom_wallenius", [1000, 500, 300, 1e-300], {}),
    ("irwinhall", [10**9], {}),
    ("levy_stable", [1e-9, 1e-9], {}),
    ("nct", [1e-9, 1e9], {}),
    ("studentized_range", [1.0001, 0.5], {}),
    ("gausshyper", [1.0001, 1e-9, 1.0001, 1e12], {}),
]  # fmt: skip


def config(name, args, kwds):
    return {"name": "x", "distribution": name, "args": args, "kwds": kwds, "log_encode": False}


@pytest.mark.parametrize(("name", "args", "kwds"), COSTLY, ids=str)
def test_costly_distributions_are_not_taken_from_a_file(name, args, kwds):
    if scipy_distributions.by_name(name) is None:
        pytest.skip(f"this SciPy has no {name}")
    with pytest.raises(ValueError, match=f"scipy.stats.{name} .*not taken from a file.* Hand over"):
        DistributionHP.load_from_config(config(name, args, kwds))


@pytest.mark.parametrize("name", QUICK)
def test_quick_distributions_have_a_quantile_function_of_their_own(name):
    """SciPy's general one looks for a root of the distribution function, or integrates for it."""
    distribution = scipy_distributions.by_name(name)
    general = stats.rv_discrete
    if isinstance(distribution, stats.rv_continuous):
        general = stats.rv_continuous
    assert type(distribution)._ppf is not general._ppf or type(distribution).ppf is not general.ppf


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
@pytest.mark.filterwarnings("ignore")
def test_quick_distributions_are_quick_whatever_their_arguments(name):
    """Hundreds of cases each: were one as slow as those above, this would not end."""
    distribution = scipy_distributions.by_name(name)
    unit = np.random.default_rng(0).random(10)
    for args in itertools.islice(itertools.product(EXTREME, repeat=distribution.numargs), 500):
        try:
            parameter = DistributionHP.load_from_config(config(name, list(args), {}))
        except (ValueError, ArithmeticError, RecursionError):
            continue
        with np.errstate(all="ignore"):
            parameter.to_unit(parameter.from_unit(unit))


@pytest.mark.parametrize(
    "distribution",
    [
        stats.binom(10, 0.3),
        stats.binom(10**6, p=1e-9),
        stats.nbinom(n=10**6, p=1e-3),
        stats.hypergeom(1000, 500, 300),
        stats.poisson(mu=1e9, loc=-7),
        stats.truncnorm(-1, 2, loc=3, scale=1e-9),
    ],
)
def test_quick_distributions_are_taken(distribution):
    parameter = DistributionHP("x", distribution)
    again = DistributionHP.load_from_config(parameter.get_config())
    unit = np.linspace(0.01, 0.99, 9)
    assert (again.from_unit(unit) == parameter.from_unit(unit)).all()


@pytest.mark.parametrize("distribution", [stats.zipf(2.5), stats.logser(0.3), stats.vonmises(2)])
def test_a_program_may_have_any(distribution):
    assert math.isfinite(DistributionHP("x", distribution).sample())
