"""What the live graph keeps of accounts and of what they share, and the columns it tells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.types import EVENT_TYPES

DETECTOR = "relation"
VERSION = "1"

KINDS: tuple[str, ...] = ("device", "payment", "delivery_point", "ip", "coupon", "item", "inviter")
"""Kinds of entity that relate accounts to one another."""

HUBS: tuple[int, ...] = (20, 12, 40, 50, 200, 200, 50)
"""Accounts from which on an entity of a kind relates nobody any more: a household, a shared flat and a small office
stay below. Coupons and items have many honest takers, of whom the last ones are looked at longer."""

GROUPS: dict[str, tuple[str, ...]] = {
    "logins": ("login_succeeded",),
    "failed_logins": ("login_failed",),
    "views": ("page_view", "search", "add_to_cart"),
    "coupons": ("coupon_claim", "coupon_redeem", "invitation_accepted", "group_buy_joined"),
    "checkouts": ("checkout",),
    "orders": ("order",),
    "declined": ("payment_declined",),
    "changes": ("password_reset", "address_change", "contact_change", "payment_method_added", "code_sent"),
    "returns": ("refund_requested", "refund_issued", "return", "order_cancelled"),
    "disputes": ("dispute_retrieval", "dispute_chargeback", "dispute_lost"),
    "content": ("review", "rating", "listing", "message"),
    "money_out": ("withdrawal", "transfer", "seller_payout"),
    "decoys": ("decoy_touched",),
}
"""Events that are counted together, with a half-life of `HALF_LIFE`."""

COUNTS = (*GROUPS, "amount")
AMOUNT = len(GROUPS)
MEMORY = ("shared", "together", "disputed")
"""What an account's own neighbours were like at its last event: so a neighbour tells of the second hop."""

PROFILE = ("age", "idle", *COUNTS, *(f"different_{kind}" for kind in KINDS), *(f"neighbours_{name}" for name in MEMORY))
"""Columns of an account as others see it."""

TOLD: tuple[str, ...] = ("coupons", "declined", "returns", "disputes", "content")
"""Counts whose mean over the neighbours is told."""

WHAT = ("degree", "age", "together", *TOLD)
TOTALS = ("shared", "together", "disputed")
OUTPUTS: tuple[str, ...] = (
    *(f"{DETECTOR}.neighbours.{kind}.{what}" for kind in KINDS for what in WHAT),
    *(f"{DETECTOR}.neighbours.{total}" for total in TOTALS),
)

WAYS = 8
DAY = 86_400_000_000
HALF_LIFE = 7.0 * DAY
TOGETHER = 2 * DAY
"""Accounts opened within this time of one another."""


def groups_of_types() -> NDArray[np.int64]:
    """The group that each type of event counts in, -1 for none; the last entry is for unknown types."""
    found = np.full(len(EVENT_TYPES) + 1, -1, np.int64)
    for place, names in enumerate(GROUPS.values()):
        for code, event in enumerate(EVENT_TYPES):
            if event.name in names:
                found[code] = place
    return found


def told_counts() -> NDArray[np.int64]:
    """Places in `COUNTS` of `TOLD`."""
    return np.array([COUNTS.index(name) for name in TOLD])
