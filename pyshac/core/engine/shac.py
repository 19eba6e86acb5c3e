"""SHAC: the engine for plain functions."""

from __future__ import annotations

from pyshac.core.engine.abstract_engine import _SHAC
from pyshac.core.evaluation.worker import Evaluator


class SHAC(_SHAC):
    """Finds good hyperparameters by Successive Halving and Classification.

    The evaluation function is called as `evaluation_function(worker_id, parameters)` and returns
    a number.

    Args:
        evaluation_function: The function to be optimised. It may be left out, also by position, and
            handed to `fit` instead.
        hyperparameter_list: The search space: a list of hyperparameters or a
            `HyperParameterList`. None if it comes from the save directory.
        total_budget: N, number of evaluations.
        num_batches: M, number of batches; N must be divisible by it. None if `batch_size` is given.
        objective: 'max' or 'min'.
        max_classifiers: Largest number of classifiers to train; 18 in the paper.
        save_dir: Directory in which the search is saved; None for 'shac'. Nothing is written
            before `fit`, `ask` or `save_data` is called.
        method: 'default', or 'paper' for the procedure as it was published, without the changes
            by which the default finds better scores.
        classifier: A classifier with scikit-learn's interface, trained in each stage instead of
            the library's own boosted trees. It is cloned, and every `random_state` it has is set.
        batch_size: W, number of samples in a batch, instead of `num_batches`. The last batch may
            have fewer.
        resume: Whether to continue the run that `save_dir` holds. Without one a run begins, so the
            same script begins and continues. The budget may have grown. Where the search space has
            changed, samples that lie in the new one are taken over; those that do not are kept in
            `save_dir`, in a folder `former-1`.
        start_from: Directory of another search or a study of Optuna, from whose evaluations this
            one learns as far as they lie in its space; see `add`.
        constraints: What every sample obeys, relations such as `Less` or functions, unless the
            `HyperParameterList` has them.
        pace: 'batch': the next batch waits for all scores of this one. 'pipeline': batches overlap
            at fixed places, so that the same seed still gives the same run. 'stream': a slot that
            is free gets a sample at once, drawn from all scores that are in.
        open_batches: Largest number of batches that are open at once in a pipeline; None for 2.

    Raises:
        SaveDirectoryError: If a file of `save_dir` or `start_from` is corrupt, or the run to resume
            has another objective, method, max_classifiers or kind of classifier.
        TypeError: If an argument has the wrong type.
        ValueError: If an argument has a value that is not allowed.

    Example:
        ```python
        space = [pyshac.UniformHP("x", -5, 5), pyshac.DiscreteHP("kind", ["a", "b"])]
        shac = pyshac.SHAC(evaluate, space, total_budget=100, num_batches=10, objective="min")
        shac.fit()
        print(shac.best_score, shac.best_parameters)
        ```

    References:
        Kumar, Dahl, Vasudevan, Norouzi: Parallel Architecture and Hyperparameter Search via
        Successive Halving and Classification, https://arxiv.org/abs/1805.10255
    """

    def _make_evaluator(self) -> Evaluator:
        return Evaluator()
