"""The parts of `SHACSearchCV`: its search space, results on disk, and what a directory is of."""
