"""Tunes a small Keras network on scikit-learn's digits, beside random search.

Runs with Keras 3 on any backend that can train: KERAS_BACKEND=jax python digits.py, for example.
Both searches get the same number of trainings. One pair of runs shows how it is done, not which is
better: with another seed either may be ahead.
"""

import tempfile

import keras
from sklearn.datasets import load_digits

from pyshac import DiscreteHP, KerasSHAC, LogUniformHP

TOTAL_BUDGET = 12
SEED = 0
SPACE = [
    DiscreteHP("layers", [1, 2]),
    DiscreteHP("units", [16, 32, 64, 128]),
    DiscreteHP("activation", ["relu", "tanh", "sigmoid"]),
    LogUniformHP("learning_rate", 1e-5, 1.0),
]


def evaluate(session, worker_id, parameters):
    """Trains a model and returns its accuracy on the validation set.

    The session is for ops of TensorFlow itself; Keras 3 trains without it.
    """
    images, labels = load_digits(return_X_y=True)
    images = images / 16
    hidden = [
        keras.layers.Dense(parameters["units"], activation=parameters["activation"])
        for _ in range(parameters["layers"])
    ]
    model = keras.Sequential([*hidden, keras.layers.Dense(10, activation="softmax")])
    model.compile(
        keras.optimizers.Adam(parameters["learning_rate"]),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(images[:1200], labels[:1200], batch_size=50, epochs=5, verbose=0)
    _, accuracy = model.evaluate(images[1200:], labels[1200:], batch_size=597, verbose=0)
    return accuracy


def search(num_batches):
    """Spends the budget; with a single batch that is random search, since nothing is learned."""
    with tempfile.TemporaryDirectory() as save_dir:
        shac = KerasSHAC(
            evaluate,
            SPACE,
            TOTAL_BUDGET,
            num_batches,
            max_gpu_evaluators=0,
            max_cpu_evaluators=2,
            save_dir=save_dir,
        )
        with shac.as_deterministic(SEED):
            shac.fit(skip_cv_checks=True)
    return shac


def report(name, shac):
    scores = shac.dataset.Y
    print(f"best of {name}  {shac.best_score:.6f}, {dict(shac.best_parameters)}")
    print(f"mean of {name}  {sum(scores) / len(scores):.6f}")


def main():
    report("random search", search(num_batches=1))
    report("shac         ", search(num_batches=4))


if __name__ == "__main__":
    main()
