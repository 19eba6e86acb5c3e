"""Finds the Keras in use and its backend by Keras's own rules, without importing it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from pyshac.core.basics.optional_packages import is_installed, require

# Backends of Keras 3 that can train a model; each is the name of a package and of an extra.
TRAINABLE = ("tensorflow", "jax", "torch")

# A backend of Keras before 2.4; its package has no release for recent versions of Python.
CNTK = "cntk"

# Keras's own default.
DEFAULT_BACKEND = "tensorflow"

LEGACY_VARIABLE = "TF_USE_LEGACY_KERAS"
BACKEND_VARIABLE = "KERAS_BACKEND"


@dataclass(frozen=True)
class KerasChoice:
    """The Keras in use.

    Attributes:
        backend: Name of its backend.
        is_legacy: Whether it is Keras 2, which can build models in a TensorFlow graph.
    """

    backend: str
    is_legacy: bool = False

    def environment(self) -> dict[str, str]:
        """Returns environment variables that make another process use the same Keras."""
        if self.is_legacy and self.backend == "tensorflow":
            return {LEGACY_VARIABLE: "1"}
        return {BACKEND_VARIABLE: self.backend, LEGACY_VARIABLE: "0"}


def find_keras(user: str = "KerasSHAC") -> KerasChoice:
    """Returns the Keras in use here.

    Args:
        user: The class that needs Keras, for error messages.

    Raises:
        ModuleNotFoundError: If Keras or its backend is not installed.
        ValueError: If its backend cannot train.
    """
    if os.environ.get(LEGACY_VARIABLE) in ("1", "true", "True"):
        require(user, "tf_keras", "keras")
        require(user, "tensorflow", "keras")
        return KerasChoice("tensorflow", is_legacy=True)
    require(user, "keras", "keras")
    choice = KerasChoice(_backend(), is_legacy=_is_keras_2())
    if choice.backend == CNTK and is_installed(CNTK):
        return choice
    if choice.backend not in TRAINABLE:
        raise ValueError(
            f"Keras's backend must be one that can train: {', '.join(map(repr, TRAINABLE))}. "
            f"Got {choice.backend!r} instead. Set {BACKEND_VARIABLE} before Keras is imported."
        )
    require(user, choice.backend, choice.backend)
    return choice


def _is_keras_2() -> bool:
    try:
        return int(importlib.metadata.version("keras").partition(".")[0]) < 3
    except importlib.metadata.PackageNotFoundError:
        return False


def _backend() -> str:
    keras = sys.modules.get("keras")
    if keras is not None:
        return str(keras.backend.backend())
    return os.environ.get(BACKEND_VARIABLE) or _backend_in_file() or DEFAULT_BACKEND


def _backend_in_file() -> str | None:
    """Returns the backend in Keras's configuration file, if there is one."""
    base = Path.home() if os.access(Path.home(), os.W_OK) else Path("/tmp")
    folder = os.environ.get("KERAS_HOME", str(base / ".keras"))
    try:
        config = json.loads(Path(folder, "keras.json").expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    backend = config.get("backend") if isinstance(config, dict) else None
    return backend if isinstance(backend, str) else None
