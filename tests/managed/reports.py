"""Small trainings whose callbacks report each epoch; workers import them."""

from __future__ import annotations

import importlib

from tests.managed.trainings import BATCH_SIZE, digits

NUM_EPOCHS = 4


def train_keras(session, worker_id, parameters):
    """The loss on the test set after the last epoch, with the Keras in use."""
    from pyshac.managed import KerasReport

    keras = importlib.import_module(KerasReport.__mro__[1].__module__.partition(".")[0])
    (x, y), test = digits()
    model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
    is_legacy = keras.__name__ == "tf_keras"
    optimizers = keras.optimizers.legacy if is_legacy else keras.optimizers
    optimizer = optimizers.Adam(parameters["learning_rate"])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    report = KerasReport(parameters.get("monitor", "val_loss"))
    history = model.fit(x, y, BATCH_SIZE, NUM_EPOCHS, 0, [report], validation_data=test)
    return history.history["val_loss"][-1]


def train_lightning(worker_id, parameters):
    """The same with the trainer of a package."""
    from pyshac.managed import LightningReport

    lightning = importlib.import_module(parameters.get("package", "lightning.pytorch"))
    report = LightningReport(parameters.get("monitor", "val_loss"))
    trainer = quiet_trainer(lightning, [report], **parameters.get("options", {}))
    model, data = lightning_model(lightning, parameters["learning_rate"]), loaders()
    trainer.fit(model, *data[: parameters.get("loaders", 2)])
    # Validation for its own sake is no epoch.
    return trainer.validate(model, data[1], verbose=False)[0]["val_loss"]


def lightning_model(lightning, learning_rate):
    import torch

    loss = torch.nn.functional.cross_entropy

    class Model(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(64, 10)

        def training_step(self, batch, index):
            return loss(self.layer(batch[0]), batch[1])

        def validation_step(self, batch, index):
            self.log("val_loss", loss(self.layer(batch[0]), batch[1]))

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), learning_rate)

    return Model()


def loaders():
    """The data for training, and those for validation."""
    import torch

    parts = [torch.utils.data.TensorDataset(*map(torch.from_numpy, part)) for part in digits()]
    return [torch.utils.data.DataLoader(part, 100) for part in parts]


def quiet_trainer(lightning, callbacks, max_epochs=NUM_EPOCHS, **options):
    """A trainer that writes nothing."""
    return lightning.Trainer(
        accelerator="cpu", max_epochs=max_epochs, callbacks=callbacks, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        **options,
    )  # fmt: skip
