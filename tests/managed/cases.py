"""The engines, and the backends of Keras, that one suite of tests runs over."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

import pyshac
from tests.managed import trainings


@dataclass(frozen=True)
class Case:
    """An engine, how to make it, and what it evaluates.

    Attributes:
        name: Its name among the cases.
        engine: Name of the class.
        train: A training for it.
        arguments: What its constructor needs more than that of `SHAC`.
        environment: Environment variables to set before it is made.
        packages: What must be installed.
        takes_session: Whether its functions receive a session first.
    """

    name: str
    engine: str
    train: Callable[..., Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    takes_session: bool = False

    @property
    def engine_class(self) -> type:
        return getattr(pyshac, self.engine)

    def make(self, *args: Any, **kwargs: Any) -> Any:
        """The engine, with one worker process unless it is told otherwise."""
        engine = self.engine_class(*args, **{**self.arguments, **kwargs})
        if not self.arguments:
            engine.set_num_parallel_evaluators(1)
        return engine

    def function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Makes a function of `(worker_id, parameters)` one that this engine can evaluate."""
        if not self.takes_session:
            return function
        return lambda session, worker_id, parameters: function(worker_id, parameters)


def _keras(backend: str) -> Case:
    return Case(
        f"KerasSHAC on {backend}",
        "KerasSHAC",
        trainings.train_keras,
        {"max_gpu_evaluators": 0},
        {"KERAS_BACKEND": backend, "TF_USE_LEGACY_KERAS": "0"},
        ("keras", backend),
        True,
    )


CPU = {"max_gpu_evaluators": 0}
CASES = [
    Case("SHAC", "SHAC", trainings.train_numpy),
    Case("TorchSHAC", "TorchSHAC", trainings.train_torch, CPU, packages=("torch",)),
    Case(
        "TensorflowSHAC",
        "TensorflowSHAC",
        trainings.train_tensorflow,
        CPU,
        packages=("tensorflow",),
        takes_session=True,
    ),
    _keras("tensorflow"),
    _keras("jax"),
    _keras("torch"),
    Case(
        "KerasSHAC, legacy",
        "KerasSHAC",
        trainings.train_legacy_keras,
        CPU,
        {"TF_USE_LEGACY_KERAS": "1"},
        ("tensorflow", "tf_keras"),
        True,
    ),
]
BY_NAME = {case.name: case for case in CASES}


def installed(*packages: str) -> bool:
    return all(importlib.util.find_spec(package) for package in packages)


def parameters(cases: list[Case], *marks: Any) -> list[Any]:
    """The cases as parameters of a test that skips those whose packages are missing."""
    return [
        pytest.param(
            case,
            id=case.name,
            marks=[
                *marks,
                pytest.mark.skipif(
                    not installed(*case.packages), reason=f"needs {', '.join(case.packages)}"
                ),
            ],
        )
        for case in cases
    ]
