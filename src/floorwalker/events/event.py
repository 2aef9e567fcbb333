"""The record of one thing that happened in a shop.

>>> event = Event(id="e-1", type="login_failed", at=1_700_000_000_000_000, account="a-1", ip="203.0.113.9")
>>> event.shop, event.amount_minor
('default', None)
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from floorwalker.events._facts import (
    Address,
    CardFacts,
    ClientSignals,
    Count,
    DeviceFacts,
    Discount,
    Dispute,
    Id,
    Identity,
    Money,
    NetworkFacts,
    OrderLine,
    Phrase,
    ThreeDSecure,
    Word,
)

__all__ = [
    "SCHEMA_VERSION",
    "Address",
    "CardFacts",
    "ClientSignals",
    "DeviceFacts",
    "Discount",
    "Dispute",
    "Event",
    "Identity",
    "NetworkFacts",
    "OrderLine",
    "ThreeDSecure",
]

SCHEMA_VERSION = 1
"""The version of the record below. A newer one is accepted: what we do not know is kept in `attributes`."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One event. Whatever was not said is None or empty.

    Times are int64 microseconds since 1970-01-01 UTC; money is int64 minor units of `currency`; `docs/events.md` says
    what each field means. `received_at` is ours, whatever the sender says. `email`, `phone`, `ip` and the addresses
    hold raw values until `floorwalker.events.identity.normalise` has put tokens in their place.
    """

    schema_version: Annotated[int, Meta(ge=1, le=10**6)] = SCHEMA_VERSION
    shop: Id = "default"
    id: Id
    type: Word
    at: int
    received_at: int = 0

    account: Id | None = None
    session: Id | None = None
    device: Id | None = None
    ip: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    user_agent: Annotated[str, Meta(max_length=2048)] | None = None
    channel: Literal["web", "app", "mini_program", "telephone", "store", "api", "other"] | None = None

    email: Annotated[str, Meta(min_length=1, max_length=320)] | None = None
    phone: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    inviter: Id | None = None
    recipient: Id | None = None
    guest: bool | None = None

    payment: Id | None = None
    bin: Annotated[str, Meta(pattern=r"^[0-9]{6}([0-9]{2})?$")] | None = None
    card: CardFacts | None = None
    three_d_secure: ThreeDSecure | None = None
    decline_code: Word | None = None
    dispute: Dispute | None = None

    order: Id | None = None
    item: Id | None = None
    seller: Id | None = None
    quantity: Count | None = None
    lines: Annotated[tuple[OrderLine, ...], Meta(max_length=500)] = ()
    coupons: Annotated[tuple[Id, ...], Meta(max_length=50)] = ()
    discounts: Annotated[tuple[Discount, ...], Meta(max_length=50)] = ()
    promotion: Id | None = None
    group: Id | None = None
    amount_minor: Money | None = None
    list_price_minor: Money | None = None
    discount_minor: Money | None = None
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] | None = None
    balance_kind: Literal["balance", "points", "gift_card"] | None = None
    digital: bool | None = None
    shipping_method: Word | None = None

    country: Annotated[str, Meta(pattern=r"^[A-Z]{2}$")] | None = None
    language: Annotated[str, Meta(max_length=35)] | None = None
    latitude: Annotated[float, Meta(ge=-90.0, le=90.0)] | None = None
    longitude: Annotated[float, Meta(ge=-180.0, le=180.0)] | None = None
    url: Annotated[str, Meta(max_length=4096)] | None = None
    referrer: Annotated[str, Meta(max_length=4096)] | None = None
    method: Word | None = None
    status: Annotated[int, Meta(ge=0, le=999)] | None = None

    result: Literal["passed", "failed", "expired", "abandoned", "damaged", "missing"] | None = None
    reason: Phrase | None = None
    decision: Id | None = None
    returned: bool | None = None
    text: Annotated[str, Meta(max_length=20000)] | None = None
    rating: Annotated[float, Meta(ge=0.0, le=1.0)] | None = None

    device_facts: DeviceFacts | None = None
    signals: ClientSignals | None = None
    network: NetworkFacts | None = None
    identity: Identity | None = None
    attributes: dict[str, Any] = {}
