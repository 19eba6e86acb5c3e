"""The public engines: the abstract engine, and the engine for ordinary functions."""

from pyshac.core.engine.abstract_engine import _SHAC
from pyshac.core.engine.shac import SHAC

__all__ = ["SHAC", "_SHAC"]
