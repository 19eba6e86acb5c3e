"""The former `report`, which wrote a page. Today `write_report` does."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

from pyshac.core.basics.messages.warning import warn
from pyshac.core.evaluation.curves.reporter import report as _report

Function = TypeVar("Function", bound=Callable[..., None])


def _or_page(function: Function) -> Function:
    """Lets `report` still write the page of a search if its argument is a search."""

    @functools.wraps(function)
    def either(*args: Any, **kwargs: Any) -> Any:
        if not _has_search(kwargs["source"] if "source" in kwargs else (*args, None)[0]):
            return function(*args, **kwargs)
        from pyshac.reporting.page import write_report

        warn("report(search) is the former spelling; use write_report(search).", DeprecationWarning)
        return write_report(*args, **kwargs)

    # Pickles name a function by its module.
    either.__module__ = __name__
    return cast("Function", either)


def _has_search(first: Any) -> bool:
    """Returns whether the first argument is a path, an engine or a dataset."""
    is_number = hasattr(first, "__float__") or hasattr(first, "__index__")
    if isinstance(first, (str, os.PathLike)) or is_number or first is None:
        return isinstance(first, (str, os.PathLike))
    from pyshac.core.dataset import Dataset
    from pyshac.looking.snapshot import Snapshot

    return isinstance(first, (Dataset, Snapshot)) or hasattr(type(first), "_saved_run")


report = _or_page(_report)
