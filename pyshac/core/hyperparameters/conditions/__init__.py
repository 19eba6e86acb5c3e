"""Conditional parameters: parameters that exist only where others have certain values."""
