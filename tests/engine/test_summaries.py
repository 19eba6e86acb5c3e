"""How engines and datasets show themselves, in a console and in a notebook."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

import pytest

from pyshac import SHAC, Dataset, DiscreteHP, MultiUniformHP, UniformHP
from pyshac.core.basics.plain_values import INACTIVE
from tests.engine.engine_helpers import InterruptedAt, InterruptionError, make_engine

NASTY = "</td><script>alert('&')</script>\n\"é"


ALLOWED = {"div", "strong", "table", "tr", "th", "td", "details", "summary"}


class Reader(HTMLParser):
    """Reads tables; raises if tags do not match or others than those of tables are there."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows, self.has_ended = [], [], False
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert tag in ALLOWED
        assert {name for name, _ in attributes} <= {"style"}
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("th", "td"):
            self.rows[-1][-1] += data


def fitted(tmp_path, **kwargs):
    engine = make_engine(tmp_path, InterruptedAt(2), **kwargs)
    engine.fit(skip_cv_checks=True, catch=InterruptionError)
    return engine


def facts_of(shown):
    """The facts of the text form by name."""
    return dict(line.strip().split("  ", 1) for line in repr(shown).splitlines()[1:])


def test_an_engine_says_how_far_it_is(tmp_path):
    engine = fitted(tmp_path)
    facts = {name: fact.strip() for name, fact in facts_of(engine).items()}
    assert repr(engine).startswith(f"SHAC in '{tmp_path}"[:30])
    assert facts["evaluations"] == "18 of 18, 1 failed, in 3 batches of 6"
    assert facts["stage"] == "budget spent"
    assert facts["classifiers"] == "2 trained"
    assert facts["best score"] == f"{engine.best_score:.6g} (objective: min)"
    assert facts["best parameters"].startswith(f"x={engine.best_parameters['x']:.6g}, kind=")
    assert facts["last scores"].endswith(f"{engine.dataset.Y[-1]:.6g}")
    assert len(facts["last scores"].split(", ")) == 10


def test_the_notebook_shows_the_same_and_the_last_samples(tmp_path):
    engine = fitted(tmp_path)
    rows = Reader(engine._repr_html_()).rows
    assert dict(rows[:6]) == {name: fact.strip() for name, fact in facts_of(engine).items()}
    assert rows[6] == ["id", "x", "kind", "w_1", "w_2", "score"]
    assert [row[0] for row in rows[7:]] == [str(number) for number in range(8, 18)]
    assert rows[-1][1] == f"{engine.dataset.X[-1][0]:.6g}"
    assert rows[-1][-1] == f"{engine.dataset.Y[-1]:.6g}"


def test_an_engine_before_anything_happened(tmp_path):
    engine = make_engine(tmp_path)
    facts = facts_of(engine)
    assert facts["evaluations"].strip() == "0 of 18, in 3 batches of 6"
    assert facts["stage"].strip() == "1 of 3"
    assert facts["classifiers"].strip() == "0 trained, up to 2 to come"
    assert facts["best score"].strip() == "none (objective: min)"
    assert facts["last scores"].strip() == "none"
    assert len(Reader(engine._repr_html_()).rows) == 6
    empty = SHAC(None, None, 18, 3, save_dir=tmp_path)
    assert "restore_data()" in repr(empty)
    assert len(Reader(empty._repr_html_()).rows) == 1


def test_a_refused_classifier_is_told_with_its_reason_also_when_restored(tmp_path):
    engine = make_engine(tmp_path, lambda worker_id, parameters: 1.0)
    engine.fit(verbose=0)
    again = make_engine(tmp_path, None)
    again.restore_data()
    for shown in (engine, again):
        facts = facts_of(shown)
        assert facts["stage"].strip() == "budget spent"
        assert facts["classifiers"].strip() == (
            "0 trained, 3 refused (no sample is better than the others)"
        )
        assert shown.refused_classifiers == {"no sample is better than the others": 3}


def test_more_evaluations_than_the_budget_are_no_share_of_it(tmp_path):
    fitted(tmp_path, total_budget=18, num_batches=3)
    smaller = make_engine(tmp_path, None, total_budget=6, num_batches=1)
    smaller.restore_data()
    facts = {name: fact.strip() for name, fact in facts_of(smaller).items()}
    assert facts["evaluations"].startswith("18, the budget is 6, 1 failed")
    assert (facts["stage"], facts["classifiers"]) == ("budget spent", "2 trained")


def test_a_dataset_says_what_it_holds():
    dataset = Dataset([UniformHP("x", 0, 9), DiscreteHP("kind", ["a", 1, 1.0])])
    for number, score in enumerate([1.5, math.nan, -2.0, 0.0]):
        dataset.add_sample([float(number), "a"], score)
    facts = {name: fact.strip() for name, fact in facts_of(dataset).items()}
    assert facts == {
        "samples": "4, 1 failed",
        "columns": "x, kind",
        "highest score": "1.5 at x=0.0, kind='a'",
        "lowest score": "-2.0 at x=2.0, kind='a'",
        "last scores": "1.5, nan, -2.0, 0.0",
    }
    rows = Reader(dataset._repr_html_()).rows
    assert [tuple(row) for row in rows[:5]] == list(facts.items())
    assert rows[5:7] == [["id", "x", "kind", "score"], ["0", "0.0", "'a'", "1.5"]]


def test_datasets_with_nothing_in_them():
    for dataset, columns in [
        (Dataset(), "no parameters yet"),
        (Dataset([UniformHP("x", 0, 1)]), "x"),
    ]:
        assert facts_of(dataset)["columns"].strip() == columns
        assert len(Reader(dataset._repr_html_()).rows) == 3
    failed = Dataset([UniformHP("x", 0, 1)])
    failed.add_sample([0.5], math.nan)
    assert "highest score" not in facts_of(failed)


@pytest.mark.parametrize("objective", ["max", "min"])
def test_everything_is_escaped(tmp_path, objective):
    space = [UniformHP(NASTY, 0, 1), DiscreteHP("kind", [NASTY])]
    engine = SHAC(lambda w, p: p[NASTY], space, 4, 2, objective, save_dir=tmp_path / "&amp;")
    engine.concurrent_evaluators()
    engine.fit()
    for shown in (engine, engine.dataset):
        text = "".join(cell for row in Reader(shown._repr_html_()).rows for cell in row)
        assert "<script>alert" in text
    title, _, _ = engine._repr_html_().partition("<table>")
    assert "&amp;amp;" in title
    assert all(line.startswith("  ") for line in repr(engine).splitlines()[1:])


@pytest.mark.slow
def test_what_is_shown_stays_small():
    # The largest parts: names and values as long as they may be, many columns, many samples.
    long = "é" * 20000
    space = [DiscreteHP(long, [long + "<", "b"]), DiscreteHP("t", [tuple([long] * 3), None])]
    dataset = Dataset([*space, MultiUniformHP("w", 0, 1, sample_count=500)])
    for number in range(200):
        dataset.add_sample([long + "<", (long,) * 3, *[0.5] * 500], float(number))
    wide = len(dataset._repr_html_()), len(repr(dataset))
    assert max(wide) < 20_000
    many = Dataset([UniformHP("x", 0, 1)])
    for number in range(10_000):
        many.add_sample([0.5], float(number))
    assert len(many._repr_html_()) < 5_000
    assert len(repr(many)) < 1_000


def test_tables_in_notebooks_have_empty_cells_where_parameters_are_inactive(branching):
    shown = branching.dataset._repr_html_()
    lines = re.findall(r"<tr><td>(.*?)</td></tr>", shown)
    rows = [line.split("</td><td>") for line in lines]
    for cells, row in zip(rows, branching.dataset.X[-10:], strict=True):
        assert [cell == "" for cell in cells[1:11]] == [each is INACTIVE for each in row[:10]]
    for text in (shown, repr(branching.dataset), repr(branching), branching._repr_html_()):
        assert "INACTIVE" not in text
        assert "nan" not in text.replace("None", "")
