"""SHAC: the engine for ordinary evaluation functions."""

from __future__ import annotations

from pyshac.core.engine.abstract_engine import _SHAC
from pyshac.core.evaluation.worker import Evaluator


class SHAC(_SHAC):
    """Finds good hyperparameters by Successive Halving and Classification.

    The engine calls `evaluation_function(worker_id, parameters)`. `worker_id` is the number of the
    slot, and `parameters` is an `OrderedDict` of values by name. The function returns its score as
    a number, or a mapping with `score` and further values.

    Args:
        evaluation_function: The function to optimise. You may leave it out, even by position, and
            pass it to `fit`.
        hyperparameter_list: The search space, a list of hyperparameters or a `HyperParameterList`.
            None if it comes from the save directory.
        total_budget: N, the number of evaluations.
        num_batches: M, the number of batches. It must divide N. None if `batch_size` is given.
        objective: 'max' or 'min'.
        max_classifiers: The largest number of classifiers; 18 in the paper.
        save_dir: The directory in which the search is saved; None for 'shac'. A new engine writes
            nothing before `fit`, `fit_dataset`, `ask` or `save_data`.
        method: 'default', or 'paper' for the published procedure, without the changes by which the
            default finds better scores.
        classifier: A classifier with scikit-learn's interface, instead of the built-in boosted
            trees. Each stage trains a clone, and sets every `random_state` it has.
        batch_size: W, the number of samples in a batch, instead of `num_batches`. The last batch
            may be smaller.
        resume: Whether to continue the run in `save_dir`. If there is none, a new run begins, so
            the same script begins and continues a run. The budget may be larger than before. If the
            search space has changed, the run keeps the samples inside the new one. A folder
            `former-1`, `former-2` ... in `save_dir` keeps the former run.
        start_from: The directory of another search, or a study of Optuna. The search learns from
            those of its evaluations that lie in the search space; see `add`.
        constraints: Relations such as `Less`, or functions, that hold for every sample, unless the
            `HyperParameterList` has them.
        pace: 'batch': a batch waits for all scores of the one before. 'pipeline': batches overlap
            at fixed places, so the same seed still gives the same run. 'stream': a free slot gets a
            sample at once, drawn from all scores so far.
        open_batches: The largest number of open batches in a pipeline; None for 2.

    Raises:
        SaveDirectoryError: If a file of `save_dir` or `start_from` is corrupt, or the run to resume
            has another objective, method, max_classifiers or kind of classifier.
        TypeError: If an argument has the wrong type.
        ValueError: If an argument has a value that is not allowed.

    Example:
        ```python
        from pyshac import SHAC, UniformHP

        def evaluate(worker_id, parameters):
            return (parameters["x"] - 2) ** 2

        shac = SHAC(evaluate, [UniformHP("x", -5, 5)], 100, 10, objective="min")
        shac.fit()
        print(shac.best_score, shac.best_parameters)
        ```

    References:
        Kumar, Dahl, Vasudevan, Norouzi: Parallel Architecture and Hyperparameter Search via
        Successive Halving and Classification, https://arxiv.org/abs/1805.10255
    """

    def _make_evaluator(self) -> Evaluator:
        return Evaluator()
