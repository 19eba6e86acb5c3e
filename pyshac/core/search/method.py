"""Method: how the search learns and chooses; all in which the default differs from the paper.

What was measured of each difference stands in docs/how-it-works.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyshac.core.classifiers.boosted_trees import Boosting


@dataclass(frozen=True)
class Method:
    """How the search learns and chooses.

    Attributes:
        name: Its name.
        trees: How the trees of a classifier are trained.
        reuse_samples: Whether a classifier learns from all samples so far that the cascade accepts,
            or only from those drawn since the classifier before it.
        min_share: Smallest training set of a classifier, as a share of the whole budget; where that
            is more than two stages bring, these are enough.
        first_times: How many times as large the smallest training set of the first classifier is,
            which rules out most of the space.
        num_choices: Accepted samples that are drawn for each one that is evaluated; 1 to evaluate
            them as they come.
        is_smooth: Whether a Gaussian process chooses every other sample, or trees choose all.
        num_steps: In so many steps what the process chose is improved.
    """

    name: str
    trees: Boosting
    reuse_samples: bool
    min_share: float
    first_times: int
    num_choices: int
    is_smooth: bool
    num_steps: int


DEFAULT = Method(
    "default",
    Boosting(),
    reuse_samples=True,
    min_share=0.1,
    first_times=2,
    num_choices=64,
    is_smooth=True,
    num_steps=3,
)

# The procedure of Kumar et al., arXiv 1805.10255, section 3, with XGBoost as it comes.
PAPER = Method(
    "paper",
    Boosting(num_trees=200, min_child_weight=1.0),
    reuse_samples=False,
    min_share=0.0,
    first_times=1,
    num_choices=1,
    is_smooth=False,
    num_steps=0,
)

METHODS = {method.name: method for method in (DEFAULT, PAPER)}


def get_method(name: Any) -> Method:
    """Returns the method of a name; raises if there is none."""
    if not isinstance(name, str) or name not in METHODS:
        raise ValueError(f"method must be one of {list(METHODS)!r}. Got {name!r} instead.")
    return METHODS[name]
