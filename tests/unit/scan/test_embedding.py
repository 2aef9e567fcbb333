"""The map: who is placed on it, and that it is the same map every time."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from floorwalker.errors import UsageError
from floorwalker.scan.embedding import embed, place, prepare_features, sample_rows


@given(
    st.lists(st.booleans(), max_size=200).map(lambda flags: np.array(flags, bool)),
    st.integers(1, 120),
    st.integers(0, 9),
)
def test_the_sample_is_distinct_ordered_and_full(flags: np.ndarray, size: int, seed: int) -> None:
    rows = sample_rows(flags, np.random.default_rng(seed), size)
    assert len(rows) == min(size, len(flags))
    assert np.all(np.diff(rows) > 0)
    if len(flags) > size:
        caught = int(flags[rows].sum())
        assert caught == min(int(flags.sum()), max(size // 2, size - int((~flags).sum())))


def test_an_empty_map_is_refused() -> None:
    with pytest.raises(UsageError, match="1 or more"):
        sample_rows(np.zeros(5, bool), np.random.default_rng(0), 0)


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 5, 6, 7, 12])
def test_few_visitors_are_placed_apart(rows: int) -> None:
    points = place(np.zeros((rows, 3), np.float32), seed=4)
    assert points.shape == (rows, 2)
    assert points.dtype == np.float32
    assert np.isfinite(points).all()
    assert len({tuple(point) for point in points.tolist()}) == rows


def _islands() -> np.ndarray:
    rng = np.random.default_rng(8)
    centres = rng.normal(0, 8, (3, 6))
    return np.concatenate([centre + rng.normal(0, 1, (40, 6)) for centre in centres]).astype(np.float32)


def test_islands_of_the_features_are_islands_of_the_map_and_it_repeats() -> None:
    rows = _islands()
    points = place(rows, seed=1, iterations=300)
    assert np.array_equal(points, place(rows, seed=1, iterations=300))
    island = np.repeat(np.arange(3), 40)
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert np.mean(island[distance.argmin(axis=1)] == island) > 0.98


def test_features_of_one_value_or_none_do_not_break_the_scale() -> None:
    rows = np.array([[1, np.nan, np.inf, 5], [1, np.nan, 2, 90_000], [1, np.nan, -1, 7]], np.float32)
    scaled = prepare_features(rows)
    assert scaled.shape == rows.shape
    assert np.isfinite(scaled).all()
    assert np.abs(scaled).max() <= 5
    assert np.all(scaled[:, :2] == 0)


def test_embed_places_every_flagged_visitor_and_wants_a_row_each() -> None:
    flags = np.zeros(300, bool)
    flags[[7, 200]] = True
    frame = pl.DataFrame({"flagged": flags})
    rows, points = embed(frame, np.random.default_rng(3).normal(size=(300, 4)).astype(np.float32), sample=40, seed=2)
    assert {7, 200} <= set(rows.tolist())
    assert points.shape == (40, 2)
    empty, nowhere = embed(frame.head(0), np.empty((0, 4), np.float32), seed=2)
    assert len(empty) == 0
    assert nowhere.shape == (0, 2)
    with pytest.raises(UsageError, match="as many as visitors"):
        embed(frame, np.zeros((3, 4), np.float32), seed=2)


def test_importing_the_map_does_not_import_scikit_learn() -> None:
    import subprocess
    import sys

    script = "import sys, floorwalker.scan.embedding; print('sklearn' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
