"""The front door: engines for plain functions."""

from pyshac.core.engine.shac import _SHAC, SHAC

__all__ = ["SHAC", "_SHAC"]
