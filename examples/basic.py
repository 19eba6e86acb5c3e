"""The whole of it on one page: a search space, a score, a search, and what comes out.

The score is that of a made-up network: it rises with the number of layers as long as the learning
rate shrinks with it, and one of the optimisers suits it better than the other.
"""

import math
import tempfile

from pyshac import SHAC, DiscreteHP, IntegerHP, LogUniformHP

BEST_SCORE = 0.95


def evaluate(worker_id, parameters):
    best_rate = 0.1 / parameters["layers"]
    off_by = math.log10(parameters["learning_rate"] / best_rate)
    score = BEST_SCORE - 0.02 * (8 - parameters["layers"]) - 0.1 * off_by**2
    return score if parameters["optimizer"] == "adam" else score - 0.05


def main():
    space = [
        LogUniformHP("learning_rate", 1e-5, 1.0),
        IntegerHP("layers", 1, 8),
        DiscreteHP("optimizer", ["adam", "sgd"]),
    ]
    with tempfile.TemporaryDirectory() as save_dir:
        shac = SHAC(evaluate, space, total_budget=100, num_batches=10, save_dir=save_dir)
        shac.set_num_parallel_evaluators(1)
        shac.concurrent_evaluators()
        shac.set_seed(0)
        history = shac.fit()
        for epoch, scores in enumerate(history.history["evaluations"], 1):
            print(f"batch {epoch:2d}: mean score {sum(scores) / len(scores):.3f}")
        print(f"best score     {shac.best_score:.6f}")
        print(f"best possible  {BEST_SCORE:.6f}")
        print(f"parameters     {dict(shac.best_parameters)}")
        print("more samples that all classifiers accept:")
        for parameters in shac.predict(num_samples=3):
            print(f"  {dict(parameters)}")


if __name__ == "__main__":
    main()
