"""Flips one bit of every byte of every file of a saved run: detected or harmless, never wrong.

python -m tests.faults.bit_flips [--step 1]
"""

from __future__ import annotations

import argparse
import logging
import random
import tempfile
from collections import Counter
from pathlib import Path

from pyshac.core.classifiers.training import Admission
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.storage.save_directory import SaveDirectory
from pyshac.core.storage.saved_run import SavedRun
from tests.core.storage.searches import advance, load, new_search, same, save
from tests.engine.engine_helpers import raw_contents


def make_run(folder: Path) -> SavedRun:
    """Saves two batches, two classifiers and a batch that was cut, in CSV and journal."""
    search = new_search(40, 4)
    directory = SaveDirectory(folder)
    with directory.writing():
        for _ in range(2):
            advance(search, None, search.num_complete + 10)
            search.close_batch(Admission.ALL)
        advance(search, None, 23)
        save(directory, search)
        advance(search, directory, 26)
    return load(folder)


def flip_all(folder: Path, step: int = 1) -> dict[str, Counter[str]]:
    """Flips bits, one at a time, and reads the directory.

    Args:
        folder: The directory of `make_run`, for the time being.
        step: 1 for every byte, 2 for every second one, and so on.

    Returns:
        For each file how many flips were detected, and how many made no difference.

    Raises:
        AssertionError: If another run was read than the one that was saved.
    """
    expected = make_run(folder)
    outcomes: dict[str, Counter[str]] = {}
    chance = random.Random(0)
    for name, data in raw_contents(folder).items():
        outcomes[name] = Counter()
        for place in range(0, len(data), step):
            bit = 1 << chance.randrange(8)
            flipped = data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]
            (folder / name).write_bytes(flipped)
            outcomes[name][_outcome(folder, expected, f"{name}, byte {place}")] += 1
        (folder / name).write_bytes(data)
    return outcomes


def _outcome(folder: Path, expected: SavedRun, what: str) -> str:
    try:
        found = load(folder)
    except SaveDirectoryError:
        return "detected"
    assert same(found, expected), what
    assert found.is_seeded, what
    return "harmless"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step", type=int, default=1, help="flip in every STEP-th byte")
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        for name, outcomes in flip_all(Path(folder) / "shac", options.step).items():
            print(f"{name}: {outcomes['detected']} detected, {outcomes['harmless']} harmless")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
