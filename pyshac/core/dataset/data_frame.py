"""Data frames: a dataset in pandas, each column with the type of its values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyshac.core.basics.optional_packages import require
from pyshac.core.basics.plain_values import INACTIVE
from pyshac.core.dataset.details_table import DetailsTable
from pyshac.core.dataset.evaluation import STATES, state_of
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.hyperparameters.column_kind import ColumnKind

if TYPE_CHECKING:
    import pandas

MAX_INT64 = 2**63
MICROSECONDS = 1_000_000
# Types of pandas that hold missing values beside all others.
_WITH_MISSING = {"bool": "boolean", "int64": "Int64"}


def as_frame(
    ids: Sequence[int],
    rows: Sequence[Sequence[Any]],
    space: HyperParameterList,
    scores: Sequence[float],
    details: DetailsTable,
) -> pandas.DataFrame:
    """Returns samples as a data frame; see `Dataset.to_dataframe`.

    Args:
        ids: Their numbers, shape (n,).
        rows: Their values, shape (n, columns).
        space: Their search space.
        scores: Their scores, shape (n,).
        details: Their other details.

    Raises:
        ImportError: If pandas is not installed.
    """
    require("to_dataframe()", "pandas", "pandas")
    import pandas

    index = pandas.Index(ids, dtype="int64", name="id")
    series = {}
    may_lack = space.hierarchy.conditional
    columns = zip(space.get_parameter_names(), space.column_kinds, strict=True)
    for number, (name, kind) in enumerate(columns):
        values = [row[number] for row in rows]
        if may_lack[number]:
            series[name] = _with_missing(values, kind, index)
        else:
            series[name] = pandas.Series(values, index, _dtype_of_column(values, kind))
    series["scores"] = pandas.Series(scores, index, "float64")
    frame = pandas.DataFrame(series, index)
    states = pandas.CategoricalDtype(list(STATES))
    found = [*map(state_of, scores, details.curves.are_pruned.tolist())]
    _add(frame, "state", pandas.Series(found, index, states))
    started = np.array(details.column("started"), dtype=np.float64) * MICROSECONDS
    times = pandas.Series(pandas.to_datetime(np.round(started), unit="us", utc=True), index)
    _add(frame, "started", times.astype("datetime64[us, UTC]"))
    for name, dtype in (("seconds", "float64"), ("slot", "Int64"), ("failure", "object")):
        _add(frame, name, pandas.Series(details.column(name), index, dtype))
    names = extra_names(details)
    for name, column in zip(names, free_names(names, frame.columns), strict=True):
        values = [(extras or {}).get(name) for extras in details.column("extras")]
        frame[column] = pandas.Series(values, index, _dtype_of_extra(values))
    return frame


def _dtype_of_column(values: Sequence[Any], kind: ColumnKind) -> Any:
    """Returns the dtype for the values of a column without inactive parameters."""
    import pandas

    possible = kind.choices or ()
    dtype = _dtype(possible or values)
    if dtype == "object" and set(map(type, possible)) == {str}:
        return pandas.CategoricalDtype(list(possible))
    return dtype


def _with_missing(
    values: Sequence[Any], kind: ColumnKind, index: pandas.Index[int]
) -> pandas.Series[Any]:
    """Returns the values of a conditional column; those of inactive parameters are missing."""
    import pandas

    active = [value for value in values if value is not INACTIVE]
    if not active and kind.is_built_in:
        # Without a value, the kind of the column tells its type.
        active = [0 if kind.is_whole else 0.0]
    dtype = _dtype_of_column(active, kind)
    missing = float("nan") if dtype == "float64" else pandas.NA
    shown = [missing if value is INACTIVE else value for value in values]
    return pandas.Series(shown, index, _WITH_MISSING.get(str(dtype), dtype))


def _add(frame: pandas.DataFrame, name: str, series: pandas.Series) -> None:
    """Adds a column, under another name if its own is taken by a parameter."""
    frame[free_names([name], frame.columns)[0]] = series


def extra_names(details: DetailsTable) -> list[str]:
    """Returns the names of all extras in the order of first appearance."""
    names: dict[str, None] = {}
    for extras in details.column("extras"):
        names.update(dict.fromkeys(extras or ()))
    return [*names]


def free_names(names: Sequence[str], taken: Iterable[str]) -> list[str]:
    """Returns names for additional columns: a name that is taken gets the prefix `extra_`.

    Args:
        names: The preferred names of the columns.
        taken: The names of the other columns.
    """
    used, free = {*taken}, []
    for name in names:
        while name in used:
            name = f"extra_{name}"
        used.add(name)
        free.append(name)
    return free


def _dtype_of_extra(values: Sequence[Any]) -> str:
    """Returns the narrowest dtype that preserves every value; None is a missing value."""
    present = [value for value in values if value is not None]
    types, has_all = set(map(type, present)), len(present) == len(values)
    if types in ({bool}, {int}) and has_all:
        return "bool" if types == {bool} else "int64"
    is_exact = all(abs(value) <= 2**53 for value in present if type(value) is int)
    return "float64" if types and types <= {int, float} and is_exact else "object"


def _dtype(values: Sequence[Any]) -> str:
    """Returns the narrowest dtype that preserves every value."""
    types = set(map(type, values))
    if types == {bool}:
        return "bool"
    if types == {int} and all(-MAX_INT64 <= value < MAX_INT64 for value in values):
        return "int64"
    if types == {float} or (types == {int, float} and _can_be_floats(values)):
        return "float64"
    return "object"


def _can_be_floats(numbers: Sequence[Any]) -> bool:
    """Returns whether ints and floats remain exact and distinct as floats."""
    is_exact = all(abs(number) <= 2**53 for number in numbers if isinstance(number, int))
    return is_exact and len(set(map(float, numbers))) == len({(type(n), n) for n in numbers})
