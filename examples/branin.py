"""Finds the minimum of Branin's function, the classic test of optimisers in two dimensions.

The function has three minima of the same depth, at (-pi, 12.275), (pi, 2.275) and (9.42478, 2.475).
"""

import math
import tempfile

from pyshac import SHAC, UniformHP

TRUE_MINIMUM = 0.397887


def branin(worker_id, parameters):
    x, y = parameters["x"], parameters["y"]
    curve = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return curve**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def main():
    space = [UniformHP("x", -5, 10), UniformHP("y", 0, 15)]
    with tempfile.TemporaryDirectory() as save_dir:
        shac = SHAC(
            branin, space, total_budget=120, num_batches=12, objective="min", save_dir=save_dir
        )
        # One evaluation takes microseconds here: worker processes would only cost time.
        shac.set_num_parallel_evaluators(1)
        shac.concurrent_evaluators()
        shac.set_seed(0)
        shac.fit()
    x, y = shac.best_parameters.values()
    print(f"found minimum  {shac.best_score:.6f} at x = {x:.4f}, y = {y:.4f}")
    print(f"true minimum   {TRUE_MINIMUM:.6f}")
    print(f"evaluations    {len(shac.dataset)}, classifiers {len(shac.classifiers)}")


if __name__ == "__main__":
    main()
