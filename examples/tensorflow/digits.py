"""Tunes a small network on scikit-learn's digits with TensorFlow's graphs and sessions.

Every evaluation has a graph and a session of its own, as in TensorFlow 1. Random search gets the
same number of trainings. One pair of runs shows how it is done, not which is better: with another
seed either may be ahead.
"""

import tempfile

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

from pyshac import DiscreteHP, LogUniformHP, TensorflowSHAC

v1 = tf.compat.v1

TOTAL_BUDGET = 30
SEED = 0
SPACE = [
    DiscreteHP("layers", [1, 2, 3]),
    DiscreteHP("units", [8, 16, 32, 64, 128]),
    DiscreteHP("activation", ["relu", "tanh", "sigmoid"]),
    LogUniformHP("learning_rate", 1e-5, 1.0),
]


def dense(name, inputs, units):
    kernel = v1.get_variable(f"{name}/kernel", [inputs.shape[1], units])
    bias = v1.get_variable(f"{name}/bias", [units], initializer=v1.zeros_initializer())
    return tf.matmul(inputs, kernel) + bias


def evaluate(session, worker_id, parameters):
    """Trains a model in the managed graph and returns its accuracy on the validation set."""
    images = v1.placeholder(tf.float32, [None, 64])
    labels = v1.placeholder(tf.int64, [None])
    # With GPU evaluators: with tf.device(f"/gpu:{worker_id}"): ...
    hidden = images
    for number in range(parameters["layers"]):
        hidden = dense(f"hidden_{number}", hidden, parameters["units"])
        hidden = getattr(tf.nn, parameters["activation"])(hidden)
    logits = dense("logits", hidden, 10)
    loss = v1.losses.sparse_softmax_cross_entropy(labels, logits)
    train = v1.train.AdamOptimizer(parameters["learning_rate"]).minimize(loss)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), labels), tf.float32))

    x, y = load_digits(return_X_y=True)
    x = x / 16
    session.run(v1.global_variables_initializer())
    for _ in range(5):
        for batch in np.random.permutation(1200).reshape(-1, 50):
            session.run(train, {images: x[batch], labels: y[batch]})
    return session.run(accuracy, {images: x[1200:], labels: y[1200:]})


def search(num_batches):
    """Spends the budget; with a single batch that is random search, since nothing is learned."""
    with tempfile.TemporaryDirectory() as save_dir:
        shac = TensorflowSHAC(
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
    report("shac         ", search(num_batches=6))


if __name__ == "__main__":
    main()
