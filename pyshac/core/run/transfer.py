"""Transfer: what samples of one search space mean in another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pyshac.core.basics.arrays import without_float_errors
from pyshac.core.hyperparameters import AbstractHyperParameter, HyperParameterList


@dataclass(frozen=True)
class Transfer:
    """Samples of one search space, in another.

    Attributes:
        rows: The row of each sample in the other space; None if it lies outside.
        lacking: Names of the parameters that the samples lack: then all lie outside.
        left_out: Names of the parameters of the samples that the other space does not have.
    """

    rows: list[list[Any] | None]
    lacking: list[str]
    left_out: list[str]

    @property
    def num_outside(self) -> int:
        """Number of samples that lie outside."""
        return sum(row is None for row in self.rows)

    @property
    def text(self) -> str:
        """What was transferred, in words."""
        taken = len(self.rows) - self.num_outside
        text = f"{taken} of {len(self.rows)} evaluations lie in the search space"
        if self.num_outside:
            text += f", {self.num_outside} do not"
        if self.lacking:
            text += f": they have no {', '.join(map(repr, self.lacking))}"
        if self.left_out and taken:
            text += f"; of those that do, {', '.join(map(repr, self.left_out))} is left out"
        return text


@without_float_errors
def transfer(
    rows: Iterable[Sequence[Any]], old: HyperParameterList, new: HyperParameterList
) -> Transfer:
    """Returns what samples of one search space are in another.

    A sample lies in the other space if it has a value for each parameter that is active there, and
    the parameter allows that value. Other values of the sample are left out. If a parameter of a
    user's own type has other arguments than before, all samples lie outside.

    Args:
        rows: The samples.
        old: Their search space.
        new: The other space.
    """
    names, known = [each.name for each in new], [each.name for each in old]
    conditional = {each.name for each in new if each.conditions}
    # Whether a value is one of a user's own type, only the type could tell.
    changed = any(
        each.name in known and not each.column_kind.is_built_in
        and text_of_values(each) != text_of_values(old[each.name])
        for each in new
    )  # fmt: skip
    return Transfer(
        [None if changed else row_in(new, old.to_parameters(row, named=True)) for row in rows],
        [name for name in names if name not in known and name not in conditional],
        [name for name in known if name not in names],
    )


@without_float_errors
def transfer_of(samples: Sequence[dict[str, Any]], new: HyperParameterList) -> Transfer:
    """Returns what samples from elsewhere, values by name, are in a search space."""
    names = [each.name for each in new if not each.conditions]
    known = dict.fromkeys(name for sample in samples for name in sample)
    return Transfer(
        [row_in(new, sample) for sample in samples],
        [name for name in names if name not in known] if samples else [],
        [name for name in known if name not in {each.name for each in new}],
    )


def row_in(space: HyperParameterList, parameters: dict[str, Any]) -> list[Any] | None:
    """Returns the row of parameters in a space, which may lack some of them; None if outside."""
    try:
        known = {each.name for each in space} & parameters.keys()
        values = {name: parameters[name] for name in known}
        row = space.to_row(values, named=True, leave_out=True)
        return space.to_stored_row(space.to_parameters(row, named=True), named=True)
    # A user's own type may raise anything.
    except Exception:
        return None


def lies_within(new: HyperParameterList, old: HyperParameterList) -> bool:
    """Returns whether samples of one space, drawn without end, would show all of another."""
    known = {each.name: each for each in old}
    if not {each.name for each in old.constraints} <= {each.name for each in new.constraints}:
        return False
    if any(each.conditions != known[each.name].conditions for each in new if each.name in known):
        return False
    return known.keys() == {each.name for each in new} and all(
        _lies_within(each, known[each.name]) for each in new
    )


def text_of_values(parameter: AbstractHyperParameter) -> str:
    """Returns a text that is equal for parameters that differ at most in seeds and conditions."""
    # Text distinguishes 1, 1.0 and True, which compare equal.
    config = parameter.get_config().items()
    arguments = sorted((key, repr(value)) for key, value in config if key != "seed")
    return f"{type(parameter).__name__}({arguments})"


def _lies_within(new: AbstractHyperParameter, old: AbstractHyperParameter) -> bool:
    if type(new) is not type(old) or new.sample_count != old.sample_count:
        return False
    if text_of_values(new) == text_of_values(old):
        return True
    inner, outer = new.column_kind, old.column_kind
    if inner.choices is not None and outer.choices is not None:
        return {*map(repr, inner.choices)} <= {*map(repr, outer.choices)}
    if outer.steps is not None:
        return inner.steps is not None and outer.steps.contain(inner.steps)
    # Other distributions reach everywhere, but seldom.
    is_bounded = outer.low > -float("inf") and outer.high < float("inf")
    return is_bounded and outer.low <= inner.low and inner.high <= outer.high
