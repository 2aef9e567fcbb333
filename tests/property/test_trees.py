"""Any tree in flat arrays against a slow oracle: walked by recursion, explained by every subset of its columns."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.models.trees import Trees, TreesTogether

COLUMNS = 4


@st.composite
def any_trees(draw: Any) -> Trees:
    """One or two random trees of up to six splits."""
    feature, threshold, children, missing, value, leaf_cover, roots = [], [], [], [], [], [], []
    numbers = st.integers(-2, 2).map(float)
    for _ in range(draw(st.integers(1, 2))):
        first, splits = len(feature), draw(st.integers(0, 6))
        open_ends: list[tuple[int, int] | None] = [None]
        for split in range(first, first + splits):
            end = open_ends.pop(draw(st.integers(0, len(open_ends) - 1)))
            if end is not None:
                children[2 * end[0] + end[1]] = split
            feature.append(draw(st.integers(0, COLUMNS - 1)))
            threshold.append(draw(numbers))
            missing.append(draw(st.booleans()))
            children += [0, 0]
            open_ends += [(split, 0), (split, 1)]
        for end in open_ends:
            if end is not None:
                children[2 * end[0] + end[1]] = ~len(value)
            value.append(draw(st.integers(-8, 8)) / 4)
            leaf_cover.append(float(draw(st.integers(1, 9))))
        roots.append(first if splits else ~(len(value) - 1))
    cover = np.zeros(len(feature))
    for split in range(len(feature) - 1, -1, -1):
        for child in children[2 * split : 2 * split + 2]:
            cover[split] += cover[child] if child >= 0 else leaf_cover[~child]
    return Trees(
        features=COLUMNS, feature=np.array(feature, np.int32), threshold=np.array(threshold, float),
        children=np.array(children, np.int32), missing_left=np.array(missing, np.bool_), cover=cover,
        value=np.array(value), leaf_cover=np.array(leaf_cover), roots=np.array(roots, np.int32), link="identity",
    )  # fmt: skip


def walk(trees: Trees, node: int, row: Any, known: frozenset[int]) -> float:
    """The answer of a node for a row of which only some columns are known."""
    if node < 0:
        return float(trees.value[~node])
    sides = trees.children[2 * node : 2 * node + 2]
    column = int(trees.feature[node])
    if column in known:
        number = row[column]
        left = bool(trees.missing_left[node]) if np.isnan(number) else number <= trees.threshold[node]
        return walk(trees, int(sides[0 if left else 1]), row, known)
    sizes = [trees.cover[side] if side >= 0 else trees.leaf_cover[~side] for side in sides]
    return float(
        sum(size * walk(trees, int(side), row, known) for side, size in zip(sides, sizes, strict=True)) / sum(sizes)
    )


def answer(trees: Trees, row: Any, known: frozenset[int]) -> float:
    return sum(walk(trees, int(root), row, known) for root in trees.roots)


@settings(max_examples=60, deadline=None)
@given(trees=any_trees(), row=st.lists(st.sampled_from([-3.0, -1.0, 0.0, 1.0, 2.0, float("nan")]), min_size=COLUMNS,
                                       max_size=COLUMNS))  # fmt: skip
def test_scores_and_shapley_values_follow_their_definition(trees: Trees, row: list[float]) -> None:
    rows = np.array([row])
    every = frozenset(range(COLUMNS))
    np.testing.assert_allclose(trees.raw(rows)[0], answer(trees, row, every), atol=1e-12)
    np.testing.assert_allclose(trees.base, answer(trees, row, frozenset()), atol=1e-12)
    expected = np.zeros(COLUMNS)
    for column in every:
        others = every - {column}
        for size in range(COLUMNS):
            weight = factorial(size) * factorial(COLUMNS - size - 1) / factorial(COLUMNS)
            for known in map(frozenset, combinations(others, size)):
                expected[column] += weight * (answer(trees, row, known | {column}) - answer(trees, row, known))
    np.testing.assert_allclose(trees.shapley(rows)[0], expected, atol=1e-9)
    np.testing.assert_allclose(trees.paths(rows)[0].sum() + trees.base, trees.raw(rows)[0], atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    trees=any_trees(), shift=st.sampled_from([0.0, 1e-9, -1e-9, 0.1, 1e300]),
    rows=st.lists(
        st.lists(
            st.sampled_from([-3.0, -1.0, 0.0, 1.0, 1.1, 2.0, float("inf"), float("-inf"), float("nan")]),
            min_size=COLUMNS, max_size=COLUMNS,
        ),
        max_size=19,
    ),
)  # fmt: skip
def test_rows_in_single_precision_are_walked_faster_to_the_same_bits(
    trees: Trees, shift: float, rows: list[list[float]]
) -> None:
    trees = replace(trees, threshold=trees.threshold + shift)
    given_rows = np.array(rows, np.float32).reshape(len(rows), COLUMNS)
    assert trees.packed is not None
    sums = trees.raw(given_rows)
    np.testing.assert_array_equal(sums, trees.raw(given_rows.astype(np.float64)))
    for place in range(len(rows)):
        assert trees.raw(given_rows[place : place + 1])[0] == sums[place]
    np.testing.assert_array_equal(trees.paths(given_rows), trees.paths(given_rows.astype(np.float64)))


@settings(max_examples=40, deadline=None)
@given(
    several=st.lists(any_trees(), min_size=1, max_size=4),
    rows=st.lists(
        st.lists(st.sampled_from([-3.0, 0.0, 1.0, float("nan")]), min_size=COLUMNS, max_size=COLUMNS), max_size=19
    ),
    draws=st.randoms(use_true_random=False),
)  # fmt: skip
def test_models_that_are_asked_together_say_what_each_says_alone(several: list[Trees], rows: Any, draws: Any) -> None:
    given_rows = np.array(rows, np.float32).reshape(len(rows), COLUMNS)
    together = TreesTogether(several)
    expected = np.array([one.raw(given_rows) for one in several]).reshape(len(several), len(rows)).T
    np.testing.assert_array_equal(together.raw(given_rows), expected)
    asked = np.array([[draws.random() < 0.5 for _ in several] for _ in rows], np.bool_).reshape(expected.shape)
    np.testing.assert_array_equal(together.raw(given_rows, asked)[asked], expected[asked])
    np.testing.assert_array_equal(together.raw(given_rows.astype(np.float64), asked)[asked], expected[asked])
