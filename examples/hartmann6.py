"""Searches the minimum of Hartmann's function in six dimensions, beside plain random search.

Only one of its six local minima is the global one, with the value -3.32237.
"""

import tempfile

import numpy as np

from pyshac import SHAC, UniformHP

TRUE_MINIMUM = -3.32237
BUDGET = 200

ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
A = np.array(
    [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ]
)
P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann6(worker_id, parameters):
    x = np.array(list(parameters.values()))
    return -ALPHA @ np.exp(-np.sum(A * (x - P) ** 2, axis=1))


def main():
    space = [UniformHP(f"x{number}", 0, 1) for number in range(1, 7)]
    with tempfile.TemporaryDirectory() as save_dir:
        shac = SHAC(
            hartmann6,
            space,
            total_budget=BUDGET,
            num_batches=10,
            objective="min",
            save_dir=save_dir,
        )
        shac.set_num_parallel_evaluators(1)
        shac.concurrent_evaluators()
        shac.set_seed(0)
        random_samples = shac.predict(num_samples=BUDGET)  # without classifiers: from the prior
        shac.fit()
    random_best = min(hartmann6(0, parameters) for parameters in random_samples)
    print(f"found minimum  {shac.best_score:.6f}")
    print(f"true minimum   {TRUE_MINIMUM:.6f}")
    print(f"random search  {random_best:.6f} with the same {BUDGET} evaluations")
    print("at             " + ", ".join(f"{x:.4f}" for x in shac.best_parameters.values()))


if __name__ == "__main__":
    main()
