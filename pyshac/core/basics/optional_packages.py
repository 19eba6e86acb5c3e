"""Packages that only some features need, found without an import."""

from __future__ import annotations

import importlib.util
import sys


def is_installed(package: str) -> bool:
    """Returns whether a package can be imported, without importing it."""
    # A module of None blocks an import.
    return sys.modules.get(package) is not None or importlib.util.find_spec(package) is not None


def require(user: str, package: str, extra: str) -> None:
    """Raises if a package is not installed.

    Args:
        user: The feature that needs it.
        package: Its import name.
        extra: The extra of PySHAC that installs it.

    Raises:
        ModuleNotFoundError: The message names the extra.
    """
    if not is_installed(package):
        raise ModuleNotFoundError(
            f"{user} needs the package {package!r}, which is not installed: "
            f"pip install 'pyshac[{extra}]'",
            name=package,
        )
