"""What samples of a search space must obey: relations that are data, and functions."""

from pyshac.core.hyperparameters.constraints.constraint import Constraint, MissingConstraint
from pyshac.core.hyperparameters.constraints.forbidden import Forbidden
from pyshac.core.hyperparameters.constraints.less import Less
from pyshac.core.hyperparameters.constraints.linear import LinearConstraint
from pyshac.core.hyperparameters.constraints.relation import Relation

__all__ = [
    "Constraint",
    "Forbidden",
    "Less",
    "LinearConstraint",
    "MissingConstraint",
    "Relation",
]
