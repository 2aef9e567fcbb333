"""Days counted within a window."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from floorwalker.scan.history import count_days


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.booleans()), max_size=40),
    st.integers(1, 10),
)
def test_counts_equal_a_reread(rows: list[tuple[int, int, bool]], window: int) -> None:
    unique = {(visitor, day): counted for visitor, day, counted in rows}
    pairs = list(unique)
    visitor = np.array([pair[0] for pair in pairs], np.int64)
    day = np.array([pair[1] for pair in pairs], np.int64)
    counted = np.array([unique[pair] for pair in pairs], bool)
    expected = [sum(unique[other] for other in pairs if other[0] == v and d - window < other[1] <= d) for v, d in pairs]
    assert count_days(visitor, day, counted, window=window).tolist() == expected
