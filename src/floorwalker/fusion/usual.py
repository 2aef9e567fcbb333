"""What an unusual event of each type most often is: where a signal without abuse type puts its little risk."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.types import EVENT_TYPES

USUAL: Mapping[str, str] = {
    "sign_up": "fake_account",
    "login_succeeded": "account_takeover",
    "login_failed": "account_takeover",
    "password_reset": "account_takeover",
    "address_change": "account_takeover",
    "contact_change": "account_takeover",
    "payment_method_added": "payment_fraud",
    "code_sent": "fake_account",
    "code_checked": "account_takeover",
    "page_view": "scraping",
    "search": "scraping",
    "add_to_cart": "inventory_abuse",
    "coupon_claim": "promotion_abuse",
    "coupon_redeem": "promotion_abuse",
    "invitation_sent": "promotion_abuse",
    "invitation_accepted": "promotion_abuse",
    "group_buy_opened": "promotion_abuse",
    "group_buy_joined": "promotion_abuse",
    "top_up": "payment_fraud",
    "transfer": "account_takeover",
    "withdrawal": "account_takeover",
    "checkout": "payment_fraud",
    "three_d_secure": "payment_fraud",
    "payment_authorised": "payment_fraud",
    "payment_declined": "payment_fraud",
    "order": "payment_fraud",
    "refund_requested": "return_abuse",
    "return": "return_abuse",
    "review": "content_abuse",
    "rating": "ranking_manipulation",
    "listing": "content_abuse",
    "message": "content_abuse",
    "livestream": "ranking_manipulation",
}
"""Types left out are the shop's own doing, or say nothing by themselves: an unusual one raises no risk."""

_COLUMN = {name: column for column, name in enumerate(ABUSE_TYPES)}
# The last place answers for code -1, a type of a newer version.
_BY_CODE = np.array([*(_COLUMN.get(USUAL.get(kind.name, ""), -1) for kind in EVENT_TYPES), -1], np.int16)


def usual_abuse(types: NDArray[np.int16]) -> NDArray[np.int16]:
    """Index into `ABUSE_TYPES` for each event's type code, -1 for none: int16 [n].

    >>> from floorwalker.events.types import TYPE_CODES
    >>> usual_abuse(np.array([TYPE_CODES["checkout"], TYPE_CODES["order_shipped"], -1], np.int16)).tolist()
    [3, -1, -1]
    """
    return _BY_CODE.take(types)
