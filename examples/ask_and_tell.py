"""A search with a loop of one's own, interrupted and taken up again.

`fit` is built on `ask` and `tell`; whoever evaluates in a queue, on a cluster or by hand uses them
directly. Every score is on disk when `tell` returns, so a new engine can go on at any time.
"""

import tempfile

from pyshac import SHAC, NormalHP, UniformHP

BUDGET, BATCHES = 80, 8


def distance(parameters):
    return (parameters["a"] - 1) ** 2 + (parameters["b"] + 2) ** 2


def main():
    space = [UniformHP("a", -5, 5), NormalHP("b", 0, 2)]
    with tempfile.TemporaryDirectory() as save_dir:
        first = SHAC(space, BUDGET, BATCHES, objective="min", save_dir=save_dir)
        first.set_seed(0)
        for _ in range(25):  # stops in the middle of the third batch
            (parameters,) = first.ask(1)
            first.tell(parameters, distance(parameters))
        print(f"stopped after  {len(first.dataset)} evaluations, best {first.best_score:.6f}")

        second = SHAC(None, BUDGET, BATCHES, objective="min", save_dir=save_dir)
        second.restore_data()
        while samples := second.ask():
            second.tell(samples, [distance(parameters) for parameters in samples])
        print(f"found minimum  {second.best_score:.6f} after {len(second.dataset)} evaluations")
        print(f"true minimum   {0:.6f}")


if __name__ == "__main__":
    main()
