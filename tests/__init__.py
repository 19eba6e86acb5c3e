"""The tests. Importing them decides on threads, before anything loads a library that has some."""

import os

# Test processes that run side by side share the cores: more threads would only wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
