"""Amounts in one currency."""

from __future__ import annotations

import pytest

from floorwalker.errors import UsageError
from floorwalker.events.batch import make_batch
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.event import Event
from floorwalker.events.identity import IdentityRules, Tokeniser, normalise
from floorwalker.events.identity.currency import read_rates

TABLE = 'base = "EUR"\n[[rates]]\nfrom = 2025-02-01\nUSD = 0.9\n[[rates]]\nfrom = 2025-01-01\nUSD = 0.8\nKWD = 3\n'
JANUARY, FEBRUARY = 1_735_689_600_000_000, 1_738_368_000_000_000


@pytest.mark.parametrize(
    ("amount", "currency", "at", "expected"),
    [
        (1000, "USD", JANUARY, 800),
        (1000, "USD", FEBRUARY - 1, 800),
        (1000, "USD", FEBRUARY, 900),
        (1000, "USD", 0, 800),
        (1000, "KWD", JANUARY, 300),
        (1000, "KWD", FEBRUARY, None),
        (7, "EUR", JANUARY, 7),
    ],
)
def test_the_table_of_the_day_holds(amount: int, currency: str, at: int, expected: int | None) -> None:
    assert read_rates(TABLE).to_base(amount, currency, at) == expected


def test_a_batch_holds_the_amount_in_base_currency_or_the_amount() -> None:
    rules = IdentityRules(rates=read_rates(TABLE))
    events = [
        normalise(
            Event(id="e", type="search", at=JANUARY, amount_minor=1000, currency=currency), Tokeniser(bytes(32)), rules
        )[0]
        for currency in ("USD", "CHF", None)
    ]
    keyer = EntityKeyer(bytes(16))
    assert make_batch(events, keyer).numbers["amount_base_minor"].tolist() == [800, 1000, 1000]
    assert [make_batch([event], keyer).numbers["amount_base_minor"].item() for event in events] == [800, 1000, 1000]


@pytest.mark.parametrize(
    "text",
    [
        "=",
        'base = "EUR"',
        'base = "EUR"\nrates = [1]',
        TABLE.replace("0.8", "-1"),
        TABLE.replace("2025-02-01", "1"),
        "rates = []",
    ],
)
def test_a_table_with_a_fault_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_rates(text)
