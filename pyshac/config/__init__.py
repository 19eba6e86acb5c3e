"""The import paths of earlier PySHAC; aliases only."""
