"""Tunes a support vector machine on a Dask cluster, which this script starts and stops again.

With a cluster of your own only the two lines that make the client differ, and the main part stays.
Needs the extra "dask".
"""

import functools
import logging
import os
import statistics
import tempfile

import distributed
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC

from pyshac import SHAC, LogUniformHP

NUM_WORKERS = 4


@functools.lru_cache
def digits():
    """Every worker process reads the data once: they never travel."""
    images, labels = load_digits(return_X_y=True)
    return images[:600] / 16, labels[:600]


def evaluate(worker_id, parameters):
    images, labels = digits()
    model = SVC(C=parameters["penalty"], gamma=parameters["gamma"])
    return cross_val_score(model, images, labels, cv=3).mean()


def search(client, save_dir):
    space = [LogUniformHP("penalty", 1e-3, 1e3), LogUniformHP("gamma", 1e-5, 1e1)]
    shac = SHAC(evaluate, space, total_budget=80, num_batches=5, save_dir=save_dir)
    shac.set_seed(1)
    shac.evaluator_backend = "dask"
    # As many slots as the cluster has threads.
    shac.set_num_parallel_evaluators(sum(client.nthreads().values()))
    shac.fit()
    return shac


def main():
    with (
        tempfile.TemporaryDirectory() as folder,
        distributed.LocalCluster(
            n_workers=NUM_WORKERS,
            threads_per_worker=1,
            dashboard_address=None,
            local_directory=folder,
            silence_logs=logging.ERROR,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        shac = search(client, os.path.join(folder, "shac"))
    scores = shac.dataset.Y
    # Medians, since a batch may spend a few samples on places that nobody has looked at yet.
    print(f"median of the first batch  {statistics.median(scores[:16]):.6f}")
    print(f"median of the last batch   {statistics.median(scores[-16:]):.6f}")
    print(f"best score                 {shac.best_score:.6f} with {dict(shac.best_parameters)}")
    print(f"evaluations                {len(scores)}, in {NUM_WORKERS} worker processes")


if __name__ == "__main__":
    main()
