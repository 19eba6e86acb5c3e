"""PySHAC 0.3.5.1 as the scripts of this folder import it.

The interpreters of `pyshac_0351.environment` run this folder, Python 3.6 among them.
"""

import importlib
import sys
from typing import Any

VERSION = "0.3.5.1"
# Its own Python and packages, where nothing has to be put back.
IS_OF_ITS_TIME = sys.version_info < (3, 8)


def load() -> Any:
    """Returns the module `pyshac`, usable.

    Raises:
        RuntimeError: If it is another version.
    """
    pyshac: Any = importlib.import_module("pyshac")
    if pyshac.__version__ != VERSION:
        raise RuntimeError(f"PySHAC {VERSION} expected, found {pyshac.__version__}")
    if not IS_OF_ITS_TIME:
        _put_back_folds()
    return pyshac


def _put_back_folds() -> None:
    """Lets PySHAC ask for unshuffled folds with a random state, which is left out."""
    training: Any = importlib.import_module("pyshac.utils.xgb_utils")
    folds: Any = importlib.import_module("sklearn.model_selection").StratifiedKFold
    training.StratifiedKFold = lambda n_splits, random_state: folds(n_splits)
