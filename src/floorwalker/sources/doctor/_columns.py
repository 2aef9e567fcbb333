"""Events as columns for the doctor: every field that a sender can fill, nested ones by their paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from floorwalker.events.event import Address, Event
from floorwalker.events.networks import network_of
from floorwalker.events.types import COMMON_FIELDS, EVENT_TYPES, TYPE_CODES
from floorwalker.sources.mapping._fields import EVENT_FIELDS

_EVERYWHERE = ("id", "type", "at", "received_at", "shop")

FIELDS: tuple[str, ...] = (*(path for path in EVENT_FIELDS if path not in _EVERYWHERE), "lines")
"""What is looked at, in the record's order."""

_FLAT = tuple(path for path in FIELDS if "." not in path)
_GROUPS: dict[str, tuple[str, ...]] = {}
for _path in FIELDS:
    _head, _, _rest = _path.partition(".")
    if _rest:
        _GROUPS[_head] = (*_GROUPS.get(_head, ()), _rest)
_take = attrgetter("id", "type", "at", "received_at", *_FLAT, *_GROUPS)
_take_inner = {head: attrgetter(*names) for head, names in _GROUPS.items()}

MADE = ("ip_network", "email_domain", "coupon", "delivery_address")
"""Entities that are made of other fields."""

TYPES = len(EVENT_TYPES)


@dataclass(frozen=True)
class Columns:
    """`n` events, taken apart.

    Parameters
    ----------
    id : ids [n].
    type : int16 [n], codes.
    at, received_at : int64 [n], microseconds since 1970-01-01 UTC.
    values : field -> values [n], None where it is missing; fields that no event has are left out.
    """

    id: list[str]
    type: NDArray[np.int16]
    at: NDArray[np.int64]
    received_at: NDArray[np.int64]
    values: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.id)


def take_apart(events: Sequence[Event]) -> Columns:
    """The columns of these events; there must be at least one."""
    n = len(events)
    ids, types, at, received, *rest = map(list, zip(*map(_take, events), strict=True))
    values: dict[str, list[Any]] = {}
    for name, column in zip((*_FLAT, *_GROUPS), rest, strict=True):
        if name in _GROUPS:
            filled = [row for row, value in enumerate(column) if value is not None]
            if not filled:
                continue
            parts = zip(*(_take_inner[name](column[row]) for row in filled), strict=True)
            for inner, part in zip(_GROUPS[name], parts, strict=True):
                whole: list[Any] = [None] * n
                for row, value in zip(filled, part, strict=True):
                    whole[row] = value
                if any(value is not None for value in part):
                    values[f"{name}.{inner}"] = whole
        elif name in ("coupons", "lines"):
            if any(column):
                values[name] = [value or None for value in column]
        elif column.count(None) != n:
            values[name] = column
    if "ip" in values:
        values["ip_network"] = [network_of(ip) if ip else None for ip in values["ip"]]
    if "email" in values:
        values["email_domain"] = [
            email.rpartition("@")[2].lower() or None if email else None for email in values["email"]
        ]
    if "coupons" in values:
        values["coupon"] = [codes[0] if codes else None for codes in values["coupons"]]
    addresses = [event.shipping_address for event in events]
    if addresses.count(None) != n:
        values["delivery_address"] = [_one_line(address) for address in addresses]
    codes = np.array([TYPE_CODES.get(name, -1) for name in types], dtype=np.int16)
    return Columns(ids, codes, np.array(at, np.int64), np.array(received, np.int64), values)


def _one_line(address: Address | None) -> str | None:
    """An address in small letters without spaces: a stand-in for the delivery point that the engine makes."""
    if address is None:
        return None
    parts = (address.country, address.postal_code, address.city, address.street, address.extra, address.text)
    text = "|".join("".join(part.lower().split()) if part else "" for part in parts)
    return text if text.strip("|") else None


def _list_expected() -> dict[str, NDArray[np.bool_]]:
    """For each field, the types that may be expected to fill it."""
    expected = {}
    for path in (*FIELDS, *MADE):
        head = {
            "ip_network": "ip",
            "email_domain": "email",
            "coupon": "coupons",
            "delivery_address": "shipping_address",
        }.get(path, path.partition(".")[0])
        mask = np.zeros(TYPES, np.bool_)
        for code, kind in enumerate(EVENT_TYPES):
            named = {name for need in kind.needs for name in need.split("|")} | set(kind.may) | set(COMMON_FIELDS)
            mask[code] = head in named
        expected[path] = mask
    return expected


EXPECTED = _list_expected()
"""Field -> bool [types]: whether an event of the type may be expected to hold it."""
