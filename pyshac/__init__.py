"""PySHAC: hyperparameter search by Successive Halving and Classification."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyshac.core.callbacks import Callback, CallbackList, CSVLogger, History
    from pyshac.core.dataset import Dataset, flatten_parameters
    from pyshac.core.engine import SHAC
    from pyshac.core.errors import (
        DirectoryInUseError,
        EvaluationError,
        EvaluationTimeoutError,
        NothingAcceptedError,
        SaveDirectoryError,
        WorkerDiedError,
    )
    from pyshac.core.hyperparameters import (
        AbstractHyperParameter,
        DiscreteHP,
        DiscreteHyperParameter,
        DistributionHP,
        DistributionHyperParameter,
        HyperParameterList,
        IntegerHP,
        IntegerHyperParameter,
        LogUniformContinuousHyperParameter,
        LogUniformHP,
        MultiDiscreteHP,
        MultiDiscreteHyperParameter,
        MultiNormalContinuousHyperParameter,
        MultiNormalHP,
        MultiNormlHP,
        MultiUniformContinuousHyperParameter,
        MultiUniformHP,
        NormalContinuousHyperParameter,
        NormalHP,
        UniformContinuousHyperParameter,
        UniformHP,
        set_custom_parameter_class,
    )

__version__ = "1.0.0"

_MODULES = {
    "pyshac.core.callbacks": ["Callback", "CallbackList", "CSVLogger", "History"],
    "pyshac.core.dataset": ["Dataset", "flatten_parameters"],
    "pyshac.core.engine": ["SHAC"],
    "pyshac.core.errors": [
        "DirectoryInUseError",
        "EvaluationError",
        "EvaluationTimeoutError",
        "NothingAcceptedError",
        "SaveDirectoryError",
        "WorkerDiedError",
    ],
    "pyshac.core.hyperparameters": [
        "AbstractHyperParameter",
        "DiscreteHP",
        "DiscreteHyperParameter",
        "DistributionHP",
        "DistributionHyperParameter",
        "HyperParameterList",
        "IntegerHP",
        "IntegerHyperParameter",
        "LogUniformContinuousHyperParameter",
        "LogUniformHP",
        "MultiDiscreteHP",
        "MultiDiscreteHyperParameter",
        "MultiNormalContinuousHyperParameter",
        "MultiNormalHP",
        "MultiNormlHP",
        "MultiUniformContinuousHyperParameter",
        "MultiUniformHP",
        "NormalContinuousHyperParameter",
        "NormalHP",
        "UniformContinuousHyperParameter",
        "UniformHP",
        "set_custom_parameter_class",
    ],
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    # Worker processes import this package, and XGBoost brings pandas along: load when asked.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
