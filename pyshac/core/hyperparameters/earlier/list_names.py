"""ListNames: the attributes of a search space in PySHAC 0.1 to 0.3."""

from __future__ import annotations

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Iterator

from pyshac.core.basics.messages.fixed import FixedAttributes
from pyshac.core.basics.messages.gone import Gone
from pyshac.core.hyperparameters.base import AbstractHyperParameter


class ListNames(FixedAttributes):
    """Attributes of a search space from PySHAC 0.1 to 0.3, where the space was itself a parameter.

    Attributes:
        name: 'parameter_list'.
    """

    _FIXED = dict.fromkeys(
        ("id2param", "name_map", "num_choices", "param2id"),
        "add_hyper_parameter() and remove_hyper_parameter() change the list",
    )

    name = "parameter_list"
    random = Gone("each parameter has one, such as space['x'].random")

    @abstractmethod
    def __iter__(self) -> Iterator[AbstractHyperParameter]: ...

    @property
    def num_choices(self) -> int:
        """Number of parameters, the same as `len`."""
        return len(self.name_map)

    @property
    def id2param(self) -> OrderedDict[int, AbstractHyperParameter]:
        """The parameters by index, from 0."""
        return OrderedDict(enumerate(self))

    @property
    def name_map(self) -> OrderedDict[int, str]:
        """The names of the parameters by index."""
        return OrderedDict((number, parameter.name) for number, parameter in enumerate(self))

    @property
    def param2id(self) -> OrderedDict[str, int]:
        """The indices of the parameters by name."""
        return OrderedDict((name, number) for number, name in self.name_map.items())
