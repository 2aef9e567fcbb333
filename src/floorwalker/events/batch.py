"""Events as columns: what features, rules and detectors read.

>>> from floorwalker.events.entities import EntityKeyer
>>> from floorwalker.events.event import Event
>>> batch = make_batch([Event(id="e-1", type="login_failed", at=7, account="a-1")], EntityKeyer(bytes(16)))
>>> len(batch), int(batch.type[0]) == TYPE_CODES["login_failed"], int(batch.keys["device"][0])
(1, True, 0)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.events._columns import (
    ENTITY_FIELDS,
    ENTITY_ROWS,
    FLAT_NUMBERS,
    FLAT_TEXTS,
    GROUP_READS,
    GROUPS,
    KEY_PLACES,
    MADE,
    NUMBER_FIELDS,
    NUMBER_PLACES,
    RENAMED,
    TEXT_FIELDS,
    TOP,
    Columns,
    take_entities,
    take_group,
    take_groups,
    take_numbers,
    take_places,
    take_texts,
    take_top,
)
from floorwalker.events.entities import ENTITIES, EntityKeyer
from floorwalker.events.event import Event
from floorwalker.events.networks import network_of
from floorwalker.events.parts import NO_PARTS, Names, Parts, PartsBuilder, further_names
from floorwalker.events.types import TYPE_CODES

__all__ = ["KEY_PLACES", "NUMBER_FIELDS", "NUMBER_PLACES", "TEXT_FIELDS", "Columns", "EventBatch", "make_batch"]

_FEW = 16
"""Events that are taken apart one by one: turning columns round pays with more of them."""
_NO_NUMBERS = np.full(len(NUMBER_FIELDS), np.nan)
_LINES, _COUPONS = NUMBER_FIELDS.index("lines"), NUMBER_FIELDS.index("coupons")
_BASE = NUMBER_FIELDS.index("amount_base_minor")
"""Without a table of rates, the amount itself: most shops have one currency."""
_NO_WORDS: tuple[str | None, ...] = tuple(word for *_, words in GROUP_READS for word in words)
_GROUP_PLACES = tuple(
    (
        take,
        counted,
        len(FLAT_NUMBERS) + 2 + sum(each for _, each, _, _ in GROUP_READS[:group]),
        len(FLAT_TEXTS) + sum(len(words) for *_, words in GROUP_READS[:group]),
    )
    for group, (take, counted, _, _) in enumerate(GROUP_READS)
)
"""For each group what reads it, how many numbers come first, and where its numbers and texts begin."""


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
        hub. With several coupons or lines it is the first one's; `parts` has them all.
    numbers : name in `NUMBER_FIELDS` -> float64 [n]; NaN where it is missing.
    texts : name in `TEXT_FIELDS` -> texts [n]; None where it is missing.
    parts : all coupons, items and sellers of events that have several, or lines.
    further : place of an event that names several -> what `further_names` says of it; `texts` has the first.
    """

    id: list[str]
    type: NDArray[np.int16]
    at: NDArray[np.int64]
    received_at: NDArray[np.int64]
    keys: Mapping[str, NDArray[np.uint64]]
    numbers: Mapping[str, NDArray[np.float64]]
    texts: dict[str, list[str | None]]
    parts: Parts = NO_PARTS
    further: Mapping[int, tuple[Names, ...]] = field(default_factory=dict)

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
            keys=_take(self.keys, where),
            numbers=_take(self.numbers, where),
            texts={name: [column[row] for row in picked] for name, column in self.texts.items()},
            parts=self.parts.take(where, len(self)) if len(self.parts) else NO_PARTS,
            further={place: self.further[row] for place, row in enumerate(picked) if row in self.further}
            if self.further
            else {},
        )


def _take(columns: Mapping[str, NDArray[Any]], where: NDArray[np.intp]) -> Mapping[str, NDArray[Any]]:
    if isinstance(columns, Columns):
        return columns.take(where)
    return {name: column[where] for name, column in columns.items()}


def make_batch(events: Sequence[Event], keyer: EntityKeyer) -> EventBatch:
    """Events taken apart into columns, in the order given.

    An event that has not been through `floorwalker.events.identity` gets the network of its address, the domain of
    its e-mail address and the prefix of its telephone number from the raw values, and no delivery point.
    """
    if 0 < len(events) <= _FEW:
        return _make_few(events, keyer)
    n = len(events)
    nothing = (None,) * n
    columns = dict(zip(TOP, zip(*map(take_top, events), strict=True) if n else repeat(()), strict=False))
    numbers: list[tuple[Any, ...]] = [columns[name] for name in FLAT_NUMBERS]
    numbers += [tuple(map(len, columns["lines"])), tuple(map(len, columns["coupons"]))]
    texts: dict[str, list[str | None]] = {RENAMED.get(name, name): list(columns[name]) for name in FLAT_TEXTS}
    for group, (empty, prefix, counted, words) in GROUPS.items():
        column = columns[group]
        if column.count(None) == n:
            numbers += repeat(nothing, len(counted))
            for name in words:
                texts[prefix + name] = list(nothing)
            continue
        parts = list(zip(*map(take_group[group], [empty if fact is None else fact for fact in column]), strict=True))
        numbers += parts[: len(counted)]
        for name, values in zip(words, parts[len(counted) :], strict=True):
            texts[prefix + name] = list(values)
    numbers[_BASE] = tuple(
        plain if base is None else base for base, plain in zip(numbers[_BASE], columns["amount_minor"], strict=True)
    )
    entities, hubs = _gather_entities(columns)
    texts.update(entities)
    hashes = _hash_entities(keyer, entities, columns["shop"])
    for row, entity in hubs:
        hashes[ENTITY_ROWS[entity]][row] = 0
    codes = TYPE_CODES
    return EventBatch(
        id=list(columns["id"]),
        type=np.array([codes.get(name, -1) for name in columns["type"]], dtype=np.int16),
        at=np.array(columns["at"], dtype=np.int64),
        received_at=np.array(columns["received_at"], dtype=np.int64),
        keys=Columns(KEY_PLACES, _stack(hashes, 0, np.dtype(np.uint64), n)),
        numbers=Columns(NUMBER_PLACES, _stack(numbers, np.nan, np.dtype(np.float64), n)),
        texts=texts,
        parts=_gather_parts(events, columns["lines"], columns["coupons"], keyer),
        further=_gather_further(events, columns["lines"], columns["coupons"]),
    )


def _make_few(events: Sequence[Event], keyer: EntityKeyer) -> EventBatch:
    """As `make_batch`, event by event: of the many groups of facts most are missing, and cost nothing so."""
    numbers: list[NDArray[np.float64]] = []
    hashes, texts = [], []
    has_parts, key = False, keyer.key
    for event in events:
        lines, coupons, shop = event.lines, event.coupons, event.shop
        has_parts = has_parts or len(lines) > 0 or len(coupons) > 1
        row = _NO_NUMBERS.copy()
        for place, value in enumerate(take_numbers(event)):
            if value is not None:
                row[place] = value
        row[_LINES], row[_COUPONS] = len(lines), len(coupons)
        words: list[str | None] = [*take_texts(event), *_NO_WORDS]
        has_base = False
        for fact, (take, counted, place, first_word) in zip(take_groups(event), _GROUP_PLACES, strict=True):
            if fact is not None:
                values = take(fact)
                for value in values[:counted]:
                    if value is not None:
                        row[place] = value
                        has_base = has_base or place == _BASE
                    place += 1
                words[first_word : first_word + len(values) - counted] = values[counted:]
        if not has_base and event.amount_minor is not None:
            row[_BASE] = event.amount_minor
        named, hubs = _name_entities(event)
        # None, as most are, has the key 0.
        keys = [
            0 if value is None else found if (found := known.get(value)) is not None else key(shop, entity, value)
            for entity, known, value in zip(ENTITIES, keyer.known(shop), named, strict=True)
        ]
        for entity in hubs:
            if entity in ENTITY_ROWS:
                keys[ENTITY_ROWS[entity]] = 0
        numbers.append(row)
        hashes.append(keys)
        texts.append((*words, *named))
    key_rows = np.array(hashes, dtype=np.uint64)
    if len(events) == 1:
        # A row turned round is the same numbers in the same order.
        key_rows, number_rows = key_rows.reshape(-1, 1), numbers[0].reshape(-1, 1)
        # Most are missing, and a list is for reading only: one serves them all.
        missing: list[str | None] = [None]
        columns: list[list[str | None]] = [missing if text is None else [text] for text in texts[0]]
    else:
        key_rows, number_rows = key_rows.T.copy(), np.array(numbers).T.copy()
        columns = list(map(list, zip(*texts, strict=True)))
    all_lines, all_coupons = [event.lines for event in events], [event.coupons for event in events]
    return EventBatch(
        id=[event.id for event in events],
        type=np.array([TYPE_CODES.get(event.type, -1) for event in events], dtype=np.int16),
        at=np.array([event.at for event in events], dtype=np.int64),
        received_at=np.array([event.received_at for event in events], dtype=np.int64),
        keys=Columns(KEY_PLACES, key_rows),
        numbers=Columns(NUMBER_PLACES, number_rows),
        texts=dict(zip(TEXT_FIELDS, columns, strict=True)),
        parts=_gather_parts(events, all_lines, all_coupons, keyer) if has_parts else NO_PARTS,
        further=_gather_further(events, all_lines, all_coupons) if has_parts else {},
    )


def _gather_parts(events: Sequence[Event], lines: Sequence[Any], coupons: Sequence[Any], keyer: EntityKeyer) -> Parts:
    """The parts of the few events that have any."""
    if not any(lines) and not any(len(codes) > 1 for codes in coupons):
        return NO_PARTS
    builder = PartsBuilder(keyer)
    for row, (carried, codes) in enumerate(zip(lines, coupons, strict=True)):
        if carried or len(codes) > 1:
            builder.add(row, events[row])
    return builder.build()


def _gather_further(
    events: Sequence[Event], lines: Sequence[Any], coupons: Sequence[Any]
) -> dict[int, tuple[Names, ...]]:
    """What the few events that name several coupons, items or sellers name beyond the first."""
    found = {}
    for row, (carried, codes) in enumerate(zip(lines, coupons, strict=True)):
        if (carried or len(codes) > 1) and (names := further_names(events[row])):
            found[row] = names
    return found


def _name_entities(event: Event) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    """The names of one event's entities in the order of `ENTITIES`, and those that are hubs; as `_gather_entities`."""
    account, session, device, ip, payment, bin_, email, phone, promotion, item, seller, inviter = take_entities(event)
    hubs: tuple[str, ...] = ()
    point = None
    if event.identity is not None:
        network, domain, prefix, point, hubs = take_places(event.identity)
    else:
        network, domain, prefix = _guess_places(ip, email, phone)
    if event.lines:
        item = item or event.lines[0].item
        seller = seller or event.lines[0].seller
    coupon = event.coupons[0] if event.coupons else None
    return (
        account, session, device, ip, network, payment, bin_, email, domain, phone, prefix, point, coupon, promotion,
        item, seller, inviter,
    ), hubs  # fmt: skip


def _guess_places(ip: str | None, email: str | None, phone: str | None) -> tuple[str | None, str | None, str | None]:
    """Network, domain and prefix out of raw values, for events that have not been normalised."""
    return (
        network_of(ip) if ip is not None else None,
        email.rpartition("@")[2].lower() if email is not None and "@" in email else None,
        phone[:-4] if phone is not None and len(phone) > 8 and phone[0] == "+" else None,
    )


def _hash_entities(
    keyer: EntityKeyer, entities: dict[str, list[str | None]], shops: tuple[str, ...]
) -> list[list[int]]:
    """Keys of the entities, a list for each kind; most are found in the keyer's tables, without a call."""
    key = keyer.key
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

    Only columns that hold something are converted, for most of them are empty.
    """
    matrix = np.full((len(columns), n), missing, dtype=dtype)
    for row, column in enumerate(columns):
        if column.count(None) != n and column.count(0) != n:
            matrix[row] = column
        elif n and column[0] is not None:
            matrix[row] = 0
    return matrix


def _gather_entities(columns: dict[str, Any]) -> tuple[dict[str, list[str | None]], list[tuple[int, str]]]:
    """The name of each entity of each event, and the (row, entity) pairs that are hubs."""
    entities: dict[str, list[str | None]] = {name: list(columns[name]) for name in ENTITY_FIELDS}
    for name in MADE:
        entities[name] = [None] * len(columns["id"])
    hubs: list[tuple[int, str]] = []
    networks, domains, prefixes, points = (entities[name] for name in MADE[:4])
    ips, emails, phones = entities["ip"], entities["email"], entities["phone"]
    for row, identity in enumerate(columns["identity"]):
        if identity is not None:
            networks[row], domains[row], prefixes[row], points[row], found = take_places(identity)
            if found:
                hubs += [(row, entity) for entity in found if entity in ENTITY_ROWS]
            continue
        networks[row], domains[row], prefixes[row] = _guess_places(ips[row], emails[row], phones[row])
    entities["coupon"] = [codes[0] if codes else None for codes in columns["coupons"]]
    items, sellers = entities["item"], entities["seller"]
    for row, lines in enumerate(columns["lines"]):
        if lines:
            items[row] = items[row] or lines[0].item
            sellers[row] = sellers[row] or lines[0].seller
    return entities, hubs
