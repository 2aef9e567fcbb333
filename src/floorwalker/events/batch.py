"""Events as columns: what features, rules and detectors read.

>>> from floorwalker.events.entities import EntityKeyer
>>> from floorwalker.events.event import Event
>>> batch = make_batch([Event(id="e-1", type="login_failed", at=7, account="a-1")], EntityKeyer(bytes(16)))
>>> len(batch), int(batch.type[0]) == TYPE_CODES["login_failed"], int(batch.keys["device"][0])
(1, True, 0)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.entities import ENTITIES, EntityKeyer
from floorwalker.events.event import (
    CardFacts,
    ClientSignals,
    DeviceFacts,
    Dispute,
    Event,
    Identity,
    NetworkFacts,
    ThreeDSecure,
)
from floorwalker.events.networks import network_of
from floorwalker.events.types import TYPE_CODES

_GROUPS: dict[str, tuple[Any, str, tuple[str, ...], tuple[str, ...]]] = {
    # field of the event: (an empty one, prefix of the column, numbers, texts)
    "card": (
        CardFacts(),
        "card_",
        ("commercial", "stored"),
        ("scheme", "funding", "issuer", "issuer_country", "wallet", "avs_result", "cvv_result"),
    ),
    "three_d_secure": (ThreeDSecure(), "three_d_secure_", ("liability_shift",), ("result", "version", "eci")),
    "dispute": (Dispute(), "dispute_", (), ("scheme", "reason_code")),
    "device_facts": (
        DeviceFacts(),
        "device_",
        (
            "fingerprint_confidence", "utc_offset_minutes", "emulator", "rooted", "hooked", "cloned", "mock_location",
            "install_age_seconds",
        ),
        ("kind", "os", "os_version", "model", "app", "app_version", "screen", "fingerprint", "attestation"),
    ),
    "signals": (
        ClientSignals(),
        "client_",
        (
            "webdriver", "headless", "tampered", "trap_filled", "pointer_moves", "pointer_straightness", "touches",
            "key_presses", "key_gap_ms", "key_gap_spread_ms", "pastes", "scrolls", "dwell_ms", "form_ms",
        ),
        (),
    ),
    "network": (
        NetworkFacts(), "network_", ("asn",),
        ("ja3", "ja4", "ja4h", "http2", "tls_version", "organisation", "country", "kind"),
    ),
    "identity": (
        Identity(),
        "",
        ("email_disposable", "email_free", "email_altered", "email_length", "email_digits", "amount_base_minor"),
        ("phone_country", "phone_kind", "delivery_area", "billing_point", "billing_area", "ip_kind"),
    ),
}  # fmt: skip

_FLAT_NUMBERS = (
    "amount_minor", "list_price_minor", "discount_minor", "rating", "quantity", "status", "guest", "digital",
    "returned", "latitude", "longitude",
)  # fmt: skip
_FLAT_TEXTS = (
    "shop", "currency", "country", "language", "method", "url", "referrer", "user_agent", "channel", "order", "group",
    "recipient", "decision", "balance_kind", "shipping_method", "result", "reason", "decline_code", "text",
)  # fmt: skip
_ENTITY_FIELDS = (
    "account", "session", "device", "ip", "payment", "bin", "email", "phone", "promotion", "item", "seller",
    "inviter",
)  # fmt: skip
_RENAMED = {"order": "order_id", "group": "group_id", "text": "written"}
"""Fields whose names are words of SQL, in which rules are written."""
_MADE = ("ip_network", "email_domain", "phone_prefix", "delivery_point", "coupon")

NUMBER_FIELDS: tuple[str, ...] = (
    *_FLAT_NUMBERS, "lines", "coupons",
    *(prefix + name for _, prefix, numbers, _ in _GROUPS.values() for name in numbers),
)  # fmt: skip
"""Names of `EventBatch.numbers`; statements are 0 or 1, `lines` and `coupons` are how many there are."""

TEXT_FIELDS: tuple[str, ...] = (
    *(_RENAMED.get(name, name) for name in _FLAT_TEXTS),
    *(prefix + name for _, prefix, _, texts in _GROUPS.values() for name in texts),
    *ENTITIES,
)  # fmt: skip
"""Names of `EventBatch.texts`: the texts of the event, and the name or token of each of its entities."""

_TOP = ("id", "type", "at", "received_at", *_FLAT_NUMBERS, *_FLAT_TEXTS, *_ENTITY_FIELDS, "lines", "coupons", *_GROUPS)
_take_apart = attrgetter(*_TOP)
_take_groups = {name: attrgetter(*numbers, *texts) for name, (_, _, numbers, texts) in _GROUPS.items()}
_take_places = attrgetter("ip_network", "email_domain", "phone_prefix", "delivery_point", "hubs")
_ENTITY_ROW = {name: row for row, name in enumerate(ENTITIES)}


@dataclass(frozen=True)
class EventBatch:
    """`n` events in journal order.

    Parameters
    ----------
    id : the events' ids [n].
    type : int16 [n], codes of `floorwalker.events.types.EVENT_TYPES`; -1 for a type that this version does not know.
    at : int64 [n], microseconds since 1970-01-01 UTC, the event's own time.
    received_at : int64 [n], when it reached us.
    keys : kind of entity -> uint64 [n], keyed hash of (shop, entity, value); 0 where it is missing, a placeholder or a
        hub. With several coupons or lines it is the first one's.
    numbers : name in `NUMBER_FIELDS` -> float64 [n]; NaN where it is missing.
    texts : name in `TEXT_FIELDS` -> texts [n]; None where it is missing.
    """

    id: list[str]
    type: NDArray[np.int16]
    at: NDArray[np.int64]
    received_at: NDArray[np.int64]
    keys: dict[str, NDArray[np.uint64]]
    numbers: dict[str, NDArray[np.float64]]
    texts: dict[str, list[str | None]]

    def __len__(self) -> int:
        return len(self.id)

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> EventBatch:
        """The events at these positions, in this order."""
        where = np.asarray(rows, dtype=np.intp)
        picked = where.tolist()
        return EventBatch(
            id=[self.id[row] for row in picked],
            type=self.type[where],
            at=self.at[where],
            received_at=self.received_at[where],
            keys={name: column[where] for name, column in self.keys.items()},
            numbers={name: column[where] for name, column in self.numbers.items()},
            texts={name: [column[row] for row in picked] for name, column in self.texts.items()},
        )


def make_batch(events: Sequence[Event], keyer: EntityKeyer) -> EventBatch:
    """Events taken apart into columns, in the order given.

    An event that has not been through `floorwalker.events.identity` gets the network of its address, the domain of
    its e-mail address and the prefix of its telephone number from the raw values, and no delivery point.
    """
    n = len(events)
    nothing = (None,) * n
    columns = dict(zip(_TOP, zip(*map(_take_apart, events), strict=True) if n else repeat(()), strict=False))
    numbers: list[tuple[Any, ...]] = [columns[name] for name in _FLAT_NUMBERS]
    numbers += [tuple(map(len, columns["lines"])), tuple(map(len, columns["coupons"]))]
    texts: dict[str, list[str | None]] = {_RENAMED.get(name, name): list(columns[name]) for name in _FLAT_TEXTS}
    for group, (empty, prefix, counted, words) in _GROUPS.items():
        column = columns[group]
        if column.count(None) == n:
            numbers += repeat(nothing, len(counted))
            for name in words:
                texts[prefix + name] = list(nothing)
            continue
        parts = list(zip(*map(_take_groups[group], [empty if fact is None else fact for fact in column]), strict=True))
        numbers += parts[: len(counted)]
        for name, values in zip(words, parts[len(counted) :], strict=True):
            texts[prefix + name] = list(values)
    entities, hubs = _gather_entities(columns)
    texts.update(entities)
    hashes = _hash_entities(keyer, entities, columns["shop"])
    for row, entity in hubs:
        hashes[_ENTITY_ROW[entity]][row] = 0
    codes = TYPE_CODES
    return EventBatch(
        id=list(columns["id"]),
        type=np.array([codes.get(name, -1) for name in columns["type"]], dtype=np.int16),
        at=np.array(columns["at"], dtype=np.int64),
        received_at=np.array(columns["received_at"], dtype=np.int64),
        keys=dict(zip(ENTITIES, _stack(hashes, 0, np.dtype(np.uint64), n), strict=True)),
        numbers=dict(zip(NUMBER_FIELDS, _stack(numbers, np.nan, np.dtype(np.float64), n), strict=True)),
        texts=texts,
    )


def _hash_entities(
    keyer: EntityKeyer, entities: dict[str, list[str | None]], shops: tuple[str, ...]
) -> list[list[int]]:
    """Keys of the entities, a list for each kind; most are found in the keyer's tables, without a call."""
    key = keyer.key
    if len(shops) == 1:
        shop = shops[0]
        return [
            [
                found
                if (found := known.get(value := entities[entity][0])) is not None
                else key(shop, entity, value or "")
            ]
            for entity, known in zip(ENTITIES, keyer.known(shop), strict=True)
        ]
    hashes = []
    for place, entity in enumerate(ENTITIES):
        values = entities[entity]
        if values.count(None) == len(values):
            hashes.append([0] * len(values))
            continue
        tables = {shop: keyer.known(shop)[place] for shop in set(shops)}
        hashes.append(
            [
                found if (found := tables[shop].get(value)) is not None else key(shop, entity, value or "")
                for shop, value in zip(shops, values, strict=True)
            ]
        )
    return hashes


def _stack(columns: Sequence[Sequence[Any]], missing: float, dtype: np.dtype[Any], n: int) -> NDArray[Any]:
    """Columns as the rows of one array; None is `missing`.

    One event is converted in one call, where forty would take three times as long; of many events, the columns that
    hold something are converted one by one, for most of them are empty.
    """
    if n == 1:
        flat = [missing if column[0] is None else column[0] for column in columns]
        return np.array(flat, dtype=dtype).reshape(len(flat), 1)
    matrix = np.full((len(columns), n), missing, dtype=dtype)
    for row, column in enumerate(columns):
        if column.count(None) != n and column.count(0) != n:
            matrix[row] = column
        elif n and column[0] is not None:
            matrix[row] = 0
    return matrix


def _gather_entities(columns: dict[str, Any]) -> tuple[dict[str, list[str | None]], list[tuple[int, str]]]:
    """The name of each entity of each event, and the (row, entity) pairs that are hubs."""
    entities: dict[str, list[str | None]] = {name: list(columns[name]) for name in _ENTITY_FIELDS}
    for name in _MADE:
        entities[name] = [None] * len(columns["id"])
    hubs: list[tuple[int, str]] = []
    networks, domains, prefixes, points = (entities[name] for name in _MADE[:4])
    ips, emails, phones = entities["ip"], entities["email"], entities["phone"]
    for row, identity in enumerate(columns["identity"]):
        if identity is not None:
            networks[row], domains[row], prefixes[row], points[row], found = _take_places(identity)
            if found:
                hubs += [(row, entity) for entity in found if entity in _ENTITY_ROW]
            continue
        if (ip := ips[row]) is not None:
            networks[row] = network_of(ip)
        if (email := emails[row]) is not None and "@" in email:
            domains[row] = email.rpartition("@")[2].lower()
        if (phone := phones[row]) is not None and len(phone) > 8 and not phone.startswith("ph_"):
            prefixes[row] = phone[:-4]
    entities["coupon"] = [codes[0] if codes else None for codes in columns["coupons"]]
    items, sellers = entities["item"], entities["seller"]
    for row, lines in enumerate(columns["lines"]):
        if lines:
            items[row] = items[row] or lines[0].item
            sellers[row] = sellers[row] or lines[0].seller
    return entities, hubs
