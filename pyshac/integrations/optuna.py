"""Optuna: SHAC as a sampler, and searches in its studies, as optuna-dashboard shows them."""

from pyshac.core.basics import optional_packages

optional_packages.require("pyshac.integrations.optuna", "optuna", "optuna")

from pyshac.integrations.optuna_parts.sampler import SHACSampler  # noqa: E402

__all__ = ["SHACSampler"]
