"""What each kind of abuse and each family of detectors needs to see. One table: the doctor compares it with the data.

A requirement is met by events of any of its types that carry one of its fields; a field alternative with `+` asks for
all of its parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

_BUYING = ("order", "checkout", "payment_authorised", "payment_captured")
_LINKS = ("device", "payment", "delivery_address", "phone", "ip", "email")


@dataclass(frozen=True)
class Requirement:
    """One thing that must be seen.

    Parameters
    ----------
    what : in a few words.
    types : types of event, any of which does; empty: events of every type.
    fields : alternatives, any of which does; empty: the events alone do.
    least : share of these events that must carry a usable value, for the requirement to be met in full.
    """

    what: str
    types: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    least: float = 0.8


@dataclass(frozen=True)
class Need:
    """What one kind of abuse or one family of detectors needs.

    Parameters
    ----------
    must : without one of these it cannot work.
    helps : each makes it better; without any of them it is weak.
    """

    must: tuple[Requirement, ...]
    helps: tuple[Requirement, ...] = ()


ABUSE_NEEDS = MappingProxyType(
    {
        "account_takeover": Need(
            must=(
                Requirement("logins", ("login_succeeded", "login_failed"), ("account", "email")),
                Requirement("where logins come from", ("login_succeeded", "login_failed"), ("device", "ip", "session")),
            ),
            helps=(
                Requirement("failed logins", ("login_failed",)),
                Requirement("devices at login", ("login_succeeded",), ("device",)),
                Requirement(
                    "what a thief changes",
                    ("password_reset", "address_change", "contact_change", "payment_method_added"),
                ),
                Requirement("client signals", ("client_signals",)),
                Requirement("places", ("login_succeeded",), ("country", "latitude", "network.country", "ip")),
            ),
        ),
        "fake_account": Need(
            must=(
                Requirement("accounts being opened", ("sign_up",), ("account",)),
                Requirement("what new accounts share", ("sign_up",), ("device", "ip", "phone", "email"), 0.5),
            ),
            helps=(
                Requirement("devices at sign-up", ("sign_up",), ("device",)),
                Requirement("addresses on the internet at sign-up", ("sign_up",), ("ip",)),
                Requirement("e-mail addresses", ("sign_up",), ("email",)),
                Requirement("telephone numbers", ("sign_up",), ("phone",)),
                Requirement("verification codes", ("code_sent", "code_checked")),
                Requirement(
                    "client signals", ("client_signals", "sign_up"), ("signals.webdriver", "device_facts.emulator")
                ),
            ),
        ),
        "promotion_abuse": Need(
            must=(
                Requirement(
                    "offers being taken",
                    ("coupon_claim", "coupon_redeem", "order", "checkout", "invitation_accepted", "group_buy_joined"),
                    ("coupons", "promotion", "inviter", "group"),
                    0.02,
                ),
                Requirement(
                    "who takes them", ("coupon_claim", "coupon_redeem", "order", "checkout"), ("account", "email")
                ),
                Requirement(
                    "what their accounts share", ("coupon_redeem", "order", "checkout", "sign_up"), _LINKS, 0.5
                ),
            ),
            helps=(
                Requirement("devices", ("coupon_redeem", "order", "checkout", "sign_up"), ("device",)),
                Requirement("delivery addresses", ("order", "checkout"), ("delivery_address",)),
                Requirement("invitations", ("invitation_accepted", "sign_up"), ("inviter",), 0.02),
                Requirement("accounts being opened", ("sign_up",)),
                Requirement("discounts", ("order", "checkout", "coupon_redeem"), ("discount_minor",), 0.02),
            ),
        ),
        "payment_fraud": Need(
            must=(
                Requirement("purchases with amounts", _BUYING, ("amount_minor+currency",)),
                Requirement("means of payment", (*_BUYING, "payment_declined"), ("payment", "bin"), 0.5),
            ),
            helps=(
                Requirement("declined payments", ("payment_declined",)),
                Requirement("card facts", _BUYING, ("bin", "card.funding", "card.issuer_country"), 0.5),
                Requirement("devices or addresses on the internet", _BUYING, ("device", "ip")),
                Requirement("delivery addresses", ("order", "checkout"), ("delivery_address",), 0.5),
                Requirement("3-D Secure results", ("three_d_secure",)),
                Requirement("outcomes", ("dispute_chargeback", "dispute_retrieval")),
            ),
        ),
        "return_abuse": Need(
            must=(
                Requirement("refunds or returns", ("refund_requested", "refund_issued", "return"), ("order",)),
                Requirement("orders to compare them with", ("order",), ("account+amount_minor", "email+amount_minor")),
            ),
            helps=(
                Requirement("reasons", ("refund_requested", "refund_issued", "return"), ("reason",), 0.5),
                Requirement("whether goods came back", ("refund_issued", "refund_requested"), ("returned",), 0.5),
                Requirement("deliveries", ("order_delivered",)),
                Requirement("delivery addresses", ("order",), ("delivery_address",), 0.5),
                Requirement("what was bought", ("order",), ("lines", "item"), 0.5),
            ),
        ),
        "content_abuse": Need(
            must=(
                Requirement("texts", ("review", "listing", "message", "livestream"), ("text",), 0.5),
                Requirement("who writes", ("review", "listing", "message", "livestream"), ("account", "seller")),
            ),
            helps=(
                Requirement("stars", ("review", "rating"), ("rating",)),
                Requirement("purchases behind reviews", ("review", "rating"), ("order",), 0.3),
                Requirement("devices or addresses on the internet", ("review", "listing", "message"), ("device", "ip")),
            ),
        ),
        "ranking_manipulation": Need(
            must=(
                Requirement(
                    "what moves a ranking",
                    ("order", "review", "rating", "page_view", "add_to_cart", "livestream"),
                    ("item", "seller", "lines"),
                    0.3,
                ),
                Requirement(
                    "who does it",
                    ("order", "review", "rating", "page_view", "add_to_cart", "livestream"),
                    ("account", "session", "device", "ip"),
                ),
            ),
            helps=(
                Requirement("sellers", ("order", "review", "listing"), ("seller", "lines"), 0.3),
                Requirement("reviews and stars", ("review", "rating")),
                Requirement("what accounts share", ("order", "review", "rating"), _LINKS, 0.5),
                Requirement("parcels that were really sent", ("order_shipped", "order_delivered")),
            ),
        ),
        "inventory_abuse": Need(
            must=(
                Requirement("carts or orders with items", ("add_to_cart", "checkout", "order"), ("item", "lines")),
                Requirement(
                    "who fills them", ("add_to_cart", "checkout", "order"), ("account", "session", "device", "ip")
                ),
            ),
            helps=(
                Requirement("carts", ("add_to_cart",)),
                Requirement("quantities", ("add_to_cart", "checkout", "order"), ("quantity", "lines"), 0.5),
                Requirement("cancelled orders", ("order_cancelled",)),
                Requirement("client signals", ("client_signals",)),
            ),
        ),
        "scraping": Need(
            must=(
                Requirement("page views", ("page_view",), ("url",)),
                Requirement("whose they are", ("page_view",), ("ip", "session", "device")),
            ),
            helps=(
                Requirement("user agents", ("page_view",), ("user_agent",)),
                Requirement("statuses", ("page_view",), ("status",), 0.5),
                Requirement("referrers", ("page_view",), ("referrer",), 0.05),
                Requirement("network facts", ("page_view",), ("network.ja4", "network.ja3", "network.asn"), 0.5),
                Requirement("decoys", ("decoy_touched",)),
            ),
        ),
    }
)
"""Kind of abuse -> what it needs; every one of `floorwalker.events.abuse.ABUSE_TYPES`."""

DETECTOR_NEEDS = MappingProxyType(
    {
        "rules": Need(
            must=(Requirement("an entity to count on", (), ("account", "device", "ip", "session", "payment")),),
            helps=(
                Requirement("devices", (), ("device",), 0.5),
                Requirement("addresses on the internet", (), ("ip",), 0.5),
            ),
        ),
        "anomaly": Need(
            must=(Requirement("an entity to count on", (), ("account", "device", "ip", "session", "payment")),),
            helps=(
                Requirement("amounts", _BUYING, ("amount_minor",)),
                Requirement("devices or sessions", (), ("device", "session"), 0.5),
            ),
        ),
        "behaviour": Need(
            must=(Requirement("sequences of one person's acts", (), ("account", "session")),),
            helps=(
                Requirement("page views, searches or carts", ("page_view", "search", "add_to_cart")),
                Requirement("sessions", (), ("session",), 0.5),
            ),
        ),
        "relation": Need(
            must=(
                Requirement("accounts", (), ("account",), 0.5),
                Requirement("what accounts share", (), (*_LINKS, "inviter"), 0.3),
            ),
            helps=(
                Requirement("devices", (), ("device",), 0.3),
                Requirement("means of payment", _BUYING, ("payment",), 0.5),
                Requirement("delivery addresses", ("order", "checkout"), ("delivery_address",), 0.5),
                Requirement("invitations", ("sign_up", "invitation_accepted"), ("inviter",), 0.02),
            ),
        ),
        "context": Need(
            must=(Requirement("who comes again", (), ("account", "session", "device")),),
            helps=(
                Requirement("browsers", (), ("user_agent",), 0.5),
                Requirement("kinds of network", (), ("network.kind",), 0.5),
                Requirement("fingerprints of connections", (), ("network.ja4",), 0.5),
                Requirement("languages", (), ("language",), 0.5),
                Requirement("referrers", ("page_view",), ("referrer",), 0.05),
            ),
        ),
        "content": Need(must=(Requirement("texts", ("review", "listing", "message", "livestream"), ("text",), 0.5),)),
        "transaction": Need(
            must=(
                Requirement("purchases with amounts", _BUYING, ("amount_minor+currency",)),
                Requirement("who buys", _BUYING, ("account", "email", "payment")),
            ),
            helps=(
                Requirement("means of payment", _BUYING, ("payment", "bin"), 0.5),
                Requirement("outcomes to learn from", ("dispute_chargeback", "refund_issued")),
            ),
        ),
    }
)
"""Family of detectors (a folder of `floorwalker.detectors`) -> what it needs."""
