"""Method: how the search learns and chooses. The default differs from the published method here.

docs/published-method.md shows the benefit of each difference.
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
            accepts, instead of only on the samples of its own stage.
        is_lenient: Whether a classifier rejects only clear cases, instead of everything that it
            does not consider good.
        num_choices: Number of candidates for each sample that is evaluated; with 1, accepted draws
            are evaluated directly.
        rankings: Names of the rankings that choose among candidates; see `Selector`.
        learns_shares: Whether rankings with better samples choose more of them; otherwise all
            rankings choose equally many.
    """

    name: str
    trees: Boosting
    reuse_samples: bool
    is_lenient: bool
    num_choices: int
    rankings: tuple[str, ...]
    learns_shares: bool


DEFAULT = Method(
    "default",
    Boosting(),
    reuse_samples=True,
    is_lenient=True,
    num_choices=64,
    rankings=("trees", "bound", "improvement"),
    learns_shares=True,
)

# The procedure of Kumar et al., arXiv 1805.10255, section 3, with XGBoost's default settings.
PAPER = Method(
    "paper",
    Boosting(num_trees=200, min_child_weight=1.0),
    reuse_samples=False,
    is_lenient=False,
    num_choices=1,
    rankings=(),
    learns_shares=False,
)

METHODS = {method.name: method for method in (DEFAULT, PAPER)}


def get_method(name: Any) -> Method:
    """Returns the method with a name; raises `ValueError` if the name is unknown."""
    if not isinstance(name, str) or name not in METHODS:
        raise ValueError(f"method must be one of {list(METHODS)!r}. Got {name!r} instead.")
    return METHODS[name]
