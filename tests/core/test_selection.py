"""Selection: which of the accepted samples are evaluated."""

from __future__ import annotations

import numpy as np

from pyshac.core.selection import Selection


def by_sum(rows):
    return rows.sum(axis=1)


def select(draw, num_classifiers, n, num_choices, ranking, evaluated):
    return Selection(draw, [ranking], num_choices).select(num_classifiers, n, evaluated)


def drawing_from(*regions):
    """Draws from one list of rows for each number of classifiers, over and over, from the start."""

    def draw(num_classifiers, n):
        rows = np.array(regions[num_classifiers], dtype=float).reshape(-1, 1)
        return rows[np.arange(n) % len(rows)]

    return draw


NOTHING = np.empty((0, 1))


class TestSelect:
    def test_the_best_of_each_group_is_chosen(self):
        draw = drawing_from([[0]], [1, 2, 3, 4, 5, 6])
        # Dealt out in turn: 1, 3, 5 and 2, 4, 6.
        assert select(draw, 1, 2, 3, by_sum, NOTHING).tolist() == [[5], [6]]

    def test_rankings_take_turns(self):
        def by_smallness(rows):
            return -by_sum(rows)

        draw = drawing_from([[0]], [1, 2, 3, 4, 5, 6])
        selection = Selection(draw, [by_sum, by_smallness], 3)
        assert selection.select(1, 2, NOTHING).tolist() == [[5], [2]]
        # In batches of one as well.
        assert selection.select(1, 1, np.array([[0.0]])).tolist() == [[1]]
        assert selection.select(1, 1, np.array([[0.0], [9.0]])).tolist() == [[3]]

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
