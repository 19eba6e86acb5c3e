"""Data frames: a dataset in pandas, each column with the type of its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pyshac.core.basics.optional_packages import require
from pyshac.core.hyperparameters import HyperParameterList

if TYPE_CHECKING:
    import pandas

MAX_INT64 = 2**63


def as_frame(
    ids: Sequence[int],
    rows: Sequence[Sequence[Any]],
    space: HyperParameterList,
    scores: Sequence[float],
) -> pandas.DataFrame:
    """Returns samples as a data frame; see `Dataset.to_dataframe`.

    Args:
        ids: Their numbers, shape (n,).
        rows: Their values, shape (n, columns).
        space: Their search space.
        scores: Their scores, shape (n,).

    Raises:
        ImportError: If pandas is not installed.
    """
    require("to_dataframe()", "pandas", "pandas")
    import pandas

    index = pandas.Index(ids, dtype="int64", name="id")
    series = {}
    columns = zip(space.get_parameter_names(), space.column_kinds, strict=True)
    for number, (name, kind) in enumerate(columns):
        possible = kind.choices or ()
        values = [row[number] for row in rows]
        dtype: Any = _dtype(possible or values)
        if dtype == "object" and set(map(type, possible)) == {str}:
            dtype = pandas.CategoricalDtype(list(possible))
        series[name] = pandas.Series(values, index, dtype)
    series["scores"] = pandas.Series(scores, index, "float64")
    return pandas.DataFrame(series, index)


def _dtype(values: Sequence[Any]) -> str:
    """Returns the narrowest dtype that keeps every value as it is."""
    types = set(map(type, values))
    if types == {bool}:
        return "bool"
    if types == {int} and all(-MAX_INT64 <= value < MAX_INT64 for value in values):
        return "int64"
    if types == {float} or (types == {int, float} and _can_be_floats(values)):
        return "float64"
    return "object"


def _can_be_floats(numbers: Sequence[Any]) -> bool:
    """Returns whether ints and floats stay exact and distinct as floats."""
    is_exact = all(abs(number) <= 2**53 for number in numbers if isinstance(number, int))
    return is_exact and len(set(map(float, numbers))) == len({(type(n), n) for n in numbers})
