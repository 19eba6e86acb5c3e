"""EarlierEngineNames: attributes of engines in PySHAC 0.1 to 0.3 that were changed or removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pyshac.core.basics.messages.fixed import FixedAttributes
from pyshac.core.basics.messages.gone import Gone

if TYPE_CHECKING:
    from pyshac.core.search.settings import Settings

_ANOTHER_ENGINE = "it is fixed once the engine is made; make another engine, with its own save_dir"
_FROM_DISK = "restore_data() replaces it by what is saved; make another engine to start again"
_BY_CONSTRUCTOR = "hand it to the constructor"


class EarlierEngineNames(FixedAttributes):
    """Attributes of engines in PySHAC 0.1 to 0.3 that were changed or removed."""

    _FIXED: ClassVar[Mapping[str, str]] = {
        "classifiers": _FROM_DISK,
        "dataset": f"{_FROM_DISK}, or call fit_dataset() to learn from samples of your own",
        "max_cpu_evaluators": _BY_CONSTRUCTOR,
        "max_gpu_evaluators": _BY_CONSTRUCTOR,
        "num_batches": _ANOTHER_ENGINE,
        "num_workers": _ANOTHER_ENGINE,
        "objective": _ANOTHER_ENGINE,
        "parameters": _ANOTHER_ENGINE,
        "total_classifiers": _ANOTHER_ENGINE,
    }

    _settings: Settings

    clf_dir = Gone("classifiers are saved in the folder 'classifiers' of save_dir")
    temp_dir = Gone("nothing is written but save_dir, so a script needs a folder of its own")

    @property
    def _per_classifier_budget(self) -> int:
        """T_c, the number of samples in a stage. Engines derived from `_SHAC` may read it."""
        return self._settings.schedule.per_classifier_budget

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "_evaluation_handler" in vars(cls):
            raise TypeError(
                f"{cls.__name__} must define _make_evaluator() instead of _evaluation_handler(): "
                "it returns an object that is sent to the workers and wraps each call of the "
                "evaluation function; see pyshac.core.evaluation.worker.Evaluator."
            )
