"""Optuna: SHAC as a sampler, and searches in its studies, as optuna-dashboard shows them."""

from pyshac.core.basics import optional_packages

optional_packages.require("pyshac.integrations.optuna", "optuna", "optuna")

from pyshac.integrations.optuna_parts.mirror import OptunaMirror  # noqa: E402
from pyshac.integrations.optuna_parts.sampler import SHACSampler  # noqa: E402
from pyshac.integrations.optuna_parts.written_study import export_study  # noqa: E402

__all__ = ["OptunaMirror", "SHACSampler", "export_study"]
