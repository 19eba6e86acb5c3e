"""An architecture search with PyTorch on scikit-learn's digits, beside random search.

A layer's width exists only if there is such a layer, and an optimizer's numbers only with that
optimizer. No network may have more than 20,000 weights. Both searches get the same number of
trainings, under the same conditions and the same limit. Needs the extra `torch`.
"""

import itertools
import tempfile

import torch
from sklearn.datasets import load_digits

from pyshac import DiscreteHP, IntegerHP, LogUniformHP, TorchSHAC, UniformHP

TOTAL_BUDGET = 60
SEED = 0
MAX_WEIGHTS = 20_000
MAX_DEPTH = 4
OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "rmsprop": torch.optim.RMSprop,
}
ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}
SPACE = [
    IntegerHP("depth", 1, MAX_DEPTH),
    IntegerHP("width of 1", 8, 256, log=True),
    *(
        IntegerHP(f"width of {layer}", 8, 256, log=True).when("depth", at_least=layer)
        for layer in range(2, MAX_DEPTH + 1)
    ),
    DiscreteHP("activation", ACTIVATIONS),
    DiscreteHP("optimizer", OPTIMIZERS),
    LogUniformHP("learning rate", 1e-5, 1.0),
    UniformHP("momentum", 0.0, 0.99).when("optimizer", ["sgd", "rmsprop"]),
    LogUniformHP("forgets gradients", 1e-3, 0.5).when("optimizer", "adam"),
    LogUniformHP("forgets squares", 1e-4, 0.5).when("optimizer", ["adam", "rmsprop"]),
]


def sizes(parameters):
    """Returns how many numbers go into the first layer, and come out of each."""
    widths = [parameters[f"width of {layer}"] for layer in range(1, parameters["depth"] + 1)]
    return [64, *widths, 10]


def is_small(parameters):
    pairs = itertools.pairwise(sizes(parameters))
    return sum((inputs + 1) * outputs for inputs, outputs in pairs) <= MAX_WEIGHTS


def make_model(parameters):
    modules = []
    for inputs, outputs in itertools.pairwise(sizes(parameters)):
        modules += [torch.nn.Linear(inputs, outputs), parameters["activation"]()]
    return torch.nn.Sequential(*modules[:-1])


def make_optimizer(parameters, weights):
    options = {"lr": parameters["learning rate"]}
    if "momentum" in parameters:
        options["momentum"] = parameters["momentum"]
    if "forgets gradients" in parameters:
        options["betas"] = 1 - parameters["forgets gradients"], 1 - parameters["forgets squares"]
    elif "forgets squares" in parameters:
        options["alpha"] = 1 - parameters["forgets squares"]
    return parameters["optimizer"](weights, **options)


def evaluate(worker_id, parameters):
    """Trains a model and returns its accuracy on the validation set."""
    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images / 16, dtype=torch.float32)
    labels = torch.tensor(labels, dtype=torch.int64)
    model = make_model(parameters)
    optimizer = make_optimizer(parameters, model.parameters())
    for _ in range(5):
        for batch in torch.randperm(1200).split(50):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(images[batch]), labels[batch])
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        predicted = model(images[1200:]).argmax(dim=1)
    return (predicted == labels[1200:]).float().mean().item()


def search(num_batches, seed=SEED):
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
            constraints=[is_small],
        )
        with shac.as_deterministic(seed):
            shac.fit(skip_cv_checks=True)
    return shac


def report(name, shac):
    scores, best = shac.dataset.Y, shac.dataset.get_best_parameters("max", named=True)
    print(f"best of {name}  {shac.best_score:.6f}, {best}")
    print(f"mean of {name}  {sum(scores) / len(scores):.6f}")


def main():
    report("random search", search(num_batches=1))
    report("shac         ", search(num_batches=10))


if __name__ == "__main__":
    main()
