"""Shop traffic as columns, for measuring speed: sessions that come and go, entities by Zipf's law, some hubs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.batch import EventBatch
from floorwalker.events.entities import ENTITIES
from floorwalker.events.types import TYPE_CODES

SHARES = {
    "page_view": 0.52, "search": 0.09, "add_to_cart": 0.09, "login_succeeded": 0.07, "login_failed": 0.03,
    "coupon_claim": 0.02, "coupon_redeem": 0.03, "checkout": 0.04, "payment_authorised": 0.03, "payment_declined": 0.01,
    "order": 0.03, "review": 0.01, "sign_up": 0.02, "refund_issued": 0.01,
}  # fmt: skip
"""Share of each type."""

START = 1_767_225_600_000_000
_SESSION_EVENTS = 14
_PAYING = ("checkout", "payment_authorised", "payment_declined", "order", "refund_issued")
_PLACED = ("checkout", "order")
_GOODS = ("page_view", "add_to_cart", "order", "review", "refund_issued")
_COUPONS = ("coupon_claim", "coupon_redeem")
_MIX = np.uint64(0x9E3779B97F4A7C15)


def make_traffic(events: int, *, seed: int, batch: int = 1_000, accounts: int = 150_000) -> list[EventBatch]:
    """`events` events of about 14 a session, a session's events 20 s apart on average, in time order.

    One address stands for a carrier with a twentieth of all sessions behind it, one coupon takes half of the
    redemptions, accounts and items follow Zipf's law. About 3,000 sessions are open at any time.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    sessions = events // _SESSION_EVENTS + 1
    session = np.sort(rng.integers(0, sessions, events))
    begins = START + np.sort(rng.integers(0, max(sessions // 10, 1) * 1_000_000, sessions))
    gaps = rng.exponential(20e6, events).astype(np.int64)
    steps = np.cumsum(gaps)
    first = np.searchsorted(session, session)
    at = begins[session] + steps - steps[first]
    order = np.argsort(at, kind="stable")
    session, at = session[order], at[order]
    account = _zipf(rng, sessions, accounts)[session]
    kinds = list(SHARES)
    kind = rng.choice(len(kinds), size=events, p=np.array(list(SHARES.values())) / sum(SHARES.values()))
    carrier = (rng.random(sessions) < 0.05)[session]
    address = np.where(carrier, 0, 1 + account * 7 % 90_000)
    values = {
        "account": account, "session": session, "device": account * 13 % 120_000, "ip": address,
        "ip_network": address // 8, "payment": account * 3 % 100_000, "bin": account % 400,
        "email_domain": account % 300, "phone": account, "phone_prefix": account // 1_000,
        "delivery_point": account * 5 % 80_000, "promotion": _zipf(rng, events, 40),
        "coupon": np.where(rng.random(events) < 0.5, 0, _zipf(rng, events, 2_000)), "item": _zipf(rng, events, 30_000),
        "seller": _zipf(rng, events, 600), "inviter": account // 40,
    }  # fmt: skip
    when = {
        "payment": _PAYING, "bin": _PAYING, "delivery_point": _PLACED, "promotion": _COUPONS, "coupon": _COUPONS,
        "item": _GOODS, "seller": _GOODS, "email_domain": ("sign_up",), "phone": ("sign_up",),
        "phone_prefix": ("sign_up",), "inviter": ("sign_up",),
    }  # fmt: skip
    keys = {}
    for place, name in enumerate(ENTITIES):
        keys[name] = np.zeros(events, np.uint64)
        if name in values:
            chosen = np.isin(kind, [kinds.index(other) for other in when.get(name, kinds)])
            keys[name] = np.where(chosen, _scatter(values[name], place), np.uint64(0))
    paid = np.isin(kind, [kinds.index(name) for name in _PAYING])
    numbers = {
        "amount_minor": np.where(paid, np.rint(rng.lognormal(8.3, 0.9, events)), np.nan),
        "discount_minor": np.where(kind == kinds.index("coupon_redeem"), 500.0, np.nan),
        "quantity": np.where(np.isin(kind, [kinds.index("add_to_cart"), kinds.index("order")]), 1.0, np.nan),
        "rating": np.where(kind == kinds.index("review"), rng.integers(0, 5, events) / 4.0, np.nan),
        "coupons": np.where(kind == kinds.index("order"), (rng.random(events) < 0.2) * 1.0, np.nan),
        "status": np.where(kind == 0, np.where(rng.random(events) < 0.02, 404.0, 200.0), np.nan),
    }
    urls: list[str | None] = [
        f"/category/{row % 40}/product-{row % 977}" if k == 0 else None for row, k in enumerate(kind.tolist())
    ]
    countries: list[str | None] = [("DE", "AT", "FR", "PL")[row % 4] for row in account.tolist()]
    types = np.array([TYPE_CODES[name] for name in kinds], np.int16)[kind]
    ids = [f"e-{row}" for row in range(events)]
    return [
        EventBatch(
            id=ids[begin : begin + batch],
            type=types[begin : begin + batch],
            at=at[begin : begin + batch],
            received_at=at[begin : begin + batch],
            keys={name: column[begin : begin + batch] for name, column in keys.items()},
            numbers={name: column[begin : begin + batch] for name, column in numbers.items()},
            texts={"url": urls[begin : begin + batch], "country": countries[begin : begin + batch]},
        )
        for begin in range(0, events, batch)
    ]


def make_newcomers(events: int, *, seed: int, batch: int = 1_000) -> list[EventBatch]:
    """Events in which everything is new but the shop's own things: each makes a row of eight tables."""
    rng = np.random.Generator(np.random.PCG64(seed))
    fresh = ("account", "session", "device", "ip", "ip_network", "payment", "delivery_point", "email")
    batches = []
    for begin in range(0, events, batch):
        n = min(batch, events - begin)
        keys: dict[str, NDArray[np.uint64]] = {name: np.zeros(n, np.uint64) for name in ENTITIES}
        for name in fresh:
            keys[name] = rng.integers(1, 1 << 63, n, np.uint64)
        at = START + (begin + np.arange(n, dtype=np.int64)) * 20_000
        columns: dict[str, Any] = {"amount_minor": np.full(n, 4_900.0), "quantity": np.ones(n)}
        batches.append(
            EventBatch(
                id=[""] * n, type=np.full(n, TYPE_CODES["order"], np.int16), at=at, received_at=at, keys=keys,
                numbers=columns, texts={},
            )
        )  # fmt: skip
    return batches


def _zipf(rng: np.random.Generator, size: int, values: int) -> NDArray[np.int64]:
    weights = np.cumsum(1.0 / np.arange(1, values + 1) ** 1.05)
    drawn: NDArray[np.int64] = np.searchsorted(weights, rng.random(size) * weights[-1]).astype(np.int64)
    return drawn


def _scatter(values: NDArray[np.int64], salt: int) -> NDArray[np.uint64]:
    """Keys that look like hashes; never 0."""
    mixed = (values.astype(np.uint64) + np.uint64(1 + salt * 1_000_003)) * _MIX
    keys: NDArray[np.uint64] = (mixed ^ (mixed >> np.uint64(31))) * _MIX | np.uint64(1)
    return keys
