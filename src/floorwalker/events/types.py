"""What can happen in a shop: every type of event, what it needs and what else it may say.

A type's code is its place in `EVENT_TYPES`. Codes stand in journals, models and snapshots: a new type is added at the
end, none is moved, none is removed (a golden file holds them).

>>> EVENT_TYPES[TYPE_CODES["checkout"]].needs
('account|email|session', 'amount_minor', 'currency')
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class EventType:
    """One kind of event.

    Parameters
    ----------
    name : its name on the wire.
    meaning : what happened, in one line.
    needs : fields that must be given; ``a|b`` means that one of them is enough.
    may : further fields that say something about this type. Every type may also have the fields in `COMMON_FIELDS`,
        and no known field is refused in any type.
    """

    name: str
    meaning: str
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


COMMON_FIELDS: tuple[str, ...] = (
    "account", "session", "device", "ip", "user_agent", "channel", "country", "language", "url", "referrer",
    "latitude", "longitude", "device_facts", "signals", "network", "attributes",
)  # fmt: skip
"""Fields that every type may have, beside `shop`, `id`, `type`, `at` and `schema_version`."""

_WHO = "account|email|phone"
_CART = (
    "lines",
    "item",
    "seller",
    "quantity",
    "coupons",
    "discounts",
    "promotion",
    "list_price_minor",
    "discount_minor",
)
_PAY = ("payment", "bin", "card", "three_d_secure")
_PERSON = ("email", "phone", "billing_address", "shipping_address")
_MONEY = ("amount_minor", "currency")

EVENT_TYPES: tuple[EventType, ...] = (
    EventType("sign_up", "an account was opened", ("account",), (*_PERSON, "inviter", "promotion")),
    EventType("login_succeeded", "somebody logged in", ("account",), ("method", "email", "phone")),
    EventType("login_failed", "somebody tried to log in and could not", (_WHO,), ("method", "reason")),
    EventType("logout", "a session was ended by its owner", ("account|session",)),
    EventType("password_reset", "a password was set anew", (_WHO,), ("method", "result")),
    EventType(
        "address_change", "an address was added or changed", ("account",), ("billing_address", "shipping_address")
    ),
    EventType("contact_change", "the e-mail address or telephone number was changed", ("account",), ("email", "phone")),
    EventType("payment_method_added", "a card, wallet or bank account was stored", ("account", "payment|bin"), _PAY),
    EventType("code_sent", "a verification code was sent", (_WHO,), ("method", "email", "phone", "reason")),
    EventType(
        "code_checked", "a verification code was typed in", (_WHO, "result"), ("method", "email", "phone", "reason")
    ),
    EventType("page_view", "a page or an API was asked for", ("url",), ("method", "status", "item", "seller")),
    EventType("search", "the shop was searched", (), ("text", "quantity")),
    EventType("add_to_cart", "an item was put into the cart", ("item|lines",), (*_CART, *_MONEY)),
    EventType(
        "coupon_claim",
        "a coupon was taken into an account",
        ("account", "coupons|promotion"),
        ("discount_minor", "currency"),
    ),
    EventType(
        "coupon_redeem",
        "a coupon was used",
        ("account|session", "coupons"),
        ("promotion", "order", "discount_minor", *_MONEY, *_PERSON, "payment", "inviter"),
    ),
    EventType(
        "invitation_sent", "a customer invited somebody", ("account",), ("promotion", "email", "phone", "recipient")
    ),
    EventType("invitation_accepted", "an invited person came", ("account", "inviter"), ("promotion", *_PERSON)),
    EventType(
        "group_buy_opened",
        "a customer opened a group purchase",
        ("account", "group"),
        ("item", "seller", "promotion", *_MONEY),
    ),
    EventType(
        "group_buy_joined",
        "a customer joined a group purchase",
        ("account", "group"),
        ("inviter", "item", "seller", "promotion", *_MONEY),
    ),
    EventType(
        "top_up",
        "points, a gift card or a balance were filled",
        ("account", "amount_minor"),
        ("currency", "balance_kind", *_PAY),
    ),
    EventType(
        "transfer",
        "points, a gift card or a balance went to another account",
        ("account", "amount_minor"),
        ("currency", "balance_kind", "recipient"),
    ),
    EventType(
        "withdrawal",
        "a balance was paid out or a gift card was spent",
        ("account", "amount_minor"),
        ("currency", "balance_kind", "payment", "order"),
    ),
    EventType(
        "checkout",
        "the customer is about to buy",
        ("account|email|session", *_MONEY),
        (*_CART, *_PAY, *_PERSON, "inviter", "order", "group", "guest", "digital", "shipping_method"),
    ),
    EventType(
        "three_d_secure",
        "the bank's own check of the buyer ended",
        ("payment|order", "three_d_secure"),
        (*_MONEY, "bin", "card"),
    ),
    EventType(
        "payment_authorised",
        "the bank promised the money",
        ("payment|order", *_MONEY),
        (*_PAY, *_PERSON, "order", "guest"),
    ),
    EventType(
        "payment_declined",
        "the bank refused the money",
        ("payment|order",),
        (*_MONEY, "decline_code", *_PAY, *_PERSON, "order", "guest"),
    ),
    EventType("payment_captured", "the promised money was taken", ("payment|order", *_MONEY), ("order", "bin")),
    EventType("payment_voided", "the promise was given back", ("payment|order",), (*_MONEY, "order", "reason")),
    EventType(
        "order",
        "an order was placed",
        ("order", *_MONEY),
        (*_CART, *_PAY, *_PERSON, "inviter", "group", "guest", "digital", "shipping_method"),
    ),
    EventType("order_cancelled", "an order was cancelled", ("order",), ("reason", *_MONEY, "lines")),
    EventType(
        "order_shipped",
        "goods left the house",
        ("order",),
        ("shipping_address", "shipping_method", "lines", "quantity"),
    ),
    EventType("order_delivered", "goods arrived", ("order",), ("shipping_address", "shipping_method", "result")),
    EventType(
        "refund_requested",
        "a customer asked for money back",
        ("order",),
        ("reason", "returned", *_MONEY, "lines", "text"),
    ),
    EventType("refund_issued", "money was given back", ("order", *_MONEY), ("reason", "returned", "lines", "payment")),
    EventType("return", "goods came back", ("order",), ("lines", "quantity", "result", "reason")),
    EventType("dispute_retrieval", "the bank asked for documents", ("dispute",), ("order", "payment", *_MONEY)),
    EventType("dispute_chargeback", "the bank took the money back", ("dispute",), ("order", "payment", *_MONEY)),
    EventType(
        "dispute_won", "the shop's answer to a chargeback was accepted", ("dispute",), ("order", "payment", *_MONEY)
    ),
    EventType(
        "dispute_lost",
        "the shop's answer to a chargeback was refused, or none was given",
        ("dispute",),
        ("order", "payment", *_MONEY),
    ),
    EventType("review", "a review was written", ("account", "item|seller"), ("text", "rating", "order")),
    EventType("rating", "stars were given", ("item|seller", "rating"), ("order",)),
    EventType(
        "listing", "a seller offered an item", ("seller", "item"), ("text", "list_price_minor", "currency", "quantity")
    ),
    EventType("message", "a message was sent to another user", ("account|seller",), ("recipient", "text", "item")),
    EventType(
        "livestream", "a viewer acted in a livestream", ("seller|item",), ("reason", "text", "quantity", *_MONEY)
    ),
    EventType("seller_payout", "a seller was paid", ("seller", *_MONEY), ("payment",)),
    EventType(
        "support_contact",
        "a customer wrote to or rang the support",
        ("account|email|phone|order",),
        ("text", "reason", "order"),
    ),
    EventType(
        "client_signals", "the collector or the SDK sent what it saw", ("session|device", "signals|device_facts"), ()
    ),
    EventType(
        "challenge_result",
        "a challenge or a step-up ended",
        ("account|session|device", "result"),
        ("method", "decision"),
    ),
    EventType(
        "decoy_touched",
        "something that only an abuser touches was touched",
        ("url|item|coupons|account",),
        ("method", "status"),
    ),
    EventType(
        "custom",
        "something of the shop's own; `reason` names it",
        ("reason",),
        (*_MONEY, "item", "seller", "order", "text"),
    ),
)
"""Every type, in the frozen order of the codes."""

TYPE_CODES = MappingProxyType({kind.name: code for code, kind in enumerate(EVENT_TYPES)})
"""Code of a type by its name."""
