"""The version, where every module can read it without importing the package's public names."""

__version__ = "1.0.0"
