"""What the live graph keeps of accounts and of what they share, and the columns it tells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.batch import KEY_PLACES
from floorwalker.events.types import EVENT_TYPES

DETECTOR = "relation"
VERSION = "3"

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
TOTALS = ("shared", "together", "disputed", "returned", "tied_twice", "tied_awake")
MEMORY = TOTALS
"""What an account's own neighbours were like at its last event: so a neighbour tells of the second hop."""

PROFILE = ("age", "idle", *COUNTS, *(f"different_{kind}" for kind in KINDS), *(f"neighbours_{name}" for name in MEMORY))
"""Columns of an account as others see it."""

TOLD: tuple[str, ...] = ("coupons", "declined")
"""Counts whose mean over the neighbours is told."""

WHAT = ("degree", "together", "awake", "young", "since", *TOLD)
"""Nothing here grows with the age of the graph alone: what a model learned of it in March holds in May."""
OUTPUTS: tuple[str, ...] = (
    *(f"{DETECTOR}.{kind}.{what}" for kind in KINDS for what in WHAT),
    *(f"{DETECTOR}.{total}" for total in TOTALS),
)

WAYS = 8
DAY = 86_400_000_000
HALF_LIFE = 7.0 * DAY
TOGETHER = 2 * DAY
"""Accounts opened within this time of one another."""
AWAKE = DAY // 24
"""Accounts heard of within this time."""
YOUNG = 7 * DAY
"""Accounts first seen within this time."""

# Words of 64 bits of an account: its key, first and last time, last entity of each kind; then numbers of 32 bits.
KEY, BORN, LAST, LINKS = 0, 1, 2, 3
REALS = LINKS + len(KINDS)
DIFFERENT = len(COUNTS)
REMEMBERED = DIFFERENT + len(KINDS)
ACCOUNT_WIDTH = REALS + -(-(REMEMBERED + len(MEMORY)) // 2)
# Of an entity: its key, last time, accounts that came with it; then the keys of the last of them, and their rows.
HEARD, DEGREE, RING = 1, 2, 3


def entity_width(fan_out: int) -> int:
    """Words of 64 bits of an entity that remembers so many accounts."""
    return RING + fan_out + -(-fan_out // 2)


def groups_of_types() -> NDArray[np.int64]:
    """The group that each type of event counts in, -1 for none; the last entry is for unknown types."""
    found = np.full(len(EVENT_TYPES) + 1, -1, np.int64)
    for place, names in enumerate(GROUPS.values()):
        for code, event in enumerate(EVENT_TYPES):
            if event.name in names:
                found[code] = place
    return found


def settings() -> NDArray[np.int64]:
    """What the kernel knows beside the events, in one array: rows of `KINDS` among the keys of events, `HUBS`, places
    in `COUNTS` of `TOLD`, and `groups_of_types`."""
    kinds = [KEY_PLACES[name] for name in KINDS]
    return np.array([*kinds, *HUBS, *(COUNTS.index(name) for name in TOLD), *groups_of_types()], np.int64)
