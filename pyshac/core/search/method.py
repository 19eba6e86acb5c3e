"""Method: how the search learns and chooses; here the default differs from the paper.

docs/how-it-works.md shows the benefit of each difference.
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
        trees: Settings of a classifier's trees.
        reuse_samples: Whether a classifier is trained on all samples so far that the cascade
            accepts, instead of only the samples of its own stage.
        min_share: Smallest training set of a classifier, as a share of the budget; two stages are
            always enough.
        first_times: Factor by which the first classifier's smallest training set is larger, since
            that classifier rules out most of the space.
        num_choices: Number of candidates for each sample that is evaluated; 1 to evaluate accepted
            draws as they are.
        is_smooth: Whether a Gaussian process chooses every other sample; otherwise trees choose
            all samples.
        num_steps: Number of climbing steps applied to each sample that the Gaussian process chose.
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

# The procedure of Kumar et al., arXiv 1805.10255, section 3, with XGBoost's default settings.
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
    """Returns the method with a name; raises `ValueError` if there is none."""
    if not isinstance(name, str) or name not in METHODS:
        raise ValueError(f"method must be one of {list(METHODS)!r}. Got {name!r} instead.")
    return METHODS[name]
