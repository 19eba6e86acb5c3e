"""Results of the folds of a candidate, and their form among the extras of an evaluation."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pyshac.core.basics.results.extras import MAX_EXTRAS, MAX_TEXT_LENGTH

# What `BaseSearchCV` makes of `cv_results_`, for each fold.
_TIMES = ("fit_time", "score_time")
_SCORES = ("test_scores", "train_scores")

# Of the name of an extra that goes on with the one before it.
_PART = re.compile(r" \(\d+\)$")

FoldResult = dict[str, Any]


def essential(folds: Sequence[Mapping[str, Any]]) -> list[FoldResult]:
    """Returns the times and the scores of each fold, without what else scikit-learn returns."""
    return [{name: fold[name] for name in (*_TIMES, *_SCORES) if name in fold} for fold in folds]


def pack(folds: Sequence[FoldResult]) -> dict[str, str]:
    """Returns the results of a candidate as extras: a list of numbers for each quantity.

    Raises:
        ValueError: If they are too many.
    """
    extras: dict[str, str] = {}
    for name, numbers in _quantities(folds).items():
        texts = [repr(float(number)) for number in numbers]
        for part, text in enumerate(_joined(texts)):
            extras[f"{name} ({part + 1})" if part else name] = text
    if len(extras) > MAX_EXTRAS:
        raise ValueError(
            f"save_dir has no room for the results of {len(folds)} folds with so many scores: take "
            "fewer folds or metrics, or save_dir=None."
        )
    return extras


def unpack(extras: Mapping[str, Any]) -> list[FoldResult]:
    """Returns the results of a candidate from its extras.

    Raises:
        ValueError: If they are not those of `pack`.
    """
    numbers: dict[str, list[float]] = defaultdict(list)
    for name, text in extras.items():
        numbers[_PART.sub("", name)] += [float(each) for each in str(text).split(",")]
    folds: list[FoldResult] = [{} for _ in numbers.get("fit_time", ())]
    if not folds or any(len(each) != len(folds) for each in numbers.values()):
        raise ValueError("These are not the results of folds.")
    for name, values in numbers.items():
        kind, _, metric = name.partition("[")
        for fold, value in zip(folds, values, strict=True):
            if metric:
                fold.setdefault(f"{kind}_scores", {})[metric[:-1]] = value
            else:
                fold[f"{kind}s" if kind.endswith("_score") else kind] = value
    return folds


def _quantities(folds: Sequence[FoldResult]) -> dict[str, list[float]]:
    """Returns the numbers of each quantity, in the order of the folds.

    Quantities are `fit_time`, `score_time`, `test_score` and `train_score`, or, of several metrics,
    `test[accuracy]` and so on.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for fold in folds:
        for time in _TIMES:
            found[time].append(round(fold[time], 6))
        for kind in _SCORES:
            scores = fold.get(kind, {})
            if not isinstance(scores, Mapping):
                found[kind[:-1]].append(scores)
                continue
            for metric, score in scores.items():
                found[f"{kind.partition('_')[0]}[{metric}]"].append(score)
    return found


def _joined(texts: Sequence[str]) -> list[str]:
    """Returns texts joined by commas, in parts that an extra can hold."""
    parts = [texts[0]]
    for text in texts[1:]:
        joined = f"{parts[-1]},{text}"
        if len(joined) <= MAX_TEXT_LENGTH:
            parts[-1] = joined
        else:
            parts.append(text)
    return parts
