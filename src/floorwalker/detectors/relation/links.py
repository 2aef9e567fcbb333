"""Links in words: what the columns of the live graph say of an account's neighbours."""

from __future__ import annotations

import math
from collections.abc import Mapping

from floorwalker.detectors.relation import _live_layout as layout

_WITH: Mapping[str, str] = {
    "device": "uses a device of",
    "payment": "pays with a card or account of",
    "delivery_point": "has its goods sent to the same door as",
    "ip": "comes from the same address as",
    "coupon": "uses a coupon of",
    "item": "goes for the same item as",
    "inviter": "was invited by the same account as",
}
_DID: Mapping[str, str] = {
    "coupons": "took coupons",
    "declined": "had payments declined",
}


def tell_link(kind: str, said: Mapping[str, float]) -> str:
    """What an account shares with others, and what these are like.

    Parameters
    ----------
    kind : of `KINDS`.
    said : the columns of this kind, by the last part of their names; NaN and missing ones are not spoken of.

    >>> tell_link("device", {"degree": 5.0, "together": 4.0, "awake": 0.0})
    'uses a device of about 5 accounts; of the last of them 4 were first seen within two days of this one'
    """
    known = {name: value for name, value in said.items() if not math.isnan(value)}
    others = round(known.get("degree", 0.0))
    told = f"{_WITH[kind]} about {others} account{'s' if others != 1 else ''}"
    if others > layout.HUBS[layout.KINDS.index(kind)]:
        told = f"{_WITH[kind]} {others} or more accounts"
    parts = [
        f"{known[name]:.0f} {words}"
        for name, words in (
            ("together", "were first seen within two days of this one"),
            ("awake", "were here within the hour"),
            ("young", "are less than a week old"),
        )
        if known.get(name, 0.0) > 0
    ]
    did = [f"{_DID[name]} {known[name]:.2g} times" for name in layout.TOLD if known.get(name, 0.0) >= 0.05]
    if did:
        parts.append(f"on average they {' and '.join(did)} of late")
    return f"{told}; of the last of them {', '.join(parts)}" if parts else told


def tell_column(column: str, said: Mapping[str, float]) -> str | None:
    """A sentence for one of the columns of `LiveRelations`; None for another, and for a missing value.

    Parameters
    ----------
    said : all its columns of this event, by name.

    >>> tell_column("relation.tied_twice", {"relation.tied_twice": 3.0})
    '3 other accounts share more than one thing with this account'
    """
    family, _, rest = column.partition(".")
    kind, _, what = rest.partition(".")
    value = said.get(column, math.nan)
    if family != layout.DETECTOR or math.isnan(value):
        return None
    if kind in layout.KINDS:
        start = f"{family}.{kind}."
        return tell_link(kind, {name.removeprefix(start): one for name, one in said.items() if name.startswith(start)})
    if kind == "gnn":
        return f"its neighbours look like those of {what.replace('_', ' ')} ({value:.0%})"
    if kind == "tied_twice":
        return f"{value:.0f} other accounts share more than one thing with this account"
    if kind == "tied_awake":
        return f"{value:.0f} other accounts that were here within the hour share more than one thing with this account"
    if kind == "together":
        return f"{value:.0%} of the accounts that it shares something with were first seen within two days of it"
    if kind == "disputed":
        return f"{value:.0%} of the accounts that it shares something with disputed payments"
    if kind == "returned":
        return f"the accounts that it shares something with asked for money back {value:.2g} times each of late"
    return f"shares devices, cards, doors or targets with other accounts (strength {value:.2g})"
