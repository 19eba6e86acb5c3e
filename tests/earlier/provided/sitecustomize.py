"""Every process that has this folder on its path gets the TensorFlow of before on import.

Worker processes, too: they import the evaluation functions, and with them `tensorflow`.
"""

import importlib.machinery
import sys


class Tensorflow1Finder:
    """Finds `tensorflow` as usual, and completes it once it is loaded."""

    @staticmethod
    def find_spec(name, path, target=None):
        if name != "tensorflow":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module
            spec.loader.exec_module = lambda module: (execute(module), complete(module))
        return spec


def complete(tensorflow):
    """Adds the names that TensorFlow 2 moved, and graphs instead of eager execution."""
    names = tensorflow.compat.v1
    names.disable_eager_execution()
    tensorflow.__getattr__ = lambda name: getattr(names, name)


sys.meta_path.insert(0, Tensorflow1Finder)
