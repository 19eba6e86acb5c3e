"""Distributions of `scipy.stats`, and the subset that a file may name.

With malicious arguments some distributions take minutes, or all memory, to compute a median, and a
few crash the process. For the listed ones the arguments hardly change the cost of a quantile.
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


def by_name(name: Any) -> Any:
    """Returns the distribution of `scipy.stats` with a name, or None."""
    from scipy import stats

    found = getattr(stats, name, None) if isinstance(name, str) else None
    return found if isinstance(found, (stats.rv_continuous, stats.rv_discrete)) else None


def from_config(name: Any, args: Sequence[Any], kwds: Mapping[str, Any]) -> Any:
    """Returns the frozen distribution that a file describes.

    Raises:
        TypeError: If it has no such arguments.
        ValueError: If `scipy.stats` has no such distribution, or it could take too long.
    """
    distribution = by_name(name)
    if distribution is None:
        raise ValueError(f"scipy.stats has no distribution {name!r}.")
    if name not in QUICK and name not in QUICK_WITHIN:
        raise ValueError(_refusal(f"scipy.stats.{name} is"))
    shapes = (distribution.shapes or "").replace(" ", "").split(",")
    arguments = {**dict(zip(shapes, args, strict=False)), **kwds}
    for shape, (low, high) in QUICK_WITHIN.get(name, {}).items():
        if shape not in arguments:
            raise ValueError(f"scipy.stats.{name} needs a value of {shape!r}.")
        if not low <= arguments[shape] <= high:
            what = f"scipy.stats.{name} with {shape}={arguments[shape]!r}, not in [{low}, {high}], "
            raise ValueError(_refusal(what + "is"))
    return distribution(*args, **kwds)


def _refusal(what: str) -> str:
    return (
        f"{what} not taken from a file, because its values could take minutes or gigabytes to "
        "find. Hand over the search space yourself: as hyperparameter_list of the engine that "
        "restores, or as parameters of Dataset.load_from_directory. Plots and reports take that "
        "engine or dataset instead of the directory."
    )
