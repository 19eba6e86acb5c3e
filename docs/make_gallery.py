"""Runs the examples of the gallery: puts their output into its page and draws their pictures.

python docs/make_gallery.py [EXAMPLE ...], such as branin or curves/partial_fit. All of them take
some minutes.
"""

import contextlib
import io
import re
import runpy
import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from pyshac.utils import vis_utils

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "gallery.md"
# Inches. On the screen of a phone, labels of 10 points keep about that size.
SIZE = (5.2, 3.7)


PICTURES = {
    "branin": lambda path: vis_utils.plot_accepted_region(path, "x", "y", max_classifiers=5),
    "basic": lambda path: vis_utils.plot_slice(path, "learning_rate"),
    "hartmann6": vis_utils.plot_scores_by_stage,
    "multi_parameters": vis_utils.plot_best_so_far,
    "external_dataset": lambda path: vis_utils.plot_accepted_region(path, "dose", "temperature"),
    "ask_and_tell": vis_utils.plot_best_so_far,
    "architecture": vis_utils.plot_importances,
    "curves/partial_fit": vis_utils.plot_curves,
    "curves/cross_validation": vis_utils.plot_curves,
}


def output_of(name):
    """Returns a pattern for the output of an example; its groups are before, output and end."""
    heading = re.escape(f'--8<-- "examples/{name}.py"')
    return re.compile(rf"({heading}.*?^```text\n)(.*?)(^```$)", re.DOTALL | re.MULTILINE)


def run(name, folder):
    """Runs an example, whose save directories stay in a folder, and returns what it prints."""
    kept = lambda: contextlib.nullcontext(tempfile.mkdtemp(dir=folder))  # noqa: E731
    printed, original = io.StringIO(), tempfile.TemporaryDirectory
    tempfile.TemporaryDirectory = kept
    try:
        with contextlib.redirect_stdout(printed):
            runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name="__main__")
    finally:
        tempfile.TemporaryDirectory = original
    return printed.getvalue()


def draw(name, folder):
    """Draws the picture of an example from the last search that it has saved."""
    saved = [path.parent for path in folder.rglob("state.json")]
    last = max(saved, key=lambda path: (path / "state.json").stat().st_mtime)
    axes = PICTURES[name](last)
    axes.figure.set_size_inches(SIZE)
    path = ROOT / "docs" / "images" / f"gallery-{name.replace('/', '-')}.png"
    axes.figure.savefig(path, dpi=160)


def main(names):
    for name in names or PICTURES:
        print(name)
        with tempfile.TemporaryDirectory() as folder:
            output = run(name, Path(folder))
            draw(name, Path(folder))
        page = PAGE.read_text(encoding="utf-8")
        page, count = output_of(name).subn(
            lambda found, text=output: found[1] + text + found[3], page
        )
        if count != 1:
            raise SystemExit(f"{PAGE} has {count} places for the output of {name}; it needs one")
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
