"""Parameters in ranges that single precision cannot resolve, or that lie beyond its numbers."""

from __future__ import annotations

from typing import Any

from scipy import stats

from pyshac.core.hyperparameters import (
    DistributionHP,
    HyperParameterList,
    IntegerHP,
    LogUniformHP,
    NormalHP,
    UniformHP,
)


def extreme_parameters() -> list[Any]:
    """One of each kind."""
    return [
        UniformHP("narrow", 1e9, 1e9 + 10),
        UniformHP("encoded", 1e9, 1e9 + 10, log_encode=True),
        UniformHP("tiny", 1e-50, 2e-50),
        UniformHP("subnormal", 0, 1e-315),
        UniformHP("huge", 0, 1e40),
        UniformHP("widest", -8e307, 8e307),
        LogUniformHP("log", 1e-300, 1e300),
        LogUniformHP("narrow log", 1e9, 1e9 + 10),
        NormalHP("far", 1e9, 1e-3),
        NormalHP("wide", 0, 1e300),
        IntegerHP("integer", 2**30, 2**30 + 6),
        IntegerHP("large integer", 2**52 - 100, 2**52),
        IntegerHP("log integer", 2**45, 2**45 + 9, log=True),
        DistributionHP("beta", stats.beta(2, 5, loc=1e9, scale=1e-3)),
        DistributionHP("cauchy", stats.cauchy(-1e9, 1e-3)),
        DistributionHP("lognorm", stats.lognorm(50)),
        DistributionHP("poisson", stats.poisson(3, loc=2**40)),
        DistributionHP("randint", stats.randint(2**50, 2**50 + 20)),
        DistributionHP("pareto", stats.pareto(0.1), log_encode=True),
        DistributionHP("geom", stats.geom(0.9, loc=10**9), log_encode=True),
    ]


def extreme_space() -> HyperParameterList:
    return HyperParameterList(extreme_parameters())
