"""The front door: the abstract engine, and the engine for plain functions."""

from pyshac.core.engine.abstract_engine import _SHAC
from pyshac.core.engine.shac import SHAC

__all__ = ["SHAC", "_SHAC"]
