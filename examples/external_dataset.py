"""Trains the cascade on samples that were evaluated elsewhere, and asks it for better ones.

The table stands for the log of earlier experiments. Its columns are `id`, the parameters in the
order of the search space, and `scores`.
"""

import csv
import random
import tempfile
from pathlib import Path

from pyshac import SHAC, DiscreteHP, UniformHP

NUM_ROWS = 200


def measure(dose, temperature, catalyst):
    """The yield of a made-up reaction, at most 1."""
    best_temperature = {"platinum": 60, "nickel": 80}[catalyst]
    return 1 - (dose - 0.3) ** 2 - ((temperature - best_temperature) / 50) ** 2


def write_table(path):
    """Writes the log of experiments that were made at random."""
    rng = random.Random(0)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "dose", "temperature", "catalyst", "scores"])
        for number in range(NUM_ROWS):
            dose, temperature = rng.uniform(0, 1), rng.uniform(20, 120)
            catalyst = rng.choice(["platinum", "nickel"])
            score = measure(dose, temperature, catalyst)
            writer.writerow([number, dose, temperature, catalyst, score])


def main():
    space = [
        UniformHP("dose", 0, 1),
        UniformHP("temperature", 20, 120),
        DiscreteHP("catalyst", ["platinum", "nickel"]),
    ]
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "experiments.csv"
        write_table(table)
        shac = SHAC(space, total_budget=NUM_ROWS, num_batches=5, save_dir=Path(folder) / "shac")
        shac.set_seed(0)
        shac.fit_dataset(table)
        samples = shac.predict(num_samples=20)
    scores = [measure(**parameters) for parameters in samples]
    print(f"mean score in the table      {sum(shac.dataset.Y) / NUM_ROWS:.6f}")
    print(f"mean score of new samples    {sum(scores) / len(scores):.6f}")
    print(f"from a cascade of classifiers: {len(shac.classifiers)}")


if __name__ == "__main__":
    main()
