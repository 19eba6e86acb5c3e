"""SHACSearchCV: the search of this library in the form of scikit-learn's `RandomizedSearchCV`.

Importing this module imports scikit-learn's model selection.
"""

from __future__ import annotations

import contextlib
import inspect
import numbers
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import check_random_state, indexable
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_method_params

from pyshac.core.basics.paths import folder_path
from pyshac.core.engine import SHAC
from pyshac.core.errors import EvaluationError, SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.storage.save_directory import SaveDirectory
from pyshac.integrations.sklearn_parts import origin
from pyshac.integrations.sklearn_parts.drawn import take_distributions
from pyshac.integrations.sklearn_parts.results import FoldResult, essential, pack, unpack
from pyshac.integrations.sklearn_parts.space import CandidateSpace
from pyshac.integrations.sklearn_parts.splits import FixedSplits, NumberedTasks, hash_of_splits

try:
    from sklearn.utils import get_tags
except ImportError as error:
    raise ImportError(
        "SHACSearchCV needs scikit-learn 1.6 or later: pip install 'pyshac[sklearn]'",
        name="sklearn",
    ) from error

Candidate = dict[str, Any]
# A candidate, and the results of its folds.
Record = tuple[Candidate, list[FoldResult]]

# The first words of scikit-learn's error if all fits of some candidates failed.
_ALL_FAILED = "\nAll the "
# Arguments that a search in a directory must go on with.
_FIXED = (
    "estimator", "scoring", "refit", "batch_size", "method", "error_score", "return_train_score",
)  # fmt: skip


class SHACSearchCV(BaseSearchCV):  # type: ignore[misc]
    """Searches the hyperparameters of an estimator by cross-validation and SHAC.

    It is used as `RandomizedSearchCV` is, and has its attributes: `best_estimator_`,
    `best_params_`, `best_score_`, `best_index_`, `cv_results_` and so on. Candidates come in
    batches, each of which learns from those before it. All candidates are evaluated on the same
    splits.

    Args:
        estimator: The estimator, such as a pipeline.
        param_distributions: A dict from names of parameters to lists of values, to distributions
            with a method `rvs`, such as those of `scipy.stats`, or to hyperparameters of this
            library; a list of such dicts, in which case the search also chooses the dict; a
            `HyperParameterList`; or a list of hyperparameters.
        n_iter: Number of candidates.
        batch_size: Number of candidates in a batch.
        scoring: As in `RandomizedSearchCV`.
        n_jobs: Number of fits that joblib runs in parallel. None means 1, unless a joblib context
            sets another number.
        refit: As in `RandomizedSearchCV`. With several metrics, the search optimises the one named
            here; if none is named, the first of `scoring`.
        cv: As in `RandomizedSearchCV`.
        random_state: Seed of the search: an int, a `RandomState`, or None.
        error_score: The score of a fit that fails, or 'raise'. A candidate without a finite mean
            score counts as failed, and is never in the better half.
        return_train_score: Whether `cv_results_` has the scores on the training splits.
        verbose: As in `RandomizedSearchCV`.
        save_dir: A directory in which the search is saved. With the same arguments and data, a
            second `fit` reuses its evaluations and continues. None saves nothing.
        method: 'default', or 'paper' for the procedure as it was published.
    """

    _parameter_constraints: dict[str, list[Any]] = {  # noqa: RUF012
        **BaseSearchCV._parameter_constraints,
        "param_distributions": [dict, list, HyperParameterList],
        "n_iter": [Interval(numbers.Integral, 1, None, closed="left")],
        "batch_size": [Interval(numbers.Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "save_dir": [str, os.PathLike, None],
        "method": [StrOptions({"default", "paper"})],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        n_iter: int = 50,
        batch_size: int = 10,
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[[Any], int] = True,
        cv: Any = None,
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        verbose: int = 0,
        save_dir: str | os.PathLike[str] | None = None,
        method: str = "default",
    ) -> None:
        super().__init__(
            estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.batch_size = batch_size
        self.random_state = random_state
        self.save_dir = save_dir
        self.method = method

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = get_tags(self.estimator).target_tags.multi_output
        return tags

    def fit(self, X: Any, y: Any = None, **params: Any) -> SHACSearchCV:  # noqa: N803
        """Searches, and fits the estimator with the best parameters on all data.

        Args:
            X: Training data, shape (n_samples, n_features) or what the estimator takes.
            y: Targets, shape (n_samples,) or (n_samples, n_outputs); None for none.
            params: Parameters of the estimator's `fit`, of the scorer and of the splitter, such as
                `groups`.

        Returns:
            The search itself.

        Raises:
            NotADirectoryError: If `save_dir` is a file.
            SaveDirectoryError: If `save_dir` holds another search, or a file there is corrupt.
            TypeError: If a value of `param_distributions` is neither a list, a distribution nor a
                hyperparameter.
            ValueError: If an argument is not allowed, or all fits failed.
        """
        is_saved = self.save_dir is not None
        self._origin = {"fit parameters": origin.hash_of(params)} if is_saved else {}
        try:
            super().fit(X, y, **params)
        except _NothingLeft as nothing:
            self._conclude(nothing, X, y, params)
        finally:
            del self._origin
        return self

    def _check_input_parameters(self, X: Any, y: Any, split_params: Mapping[str, Any]) -> None:  # noqa: N803
        if self.save_dir is None:
            return
        fixed = {name: origin.text_of(getattr(self, name)) for name in _FIXED}
        is_seeded = isinstance(self.random_state, numbers.Integral)
        self._origin |= {
            "X": origin.hash_of(X),
            "y": origin.hash_of(y),
            "cv": hash_of_splits(self._checked_cv_orig, X, y, split_params),
            **fixed,
            "random_state": str(self.random_state) if is_seeded else "",
        }

    def _format_results(
        self,
        candidate_params: Any,
        n_splits: int,
        out: Any,
        more_results: Any = None,
    ) -> dict[str, Any]:
        # The results of each batch are only handed on to `_run_search`: it makes `cv_results_` of
        # them all in the end, with those of the directory.
        return {"out": out}

    def _run_search(self, evaluate_candidates: Any, *, callback_ctx: Any = None) -> None:
        if callback_ctx is None:
            self._take_splits(evaluate_candidates)
        space = CandidateSpace(self.param_distributions)
        with contextlib.ExitStack() as stack:
            path = self.save_dir
            if path is None:
                path = stack.enter_context(_temporary_directory())
            engine = self._engine(space.parameters, folder_path("save_dir", path))
            records = _records_of(engine, space)
            evaluate = _Evaluation(self, evaluate_candidates, callback_ctx, records)
            while samples := engine.ask():
                for part in self._parts(samples):
                    folds = evaluate([space.candidate(sample) for sample in part])
                    # All of a batch may have failed; the next one is drawn all the same.
                    with contextlib.suppress(EvaluationError):
                        engine.tell(part, [self._result(each) for each in folds])
        if len(records) < self.n_iter:
            warnings.warn(
                f"The search space has {len(records)} candidates, fewer than "
                f"n_iter={self.n_iter}. All of them were evaluated. For exhaustive searches, use "
                "GridSearchCV.",
                stacklevel=3,
            )
        evaluate.end()

    def _take_splits(self, evaluate_candidates: Callable[..., Any]) -> None:
        """Does what scikit-learn 1.9 does by itself before it calls `_run_search`.

        Earlier versions keep the splitter and the data to the function that they hand over.
        """
        known = inspect.getclosurevars(evaluate_candidates).nonlocals
        self._checked_cv_orig, self.n_splits_ = known["cv_orig"], known["n_splits"]
        self._check_input_parameters(known["X"], known["y"], known["routed_params"].splitter.split)

    def _engine(self, parameters: HyperParameterList, path: Path) -> SHAC:
        """Returns an engine with a new search, or with the one that the directory holds."""
        is_new = not SaveDirectory(path).holds_run()
        if self.save_dir is not None:
            self._origin["param_distributions"] = origin.text_of_space(parameters)
            if is_new:
                origin.write(path, self._origin)
            else:
                origin.check(path, self._origin)
                self._check_n_iter(path, parameters)
        engine = SHAC(
            parameters,
            self.n_iter,
            batch_size=min(self.batch_size, self.n_iter),
            save_dir=path,
            method=self.method,
            resume=True,
        )
        take_distributions(engine.parameters or (), parameters)
        if is_new:
            seed = self.random_state
            if not isinstance(seed, numbers.Integral):
                seed = check_random_state(seed).randint(2**31 - 1)
            engine.set_seed(int(seed))
        return engine

    def _check_n_iter(self, path: Path, parameters: HyperParameterList) -> None:
        number = len(SaveDirectory(path).load(parameters)[0].dataset)
        if self.n_iter < number:
            raise ValueError(
                f"n_iter must be at least {number}, the number of candidates that save_dir "
                f"{str(path)!r} holds. Got {self.n_iter} instead. Raise it, or choose another "
                "save_dir."
            )

    def _parts(self, samples: Sequence[Any]) -> Iterator[Sequence[Any]]:
        """Yields samples that are evaluated at once: with one job, a kill costs one of them."""
        if self.save_dir is None or joblib.effective_n_jobs(self.n_jobs) > 1:
            yield samples
        else:
            yield from ([sample] for sample in samples)

    def _result(self, folds: Sequence[FoldResult]) -> dict[str, Any]:
        """Returns what the engine is told of a candidate."""
        scores = [fold["test_scores"] for fold in folds]
        if isinstance(scores[0], Mapping):
            name = self.refit if isinstance(self.refit, str) else next(iter(scores[0]))
            scores = [each[name] for each in scores]
        extras = pack(folds) if self.save_dir is not None else {}
        return {"score": float(np.mean(scores)), **extras}

    def _results_of(self, records: Sequence[Record]) -> dict[str, Any]:
        """Returns `cv_results_` of candidates."""
        candidates = [candidate for candidate, _ in records]
        out = [fold for _, folds in records for fold in folds]
        scores = (fold["test_scores"] for fold in out)
        metrics = next((each for each in scores if isinstance(each, dict)), {})
        for fold in out if metrics else ():
            # Where all fits of a batch failed, the names of the metrics are not known.
            for kind in {"test_scores", "train_scores"} & fold.keys():
                if not isinstance(fold[kind], dict):
                    fold[kind] = dict.fromkeys(metrics, self.error_score)
        results: dict[str, Any] = super()._format_results(candidates, self.n_splits_, out)
        return results

    def _conclude(self, nothing: _NothingLeft, X: Any, y: Any, params: Any) -> None:  # noqa: N803
        """Sets what a fit sets, where all candidates were evaluated by an earlier one."""
        results, first = nothing.results, nothing.first_scores
        scorers, metric = self._get_scorers()
        X, y = indexable(X, y)  # noqa: N806
        routed = self._get_routed_params_for_fit(_check_method_params(X, params=params))
        self.multimetric_ = isinstance(first, dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(first)
            metric = self.refit
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, metric, results)
            self.best_params_ = results["params"][self.best_index_]
            if not callable(self.refit):
                self.best_score_ = results[f"mean_test_{metric}"][self.best_index_]
        if self.refit:
            best = clone(self.best_params_, safe=False)
            self.best_estimator_ = clone(clone(self.estimator).set_params(**best))
            start = time.time()
            targets = () if y is None else (y,)
            self.best_estimator_.fit(X, *targets, **routed.estimator.fit)
            self.refit_time_ = time.time() - start
            if hasattr(self.best_estimator_, "feature_names_in_"):
                self.feature_names_in_ = self.best_estimator_.feature_names_in_
        self.scorer_ = getattr(scorers, "_scorers", scorers)
        self.cv_results_ = results


class _NothingLeft(Exception):  # noqa: N818
    """All candidates had been evaluated before.

    Args:
        results: `cv_results_`.
        first_scores: The scores of one fold.
    """

    def __init__(self, results: dict[str, Any], first_scores: Any) -> None:
        super().__init__()
        self.results = results
        self.first_scores = first_scores


class _Evaluation:
    """Evaluates candidates by scikit-learn, and turns all results into `cv_results_`.

    Args:
        search: The search.
        evaluate_candidates: What scikit-learn hands over to evaluate candidates.
        callback_ctx: scikit-learn's context of callbacks; None where it has none.
        records: The candidates of an earlier fit. Those that are evaluated are added.
    """

    def __init__(
        self,
        search: SHACSearchCV,
        evaluate_candidates: Callable[..., dict[str, Any]],
        callback_ctx: Any,
        records: list[Record],
    ) -> None:
        self._search, self._evaluate_candidates = search, evaluate_candidates
        self._records = records
        self._splits = FixedSplits(search._checked_cv_orig)
        self._tasks = None
        if callback_ctx is not None:
            most = (search.n_iter - len(records)) * search.n_splits_
            self._tasks = NumberedTasks(callback_ctx, search, most)
        self._last: dict[str, Any] | None = None
        self._failure: ValueError | None = None
        self._is_any_right = any(_has_score(fold) for _, folds in records for fold in folds)

    def __call__(self, candidates: Sequence[Candidate]) -> list[list[FoldResult]]:
        """Returns the results of the folds of each candidate."""
        options = {} if self._tasks is None else {"callback_ctx": self._tasks}
        n_splits, start = self._search.n_splits_, time.perf_counter()
        try:
            self._last = self._evaluate_candidates(candidates, cv=self._splits, **options)
            out = essential(self._last["out"][-len(candidates) * n_splits :])
        except ValueError as error:
            if not str(error).startswith(_ALL_FAILED):
                raise
            warnings.warn(str(error), FitFailedWarning, stacklevel=2)
            self._failure = error
            number = len(candidates) * n_splits
            out = [self._failed((time.perf_counter() - start) / number) for _ in range(number)]
        folds = [out[place : place + n_splits] for place in range(0, len(out), n_splits)]
        self._records += zip(candidates, folds, strict=True)
        return folds

    def _failed(self, seconds: float) -> FoldResult:
        score = self._search.error_score
        train = {"train_scores": score} if self._search.return_train_score else {}
        return {"fit_time": seconds, "score_time": 0.0, "test_scores": score, **train}

    def end(self) -> None:
        """Hands over `cv_results_`.

        Raises:
            ValueError: If all fits failed.
            _NothingLeft: If scikit-learn has evaluated nothing.
        """
        if self._tasks is not None:
            self._tasks.end()
        if self._last is None and not self._is_any_right:
            raise self._failure or ValueError(
                f"save_dir {str(self._search.save_dir)!r} holds {len(self._records)} candidates, "
                "all of which failed. Remove it to evaluate them anew, or choose another."
            )
        results = self._search._results_of(self._records)
        if self._last is None:
            raise _NothingLeft(results, self._records[0][1][0]["test_scores"])
        # scikit-learn takes this very dict as `cv_results_`.
        self._last.clear()
        self._last.update(results)


def _records_of(engine: SHAC, space: CandidateSpace) -> list[Record]:
    """Returns the candidates that the engine's directory has, in the order of their numbers.

    Raises:
        SaveDirectoryError: If one has no results of folds.
    """
    try:
        return [
            (space.candidate(each.parameters), unpack(each.extras)) for each in engine.evaluations
        ]
    except ValueError as error:
        raise SaveDirectoryError(
            f"save_dir {engine.save_dir!r} has evaluations that SHACSearchCV did not make: {error} "
            "Choose another save_dir."
        ) from None


def _has_score(fold: FoldResult) -> bool:
    scores = fold["test_scores"]
    values = [*scores.values()] if isinstance(scores, Mapping) else [scores]
    return bool(np.isfinite(values).any())


def _temporary_directory() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="pyshac-", ignore_cleanup_errors=True)
