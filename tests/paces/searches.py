"""Small searches at every pace, for several tests."""

from __future__ import annotations

import contextlib
import random
import time
from typing import Any

import numpy as np

from pyshac import (
    SHAC,
    Callback,
    DiscreteHP,
    HyperParameterList,
    IntegerHP,
    LinearConstraint,
    UniformHP,
)
from tests.engine.engine_helpers import evaluate, make_engine

PACES = ("batch", "pipeline", "stream")


def uneven(worker_id: int, parameters: dict[str, Any]) -> float:
    """`evaluate`, which takes longer for some samples than for others, whatever their slot."""
    time.sleep(int(abs(parameters["x"]) * 1e6) % 7 / 1000)
    return evaluate(worker_id, parameters)


class Dawdling:
    """`evaluate`, which takes longer in another order for each seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def __call__(self, worker_id: int, parameters: dict[str, Any]) -> float:
        time.sleep(self._chance.uniform(0, 0.006))
        return evaluate(worker_id, parameters)


def engine_in(path: Any, pace: str, function: Any = uneven, **kwargs: Any) -> SHAC:
    kwargs = {"total_budget": 40, "num_batches": 5, "evaluators": 3, **kwargs}
    return make_engine(path, function, pace=pace, **kwargs)


def samples_of(engine: SHAC) -> list[Any]:
    return [evaluation.parameters for evaluation in engine.evaluations]


def is_replayed(engine: SHAC, relax_checks: bool = False) -> bool:
    """Whether all samples of a stream come out again, those without a score, too."""
    search = engine._run.search
    samples = {number: search.open.row(number) for number in search.open.pending}
    samples |= dict(zip(engine.dataset.ids, engine.dataset.X, strict=True))
    rows = [samples[number] for number in range(len(samples))]
    return bool(engine.replay(relax_checks=relax_checks) == search.parameters(rows))


def are_different(samples: list[Any]) -> bool:
    return len({repr(sample) for sample in samples}) == len(samples)


def tell_all(engine: SHAC, chance: random.Random, function: Any = evaluate, n: int = 3) -> None:
    """Asks and tells until nothing is left; scores come in in a random order."""
    asked: list[Any] = []
    while True:
        # Of a batch or a pipeline, it raises an error while scores are lacking.
        with contextlib.suppress(RuntimeError):
            asked += engine.ask(n)
        if not asked:
            return
        chance.shuffle(asked)
        number = chance.randint(1, 3)
        told, asked = asked[:number], asked[number:]
        engine.tell(told, [function(0, sample) for sample in told], skip_cv_checks=True)


class Events(Callback):
    """Notes what callbacks are told, and does something on one of the events."""

    def __init__(self, on: str = "", do: Any = None) -> None:
        super().__init__()
        self.events: list[tuple[str, Any]] = []
        self._on, self._do = on, do

    def _note(self, name: str, *args: Any) -> None:
        self.events.append((name, args[0] if args and isinstance(args[0], int) else None))
        if name == self._on:
            self._do(self, *args)

    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def numbers(self, name: str) -> list[int]:
        return [number for each, number in self.events if each == name]


def _noting(name: str) -> Any:
    def note(self: Events, *args: Any) -> None:
        self._note(name, *args)

    return note


for _name in (
    "on_train_begin", "on_train_end", "on_train_error", "on_epoch_begin", "on_epoch_end",
    "on_draw_begin", "on_draw_end", "on_evaluation_begin", "on_evaluation_ended",
    "on_sample_begin", "on_sample_end", "on_dataset_changed", "on_classifier_begin",
    "on_classifier_end",
):  # fmt: skip
    setattr(Events, _name, _noting(_name))


def check_events(events: list[tuple[str, Any]]) -> None:
    """Epochs follow each other, each with its events in order, and samples end after they begin."""
    order = (
        "on_epoch_begin", "on_evaluation_begin", "on_evaluation_ended", "on_dataset_changed",
        "on_classifier_begin", "on_classifier_end", "on_epoch_end",
    )  # fmt: skip
    epoch: list[str] = []
    begun: set[int] = set()
    ended: set[int] = set()
    drawing = 0
    for name, number in events:
        if name in order:
            if name == "on_epoch_begin":
                assert not epoch, events
            else:
                assert epoch, (name, events)
                assert order.index(name) > order.index(epoch[-1]), (name, events)
            epoch.append(name)
            if name == "on_epoch_end":
                assert [each for each in order if "classifier" not in each] == [
                    each for each in epoch if "classifier" not in each
                ]
                assert ("on_classifier_begin" in epoch) == ("on_classifier_end" in epoch)
                epoch = []
        elif name == "on_sample_begin":
            assert number not in begun
            begun.add(number)
        elif name == "on_sample_end":
            assert number in begun - ended
            ended.add(number)
        elif name == "on_draw_begin":
            assert not drawing
            drawing += 1
        elif name == "on_draw_end":
            drawing -= 1
            assert not drawing


def grid_space() -> HyperParameterList:
    """Sixty points."""
    return HyperParameterList(
        [IntegerHP("x", 0, 9), DiscreteHP("kind", ["0", "1"]), IntegerHP("w", 1, 3)]
    )


def on_grid(worker_id: int, parameters: dict[str, Any]) -> float:
    time.sleep(parameters["x"] % 3 / 500)
    return float((parameters["x"] - 4) ** 2 + int(parameters["kind"]) + parameters["w"])


def conditional_space() -> HyperParameterList:
    return HyperParameterList(
        [
            UniformHP("x", -5.0, 5.0),
            DiscreteHP("kind", ["0", "1"]),
            UniformHP("w", 0.0, 1.0).when("kind", ["1"]),
            UniformHP("v", 0.0, 1.0),
        ],
        constraints=[LinearConstraint({"x": 1, "v": 1}, at_most=4)],
    )


def on_branches(worker_id: int, parameters: dict[str, Any]) -> float:
    time.sleep(int(parameters["v"] * 1e6) % 5 / 1000)
    return float(parameters["x"] ** 2 + parameters.get("w", 0.5) + parameters["v"])


def nan_for_some(worker_id: int, parameters: dict[str, Any]) -> float:
    score = uneven(worker_id, parameters)
    return float(np.nan) if int(score * 1e6) % 3 == 0 else score
