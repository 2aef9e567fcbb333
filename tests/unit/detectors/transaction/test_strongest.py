"""The columns that raised a score most, against a plain sort."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.detectors.transaction._strongest import find_strongest


@pytest.mark.parametrize("width", [1, 5, 9, 130, 700])
def test_the_strongest_are_those_of_a_stable_sort_and_their_shares_are_of_all_that_raised(width):
    random = np.random.default_rng(width)
    given = random.normal(size=(40, width)).round(1)
    given[0] = -1.0
    given[1, random.random(width) < 0.5] = np.nan
    places, shares = np.empty((40, 3), np.int64), np.empty((40, 3))
    find_strongest(given, places, shares)
    for row in range(40):
        raised = np.flatnonzero(given[row] > 0)
        expected = sorted(raised.tolist(), key=lambda column: -given[row, column])[:3]
        assert [place for place in places[row].tolist() if place >= 0] == expected
        total = given[row, raised].sum()
        assert shares[row, : len(expected)].tolist() == [
            min(max(float(given[row, column] / total), 1e-6), 1.0) for column in expected
        ]
