"""Multi parameters: several values of one kind, which arrive as a list.

The task is to draw one wave of the sine through six points, whose heights are to be found. Between
two points the curve can be a line or a step, which is to be chosen for each of the five gaps.
"""

import math
import tempfile

from pyshac import SHAC, MultiDiscreteHP, MultiUniformHP

NUM_GAPS = 5
NUM_CHECKS = 200


def curve(x, heights, shapes):
    """The curve at x in [0, 1)."""
    gap, along = int(x * NUM_GAPS), x * NUM_GAPS % 1
    if shapes[gap] == "step":
        return heights[gap]
    return heights[gap] + along * (heights[gap + 1] - heights[gap])


def mean_error(worker_id, parameters):
    checks = [number / NUM_CHECKS for number in range(NUM_CHECKS)]
    errors = (
        abs(curve(x, parameters["heights"], parameters["shapes"]) - math.sin(2 * math.pi * x))
        for x in checks
    )
    return sum(errors) / NUM_CHECKS


def main():
    space = [
        MultiUniformHP("heights", -1.5, 1.5, sample_count=NUM_GAPS + 1),
        MultiDiscreteHP("shapes", ["line", "step"], sample_count=NUM_GAPS),
    ]
    with tempfile.TemporaryDirectory() as save_dir:
        shac = SHAC(
            mean_error,
            space,
            total_budget=200,
            num_batches=10,
            objective="min",
            save_dir=save_dir,
        )
        shac.set_num_parallel_evaluators(1)
        shac.concurrent_evaluators()
        shac.set_seed(0)
        history = shac.fit()
    print(f"best of the first batch  {min(history.history['evaluations'][0]):.6f}")
    print(f"best of all              {shac.best_score:.6f}")
    best = shac.best_parameters
    print("heights  " + ", ".join(f"{height:.2f}" for height in best["heights"]))
    print("shapes   " + ", ".join(best["shapes"]))
    print("columns  " + ", ".join(shac.parameters.get_parameter_names()))


if __name__ == "__main__":
    main()
