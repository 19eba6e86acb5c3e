"""The version, which every module can read without importing the package's public names."""

__version__ = "1.1.0.dev0"
