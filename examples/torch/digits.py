"""Tunes a small PyTorch network on scikit-learn's digits, beside random search.

Both get the same number of trainings. One pair of runs shows how it is done, not which is better:
with another seed either may be ahead.
"""

import tempfile

import torch
from sklearn.datasets import load_digits

from pyshac import DiscreteHP, LogUniformHP, TorchSHAC, UniformHP

TOTAL_BUDGET = 60
SEED = 0
SPACE = [
    DiscreteHP("layers", [1, 2, 3]),
    DiscreteHP("units", [8, 16, 32, 64, 128]),
    DiscreteHP("activation", ["ReLU", "Tanh", "Sigmoid"]),
    UniformHP("dropout", 0.0, 0.6),
    LogUniformHP("learning_rate", 1e-5, 1.0),
]


def make_model(parameters):
    modules, inputs = [], 64
    for _ in range(parameters["layers"]):
        modules += [
            torch.nn.Linear(inputs, parameters["units"]),
            getattr(torch.nn, parameters["activation"])(),
            torch.nn.Dropout(parameters["dropout"]),
        ]
        inputs = parameters["units"]
    return torch.nn.Sequential(*modules, torch.nn.Linear(inputs, 10))


def evaluate(worker_id, parameters):
    """Trains a model and returns its accuracy on the validation set."""
    # With GPU evaluators this would be torch.device(f"cuda:{worker_id}").
    device = torch.device("cpu")
    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images / 16, dtype=torch.float32, device=device)
    labels = torch.tensor(labels, dtype=torch.int64, device=device)
    model = make_model(parameters).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=parameters["learning_rate"])
    for _ in range(5):
        for batch in torch.randperm(1200).split(50):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(images[batch]), labels[batch])
            loss.backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        predicted = model(images[1200:]).argmax(dim=1)
    return (predicted == labels[1200:]).float().mean().item()


def search(num_batches):
    """Spends the budget; with a single batch that is random search, since nothing is learned."""
    with tempfile.TemporaryDirectory() as save_dir:
        shac = TorchSHAC(
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
    report("shac         ", search(num_batches=10))


if __name__ == "__main__":
    main()
