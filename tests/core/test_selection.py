"""Selection: the ranking, and which of the accepted samples are evaluated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pyshac.core.selection import Ranking, Selection

STREAM = np.random.SeedSequence(3)


def by_sum(rows):
    return rows.sum(axis=1)


def select(draw, num_classifiers, n, num_choices, ranking, evaluated):
    return Selection(draw, ranking, num_choices).select(num_classifiers, n, evaluated)


def drawing_from(*regions):
    """Draws from one list of rows for each number of classifiers, over and over, from the start."""

    def draw(num_classifiers, n):
        rows = np.array(regions[num_classifiers], dtype=float).reshape(-1, 1)
        return rows[np.arange(n) % len(rows)]

    return draw


NOTHING = np.empty((0, 1))


class TestRanking:
    @pytest.mark.parametrize("objective", ["min", "max"])
    def test_other_samples_are_ranked_as_their_scores_are(self, objective):
        random = np.random.default_rng(0)
        rows, others = random.random((80, 3)), random.random((500, 3))
        sign = 1 if objective == "max" else -1
        ranking = Ranking(rows, sign * rows[:, 0], objective, STREAM)
        assert stats.spearmanr(ranking(others), others[:, 0]).statistic > 0.7

    def test_it_tells_the_best_from_the_good(self):
        # What one split at the median cannot: it learns of quarters and eighths as well.
        random = np.random.default_rng(1)
        rows, others = random.random((160, 2)), random.random((500, 2))
        ranks = Ranking(rows, rows[:, 0], "max", STREAM)(others)
        assert others[np.argsort(ranks)[-25:], 0].min() > 0.8

    def test_failed_samples_are_the_worst(self):
        random = np.random.default_rng(2)
        rows = random.random((60, 1))
        scores = np.where(rows[:, 0] > 0.5, np.nan, random.random(60))
        ranks = Ranking(rows, scores, "max", STREAM)(np.array([[0.25], [0.75]]))
        assert ranks[0] > ranks[1]

    @pytest.mark.parametrize("scores", [np.empty(0), np.full(40, np.nan), np.zeros(40)])
    def test_where_nothing_was_learned_all_are_equal(self, scores):
        rows = np.linspace(0, 1, len(scores)).reshape(-1, 1)
        ranks = Ranking(rows, scores, "min", STREAM)(np.random.default_rng(0).random((9, 1)))
        assert np.ptp(ranks) == 0

    def test_the_same_stream_gives_the_same_ranks(self):
        rows = np.random.default_rng(3).random((50, 4))
        first, second = (Ranking(rows, by_sum(rows), "min", STREAM)(rows) for _ in range(2))
        assert (first == second).all()


class TestSelect:
    def test_the_best_of_each_group_is_chosen(self):
        draw = drawing_from([[0]], [1, 2, 3, 4, 5, 6])
        # Dealt out in turn: 1, 3, 5 and 2, 4, 6.
        assert select(draw, 1, 2, 3, by_sum, NOTHING).tolist() == [[5], [6]]

    def test_what_was_evaluated_is_not_chosen(self):
        draw = drawing_from([[0]], [1, 2, 3, 4, 5, 6])
        evaluated = np.array([[6.0], [5.0]])
        assert select(draw, 1, 2, 3, by_sum, evaluated).tolist() == [[3], [4]]

    def test_nothing_is_chosen_twice(self):
        draw = drawing_from([[0]], [1, 1, 1, 2, 2, 2])
        assert sorted(select(draw, 1, 2, 3, by_sum, NOTHING).tolist()) == [[1], [2]]

    def test_what_a_region_lacks_comes_from_the_next_larger(self):
        draw = drawing_from([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4], [1, 2])
        assert select(draw, 2, 3, 4, by_sum, NOTHING).tolist() == [[1], [2], [4]]
        chosen = select(draw, 2, 6, 4, by_sum, NOTHING).tolist()
        assert chosen[:4] == [[1], [2], [3], [4]]
        # Dealt out to the two that are missing: 5, 7 and 6.
        assert chosen[4:] == [[7], [6]]

    def test_one_in_ten_looks_back(self):
        draw = drawing_from(range(100), range(200, 300), range(300, 400))
        chosen = select(draw, 2, 20, 4, by_sum, NOTHING).ravel()
        assert len(chosen) == 20
        # Of the region of one classifier, half of two.
        assert [value // 100 for value in chosen] == [3] * 18 + [2] * 2

    def test_what_is_rare_is_found_before_anything_is_evaluated_again(self):
        region = [0] * 4000 + [1]
        evaluated = np.array([[0.0]])
        assert select(drawing_from(region), 0, 1, 2, by_sum, evaluated).tolist() == [[1]]

    def test_where_nothing_else_is_left_samples_are_evaluated_again(self):
        draw = drawing_from([1, 2], [2])
        evaluated = np.array([[1.0], [2.0]])
        chosen = select(draw, 1, 3, 2, by_sum, evaluated)
        # Those that the whole cascade accepts.
        assert chosen.tolist() == [[2], [2], [2]]
