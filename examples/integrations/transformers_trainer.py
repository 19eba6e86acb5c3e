"""Tunes a tiny transformer that the `Trainer` of Hugging Face trains: hopeless trainings end early.

A callback of the trainer reports the accuracy after each epoch. Model and data are made here, so
that nothing is downloaded. Run it again, and it goes on with what its folder holds. Needs the
packages "transformers" and "accelerate", and the extra "torch".
"""

import tempfile

import torch
import transformers
from transformers import DistilBertConfig, DistilBertForSequenceClassification

import pyshac
from pyshac import IntegerHP, LogUniformHP, TorchSHAC, UniformHP

EPOCHS = 8
BUDGET, BATCHES = 24, 3
WORDS, LENGTH = 20, 8
SPACE = [
    LogUniformHP("learning_rate", 1e-4, 1e-1),
    UniformHP("warmup", 0.0, 0.5),
    LogUniformHP("weight_decay", 1e-4, 1.0),
    IntegerHP("layers", 1, 2),
    IntegerHP("width", 8, 32, step=8),
]


class Sentences(torch.utils.data.Dataset):
    """Random sentences of numbered words; the label says whether word 1 comes before word 2."""

    def __init__(self, number, seed):
        generator = torch.Generator().manual_seed(seed)
        self.words = torch.randint(3, WORDS, (number, LENGTH), generator=generator)
        places = torch.stack([torch.randperm(LENGTH, generator=generator) for _ in range(number)])
        rows = torch.arange(number)
        self.words[rows, places[:, 0]] = 1
        self.words[rows, places[:, 1]] = 2
        self.labels = (places[:, 0] < places[:, 1]).long()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return {"input_ids": self.words[index], "labels": self.labels[index]}


class Report(transformers.TrainerCallback):
    """Reports the accuracy after each epoch."""

    def on_evaluate(self, args, state, control, metrics, **kwargs):
        self.accuracy = metrics["eval_accuracy"]
        pyshac.report(round(state.epoch), self.accuracy)


def accuracy(predicted):
    return {"accuracy": (predicted.predictions.argmax(axis=1) == predicted.label_ids).mean()}


def evaluate(worker_id, parameters):
    """Trains a model and returns its accuracy on the validation set after the last epoch."""
    config = DistilBertConfig(
        vocab_size=WORDS,
        max_position_embeddings=LENGTH,
        n_layers=parameters["layers"],
        n_heads=2,
        dim=parameters["width"],
        hidden_dim=2 * parameters["width"],
    )
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        settings = transformers.TrainingArguments(
            output_dir=folder,
            num_train_epochs=EPOCHS,
            learning_rate=parameters["learning_rate"],
            warmup_steps=parameters["warmup"],
            weight_decay=parameters["weight_decay"],
            per_device_train_batch_size=32,
            per_device_eval_batch_size=400,
            eval_strategy="epoch",
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            disable_tqdm=True,
            log_level="error",
            logging_strategy="no",
        )
        trainer = transformers.Trainer(
            DistilBertForSequenceClassification(config),
            settings,
            train_dataset=Sentences(600, seed=1),
            eval_dataset=Sentences(400, seed=2),
            compute_metrics=accuracy,
            callbacks=[report],
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    return report.accuracy


def main():
    shac = TorchSHAC(
        evaluate,
        SPACE,
        BUDGET,
        BATCHES,
        max_gpu_evaluators=0,
        save_dir="transformers-search",
        resume=True,
    )
    shac.set_seed(0)
    shac.fit(skip_cv_checks=True, pruning="median")
    epochs = [evaluation.curve.last_step for evaluation in shac.evaluations]
    pruned = [evaluation.state for evaluation in shac.evaluations].count("pruned")
    print(f"best accuracy    {shac.best_score:.6f}")
    print(f"best parameters  {dict(shac.best_parameters)}")
    print(f"share pruned     {pruned / BUDGET:.6f}")
    print(f"share of epochs  {sum(epochs) / (BUDGET * EPOCHS):.6f}")


if __name__ == "__main__":
    main()
