"""What is watched live: which events make a series, and whose series within it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.types import EVENT_TYPES, TYPE_CODES


@dataclass(frozen=True)
class Watched:
    """One series of the shop.

    Parameters
    ----------
    name : of what is counted, in words.
    types : of the events that are counted.
    entity : whose own series is watched as well.
    abuse : what a rise of it may be.
    """

    name: str
    types: tuple[str, ...]
    entity: str
    abuse: tuple[str, ...]


WATCHED: tuple[Watched, ...] = (
    Watched("failed logins", ("login_failed",), "ip_network", ("account_takeover",)),
    Watched("password resets and codes", ("password_reset", "code_sent"), "phone_prefix", ("account_takeover",)),
    Watched("sign-ups", ("sign_up",), "email_domain", ("fake_account",)),
    Watched("coupon claims", ("coupon_claim",), "promotion", ("promotion_abuse",)),
    Watched("coupon redemptions", ("coupon_redeem",), "promotion", ("promotion_abuse",)),
    Watched("declined payments", ("payment_declined",), "bin", ("payment_fraud",)),
    Watched("balance movements", ("top_up", "transfer", "withdrawal"), "account", ("payment_fraud",)),
    Watched("refund requests", ("refund_requested",), "delivery_point", ("return_abuse",)),
    Watched("reviews", ("review", "rating"), "item", ("content_abuse", "ranking_manipulation")),
    Watched("orders", ("order",), "seller", ("ranking_manipulation", "inventory_abuse")),
    Watched("additions to carts", ("add_to_cart",), "item", ("inventory_abuse",)),
    Watched("page views and searches", ("page_view", "search"), "ip_network", ("scraping",)),
)
"""Every series, in the order of its number."""

ENTITIES: tuple[str, ...] = tuple(dict.fromkeys(each.entity for each in WATCHED))


def series_of_types() -> NDArray[np.int64]:
    """int64 [types + 1]: the series of each type's code, -1 for none; the last is for an unknown type, whose code is
    -1."""
    found = np.full(len(EVENT_TYPES) + 1, -1, np.int64)
    for number, each in enumerate(WATCHED):
        found[[TYPE_CODES[name] for name in each.types]] = number
    return found
