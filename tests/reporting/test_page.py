"""The report as a file: what is in its table and its plots, replaced as a whole."""

import json
import math
import re
import warnings
from dataclasses import replace

import pytest

from pyshac import SHAC, Dataset, DiscreteHP, HyperParameterList, UniformHP, write_report
from pyshac.core.basics.plain_values import INACTIVE
from pyshac.core.basics.results.details import Details
from pyshac.core.dataset.objective import MAX
from pyshac.looking.importances import parameter_importances
from pyshac.looking.snapshot import Snapshot, take_snapshot
from pyshac.plots.parameter_plots import MAX_SLICES
from pyshac.reporting.parts import summary_cards
from pyshac.reporting.pictures import draw, left_out, plots_of
from pyshac.reporting.summary import Stage, best_values
from pyshac.reporting.table import table_content, to_script
from tests.cascades import cascade_of
from tests.looking.searches import make_dataset, run_search

pytest.importorskip("matplotlib")

DATA = re.compile(r'<script type="application/json" id="evaluations">(.*?)</script>', re.DOTALL)


def text_of(path):
    return path.read_text(encoding="utf-8")


class TestTableContent:
    def test_rows_are_text_and_failed_scores_are_empty(self):
        content = table_content(take_snapshot(make_dataset([0.1, math.nan]), "min"))

        assert content == {
            "columns": ["Sample", "Score", "x", "State"],
            "rows": [["0", "0.1", "0.0", "complete"], ["1", "", "0.5", "failed"]],
            "best": 0,
            "state": 3,
            "descending": False,
            "curves": {},
        }

    def test_searches_have_stages(self, finished):
        content = table_content(take_snapshot(finished))

        assert content["columns"][:4] == ["Sample", "Score", "Stage", "rate"]
        assert [row[2] for row in content["rows"]] == [str(n // 10 + 1) for n in range(60)]

    def test_cells_of_inactive_parameters_are_empty(self, branching):
        content = table_content(take_snapshot(branching.save_dir))
        start = content["columns"].index("optimizer")
        names = branching.parameters.get_parameter_names()
        assert content["columns"][start : start + len(names)] == names
        for cells, row in zip(content["rows"], branching.dataset.X, strict=True):
            empty = [cell == "" for cell in cells[start : start + len(names)]]
            assert empty == [value is INACTIVE for value in row]
        assert "INACTIVE" not in to_script(content)

    def test_what_is_known_beside_scores(self):
        dataset = make_dataset([])
        details = Details(1.75e9, 2.5, 0, None, {"loss": 0.5, "is_deep": True, "State": "odd"})
        dataset.add_sample([0.25], 1.0, details=details)
        dataset.add_sample([0.5], math.nan, details=Details(failure="KeyError: 'x'"))
        content = table_content(take_snapshot(dataset))
        assert content["columns"][3:] == [
            "State", "Seconds", "Failure", "loss", "is_deep", "extra_State",
        ]  # fmt: skip
        assert content["rows"] == [
            ["0", "1.0", "0.25", "complete", "2.5", "", "0.5", "true", "odd"],
            ["1", "", "0.5", "failed", "", "KeyError: 'x'", "", "", ""],
        ]

    @pytest.mark.parametrize(
        "text", ["</script>", "<!--", "]]>", "\u2028", "\ud800", "\x00", "&lt;", "漢字", '"\\']
    )
    def test_scripts_hold_any_text_and_cannot_be_left(self, text):
        script = to_script([text])

        assert json.loads(script) == [text]
        assert script.isascii()
        assert not set(script) & set("<>&")


@pytest.mark.slow
class TestReport:
    def test_an_engine_will_do_as_well(self, tmp_path):
        engine, _ = run_search(
            tmp_path / "search", [UniformHP("x", 0, 1)], lambda w, p: p["x"], (20, 2)
        )
        text = text_of(write_report(engine, tmp_path / "report.html"))

        assert "20 of 20, 0 failed" in text
        assert f"{engine.best_score:.6g}" in text
        assert json.loads(DATA.search(text)[1]) == table_content(take_snapshot(engine))

    def test_looking_does_not_change_the_style_of_other_plots(self, tmp_path):
        from matplotlib import rcParams

        before = rcParams.copy()
        filters = list(warnings.filters)
        write_report(make_dataset([1.0, 2.0]), tmp_path / "report.html")
        assert rcParams == before
        assert warnings.filters == filters


class TestFewSamples:
    def test_a_search_that_has_not_begun(self, tmp_path):
        engine = SHAC([UniformHP("x", 0, 1)], 4, 2, save_dir=tmp_path)
        text = text_of(write_report(engine, tmp_path / "report.html"))

        assert "0 of 4, 0 failed" in text
        assert "<figure" not in text

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "scores", [[1.0], [2.0] * 3, [math.nan, math.nan], [1.7e308, -1.7e308]]
    )
    def test_plots_that_make_no_sense_say_why(self, scores, tmp_path):
        text = text_of(write_report(make_dataset(scores), tmp_path / "report.html"))

        known = [score for score in scores if not math.isnan(score)]
        assert ("holds no score" in text) == (not known)
        assert ("1e+300" in text) == (max(known, default=0) > 1e300)
        assert ("<img" in text) == (0 < max(known, default=0) < 1e300)


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(TypeError, match="Got 7 instead"):
        write_report(7, path)
    with pytest.raises(FileNotFoundError):
        write_report(tmp_path / "none", path)
    with pytest.raises(ValueError, match="no parameters"):
        write_report(Dataset(), path)
    with pytest.raises(FileNotFoundError, match="to_file must be .*there is no folder .*typo'"):
        write_report(make_dataset([1.0]), tmp_path / "typo" / "report.html")

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_every_plot_has_a_text_for_those_who_do_not_see_it(finished):
    plots = list(plots_of(take_snapshot(finished)))

    assert len({plot.name for plot in plots}) == len(plots)
    assert len({plot.alt for plot in plots}) == len(plots) == 15
    assert all(plot.alt.endswith(".") for plot in plots)


def test_the_two_parameters_of_the_accepted_region_go_together():
    space = HyperParameterList(
        [
            DiscreteHP("c", ["a", "b"]),
            UniformHP("x", 0, 1).when("c", "a"),
            UniformHP("y", 0, 1).when("c", "b"),
        ]
    )
    # y comes second, but no sample has it beside x.
    cascade = cascade_of(space, *[lambda rows: rows[:, 1] > 0.5] * 2, lambda rows: rows[:, 2] > 0.5)
    dataset = Dataset(space)
    dataset.set_dataset([["a", 0.9, INACTIVE], ["b", INACTIVE, 0.9]], [1.0, 2.0])
    snapshot = Snapshot(dataset, MAX, cascade)
    assert list(parameter_importances(snapshot))[:2] == ["x", "y"]
    plots = [plot for plot in plots_of(snapshot) if plot.section == "classifiers"]
    assert [plot.alt for plot in plots][1] == "The accepted share over x and c."
    assert plots[1].caption.endswith("What has only one of the two does not count.")


@pytest.mark.slow
def test_a_search_with_conditions_has_all_of_its_pictures(branching, tmp_path):
    text = text_of(write_report(branching.save_dir, tmp_path / "report.html"))
    snapshot = take_snapshot(branching)

    assert text.count('<img class="light"') == len(list(plots_of(snapshot))) == 19
    assert "<figure><p>" not in text
    content = json.loads(DATA.search(text)[1], parse_constant=lambda each: pytest.fail(each))
    assert content == table_content(snapshot)
    names = [name for name, _ in best_values(snapshot)]
    row = branching.dataset.X[snapshot.best]
    columns = zip(branching.parameters.get_parameter_names(), row, strict=True)
    assert names == [name for name, value in columns if value is not INACTIVE]
    assert len(names) < len(row)


def test_a_sentence_names_the_parameters_that_pictures_leave_out():
    dataset = Dataset([UniformHP(f"x{number}", 0, 1) for number in range(MAX_SLICES + 2)])
    dataset.add_sample([0.5] * (MAX_SLICES + 2), 1.0)
    notes = left_out(take_snapshot(dataset))
    assert notes["parameters"] == (
        "Of 14 columns these are 12, the first. Left out: x12, x13. The table has all of them."
    )
    assert notes["together"] == notes["parameters"]
    assert left_out(take_snapshot(make_dataset([1.0]))) == {}


def test_the_most_important_parameters_are_named_so(branching):
    note = left_out(take_snapshot(branching))["parameters"]
    assert note.startswith("Of 14 columns these are 12, the most important. Left out: ")


def test_refused_classifiers_have_a_card_with_their_reasons():
    snapshot = take_snapshot(make_dataset([1.0, 2.0]))
    refused = replace(snapshot, refused={"it is <no better> than chance": 2, "one class": 1})
    (card,) = [c for c in summary_cards(refused) if "Refused classifiers" in c]
    assert "<dt>2 times</dt><dd>it is &lt;no better&gt; than chance</dd>" in card
    assert "<dt>1 time</dt><dd>one class</dd>" in card
    assert not any("Refused classifiers" in each for each in summary_cards(snapshot))


@pytest.mark.parametrize(
    ("failed", "pruned"), [(False, False), (True, False), (False, True), (True, True)]
)
def test_stages_count_what_has_no_score_only_where_there_is_any(
    monkeypatch, failed, pruned, finished
):
    row = Stage(1, 9, 2 * failed, 3 * pruned, 1.0, 0.5)
    monkeypatch.setattr("pyshac.reporting.parts.stage_rows", lambda _: [row])
    card = summary_cards(take_snapshot(finished))[-1]
    assert ("Failed" in card, "Pruned" in card) == (failed, pruned)
    assert card.count("<th") - 1 == card.count("<td") == 4 + failed + pruned


@pytest.mark.slow
def test_pictures_come_out_the_same_every_time(finished):
    plot = next(plots_of(take_snapshot(finished)))

    assert draw(plot).light == draw(plot).light
