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
    from pyshac.core.managed.keras_engine import KerasSHAC
    from pyshac.core.managed.tf_engine import TensorflowSHAC
    from pyshac.core.managed.torch_engine import TorchSHAC
    from pyshac.core.progress import ProgressBar
    from pyshac.reporting.page import report

__version__ = "1.0.0"

__all__ = [
    "SHAC",
    "AbstractHyperParameter",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "Dataset",
    "DirectoryInUseError",
    "DiscreteHP",
    "DiscreteHyperParameter",
    "DistributionHP",
    "DistributionHyperParameter",
    "EvaluationError",
    "EvaluationTimeoutError",
    "History",
    "HyperParameterList",
    "IntegerHP",
    "IntegerHyperParameter",
    "KerasSHAC",
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
    "NothingAcceptedError",
    "ProgressBar",
    "SaveDirectoryError",
    "TensorflowSHAC",
    "TorchSHAC",
    "UniformContinuousHyperParameter",
    "UniformHP",
    "WorkerDiedError",
    "flatten_parameters",
    "report",
    "set_custom_parameter_class",
]

# Each imports at most those before it.
_MODULES = (
    "core.errors",
    "core.callbacks",
    "core.progress",
    "core.hyperparameters",
    "core.dataset",
    "core.engine",
    "core.managed.torch_engine",
    "core.managed.tf_engine",
    "core.managed.keras_engine",
    "reporting.page",
)


def __getattr__(name: str) -> Any:
    # Worker processes import this package, and XGBoost brings pandas along: load when asked.
    if name in __all__:
        for module in _MODULES:
            home = importlib.import_module(f"pyshac.{module}")
            if hasattr(home, name):
                return getattr(home, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
