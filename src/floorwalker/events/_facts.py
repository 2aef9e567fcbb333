"""The smaller records inside an event: lines, addresses, card, dispute, device, client, network, identity."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(min_length=1, max_length=256)]
"""A name that somebody else gave: an account, a coupon, an order."""
Word = Annotated[str, Meta(min_length=1, max_length=64)]
"""A short code out of a vocabulary that is not ours."""
Phrase = Annotated[str, Meta(max_length=512)]
"""A line of text."""
Money = Annotated[int, Meta(ge=0, le=10**15)]
"""An amount in minor units of its currency (cents, pence, fen; whole yen), never negative."""
Count = Annotated[int, Meta(ge=0, le=10**9)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The base of the smaller records: whatever was not said is None."""


class Address(Fact, frozen=True):
    """Where somebody lives or wants a parcel. Replaced by a token and a delivery point when the event is taken in."""

    name: Phrase | None = None
    company: Phrase | None = None
    street: Phrase | None = None
    extra: Phrase | None = None
    district: Phrase | None = None
    city: Phrase | None = None
    region: Phrase | None = None
    postal_code: Annotated[str, Meta(max_length=32)] | None = None
    country: Annotated[str, Meta(min_length=2, max_length=2)] | None = None
    text: Annotated[str, Meta(max_length=1024)] | None = None


class OrderLine(Fact, frozen=True):
    """One item of a cart or an order; prices are for one piece."""

    item: Id | None = None
    seller: Id | None = None
    category: Id | None = None
    quantity: Count | None = None
    price_minor: Money | None = None
    list_price_minor: Money | None = None
    discount_minor: Money | None = None
    digital: bool | None = None


class Discount(Fact, frozen=True):
    """One reason why less was paid."""

    kind: Literal["coupon", "promotion", "points", "gift_card", "seller", "shipping", "staff", "other"] | None = None
    code: Id | None = None
    amount_minor: Money | None = None


class CardFacts(Fact, frozen=True):
    """What a payment service says about a card, beside its token and its BIN."""

    scheme: Word | None = None
    funding: Literal["credit", "debit", "prepaid", "charge", "unknown"] | None = None
    commercial: bool | None = None
    issuer: Phrase | None = None
    issuer_country: Annotated[str, Meta(min_length=2, max_length=2)] | None = None
    last_four: Annotated[str, Meta(pattern=r"^[0-9]{4}$")] | None = None
    wallet: Word | None = None
    stored: bool | None = None
    avs_result: Word | None = None
    cvv_result: Word | None = None


class ThreeDSecure(Fact, frozen=True):
    """How the bank's own check of the buyer (EMV 3-D Secure) ended."""

    result: Literal["frictionless", "challenged", "attempted", "failed", "abandoned", "unavailable"] | None = None
    version: Word | None = None
    eci: Annotated[str, Meta(pattern=r"^[0-9]{1,2}$")] | None = None
    liability_shift: bool | None = None


class Dispute(Fact, frozen=True):
    """A complaint at the bank: whose, why, until when it must be answered."""

    id: Id | None = None
    scheme: Word | None = None
    reason_code: Word | None = None
    opened_at: int | None = None
    due_at: int | None = None


class DeviceFacts(Fact, frozen=True):
    """What an app's or mini-program's SDK, or the browser collector, says about the device."""

    kind: Literal["phone", "tablet", "desktop", "television", "console", "other"] | None = None
    os: Word | None = None
    os_version: Word | None = None
    model: Phrase | None = None
    app: Id | None = None
    app_version: Word | None = None
    sdk_version: Word | None = None
    screen: Word | None = None
    utc_offset_minutes: Annotated[int, Meta(ge=-1440, le=1440)] | None = None
    fingerprint: Id | None = None
    fingerprint_confidence: Share | None = None
    attestation: Literal["passed", "failed", "unavailable"] | None = None
    emulator: bool | None = None
    rooted: bool | None = None
    hooked: bool | None = None
    cloned: bool | None = None
    mock_location: bool | None = None
    install_age_seconds: Annotated[int, Meta(ge=0, le=10**10)] | None = None


class ClientSignals(Fact, frozen=True):
    """How the page was used, and what betrays a machine at the other end."""

    webdriver: bool | None = None
    headless: bool | None = None
    tampered: bool | None = None
    trap_filled: bool | None = None
    pointer_moves: Count | None = None
    pointer_straightness: Share | None = None
    touches: Count | None = None
    key_presses: Count | None = None
    key_gap_ms: Annotated[float, Meta(ge=0.0, le=1e7)] | None = None
    key_gap_spread_ms: Annotated[float, Meta(ge=0.0, le=1e7)] | None = None
    pastes: Count | None = None
    scrolls: Count | None = None
    dwell_ms: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    form_ms: Annotated[int, Meta(ge=0, le=10**9)] | None = None


class NetworkFacts(Fact, frozen=True):
    """What the proxy in front of the shop saw of the connection, and what is known of the address."""

    ja3: Annotated[str, Meta(max_length=128)] | None = None
    ja4: Annotated[str, Meta(max_length=128)] | None = None
    ja4h: Annotated[str, Meta(max_length=128)] | None = None
    http2: Annotated[str, Meta(max_length=256)] | None = None
    tls_version: Word | None = None
    asn: Annotated[int, Meta(ge=0, le=2**32 - 1)] | None = None
    organisation: Phrase | None = None
    country: Annotated[str, Meta(min_length=2, max_length=2)] | None = None
    kind: (
        Literal[
            "residential", "mobile", "business", "education", "hosting", "vpn", "proxy", "tor", "relay", "satellite"
        ]
        | None
    ) = None


class Identity(Fact, frozen=True):
    """What was derived from personal values before tokens took their place. Never sent: a sent one is refused."""

    version: int = 1
    email_domain: str | None = None
    email_disposable: bool | None = None
    email_free: bool | None = None
    email_altered: bool | None = None
    email_length: int | None = None
    email_digits: float | None = None
    phone_prefix: str | None = None
    phone_country: str | None = None
    phone_kind: str | None = None
    delivery_point: str | None = None
    delivery_area: str | None = None
    billing_point: str | None = None
    billing_area: str | None = None
    ip_network: str | None = None
    ip_kind: str | None = None
    amount_base_minor: int | None = None
    placeholders: tuple[str, ...] = ()
    hubs: tuple[str, ...] = ()
