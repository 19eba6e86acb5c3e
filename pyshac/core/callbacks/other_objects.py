"""Adapts objects that have methods of callbacks but another base class."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from pyshac.core.callbacks.callback import Callback

EVENTS = tuple(name for name in vars(Callback) if name.startswith("on_"))


def is_callback(value: Any) -> bool:
    """Returns whether an object is a callback, or has a method of one."""
    return isinstance(value, Callback) or (
        not isinstance(value, type) and any(callable(getattr(value, name, None)) for name in EVENTS)
    )


def as_callback(value: Any) -> Callback:
    """Returns an object as a callback; raises `TypeError` if it has no method of one."""
    if isinstance(value, Callback):
        return value
    if not is_callback(value):
        raise TypeError(
            f"callbacks must hold callbacks. Got {value!r} instead, which has none of their "
            "methods, such as on_epoch_end."
        )
    return _Adapter(value)


def _handler(name: str) -> Callable[..., None]:
    def handle(self: _Adapter, *args: Any, **kwargs: Any) -> None:
        method = getattr(self.adapted, name, None)
        if method is not None:
            method(*args, **kwargs)

    return handle


class _Adapter(Callback):
    """Passes each event to an object that has a method for it."""

    def __init__(self, adapted: Any) -> None:
        super().__init__()
        self.adapted = adapted

    def set_engine(self, engine: Any) -> None:
        super().set_engine(engine)
        if hasattr(self.adapted, "set_engine"):
            self.adapted.set_engine(engine)
        elif not hasattr(self.adapted, "engine"):
            # It may have no place for the attribute.
            with contextlib.suppress(Exception):
                self.adapted.engine = engine


for _name in EVENTS:
    setattr(_Adapter, _name, _handler(_name))
