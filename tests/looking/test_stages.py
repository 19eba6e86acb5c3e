"""Stages: which classifiers had been trained when a sample was drawn."""

import math

import numpy as np
import pytest

from pyshac import SHAC, Dataset, UniformHP
from pyshac.core.dataset.objective import MAX
from pyshac.looking.snapshot import Snapshot, take_snapshot
from tests.looking.searches import run_search


def noise(worker_id, parameters):
    """A score that no classifier can learn, so that many are refused."""
    return math.sin(1e6 * parameters["x"])


def unit_space():
    return [UniformHP("x", 0, 1), UniformHP("y", 0, 1)]


def true_starts(history, batch_size):
    """Where classifiers were trained, as the history of the run has it."""
    models = history["model"]
    return [(n + 1) * batch_size for n, model in enumerate(models) if model is not None]


def stages_of(numbers, starts):
    dataset = Dataset(unit_space())
    for number in numbers:
        dataset.add_sample([0.5, 0.5], 1.0, number)
    return Snapshot(dataset, MAX, starts=starts)


def test_samples_count_to_the_stage_they_begin_from_one_on():
    snapshot = stages_of([0, 9, 10, 19, 20, 30], (10, 20))
    assert snapshot.stages.tolist() == [1, 1, 2, 2, 3, 3]
    assert snapshot.num_stages == 3
    assert stages_of([3], ()).stages.tolist() == [1]
    assert stages_of([], ()).num_stages == 1


def test_without_refusals_the_schedule_has_the_stages(finished):
    assert len(finished.classifiers) == 5
    assert take_snapshot(finished).starts == (10, 20, 30, 40, 50)
    assert take_snapshot(finished.save_dir).starts == (10, 20, 30, 40, 50)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_refused_classifiers_are_found_from_the_samples(tmp_path, seed):
    engine, history = run_search(tmp_path, unit_space(), noise, (100, 10), seed)
    refused = [model is None for model in history["model"][:9]]

    # Without a refusal this would test nothing; the four seeds have some each.
    assert any(refused)
    assert list(take_snapshot(tmp_path).starts) == true_starts(history, 10)
    assert take_snapshot(tmp_path).starts == take_snapshot(engine).starts


def test_fewer_classifiers_than_usual_make_longer_stages(tmp_path):
    _, history = run_search(tmp_path, unit_space(), lambda w, p: p["x"], (40, 8), max_classifiers=2)

    assert list(take_snapshot(tmp_path).starts) == true_starts(history, 5)
    assert len(take_snapshot(tmp_path).starts) == 2


@pytest.mark.slow
def test_batches_of_one_sample(tmp_path):
    _, history = run_search(
        tmp_path, unit_space(), lambda w, p: p["x"], (40, 40), max_classifiers=3
    )

    assert list(take_snapshot(tmp_path).starts) == true_starts(history, 1)


def test_external_datasets_have_stages(tmp_path):
    values = np.linspace(0, 1, 40)
    rows = "".join(f"{n},{x!r},0.5,{x!r}\n" for n, x in enumerate(values.tolist()))
    (tmp_path / "old.csv").write_text(f"id,x,y,scores\n{rows}")
    engine = SHAC(unit_space(), 40, 4, save_dir=tmp_path / "run")
    engine.fit_dataset(tmp_path / "old.csv")
    found = take_snapshot(tmp_path / "run")

    assert len(found.starts) == len(engine.classifiers)
    assert list(found.starts) == sorted(set(found.starts))
    assert set(found.starts) <= {10, 20, 30, 40}
