"""PySHAC: hyperparameter search by Successive Halving and Classification."""

from __future__ import annotations

import importlib
import traceback
from typing import TYPE_CHECKING, Any

from pyshac.version import __version__ as __version__

if TYPE_CHECKING:
    from pyshac.core.basics.plain_values import INACTIVE
    from pyshac.core.basics.results.curve import Curve
    from pyshac.core.callbacks import (
        Callback,
        CallbackList,
        CSVLogger,
        History,
        ProgressBar,
    )
    from pyshac.core.dataset import Dataset, Evaluation, flatten_parameters
    from pyshac.core.engine import SHAC
    from pyshac.core.errors import (
        ConstraintError,
        DirectoryInUseError,
        EvaluationError,
        EvaluationTimeoutError,
        InfeasibleSpaceError,
        NothingAcceptedError,
        Pruned,
        SaveDirectoryError,
        WorkerDiedError,
    )
    from pyshac.core.evaluation.curves.anywhere import EvaluationResult, evaluate
    from pyshac.core.hyperparameters import (
        AbstractHyperParameter,
        Constraint,
        DiscreteHP,
        DiscreteHyperParameter,
        DistributionHP,
        DistributionHyperParameter,
        Forbidden,
        HyperParameterList,
        IntegerHP,
        IntegerHyperParameter,
        Less,
        LinearConstraint,
        LogUniformContinuousHyperParameter,
        LogUniformHP,
        MultiDiscreteHP,
        MultiDiscreteHyperParameter,
        MultiIntegerHP,
        MultiIntegerHyperParameter,
        MultiLogUniformContinuousHyperParameter,
        MultiLogUniformHP,
        MultiNormalContinuousHyperParameter,
        MultiNormalHP,
        MultiNormlHP,
        MultiUniformContinuousHyperParameter,
        MultiUniformHP,
        NormalContinuousHyperParameter,
        NormalHP,
        OrdinalHP,
        OrdinalHyperParameter,
        SimplexHP,
        SimplexHyperParameter,
        UniformContinuousHyperParameter,
        UniformHP,
        set_custom_parameter_class,
    )
    from pyshac.core.managed.keras_engine import KerasSHAC
    from pyshac.core.managed.tf_engine import TensorflowSHAC
    from pyshac.core.managed.torch_engine import TorchSHAC
    from pyshac.core.search.pruning.forecast import ForecastPruning
    from pyshac.core.search.pruning.halving import HalvingPruning
    from pyshac.core.search.pruning.median import MedianPruning
    from pyshac.reporting.earlier_names import report
    from pyshac.reporting.page import write_report

__all__ = [
    "INACTIVE",
    "SHAC",
    "AbstractHyperParameter",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "Constraint",
    "ConstraintError",
    "Curve",
    "Dataset",
    "DirectoryInUseError",
    "DiscreteHP",
    "DiscreteHyperParameter",
    "DistributionHP",
    "DistributionHyperParameter",
    "Evaluation",
    "EvaluationError",
    "EvaluationResult",
    "EvaluationTimeoutError",
    "Forbidden",
    "ForecastPruning",
    "HalvingPruning",
    "History",
    "HyperParameterList",
    "InfeasibleSpaceError",
    "IntegerHP",
    "IntegerHyperParameter",
    "KerasSHAC",
    "Less",
    "LinearConstraint",
    "LogUniformContinuousHyperParameter",
    "LogUniformHP",
    "MedianPruning",
    "MultiDiscreteHP",
    "MultiDiscreteHyperParameter",
    "MultiIntegerHP",
    "MultiIntegerHyperParameter",
    "MultiLogUniformContinuousHyperParameter",
    "MultiLogUniformHP",
    "MultiNormalContinuousHyperParameter",
    "MultiNormalHP",
    "MultiNormlHP",
    "MultiUniformContinuousHyperParameter",
    "MultiUniformHP",
    "NormalContinuousHyperParameter",
    "NormalHP",
    "NothingAcceptedError",
    "OrdinalHP",
    "OrdinalHyperParameter",
    "ProgressBar",
    "Pruned",
    "SaveDirectoryError",
    "SimplexHP",
    "SimplexHyperParameter",
    "TensorflowSHAC",
    "TorchSHAC",
    "UniformContinuousHyperParameter",
    "UniformHP",
    "WorkerDiedError",
    "evaluate",
    "flatten_parameters",
    "report",
    "set_custom_parameter_class",
    "write_report",
]

# Names load on first access, since worker processes import this package too.
_HOMES = {
    "INACTIVE": "pyshac.core.basics.plain_values",
    "SHAC": "pyshac.core.engine",
    "AbstractHyperParameter": "pyshac.core.hyperparameters",
    "CSVLogger": "pyshac.core.callbacks",
    "Callback": "pyshac.core.callbacks",
    "CallbackList": "pyshac.core.callbacks",
    "Dataset": "pyshac.core.dataset",
    "Constraint": "pyshac.core.hyperparameters",
    "ConstraintError": "pyshac.core.errors",
    "Curve": "pyshac.core.basics.results.curve",
    "DirectoryInUseError": "pyshac.core.errors",
    "DiscreteHP": "pyshac.core.hyperparameters",
    "DiscreteHyperParameter": "pyshac.core.hyperparameters",
    "DistributionHP": "pyshac.core.hyperparameters",
    "DistributionHyperParameter": "pyshac.core.hyperparameters",
    "Evaluation": "pyshac.core.dataset",
    "EvaluationError": "pyshac.core.errors",
    "EvaluationResult": "pyshac.core.evaluation.curves.anywhere",
    "EvaluationTimeoutError": "pyshac.core.errors",
    "Forbidden": "pyshac.core.hyperparameters",
    "ForecastPruning": "pyshac.core.search.pruning.forecast",
    "HalvingPruning": "pyshac.core.search.pruning.halving",
    "History": "pyshac.core.callbacks",
    "HyperParameterList": "pyshac.core.hyperparameters",
    "InfeasibleSpaceError": "pyshac.core.errors",
    "IntegerHP": "pyshac.core.hyperparameters",
    "IntegerHyperParameter": "pyshac.core.hyperparameters",
    "KerasSHAC": "pyshac.core.managed.keras_engine",
    "Less": "pyshac.core.hyperparameters",
    "LinearConstraint": "pyshac.core.hyperparameters",
    "LogUniformContinuousHyperParameter": "pyshac.core.hyperparameters",
    "LogUniformHP": "pyshac.core.hyperparameters",
    "MedianPruning": "pyshac.core.search.pruning.median",
    "MultiDiscreteHP": "pyshac.core.hyperparameters",
    "MultiDiscreteHyperParameter": "pyshac.core.hyperparameters",
    "MultiIntegerHP": "pyshac.core.hyperparameters",
    "MultiIntegerHyperParameter": "pyshac.core.hyperparameters",
    "MultiLogUniformContinuousHyperParameter": "pyshac.core.hyperparameters",
    "MultiLogUniformHP": "pyshac.core.hyperparameters",
    "MultiNormalContinuousHyperParameter": "pyshac.core.hyperparameters",
    "MultiNormalHP": "pyshac.core.hyperparameters",
    "MultiNormlHP": "pyshac.core.hyperparameters",
    "MultiUniformContinuousHyperParameter": "pyshac.core.hyperparameters",
    "MultiUniformHP": "pyshac.core.hyperparameters",
    "NormalContinuousHyperParameter": "pyshac.core.hyperparameters",
    "NormalHP": "pyshac.core.hyperparameters",
    "NothingAcceptedError": "pyshac.core.errors",
    "OrdinalHP": "pyshac.core.hyperparameters",
    "OrdinalHyperParameter": "pyshac.core.hyperparameters",
    "ProgressBar": "pyshac.core.callbacks",
    "Pruned": "pyshac.core.errors",
    "SaveDirectoryError": "pyshac.core.errors",
    "SimplexHP": "pyshac.core.hyperparameters",
    "SimplexHyperParameter": "pyshac.core.hyperparameters",
    "TensorflowSHAC": "pyshac.core.managed.tf_engine",
    "TorchSHAC": "pyshac.core.managed.torch_engine",
    "UniformContinuousHyperParameter": "pyshac.core.hyperparameters",
    "UniformHP": "pyshac.core.hyperparameters",
    "WorkerDiedError": "pyshac.core.errors",
    "evaluate": "pyshac.core.evaluation.curves.anywhere",
    "flatten_parameters": "pyshac.core.dataset",
    "report": "pyshac.reporting.earlier_names",
    "set_custom_parameter_class": "pyshac.core.hyperparameters",
    "write_report": "pyshac.reporting.page",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(_HOMES[name])
    except AttributeError as error:
        # Python would only tell that the name cannot be imported, not why.
        raise ImportError(
            f"{name} cannot be imported, because importing {_origin_of(error)} failed: {error}. "
            "The versions of the installed packages may not fit together.",
            name=_HOMES[name],
        ) from error
    value = globals()[name] = getattr(module, name)
    return value


def _origin_of(error: Exception) -> str:
    """Returns the first module outside this package through which an error came."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    modules = [str(frame.f_globals["__name__"]) for frame in frames]
    others = (name for name in modules if name.partition(".")[0] not in ("pyshac", "importlib"))
    return next(others, modules[-1])


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
