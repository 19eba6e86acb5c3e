"""Data frames: a dataset as pandas has it, each column with the type of its values."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pyshac.core.hyperparameters import (
    AbstractHyperParameter,
    DiscreteHyperParameter,
    HyperParameterList,
)

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
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "to_dataframe() needs pandas, which is not installed: pip install pyshac[pandas]."
        ) from error
    index = pandas.Index(ids, dtype="int64", name="id")
    series = {}
    choices = (_choices(parameter) for parameter in space)
    columns = zip(space.get_parameter_names(), itertools.chain.from_iterable(choices), strict=True)
    for number, (name, possible) in enumerate(columns):
        values = [row[number] for row in rows]
        dtype: Any = _dtype(possible or values)
        if dtype == "object" and set(map(type, possible)) == {str}:
            dtype = pandas.CategoricalDtype(list(possible))
        series[name] = pandas.Series(values, index, dtype)
    series["scores"] = pandas.Series(scores, index, "float64")
    return pandas.DataFrame(series, index)


def _choices(parameter: AbstractHyperParameter) -> list[tuple[Any, ...]]:
    """The values that a parameter is a choice among, for each of its columns; else nothing."""
    width: int = getattr(parameter, "sample_count", 1)
    element = getattr(parameter, "element", parameter)
    return [element.values if isinstance(element, DiscreteHyperParameter) else ()] * width


def _dtype(values: Sequence[Any]) -> str:
    """Returns the narrowest type that keeps every value as it is."""
    types = set(map(type, values))
    if types == {bool}:
        return "bool"
    if types == {int} and all(-MAX_INT64 <= value < MAX_INT64 for value in values):
        return "int64"
    if types == {float} or (types == {int, float} and _can_be_floats(values)):
        return "float64"
    return "object"


def _can_be_floats(numbers: Sequence[Any]) -> bool:
    """Says whether different ints and floats stay different, and the same, as floats."""
    is_exact = all(abs(number) <= 2**53 for number in numbers if isinstance(number, int))
    return is_exact and len(set(map(float, numbers))) == len({(type(n), n) for n in numbers})
