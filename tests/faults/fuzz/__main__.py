"""Fuzzes the readers of a save directory with atheris, guided by coverage.

    python -m tests.faults.fuzz --runs 10000000 --results fuzz      all targets
    python -m tests.faults.fuzz --target journal --runs 100000 --results fuzz

Inputs that lead to new places are kept in `fuzz/<target>`, and a second call goes on from there. A
finding is an input that takes longer than 5 s or more than 1 GB, crashes the process, or raises
something other than a refusal; it is kept as `fuzz/<target>-crash-...`, and the target goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[3]
MAX_SECONDS = 5
MAX_MEGABYTES = 1024
MAX_LENGTH = 4096
SHARED = Path("/dev/shm")
TOKENS = Path(__file__).with_name("tokens.txt")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000_000, help="number of inputs")
    parser.add_argument("--target", help="only this one")
    parser.add_argument("--results", type=Path, default=Path("fuzz"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="targets at once")
    parser.add_argument("--here", action="store_true", help="in this process: used by itself")
    options = parser.parse_args()
    options.results.mkdir(exist_ok=True)
    if options.here:
        fuzz_here(options.target, options.runs, options.results)
        return 0
    from tests.faults.fuzz.targets import SHARES

    shares = {options.target: 1} if options.target else SHARES
    numbers = {name: round(options.runs * share / sum(shares.values()))
               for name, share in shares.items()}  # fmt: skip
    with ThreadPoolExecutor(options.jobs) as jobs:
        findings = sum(jobs.map(lambda item: fuzz(*item, options.results), numbers.items()))
    print_summary(options.results)
    return 1 if findings else 0


def fuzz(name: str, runs: int, results: Path) -> int:
    """Gives a target `runs` inputs, less those it had before; returns the number of findings."""
    path = results / f"{name}.json"
    record = {"target": name, "runs": 0, "seconds": 0.0, "findings": 0}
    if path.exists():
        record = json.loads(path.read_text())
    while record["runs"] < runs:
        command = [sys.executable, "-m", "tests.faults.fuzz", "--here", "--target", name]
        command += ["--runs", str(runs - record["runs"]), "--results", str(results)]
        started = time.monotonic()
        # A fuzzer ends without cleaning up after itself. In memory, where there is such a folder.
        with tempfile.TemporaryDirectory(dir=SHARED if SHARED.is_dir() else None) as folder:
            environment = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TMPDIR": folder}
            output = subprocess.run(
                command, capture_output=True, text=True, errors="replace",
                env={**os.environ, **environment},
            )  # fmt: skip
        counts = [int(number) for number in re.findall(r"^#(\d+)", output.stderr, re.MULTILINE)]
        counts += [int(number) for number in re.findall(r"Done (\d+) runs", output.stderr)]
        record["runs"] += max(counts, default=0)
        record["seconds"] += time.monotonic() - started
        if output.returncode != 0:
            record["findings"] += 1
            (results / f"{name}-{record['findings']}.log").write_text(output.stderr[-20_000:])
            if not counts:
                raise RuntimeError(output.stderr[-2000:])
        path.write_text(json.dumps(record))
    return int(record["findings"])


def fuzz_here(name: str, runs: int, results: Path) -> None:
    with atheris.instrument_imports(include=["pyshac"], enable_loader_override=False):
        from tests.faults.fuzz import targets
    corpus = results / name
    corpus.mkdir(exist_ok=True)
    for number, data in enumerate(targets.seeds(name)):
        (corpus / f"seed-{number}").write_bytes(data)
    target = targets.TARGETS[name]
    arguments = [
        sys.argv[0], str(corpus), f"-runs={runs}", f"-timeout={MAX_SECONDS}",
        f"-rss_limit_mb={MAX_MEGABYTES}", f"-max_len={MAX_LENGTH}", f"-dict={TOKENS}",
        f"-artifact_prefix={results}/{name}-", "-print_final_stats=1", "-verbosity=1",
    ]  # fmt: skip
    import logging

    logging.disable(logging.CRITICAL)
    atheris.Setup(arguments, lambda data: target(data) and None)
    atheris.Fuzz()


def print_summary(results: Path) -> None:
    records = [json.loads(path.read_text()) for path in sorted(results.glob("*.json"))]
    for record in records:
        print(
            f"{record['target']}: {record['runs']} inputs in {record['seconds']:.0f} s, "
            f"{record['findings']} findings"
        )
    print(f"all: {sum(record['runs'] for record in records)} inputs")


if __name__ == "__main__":
    raise SystemExit(main())
