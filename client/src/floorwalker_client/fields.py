"""The fields of an event, for editors and type checkers; what each means stands in `docs/events.md`."""

from __future__ import annotations

from typing import Any, Literal, TypedDict


class AddressFields(TypedDict, total=False):
    """Where somebody lives or wants a parcel."""

    name: str
    company: str
    street: str
    extra: str
    district: str
    city: str
    region: str
    postal_code: str
    country: str
    text: str


class LineFields(TypedDict, total=False):
    """One item of a cart or an order; prices are for one piece."""

    item: str
    seller: str
    category: str
    quantity: int
    price_minor: int
    list_price_minor: int
    discount_minor: int
    digital: bool


class DiscountFields(TypedDict, total=False):
    """One reason why less was paid."""

    kind: Literal["coupon", "promotion", "points", "gift_card", "seller", "shipping", "staff", "other"]
    code: str
    amount_minor: int


class CardFields(TypedDict, total=False):
    """What a payment service says about a card."""

    scheme: str
    funding: Literal["credit", "debit", "prepaid", "charge", "unknown"]
    commercial: bool
    issuer: str
    issuer_country: str
    last_four: str
    wallet: str
    stored: bool
    avs_result: str
    cvv_result: str


class ThreeDSecureFields(TypedDict, total=False):
    """How the bank's own check of the buyer ended."""

    result: Literal["frictionless", "challenged", "attempted", "failed", "abandoned", "unavailable"]
    version: str
    eci: str
    liability_shift: bool


class DisputeFields(TypedDict, total=False):
    """A complaint at the bank."""

    id: str
    scheme: str
    reason_code: str
    opened_at: int
    due_at: int


class DeviceFields(TypedDict, total=False):
    """What an SDK or the collector says about the device."""

    kind: Literal["phone", "tablet", "desktop", "television", "console", "other"]
    os: str
    os_version: str
    model: str
    app: str
    app_version: str
    sdk_version: str
    screen: str
    utc_offset_minutes: int
    fingerprint: str
    fingerprint_confidence: float
    attestation: Literal["passed", "failed", "unavailable"]
    emulator: bool
    rooted: bool
    hooked: bool
    cloned: bool
    mock_location: bool
    install_age_seconds: int


class SignalFields(TypedDict, total=False):
    """How a page was used."""

    webdriver: bool
    headless: bool
    tampered: bool
    trap_filled: bool
    pointer_moves: int
    pointer_straightness: float
    touches: int
    key_presses: int
    key_gap_ms: float
    key_gap_spread_ms: float
    pastes: int
    scrolls: int
    dwell_ms: int
    form_ms: int


class NetworkFields(TypedDict, total=False):
    """What the proxy in front of the shop saw of the connection."""

    ja3: str
    ja4: str
    ja4h: str
    http2: str
    tls_version: str
    asn: int
    organisation: str
    country: str
    kind: Literal[
        "residential", "mobile", "business", "education", "hosting", "vpn", "proxy", "tor", "relay", "satellite"
    ]


class _Needed(TypedDict):
    type: str


class EventFields(_Needed, total=False):
    """One event: `type` must be there, `id` (of its own), `at` (now) and `shop` are filled in where missing.

    Times are µs since 1970-01-01 UTC, money is whole minor units of `currency`.
    """

    schema_version: int
    shop: str
    id: str
    at: int
    account: str
    session: str
    device: str
    ip: str
    user_agent: str
    channel: Literal["web", "app", "mini_program", "telephone", "store", "api", "other"]
    email: str
    phone: str
    billing_address: AddressFields
    shipping_address: AddressFields
    inviter: str
    recipient: str
    guest: bool
    payment: str
    bin: str
    card: CardFields
    three_d_secure: ThreeDSecureFields
    decline_code: str
    dispute: DisputeFields
    order: str
    item: str
    seller: str
    quantity: int
    lines: list[LineFields]
    coupons: list[str]
    discounts: list[DiscountFields]
    promotion: str
    group: str
    amount_minor: int
    list_price_minor: int
    discount_minor: int
    currency: str
    balance_kind: Literal["balance", "points", "gift_card"]
    digital: bool
    shipping_method: str
    country: str
    language: str
    latitude: float
    longitude: float
    url: str
    referrer: str
    method: str
    status: int
    result: Literal["passed", "failed", "expired", "abandoned", "damaged", "missing"]
    reason: str
    decision: str
    returned: bool
    text: str
    rating: float
    device_facts: DeviceFields
    signals: SignalFields
    network: NetworkFields
    attributes: dict[str, Any]
