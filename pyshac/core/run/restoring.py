"""Restoring: a run from its save directory, by an engine that may have changed meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pyshac.core.basics.arrays import FloatArray, without_float_errors
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.features import Features
from pyshac.core.classifiers.training import Admission
from pyshac.core.classifiers.user_classifier import name_of
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.curves.bounded_scores import bounded_scores
from pyshac.core.dataset.objective import MAX, get_objective
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.hyperparameters.space.prior_scaling import PriorScaling
from pyshac.core.run.elsewhere import evaluations_of
from pyshac.core.run.run import Run, check_budget
from pyshac.core.run.transfer import Transfer, lies_within, text_of_values, transfer, transfer_of
from pyshac.core.search.earlier_runs import train_again
from pyshac.core.search.given.added import Added
from pyshac.core.search.given.queue import Enqueued, Queue
from pyshac.core.search.search import Search
from pyshac.core.search.settings import Settings
from pyshac.core.storage.layout import Stamp
from pyshac.core.storage.save_directory import SaveDirectory
from pyshac.core.storage.saved_run import SavedRun

logger = logging.getLogger("pyshac")


def restored(
    directory: SaveDirectory,
    settings: Settings,
    current: Run | None = None,
    lock: CopyableLock | None = None,
    constraints: Sequence[Any] = (),
) -> tuple[Run, Stamp]:
    """Returns the run that a directory holds, and the stamp with which to adopt it.

    Args:
        directory: The save directory.
        settings: The settings of the engine that continues the run.
        current: The engine's run so far, whose search space must be equal; None if the engine
            has no run.
        lock: The engine's lock.
        constraints: Constraints of an engine without a run, for those that are functions.

    Raises:
        FileNotFoundError: If the directory holds no run.
        SaveDirectoryError: If a file is corrupt, or the run has another search space,
            objective, method, kind of classifier or number of classifiers. The default
            objective gives way to the saved one.
    """
    saved, stamp = directory.load(None if current is None else current.search.space)
    if current is not None:
        _check_same_space(current.search.space, saved.space, str(directory.path))
    saved.space.take_functions(constraints)
    return _of_saved(saved, directory, settings, current, lock), stamp


def resumed(
    directory: SaveDirectory,
    settings: Settings,
    current: Run | None,
    lock: CopyableLock,
    constraints: Sequence[Any] = (),
) -> tuple[Run, Stamp]:
    """Does what `restored` does, but takes the samples over if the search space has changed.

    Raises:
        ValueError: If the run has more evaluations than the budget of the settings.
    """
    saved, stamp = directory.load(None if current is None else current.search.space)
    path = str(directory.path)
    check_budget(settings.schedule.total_budget, len(saved.dataset), path)
    if current is None or not _differing(current.search.space, saved.space):
        saved.space.take_functions(constraints)
        return _of_saved(saved, directory, settings, current, lock), stamp
    if saved.is_legacy:
        # Its samples tell its objective.
        settings = _of_saved(saved, directory, settings, current, lock).search.settings
    else:
        settings = _with_saved_objective(saved, settings, path)
        _check_same_settings(saved, settings, path)
    search = _moved(saved, current.search.space, settings, current.search.entropy, path)
    directory.keeps_former = True
    return Run(search, directory, saved.is_seeded or current.is_seeded, lock), stamp


def _of_saved(
    saved: SavedRun,
    directory: SaveDirectory,
    settings: Settings,
    current: Run | None,
    lock: CopyableLock | None,
) -> Run:
    path, entropy = str(directory.path), saved.entropy
    if not saved.is_legacy:
        settings = _with_saved_objective(saved, settings, path)
        _check_same_settings(saved, settings, path)
    elif current is not None:
        entropy = current.search.entropy
    search = Search(
        saved.space,
        settings,
        entropy,
        saved.dataset,
        saved.cascade,
        saved.num_complete,
        saved.stage_starts,
        saved.open,
        saved.shares,
        saved.added,
        saved.queue,
        saved.refused,
        saved.stage_end,
        saved.draws,
    )
    if saved.is_legacy:
        train_again(search, path)
    elif saved.classifier:
        _retrain(search)
    return Run(search, directory, saved.is_seeded, lock)


def start_from(run: Run, directory: SaveDirectory) -> None:
    """Adds the evaluations of another search to a run, as far as they lie in its search space.

    Raises:
        FileNotFoundError: If the directory holds no search.
        SaveDirectoryError: If one of its files is corrupt.
        ValueError: If it is the run's own directory, or its search has another objective.
    """
    space, path = run.search.space, str(directory.path)
    if directory.path.resolve() == run.directory.path.resolve():
        raise ValueError(
            f"start_from must be the directory of another search. Got {path!r}, which is save_dir: "
            "pass resume=True to continue the search in there."
        )
    saved = directory.load(space)[0]
    theirs = saved.objective
    if saved.is_legacy:
        settings = replace(run.search.settings, objective=MAX)
        theirs = _of_saved(saved, directory, settings, None, None).search.settings.objective.name
    _check_objective(run, theirs, repr(path))
    taken = transfer(saved.dataset.X, saved.space, space)
    # Samples from elsewhere have no curves: those that were pruned come with their bounds.
    ends = saved.dataset.details.curves.ends()
    scores = bounded_scores(saved.dataset.scores, ends, get_objective(theirs))
    _add_taken(run, taken, scores, repr(path))


def start_from_elsewhere(run: Run, source: Any) -> bool:
    """Does what `start_from` does with an object in which another project keeps evaluations.

    Returns:
        Whether it is such an object.

    Raises:
        ValueError: If its evaluations have another objective, or several.
    """
    found = evaluations_of(source, run.search.space)
    if found is None:
        return False
    _check_objective(run, found.objective, found.name)
    taken = transfer_of([each.parameters for each in found.evaluations], run.search.space)
    _add_taken(run, taken, found.scores(), found.name)
    return True


def _check_objective(run: Run, theirs: str, name: str) -> None:
    ours = run.search.settings.objective.name
    if theirs != ours:
        raise ValueError(
            f"start_from must hold a search with objective {ours!r}. Got {name} with {theirs!r} "
            f"instead. Pass objective={theirs!r}, or start from another search."
        )


def _add_taken(run: Run, taken: Transfer, scores: FloatArray, name: str) -> None:
    samples = zip(taken.rows, scores.tolist(), strict=True)
    run.add_rows([(row, score) for row, score in samples if row is not None])
    level = logging.WARNING if taken.num_outside else logging.INFO
    logger.log(level, "Starting from %s: %s.", name, taken.text)


def _moved(
    saved: SavedRun, space: HyperParameterList, settings: Settings, entropy: int, path: str
) -> Search:
    """Returns a saved search in another space, with the samples that lie in there.

    Its classifiers are trained anew: on what is known already if the search has seen all of the new
    space, otherwise from the next stage on. Samples that were not evaluated are drawn anew.
    """
    taken = transfer(saved.dataset.X, saved.space, space)
    dataset = Dataset(space, None)
    for place, row in enumerate(taken.rows):
        if row is not None:
            details = saved.dataset.details[place]
            dataset.add_sample(row, saved.dataset.Y[place], details=details)
    logger.warning(
        "The search space differs from that of the run in %r: %s. Evaluations outside the new one "
        "are left out.",
        path, taken.text + _given_up(saved.space, space),
    )  # fmt: skip
    search = Search(
        space,
        settings,
        entropy if saved.is_legacy else saved.entropy,
        dataset,
        Cascade(features=Features(PriorScaling(space))),
        len(dataset),
        added=_added_in(space, saved),
        queue=_queue_in(space, saved),
        stage_end=len(dataset),
    )
    if lies_within(space, saved.space):
        _train_stages(search)
    return search


@without_float_errors
def _train_stages(search: Search) -> None:
    """Trains all classifiers of a search whose samples are complete and that has none yet."""
    schedule = search.settings.schedule
    length = schedule.per_classifier_budget
    for stop in range(length, search.num_complete + 1, length):
        if len(search.cascade) == schedule.total_classifiers:
            return
        search.take(search.stages().train(stop, Admission.USEFUL), stop)


@without_float_errors
def _retrain(search: Search) -> None:
    """Trains the classifiers of all stages so far again, which are the user's own.

    Raises:
        SaveDirectoryError: If one of them is refused this time.
    """
    for start in search.stage_starts:
        training = search.stages().train(start, Admission.USEFUL)
        if training.classifier is None:
            raise SaveDirectoryError(
                f"Classifier {len(search.cascade) + 1} does not come out as before: "
                f"{training.reason}. Its settings must be those of the run that was saved."
            )
        search.cascade.append(training.classifier)


def _given_up(old: HyperParameterList, new: HyperParameterList) -> str:
    """Returns which constraints of a space another one lacks, in words."""
    kept = [each.identity for each in new.constraints]
    gone = [each for each in old.constraints if each.identity not in kept]
    return f"; it no longer has the constraints {gone!r}" if gone else ""


def _added_in(space: HyperParameterList, saved: SavedRun) -> Added:
    """Returns the samples from elsewhere that lie in another space."""
    added = Added(Dataset(space, None))
    taken = transfer(saved.added.dataset.X, saved.space, space)
    samples = zip(taken.rows, saved.added.dataset.Y, strict=True)
    added.put([(row, score) for row, score in samples if row is not None], 0)
    return added


def _queue_in(space: HyperParameterList, saved: SavedRun) -> Queue:
    """Returns the samples of the queue that lie in another space; some wait again."""
    evaluated: list[Enqueued] = []
    waiting: list[Enqueued] = []
    rows = transfer([each.row for each in saved.queue.samples], saved.space, space).rows
    for place, (sample, row) in enumerate(zip(saved.queue.samples, rows, strict=True)):
        if row is not None:
            is_evaluated = place < saved.queue.num_taken or _has_score(saved, place)
            moved = Enqueued.of(sample.given, row, space)
            (evaluated if is_evaluated else waiting).append(moved)
    return Queue([*evaluated, *waiting], len(evaluated))


def _has_score(saved: SavedRun, place: int) -> bool:
    """Returns whether a sample of the queue has a score in an open batch."""
    numbers = [n for batch in saved.open for n in batch.ids[: batch.num_enqueued]]
    is_open = saved.queue.num_taken <= place < saved.queue.num_taken + len(numbers)
    return is_open and saved.open.has_score(numbers[place - saved.queue.num_taken])


def _with_saved_objective(saved: SavedRun, settings: Settings, path: str) -> Settings:
    """Returns the settings of an engine, with the saved objective if it has the default one."""
    if saved.objective == settings.objective.name or settings.objective != MAX:
        return settings
    logger.warning(
        "%r holds a search with objective %r, which the engine takes instead of the default, %r.",
        path, saved.objective, settings.objective.name,
    )  # fmt: skip
    return replace(settings, objective=get_objective(saved.objective))


def _check_same_settings(saved: SavedRun, settings: Settings, path: str) -> None:
    schedule = settings.schedule
    # The number of classifiers may only differ where another bound, M - 1, is the lower one.
    largest = replace(schedule, max_classifiers=saved.max_classifiers or schedule.max_classifiers)
    if largest.total_classifiers == schedule.total_classifiers:
        largest = schedule
    for what, theirs, ours in (
        ("max_classifiers", largest.max_classifiers, schedule.max_classifiers),
        ("objective", saved.objective, settings.objective.name),
        ("method", saved.method, settings.method.name),
        ("classifier", saved.classifier or None, name_of(settings.template) or None),
    ):
        if theirs != ours:
            advice = (
                " No directory holds a classifier of your own: hand it over, as classifier=..."
                if what == "classifier" and theirs is not None and ours is None
                else ""
            )
            raise SaveDirectoryError(
                f"{path!r} holds a search with {what} {theirs!r}, not {ours!r}.{advice}"
            )


def _check_same_space(space: HyperParameterList, saved: HyperParameterList, path: str) -> None:
    """Raises `SaveDirectoryError` unless two search spaces are equal up to their seeds."""
    differing = _differing(space, saved)
    if differing:
        raise SaveDirectoryError(
            f"{path!r} holds a search of another space: {differing!r} differ, or their order. To "
            "continue it in this one, make the engine with resume=True."
        )


def _differing(space: HyperParameterList, saved: HyperParameterList) -> list[str]:
    """Returns the names of the parameters and constraints that differ between two spaces."""
    ours, theirs = _comparable(space), _comparable(saved)
    names = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    return names + sorted({*_names(space)} ^ {*_names(saved)})


def _names(space: HyperParameterList) -> list[str]:
    """Returns a name for each constraint; equal ones have equal names."""
    return [f"the constraint {each.name}" for each in space.constraints]


def _comparable(space: HyperParameterList) -> dict[str, str]:
    return {
        each.name: f"{number}: {text_of_values(each)} {each.conditions}"
        for number, each in enumerate(space)
    }
