"""What each difference from the published procedure is worth, on the tasks with known functions.

    python benchmarks/differences.py                 four seeds of each
    python benchmarks/differences.py --seeds 2       fewer

One difference at a time is taken back from the default method. Seeds are those of development,
below 100; what the default reaches with other seeds, beside other libraries, is in `quality`.
Prints a table in Markdown: means of the best scores after N = 200 evaluations in batches of W = 10,
lower is better.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import warnings
from concurrent import futures
from dataclasses import replace

import numpy as np
import quality_tasks
from contenders import Budget, run_engine
from quality import Evaluations
from scipy import stats
from threadpoolctl import threadpool_limits

from pyshac import SHAC
from pyshac.core.classifiers.boosted_trees import Boosting
from pyshac.core.search.method import DEFAULT, PAPER, Method

BUDGET = Budget(200, 10)
METHODS: dict[str, Method] = {
    "default": DEFAULT,
    "own stage only": replace(DEFAULT, reuse_samples=False),
    "first cut after 20": replace(DEFAULT, first_times=1),
    "after 10": replace(DEFAULT, min_share=0.0),
    "as they come": replace(DEFAULT, num_choices=1),
    "trees alone choose": replace(DEFAULT, is_smooth=False),
    "no steps": replace(DEFAULT, num_steps=0),
    "200 trees, rate 0.1": replace(DEFAULT, trees=Boosting(num_trees=200, learning_rate=0.1)),
    "min_child_weight=1": replace(DEFAULT, trees=Boosting(min_child_weight=1.0)),
    "paper": PAPER,
}


def best_score(name: str, task_name: str, seed: int) -> float:
    """Returns what one search finds."""
    warnings.simplefilter("ignore")
    task = quality_tasks.QUALITY[task_name](seed)
    evaluations = Evaluations(task, seed)
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        engine = SHAC(task.space, BUDGET.evaluations, BUDGET.num_batches, "min", save_dir=folder)
        engine.set_seed(seed)
        engine.set_num_parallel_generators(1)
        search = engine._require_run().search
        search.settings = replace(search.settings, method=METHODS[name])
        run_engine(engine, task, evaluations)
    return float(evaluations.curve(1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4, help="number of seeds; 4 unless told")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    names = [name for name in quality_tasks.QUALITY if not name.startswith("table")]
    keys = [(m, t, s) for t in names for m in METHODS for s in range(arguments.seeds)]
    with futures.ProcessPoolExecutor(arguments.workers) as pool:
        found = list(pool.map(best_score, *zip(*keys, strict=True)))
    scores = np.array(found).reshape(len(names), len(METHODS), arguments.seeds)
    print("| | " + " | ".join(METHODS) + " |")
    print("|---" * (len(METHODS) + 1) + "|")
    for name, row in zip(names, scores, strict=True):
        print(f"| {name} | " + " | ".join(f"{mean:.4g}" for mean in row.mean(axis=1)) + " |")
    ranks = stats.rankdata(scores, axis=1).mean(axis=(0, 2))
    print("| mean rank | " + " | ".join(f"{rank:.2f}" for rank in ranks) + " |")


if __name__ == "__main__":
    main()
