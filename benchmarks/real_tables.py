"""Tables of real training runs, so that a benchmark's evaluation is a look-up and its score real.

    python benchmarks/real_tables.py            all four; about an hour on one core
    python benchmarks/real_tables.py svm mlp    two of them

Every combination of a grid is trained once on one of scikit-learn's built-in datasets, with a seed
that its place in the grid gives, and its loss on held-out data goes into
benchmarks/tables/NAME.csv.gz: a column a parameter, and `loss`, lower being better. A run that was
interrupted goes on where it stopped; to make a table anew, remove its file.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVR
from threadpoolctl import threadpool_limits

TABLES = Path(__file__).parent / "tables"
# The loss of guessing by throwing the dice over and over again, and of training that diverged.
WORST_LOG_LOSS = 10.0

Configuration = dict[str, Any]


@dataclass(frozen=True)
class Grid:
    """A model and the values of its hyperparameters that are tried.

    Attributes:
        values: The values of each hyperparameter. Numbers stand in order; texts have none.
        loss: Trains a configuration, given a seed, and returns its loss on held-out data.
    """

    values: dict[str, Sequence[Any]]
    loss: Callable[[Configuration, int], float]

    def __iter__(self) -> Iterator[Configuration]:
        """Yields every combination, the last hyperparameter changing fastest."""
        for combination in itertools.product(*self.values.values()):
            yield dict(zip(self.values, combination, strict=True))

    @property
    def is_categorical(self) -> list[bool]:
        """Which hyperparameters have values without an order."""
        return [isinstance(values[0], str) for values in self.values.values()]


def _steps(low: float, high: float, count: int) -> list[float]:
    """Values from low to high in equal ratios, to three digits."""
    return [float(f"{value:.3g}") for value in np.geomspace(low, high, count)]


def _digits() -> Any:
    images, labels = load_digits(return_X_y=True)
    return train_test_split(images, labels, train_size=1000, random_state=0, stratify=labels)


def _svm_loss(configuration: Configuration, seed: int) -> float:
    """Root mean squared error of support vector regression on the diabetes data."""
    options = dict(configuration)
    scaler = StandardScaler() if options.pop("scaling") == "standard" else MinMaxScaler()
    model = make_pipeline(scaler, SVR(max_iter=100_000, **options))
    return _diabetes_error(model)


def _diabetes_error(model: Any) -> float:
    """Root mean squared error over three splits of the diabetes data."""
    features, targets = load_diabetes(return_X_y=True)
    errors = []
    for split in range(3):
        train, test, train_targets, test_targets = train_test_split(
            features, targets, test_size=0.3, random_state=split
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            predicted = clone(model).fit(train, train_targets).predict(test)
        errors.append(np.mean((predicted - test_targets) ** 2))
    return float(np.sqrt(np.mean(errors)))


def _boosting_loss(configuration: Configuration, seed: int) -> float:
    """Root mean squared error of boosted trees on the diabetes data."""
    return _diabetes_error(
        HistGradientBoostingRegressor(**configuration, early_stopping=False, random_state=seed)
    )


def _mlp_loss(configuration: Configuration, seed: int) -> float:
    """Log loss on the digits of a perceptron after ten passes."""
    train, test, train_labels, test_labels = _digits()
    model = MLPClassifier(
        hidden_layer_sizes=(configuration["width"],) * configuration["layers"],
        activation=configuration["activation"],
        alpha=configuration["alpha"],
        batch_size=configuration["batch_size"],
        learning_rate_init=configuration["learning_rate"],
        max_iter=10,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(train / 16, train_labels)
    return min(float(log_loss(test_labels, model.predict_proba(test / 16))), WORST_LOG_LOSS)


def _cnn_loss(configuration: Configuration, seed: int) -> float:
    """Log loss on the digits of a small convolutional network after five passes."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    train, test, train_labels, test_labels = (torch.as_tensor(part) for part in _digits())
    train, test = (part.float().reshape(-1, 1, 8, 8) / 16 for part in (train, test))
    parts: list[nn.Module] = []
    channels, kernel = 1, configuration["kernel"]
    for layer in range(configuration["layers"]):
        filters = configuration["filters"] * 2**layer
        parts += [nn.Conv2d(channels, filters, kernel, padding=kernel // 2), nn.ReLU()]
        parts += [nn.MaxPool2d(2)]
        channels = filters
    size = channels * (8 // 2 ** configuration["layers"]) ** 2
    model = nn.Sequential(
        *parts, nn.Flatten(), nn.Dropout(configuration["dropout"]), nn.Linear(size, 10)
    )
    rate = configuration["learning_rate"]
    optimizer = {
        "sgd": lambda: torch.optim.SGD(model.parameters(), rate),
        "momentum": lambda: torch.optim.SGD(model.parameters(), rate, momentum=0.9),
        "adam": lambda: torch.optim.Adam(model.parameters(), rate),
    }[configuration["optimizer"]]()
    for _ in range(5):
        for rows in torch.randperm(len(train)).split(configuration["batch_size"]):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(train[rows]), train_labels[rows]).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        loss = float(nn.functional.cross_entropy(model(test), test_labels))
    return min(loss, WORST_LOG_LOSS) if np.isfinite(loss) else WORST_LOG_LOSS


GRIDS = {
    "svm": Grid(
        {
            "kernel": ["rbf", "poly", "sigmoid", "linear"],
            "scaling": ["standard", "range"],
            "C": _steps(1e-2, 1e4, 10),
            "gamma": _steps(1e-4, 10, 9),
            "epsilon": _steps(0.1, 100, 4),
        },
        _svm_loss,
    ),
    "boosting": Grid(
        {
            "learning_rate": _steps(0.005, 0.6, 8),
            "max_iter": [20, 40, 80, 160],
            "max_leaf_nodes": [3, 5, 9, 17],
            "min_samples_leaf": [2, 5, 10, 20, 40],
            "l2_regularization": [0.0, 10.0],
            "max_features": [0.3, 1.0],
        },
        _boosting_loss,
    ),
    "mlp": Grid(
        {
            "learning_rate": _steps(1e-4, 0.3, 8),
            "width": [8, 16, 32, 64, 128],
            "layers": [1, 2, 3],
            "alpha": _steps(1e-6, 1, 4),
            "activation": ["relu", "tanh", "logistic"],
            "batch_size": [32, 128],
        },
        _mlp_loss,
    ),
    "cnn": Grid(
        {
            "learning_rate": _steps(1e-4, 1, 9),
            "filters": [4, 8, 16],
            "kernel": [3, 5],
            "layers": [1, 2, 3],
            "dropout": [0.0, 0.25, 0.5],
            "optimizer": ["sgd", "momentum", "adam"],
            "batch_size": [64, 256],
        },
        _cnn_loss,
    ),
}


def made() -> list[str]:
    """Returns the names of the tables that have been made."""
    return [name for name in GRIDS if _path(name).exists()]


def _path(name: str) -> Path:
    return TABLES / f"{name}.csv.gz"


def read_table(name: str) -> list[float]:
    """Returns the losses of a grid's configurations, in its order."""
    with gzip.open(_path(name), "rt", newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def _make_table(name: str) -> None:
    grid = GRIDS[name]
    part = TABLES / f"{name}.part"
    TABLES.mkdir(exist_ok=True)
    done = part.read_text().split() if part.exists() else []
    with part.open("a", buffering=1) as file:
        for seed, configuration in enumerate(grid):
            if seed >= len(done):
                done.append(f"{grid.loss(configuration, seed):.5g}")
                file.write(done[-1] + "\n")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*grid.values, "loss"])
    for configuration, loss in zip(grid, done, strict=True):
        writer.writerow([*configuration.values(), loss])
    # Without a date, the same losses give the same file.
    _path(name).write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    part.unlink()
    print(f"{name}: {len(done)} configurations, best {min(map(float, done)):.5g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(GRIDS))
    # Models this small are fastest on one core.
    with threadpool_limits(1):
        for name in parser.parse_args().names or GRIDS:
            if name not in made():
                _make_table(name)


if __name__ == "__main__":
    main()
