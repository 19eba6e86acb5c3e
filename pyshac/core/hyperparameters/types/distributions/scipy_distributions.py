"""Distributions of `scipy.stats`, and the subset that a file may name.

With malicious arguments, some distributions need minutes or all memory to compute a median, and a
few crash the process. For the listed ones, the arguments hardly change the cost of a quantile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_QUICK_NAMES = """
    alpha anglit arcsine beta betaprime bradford burr burr12 cauchy chi chi2 cosine crystalball
    dgamma dweibull erlang expon exponpow exponweib f fatiguelife fisk gamma genexpon genextreme
    gengamma genhalflogistic genlogistic gennorm genpareto gibrat gompertz gumbel_l gumbel_r
    halfcauchy halfgennorm halflogistic halfnorm hypsecant invgamma invgauss invweibull johnsonsb
    johnsonsu kappa3 kappa4 laplace laplace_asymmetric levy levy_l loggamma logistic loglaplace
    lognorm loguniform lomax maxwell mielke moyal nakagami norm pareto pearson3 powerlaw
    powerlognorm powernorm rayleigh rdist reciprocal semicircular skewcauchy skewnorm t trapezoid
    trapz triang truncexpon truncnorm truncpareto truncweibull_min tukeylambda uniform wald
    weibull_max weibull_min wrapcauchy
    bernoulli boltzmann dlaplace geom planck poisson randint
"""
QUICK = frozenset(_QUICK_NAMES.split())
# Others are quick if their arguments lie in these ranges.
QUICK_WITHIN: dict[str, dict[str, tuple[float, float]]] = {
    "binom": {"n": (0, 1e6)},
    "nbinom": {"n": (0, 1e6), "p": (1e-3, 1)},
    "hypergeom": {"M": (0, 1000), "n": (0, 1000), "N": (0, 1000)},
}
# They have quantile functions of their own, which take milliseconds for each value all the same.
_SLOW = frozenset({"ksone", "kstwo"})
# Even a table of them takes minutes or gigabytes, or ends the process, unless their arguments lie
# in these ranges.
_POSSIBLE_WITHIN: dict[str, dict[str, tuple[float, float]]] = {
    "levy_stable": {"alpha": (0.5, 2)},
    "nchypergeom_fisher": {"M": (0, 1e6), "odds": (1e-6, 1e6)},
    "nchypergeom_wallenius": {"M": (0, 1e6), "odds": (1e-6, 1e6)},
    "nct": {"df": (1e-3, 1e9), "nc": (-100, 100)},
    "zipfian": {"n": (0, 1e6)},
}
_IMPOSSIBLE = frozenset({"studentized_range"})


def by_name(name: Any) -> Any:
    """Returns the distribution of `scipy.stats` with a name, or None."""
    from scipy import stats

    found = getattr(stats, name, None) if isinstance(name, str) else None
    return found if isinstance(found, (stats.rv_continuous, stats.rv_discrete)) else None


def is_frozen(distribution: Any) -> bool:
    """Returns whether an object is a frozen distribution that `scipy.stats` has by name."""
    from scipy.stats.distributions import rv_frozen

    if not isinstance(distribution, rv_frozen):
        return False
    named = by_name(distribution.dist.name)
    return named is not None and type(named) is type(distribution.dist)


def has_quick_quantiles(frozen: Any) -> bool:
    """Returns whether SciPy computes quantiles of a distribution without a search for each value.

    Raises:
        ValueError: If they could take minutes to compute.
    """
    from scipy import stats

    name, own = frozen.dist.name, type(frozen.dist)
    arguments = _by_shape(frozen.dist, frozen.args, frozen.kwds)
    problem = _outside(arguments, _POSSIBLE_WITHIN.get(name, {}))
    if problem or name in _IMPOSSIBLE:
        raise ValueError(f"its values could take minutes to find{problem and f', with {problem}'}")
    general = (
        stats.rv_discrete if isinstance(frozen.dist, stats.rv_discrete) else stats.rv_continuous
    )
    has_own = own._ppf is not general._ppf or own.ppf is not general.ppf
    return has_own and name not in _SLOW and not _outside(arguments, QUICK_WITHIN.get(name, {}))


def from_config(name: Any, args: Sequence[Any], kwds: Mapping[str, Any]) -> Any:
    """Returns the frozen distribution that a file describes.

    Raises:
        TypeError: If the distribution does not have such arguments.
        ValueError: If `scipy.stats` has no such distribution, or it could take too long.
    """
    distribution = by_name(name)
    if distribution is None:
        raise ValueError(f"scipy.stats has no distribution {name!r}.")
    if name not in QUICK and name not in QUICK_WITHIN:
        raise ValueError(_refusal(f"scipy.stats.{name} is"))
    arguments = _by_shape(distribution, args, kwds)
    ranges = QUICK_WITHIN.get(name, {})
    missing = ranges.keys() - arguments.keys()
    if missing:
        raise ValueError(f"scipy.stats.{name} needs a value of {min(missing)!r}.")
    problem = _outside(arguments, ranges)
    if problem:
        raise ValueError(_refusal(f"scipy.stats.{name} with {problem}, is"))
    return distribution(*args, **kwds)


def _by_shape(distribution: Any, args: Sequence[Any], kwds: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the arguments of a distribution by name, without a positional location or scale."""
    shapes = (distribution.shapes or "").replace(" ", "").split(",")
    return {**dict(zip(shapes, args, strict=False)), **kwds}


def _outside(arguments: Mapping[str, Any], ranges: Mapping[str, tuple[float, float]]) -> str:
    """Returns a description of the first argument outside its range, or an empty text."""
    for shape, (low, high) in ranges.items():
        if not low <= arguments[shape] <= high:
            return f"{shape}={arguments[shape]!r}, not in [{low}, {high}]"
    return ""


def _refusal(what: str) -> str:
    return (
        f"{what} not taken from a file, because its values could take minutes or gigabytes to "
        "find. Hand over the search space yourself: as hyperparameter_list of the engine that "
        "restores, or as parameters of Dataset.load_from_directory. Plots and reports take that "
        "engine or dataset instead of the directory."
    )
