"""What tests of bad arguments share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def assert_refused(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    """Asserts that a call raises just this error, whose message contains a text."""
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    assert message in str(caught.value)
