"""TensorBoardLogger: the event files are read back by TensorBoard's own readers."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys

import pytest

from pyshac import SHAC, Callback, DiscreteHP, MedianPruning, UniformHP
from tests.integrations.tracked import evaluate, fit, make_search

pytest.importorskip("tensorboard")

from tensorboard import context
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import (
    api_pb2,
    backend_context,
    get_experiment,
    list_session_groups,
)

from pyshac.integrations.tensorboard import TensorBoardLogger

EVERY_STATUS = [
    api_pb2.STATUS_UNKNOWN, api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE, api_pb2.STATUS_RUNNING,
]  # fmt: skip
WITHOUT_FRAMEWORKS = """
import sys
from pathlib import Path
from pyshac.integrations.tensorboard import TensorBoardLogger
from tests.integrations.tracked import fit, make_search
fit(make_search(Path(sys.argv[1])), TensorBoardLogger(Path(sys.argv[1]) / "logs"))
assert not {"tensorflow", "torch"} & sys.modules.keys()
"""


def read(folder):
    """The event files of a folder."""
    return EventAccumulator(str(folder)).Reload()


def scalars(folder, tag):
    return [(event.step, event.value) for event in read(folder).Scalars(tag)]


def texts(folder):
    found = read(folder)
    return {
        tag: found.Tensors(tag)[-1].tensor_proto.string_val[0].decode()
        for tag in found.Tags()["tensors"]
        if not tag.startswith("_hparams_")
    }


def hparams_tab(folder):
    """What the HParams tab gets: the experiment, and the groups of sessions by name."""
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(folder))
    backend = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    request = api_pb2.ListSessionGroupsRequest(
        start_index=0, slice_size=1000, allowed_statuses=EVERY_STATUS
    )
    asked = (context.RequestContext(), backend, "")
    groups = list_session_groups.Handler(*asked, request).run().session_groups
    experiment = get_experiment.Handler(*asked, api_pb2.GetExperimentRequest()).run()
    return experiment, {group.name: group for group in groups}


def value_of(value):
    return getattr(value, value.WhichOneof("kind"))


def test_scalars_are_the_score_and_the_best_one_so_far(tmp_path):
    search = make_search(tmp_path, evaluators=1)
    fit(search, TensorBoardLogger(tmp_path / "logs"))

    known = {n: s for n, s in enumerate(search.dataset.Y, 1) if not math.isnan(s)}
    assert dict(scalars(tmp_path / "logs", "search/score")) == pytest.approx(known, abs=1e-6)
    best = scalars(tmp_path / "logs", "search/best_score")
    assert [value for _, value in best] == sorted(value for _, value in best)
    assert best[-1] == (12, pytest.approx(search.best_score, abs=1e-6))


def test_the_best_score_of_a_loss_is_the_lowest(tmp_path):
    search = make_search(tmp_path, objective="min")
    fit(search, TensorBoardLogger(tmp_path / "logs"))
    values = [value for _, value in scalars(tmp_path / "logs", "search/best_score")]

    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(search.best_score, abs=1e-6)


def test_each_evaluation_is_a_run_with_its_curve_and_extras(tmp_path):
    search = make_search(tmp_path, 16, 4)
    fit(search, TensorBoardLogger(tmp_path / "logs"), pruning=MedianPruning(min_curves=2))

    assert {each.state for each in search.evaluations} == {"complete", "failed", "pruned"}
    for each in search.evaluations:
        folder = tmp_path / "logs" / f"evaluation-{each.number}"
        assert len([*folder.iterdir()]) == 1
        curve = dict(scalars(folder, "curve"))
        points = dict(zip(each.curve.steps, each.curve.scores, strict=True))
        assert curve == pytest.approx(points, abs=1e-6, nan_ok=True)
        tags = read(folder).Tags()["scalars"]
        assert ("score" in tags) == ("loss" in tags) == (each.state == "complete")
        assert texts(folder)["state"] == each.state
        assert ("failure" in texts(folder)) == (each.state == "failed")
        if each.state == "complete":
            assert scalars(folder, "score") == [(0, pytest.approx(each.score, abs=1e-6))]
            assert texts(folder)["name"] == "ü"


def test_the_hparams_tab_lists_all_evaluations(tmp_path):
    search = make_search(tmp_path)
    fit(search, TensorBoardLogger(tmp_path / "logs" / "mine"))
    experiment, groups = hparams_tab(tmp_path / "logs")

    assert len(groups) == 12
    assert {info.name for info in experiment.hparam_infos} == {
        "x", "kind", "rate", "weights_1", "weights_2", "choice",
    }  # fmt: skip
    assert "score" in {info.name.tag for info in experiment.metric_infos}
    for each in search.evaluations:
        group = groups[f"evaluation-{each.number}"]
        shown = {name: value_of(value) for name, value in group.hparams.items()}
        assert shown["x"] == each.parameters["x"]
        assert shown["weights_1"] == each.parameters["weights"][0]
        assert ("rate" in shown) == ("rate" in each.parameters)
        assert shown["kind"] in ("a network", "none")
        metrics = {value.name.tag: value.value for value in group.metric_values}
        (session,) = group.sessions
        if each.state == "failed":
            assert session.status == api_pb2.STATUS_FAILURE
            assert "score" not in metrics
        else:
            assert session.status == api_pb2.STATUS_SUCCESS
            assert metrics["score"] == pytest.approx(each.score, abs=1e-6)
        assert session.end_time_secs - session.start_time_secs == pytest.approx(
            each.seconds, abs=1e-5
        )


def test_two_searches_can_be_compared(tmp_path):
    for name in ("a", "b"):
        fit(make_search(tmp_path / name, 4, 1), TensorBoardLogger(tmp_path / "logs" / name))
    _, groups = hparams_tab(tmp_path / "logs")

    sessions = {session.name for group in groups.values() for session in group.sessions}
    assert sessions == {f"{name}/evaluation-{n}" for name in "ab" for n in range(4)}


def test_a_search_that_is_resumed_goes_on(tmp_path):
    class Interrupts(Callback):
        def on_sample_end(self, id, score, logs=None):
            if id == 4:
                raise KeyboardInterrupt

    # One evaluator: evaluations end in the order of their numbers.
    search = make_search(tmp_path, evaluators=1)
    with pytest.raises(KeyboardInterrupt):
        fit(search, TensorBoardLogger(tmp_path / "logs"), Interrupts())
    resumed = make_search(tmp_path, 18, 3, resume=True, evaluators=1)
    # What a process that was killed had not logged.
    shutil.rmtree(tmp_path / "logs" / "evaluation-2")
    fit(resumed, TensorBoardLogger(tmp_path / "logs"))
    fit(resumed, TensorBoardLogger(tmp_path / "logs"))

    assert len(hparams_tab(tmp_path / "logs")[1]) == 18
    steps = [step for step, _ in scalars(tmp_path / "logs", "search/best_score")]
    assert set(steps) == set(range(3, 19))  # the first two evaluations fail
    folders = [*(tmp_path / "logs").glob("evaluation-*")]
    assert all(len([*folder.iterdir()]) == 1 for folder in folders)


def test_a_file_that_was_cut_short_does_not_hide_what_follows(tmp_path):
    search = make_search(tmp_path)
    search.total_budget = 6
    fit(search, TensorBoardLogger(tmp_path / "logs"))
    (file,) = (tmp_path / "logs").glob("events*")
    file.write_bytes(file.read_bytes()[:-3])
    search.total_budget = 12
    fit(search, TensorBoardLogger(tmp_path / "logs"))

    assert scalars(tmp_path / "logs", "search/best_score")[-1][0] == 12


def test_the_folder_of_another_search_is_refused(tmp_path):
    fit(make_search(tmp_path / "a", 4, 1), TensorBoardLogger(tmp_path / "logs"))
    search = make_search(tmp_path / "b", 4, 1)
    with pytest.raises(ValueError, match="log_dir.*another"):
        fit(search, TensorBoardLogger(tmp_path / "logs"))

    assert len(search.dataset) == 0


def test_event_files_of_others_are_left_alone(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "events.out.tfevents.1.host.1.0.v2").write_bytes(b"")
    fit(make_search(tmp_path, 4, 1), TensorBoardLogger(tmp_path / "logs"))

    assert len(hparams_tab(tmp_path / "logs")[1]) == 4


def test_samples_from_elsewhere_have_no_times(tmp_path):
    search = make_search(tmp_path)
    fit(search)
    other = make_search(tmp_path / "other")
    path = tmp_path / "search" / "datasets" / "dataset.csv"
    other.fit_dataset(path, callbacks=[TensorBoardLogger(tmp_path / "logs")], verbose=0)

    assert len(hparams_tab(tmp_path / "logs")[1]) == 12
    assert "seconds" not in read(tmp_path / "logs" / "evaluation-3").Tags()["scalars"]


def test_ask_and_tell_is_logged_by_a_call(tmp_path):
    search, logger = make_search(tmp_path), TensorBoardLogger(tmp_path / "logs")
    while samples := search.ask():
        search.tell(samples, [evaluate(0, {**sample, "x": 0.5}) for sample in samples])
        logger.log(search)

    assert len(hparams_tab(tmp_path / "logs")[1]) == 12
    assert [step for step, _ in scalars(tmp_path / "logs", "search/score")] == [*range(1, 13)]


def test_odd_names_and_values_are_taken(tmp_path):
    def odd(worker_id, parameters):
        return {"score": 0.5, "curve": 3, "a/b": 1, "nan": math.nan, "../up": "x", "ü b": True}

    space = [UniformHP("größe/../x", 0, 1), DiscreteHP("huge", [10**400, -(10**30)])]
    search = SHAC(odd, space, 4, 1, save_dir=tmp_path / "odd")
    search.concurrent_evaluators()
    fit(search, TensorBoardLogger(tmp_path / "logs"))

    assert len(hparams_tab(tmp_path / "logs")[1]) == 4
    assert scalars(tmp_path / "logs" / "evaluation-0", "extra_curve") == [(0, 3.0)]


@pytest.mark.slow
def test_no_framework_is_loaded(tmp_path):
    path = os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        [sys.executable, "-c", WITHOUT_FRAMEWORKS, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        timeout=300,
    )


def test_a_folder_is_needed(tmp_path):
    with pytest.raises(TypeError, match="log_dir"):
        TensorBoardLogger(1)
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="log_dir must be a folder"):
        TensorBoardLogger(tmp_path / "file")
