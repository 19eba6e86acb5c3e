"""Small trainings on scikit-learn's digits, one for each framework: what users would write."""

import numpy as np
from sklearn.datasets import load_digits

from pyshac import DiscreteHP, LogUniformHP

# Of 1797 digits, those that are trained on and those that are scored; a guess is right in 10 %.
NUM_TRAINING, NUM_TEST = 600, 400
BATCH_SIZE = 60


def space():
    # Learning rates with which each of the trainings below gets well above guessing.
    return [DiscreteHP("units", [16, 32]), LogUniformHP("learning_rate", 0.005, 0.05)]


def digits():
    x, y = load_digits(return_X_y=True)
    x, y = (x / 16).astype("float32"), y.astype("int64")
    end = NUM_TRAINING + NUM_TEST
    return (x[:NUM_TRAINING], y[:NUM_TRAINING]), (x[NUM_TRAINING:end], y[NUM_TRAINING:end])


def batches(num_epochs):
    """Indices of batches in an order that NumPy's global generator draws."""
    for _ in range(num_epochs):
        yield from np.random.permutation(NUM_TRAINING).reshape(-1, BATCH_SIZE)


def train_numpy(worker_id, parameters):
    """Softmax regression; the start is fixed because a plain engine seeds nothing."""
    (x, y), (x_test, y_test) = digits()
    weights = np.random.default_rng(0).normal(0, 0.1, (64, 10))
    for _ in range(parameters["units"]):
        logits = x @ weights
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(len(y)), y] -= 1
        weights -= 100 * parameters["learning_rate"] * x.T @ p / len(y)
    return np.mean((x_test @ weights).argmax(axis=1) == y_test)


def train_torch(worker_id, parameters):
    import torch

    (x, y), (x_test, y_test) = [[torch.from_numpy(a) for a in part] for part in digits()]
    model = torch.nn.Sequential(
        torch.nn.Linear(64, parameters["units"]),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.1),
        torch.nn.Linear(parameters["units"], 10),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=parameters["learning_rate"])
    for batch in batches(10):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
        optimizer.step()
    model.eval()
    return (model(x_test).argmax(dim=1) == y_test).float().mean()


def train_tensorflow(session, worker_id, parameters):
    import tensorflow as tf

    v1 = tf.compat.v1
    (x, y), (x_test, y_test) = digits()
    assert session.graph is tf.compat.v1.get_default_graph()
    assert session is tf.compat.v1.get_default_session()
    images = v1.placeholder(tf.float32, [None, 64])
    labels = v1.placeholder(tf.int64, [None])
    units = parameters["units"]
    hidden = tf.nn.relu(images @ v1.get_variable("w1", [64, units]) + v1.get_variable("b", [units]))
    logits = tf.nn.dropout(hidden, 0.1) @ v1.get_variable("w2", [units, 10])
    loss = tf.reduce_mean(v1.losses.sparse_softmax_cross_entropy(labels, logits))
    step = v1.train.AdamOptimizer(parameters["learning_rate"]).minimize(loss)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), labels), tf.float32))
    session.run(v1.global_variables_initializer())
    for batch in batches(10):
        session.run(step, {images: x[batch], labels: y[batch]})
    return session.run(accuracy, {images: x_test, labels: y_test})


def _train(keras, optimizers, parameters):
    (x, y), (x_test, y_test) = digits()
    model = keras.Sequential(
        [
            keras.layers.Dense(parameters["units"], activation="relu"),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizers.Adam(parameters["learning_rate"]),
        "sparse_categorical_crossentropy",
    )
    model.fit(x, y, batch_size=BATCH_SIZE, epochs=4, verbose=0)
    predictions = model.predict_on_batch(x_test)
    return np.mean(predictions.argmax(axis=1) == y_test)


def train_keras(session, worker_id, parameters):
    import keras

    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        assert tf.executing_eagerly()
        assert session.graph is not tf.compat.v1.get_default_graph()
        with session.graph.as_default():
            assert session.run(tf.constant(2) + 3) == 5
    else:
        assert session is None
    return _train(keras, keras.optimizers, parameters)


def train_legacy_keras(session, worker_id, parameters):
    import tensorflow as tf

    keras = tf.keras
    assert keras.__name__.startswith("tf_keras")
    assert not tf.executing_eagerly()
    assert tf.compat.v1.keras.backend.get_session() is session
    score = _train(keras, keras.optimizers.legacy, parameters)
    # The model was built in the managed graph, and its weights live in the managed session.
    assert session.run(tf.compat.v1.global_variables()[0]).shape == (64, parameters["units"])
    return score
