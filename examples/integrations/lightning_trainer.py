"""Tunes a small network that PyTorch Lightning trains: hopeless trainings end early.

`LightningReport` is a callback of its `Trainer`: it reports a logged value after each epoch. Run it
again, and it goes on with what its folder holds. Needs the extra "lightning".
"""

import logging
import warnings

import lightning
import torch
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

from pyshac import DiscreteHP, IntegerHP, LogUniformHP, TorchSHAC, UniformHP
from pyshac.managed import LightningReport

EPOCHS = 9
BUDGET, BATCHES = 24, 3
SPACE = [
    IntegerHP("units", 8, 256, log=True),
    DiscreteHP("activation", ["ReLU", "Tanh", "Sigmoid"]),
    UniformHP("dropout", 0.0, 0.6),
    LogUniformHP("learning_rate", 1e-5, 1.0),
]


class Network(lightning.LightningModule):
    """One hidden layer."""

    def __init__(self, parameters):
        super().__init__()
        self.learning_rate = parameters["learning_rate"]
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(64, parameters["units"]),
            getattr(torch.nn, parameters["activation"])(),
            torch.nn.Dropout(parameters["dropout"]),
            torch.nn.Linear(parameters["units"], 10),
        )

    def training_step(self, batch, batch_idx):
        images, labels = batch
        return torch.nn.functional.cross_entropy(self.layers(images), labels)

    def validation_step(self, batch, batch_idx):
        images, labels = batch
        right = self.layers(images).argmax(dim=1) == labels
        self.log("val_accuracy", right.float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), self.learning_rate)


def evaluate(worker_id, parameters):
    """Trains a network and returns its accuracy on the validation set after the last epoch."""
    quiet()
    images, labels = load_digits(return_X_y=True)
    data = TensorDataset(torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels))
    training, validation = (
        torch.utils.data.Subset(data, r) for r in (range(1200), range(1200, 1797))
    )
    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        callbacks=[LightningReport("val_accuracy")],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
    )
    trainer.fit(
        Network(parameters),
        DataLoader(training, batch_size=100, shuffle=True),
        DataLoader(validation, batch_size=597),
    )
    return trainer.callback_metrics["val_accuracy"].item()


def quiet():
    """Keeps Lightning from saying for each evaluation which devices and settings it uses."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning")


def main():
    shac = TorchSHAC(
        evaluate,
        SPACE,
        BUDGET,
        BATCHES,
        max_gpu_evaluators=0,
        save_dir="lightning-search",
        resume=True,
    )
    shac.set_seed(0)
    shac.fit(skip_cv_checks=True, pruning="halving")
    epochs = [evaluation.curve.last_step for evaluation in shac.evaluations]
    pruned = [evaluation.state for evaluation in shac.evaluations].count("pruned")
    print(f"best accuracy    {shac.best_score:.6f}")
    print(f"best parameters  {dict(shac.best_parameters)}")
    print(f"share pruned     {pruned / BUDGET:.6f}")
    print(f"share of epochs  {sum(epochs) / (BUDGET * EPOCHS):.6f}")


if __name__ == "__main__":
    main()
