"""However many things somebody buys one after the other, no order has more lines than a form takes."""

from __future__ import annotations

import numpy as np
import pytest

from floorwalker.simulation.shop.honest.browsing import MOST_LINES, Skeleton, _orders

BUY = 2


@pytest.mark.parametrize("bought", [1, MOST_LINES, MOST_LINES + 1, 3 * MOST_LINES + 7])
def test_a_run_of_purchases_is_cut_into_orders(bought: int) -> None:
    # Two visits of the app, each one run of purchases.
    visit = np.repeat([0, 1], bought)
    place = np.tile(np.arange(bought), 2)
    bones = Skeleton(
        visit,
        place,
        np.full(2 * bought, BUY),
        place * 5.0,
        np.where(place > 0, 5.0, 0.0),
        place,
        np.array([bought] * 2),
    )
    both = np.ones(2, dtype=np.bool_)
    visits, at, span, line_order, line_item = _orders(np.random.default_rng(1), bones, both, ~both)
    lines = np.bincount(line_order)
    assert lines.max() <= MOST_LINES
    assert lines.sum() == len(line_item) == 2 * bought
    assert len(visits) == len(at) == len(span) == len(lines) == 2 * -(-bought // MOST_LINES)
    # No order mixes two visits.
    assert (visits[line_order] == visit).all()
