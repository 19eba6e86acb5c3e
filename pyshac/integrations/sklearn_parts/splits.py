"""The same splits and one numbering of tasks for all batches of a search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyshac.integrations.sklearn_parts.origin import hash_of

Split = tuple[Any, Any]


class FixedSplits:
    """A splitter that splits once: scores of different splits cannot be compared.

    Args:
        cv: The splitter.
    """

    def __init__(self, cv: Any) -> None:
        self._cv = cv
        self._splits: list[Split] | None = None

    def split(self, X: Any, y: Any = None, **params: Any) -> list[Split]:  # noqa: N803
        """Returns the splits, each a pair of arrays of places, of training and of test data."""
        if self._splits is None:
            self._splits = list(self._cv.split(X, y, **params))
        return self._splits


class NumberedTasks:
    """scikit-learn's context of callbacks, in which tasks of all batches have different numbers.

    Args:
        callback_ctx: The context of the fit.
        search: The search.
        most: The largest number of tasks.
    """

    def __init__(self, callback_ctx: Any, search: Any, most: int) -> None:
        self._search = search
        self._number = 0
        self._context = callback_ctx.subcontext(
            task_name="search", max_subtasks=most, sequential_subtasks=False
        ).call_on_fit_task_begin(estimator=search)

    def subcontext(self, *, task_name: str, task_id: int) -> Any:
        """Returns the context of a task, whose number in its batch is replaced by a new one."""
        self._number += 1
        return self._context.subcontext(task_name=task_name, task_id=self._number - 1)

    def end(self) -> None:
        """Ends the search for the callbacks."""
        self._context.call_on_fit_task_end(estimator=self._search)


def hash_of_splits(cv: Any, X: Any, y: Any, params: Mapping[str, Any]) -> str:  # noqa: N803
    """Returns a hash of the splits of data.

    Raises:
        ValueError: If they differ from call to call.
    """
    hashes = {hash_of(list(cv.split(X, y, **params))) for _ in range(2)}
    if len(hashes) > 1:
        raise ValueError(
            f"cv must give the same splits in each call, so that the search in save_dir can go on. "
            f"Got {cv!r} instead. Give it a random_state=..., or take save_dir=None."
        )
    return hashes.pop()
