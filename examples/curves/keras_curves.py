"""Tunes a small Keras network whose epochs are steps: hopeless trainings end early.

`KerasReport` is a callback of Keras: it reports a value of the logs after each epoch. Runs with
Keras 3 on any backend that can train: KERAS_BACKEND=jax python keras_curves.py, for example.
"""

import tempfile

import keras
from sklearn.datasets import load_digits

from pyshac import DiscreteHP, KerasSHAC, LogUniformHP
from pyshac.managed import KerasReport

EPOCHS = 9
BUDGET, BATCHES = 12, 3
SPACE = [
    DiscreteHP("units", [16, 32, 64, 128]),
    DiscreteHP("activation", ["relu", "tanh", "sigmoid"]),
    LogUniformHP("learning_rate", 1e-5, 1.0),
]


def evaluate(session, worker_id, parameters):
    """Trains a model and returns its accuracy on the validation set after the last epoch."""
    images, labels = load_digits(return_X_y=True)
    images = images / 16
    hidden = keras.layers.Dense(parameters["units"], activation=parameters["activation"])
    model = keras.Sequential([hidden, keras.layers.Dense(10, activation="softmax")])
    model.compile(
        keras.optimizers.Adam(parameters["learning_rate"]),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        images[:1200],
        labels[:1200],
        batch_size=100,
        epochs=EPOCHS,
        verbose=0,
        validation_data=(images[1200:], labels[1200:]),
        validation_batch_size=597,
        callbacks=[KerasReport("val_accuracy")],
    )
    return history.history["val_accuracy"][-1]


def main():
    with tempfile.TemporaryDirectory() as save_dir:
        shac = KerasSHAC(evaluate, SPACE, BUDGET, BATCHES, max_gpu_evaluators=0, save_dir=save_dir)
        shac.set_seed(0)
        shac.fit(skip_cv_checks=True, pruning="halving")
    epochs = [evaluation.curve.last_step for evaluation in shac.evaluations]
    pruned = [evaluation.state for evaluation in shac.evaluations].count("pruned")
    print(f"best accuracy    {shac.best_score:.6f}, {dict(shac.best_parameters)}")
    print(f"share pruned     {pruned / BUDGET:.6f}")
    print(f"share of epochs  {sum(epochs) / (BUDGET * EPOCHS):.6f}")


if __name__ == "__main__":
    main()
