"""Tables of events become the records that the server would have taken."""

from __future__ import annotations

import polars as pl
import pytest

from floorwalker.errors import InputError
from floorwalker.events.event import Address, CardFacts, Event, OrderLine
from floorwalker.events.frames import read_events


def test_every_kind_of_field_comes_back() -> None:
    frame = pl.DataFrame(
        {
            "id": ["e-1", "e-2"],
            "type": ["order", "logout"],
            "at": [5, 6],
            "account": [None, "a-2"],
            "order": ["o-1", None],
            "amount_minor": [300, None],
            "currency": ["EUR", None],
            "coupons": [["SAVE", "MORE"], None],
            "lines": [[{"item": "i-1", "quantity": 2, "price_minor": None}], None],
            "card.scheme": ["visa", None],
            "card.stored": [False, None],
            "shipping_address.city": ["Berlin", None],
            "guest": [True, None],
        }
    )
    one, two = read_events(frame)
    assert one == Event(
        id="e-1", type="order", at=5, order="o-1", amount_minor=300, currency="EUR", coupons=("SAVE", "MORE"),
        lines=(OrderLine(item="i-1", quantity=2),), card=CardFacts(scheme="visa", stored=False),
        shipping_address=Address(city="Berlin"), guest=True,
    )  # fmt: skip
    assert two == Event(id="e-2", type="logout", at=6, account="a-2")


def test_an_empty_table_has_no_events() -> None:
    assert read_events(pl.DataFrame({"id": [], "type": [], "at": []})) == []


def test_a_table_without_times_is_refused() -> None:
    with pytest.raises(InputError, match="no column 'at'"):
        read_events(pl.DataFrame({"id": ["e"], "type": ["logout"]}))


def test_a_wrong_row_is_named() -> None:
    frame = pl.DataFrame({"id": ["e", "f"], "type": ["logout"] * 2, "at": [1, 2], "amount_minor": [4, -4]})
    with pytest.raises(InputError, match=r"row 1 is no event.*amount_minor"):
        read_events(frame)


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(InputError, match="colour"):
        read_events(pl.DataFrame({"id": ["e"], "type": ["logout"], "at": [1], "colour": ["red"]}))
