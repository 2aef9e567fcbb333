"""Events of a shop as tokens: one table of what is told apart.

All of it comes from columns that exist for told and for decided events alike (types, keys, numbers, live features), so
that replayed history gives the same tokens. Numbers become octaves: nothing has to be fitted, and a young shop's
tokens mean the same as an old one's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour._token_kernel import FLAG, OCTAVE, fill_tokens
from floorwalker.detectors.behaviour.sequences import OCTAVES, Field
from floorwalker.events.batch import NUMBER_PLACES, EventBatch
from floorwalker.events.rows import number_rows
from floorwalker.features.live import FeatureBatch
from floorwalker.features.live._codes import route_codes
from floorwalker.kernels import silent

_fill: Callable[..., None] = silent(fill_tokens)

TYPES = 96
"""Codes of event types, with room for types to come: the type's code plus one, 0 = unknown."""
ROUTES = 24
"""Groups of routes: the route's code modulo 23, plus one; 0 = no page."""
OPERATORS = 16
"""Groups of networks: a mixture of the operator's number, 1 to 15; 0 = not given."""
CLIENT = (
    "client_webdriver", "client_headless", "client_tampered", "client_trap_filled", "device_emulator", "device_rooted",
    "device_hooked", "device_cloned", "device_mock_location",
)  # fmt: skip
"""Statements about the client: any of them true, none, or nothing said."""

FEATURES: tuple[tuple[str, str, int], ...] = (
    ("new_device", "account_device_is_new", FLAG),
    ("new_country", "account_country_is_new", FLAG),
    ("new_delivery_point", "account_delivery_is_new", FLAG),
    ("account_age", "account_age_seconds", OCTAVE),
    ("account_known", "account_known_seconds", OCTAVE),
    ("since_reset", "account_since_reset_seconds", OCTAVE),
    ("since_change", "account_since_change_seconds", OCTAVE),
    ("device_age", "device_age_seconds", OCTAVE),
    ("device_accounts", "device_accounts_1d", OCTAVE),
    ("address_accounts", "ip_accounts_1d", OCTAVE),
    ("address_failed_logins", "ip_logins_failed_1h", OCTAVE),
    ("network_sign_ups", "network_sign_ups_1d", OCTAVE),
    ("payment_age", "payment_age_seconds", OCTAVE),
    ("payment_accounts", "payment_accounts_30d", OCTAVE),
    ("delivery_accounts", "delivery_accounts_30d", OCTAVE),
    ("travel", "account_travel_kmh", OCTAVE),
    ("orders", "account_orders_life", OCTAVE),
    ("item_reviews", "item_reviews_1d", OCTAVE),
    ("coupon_redemptions", "coupon_redemptions_10m", OCTAVE),
)
"""Facts from live features: name, feature, how it is coded. A shop that does not count the feature has 0."""

EVENT_FIELDS: tuple[Field, ...] = (
    Field("type", TYPES, predicted=True),
    Field("amount", OCTAVES, predicted=True),
    Field("route", ROUTES, predicted=True),
    Field("result", 12),
    Field("client", 3),
    Field("operator", OPERATORS),
    Field("guest", 3),
    Field("coupons", 4),
    *(Field(name, 3 if kind == FLAG else OCTAVES) for name, _, kind in FEATURES),
)
"""What an event says by itself."""

STREAM_FIELDS: tuple[Field, ...] = (
    Field("gap", OCTAVES, predicted=True),
    Field("device_changed", 3),
    Field("network_changed", 3),
)
"""What an event says beside the one before it, of the same account or session."""

SHOP_FIELDS: tuple[Field, ...] = (*EVENT_FIELDS, *STREAM_FIELDS)
"""Fields of the sequences that the shop's models read."""

_NUMBERS = ("amount_base_minor", "amount_minor", "status", "rating", "network_asn", "guest", "coupons")

_OWN = (*_NUMBERS, *CLIENT)
_OWN_PLACES = np.array([NUMBER_PLACES[name] for name in _OWN], np.int64)


@lru_cache(maxsize=8)
def _columns_of(names: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    places = {name: place for place, name in enumerate(names)}
    return (
        np.array([places.get(feature, -1) for _, feature, _ in FEATURES], np.int64),
        np.array([kind for _, _, kind in FEATURES], np.int64),
    )


def read_places(names: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """What `fill_tokens` reads of events: places of their numbers, columns of the features of these names, -1 for one
    that is not counted, and how each is coded."""
    return _OWN_PLACES, *_columns_of(names)


def shop_tokens(batch: EventBatch, features: FeatureBatch) -> NDArray[np.uint8]:
    """uint8 [n, len(EVENT_FIELDS)], the tokens of each event without those that depend on the one before."""
    tokens = np.zeros((len(batch.type), len(EVENT_FIELDS)), np.uint8)
    places, columns, kinds = read_places(features.names)
    _fill(batch.type, routes_of(batch), number_rows(batch), places, features.values, columns, kinds, tokens)
    return tokens


def routes_of(batch: EventBatch) -> NDArray[np.uint64]:
    """Route codes, uint64 [n]: from the keys where they were read from records, else from the URLs."""
    codes = batch.keys.get("route")
    if codes is not None:
        return codes
    urls = batch.texts.get("url")
    return route_codes(urls) if urls is not None and any(urls) else np.zeros(len(batch.type), np.uint64)


@dataclass(frozen=True, eq=False)
class ShopTokens:
    """What the models read of `n` events in journal order.

    Parameters
    ----------
    tokens : uint8 [n, len(EVENT_FIELDS)].
    at : int64 [n], µs UTC.
    account, session, device, network : uint64 [n], keys; 0 where missing.
    """

    tokens: NDArray[np.uint8]
    at: NDArray[np.int64]
    account: NDArray[np.uint64]
    session: NDArray[np.uint64]
    device: NDArray[np.uint64]
    network: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def of(cls, batch: EventBatch, features: FeatureBatch) -> ShopTokens:
        """The tokens of these events."""
        nobody = np.zeros(len(batch.type), np.uint64)
        keys = (batch.keys.get(name, nobody) for name in ("account", "session", "device", "ip_network"))
        return cls(
            shop_tokens(batch, features), np.ascontiguousarray(batch.at), *(np.ascontiguousarray(key) for key in keys)
        )

    @classmethod
    def join(cls, pieces: list[ShopTokens]) -> ShopTokens:
        """Pieces of history behind one another."""
        names = ("tokens", "at", "account", "session", "device", "network")
        return cls(*(np.concatenate([getattr(piece, name) for piece in pieces]) for name in names))

    def take(self, rows: NDArray[np.integer] | slice) -> ShopTokens:
        """These events."""
        names = ("tokens", "at", "account", "session", "device", "network")
        return ShopTokens(*(getattr(self, name)[rows] for name in names))
