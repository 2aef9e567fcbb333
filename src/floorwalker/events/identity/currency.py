"""Amounts in the shop's base currency, by a dated table: yen and cents must not be added up.

>>> rates = read_rates('''
... base = "EUR"
... [[rates]]
... from = 2025-01-01
... USD = 0.95
... JPY = 0.0061
... ''')
>>> day = 1_750_000_000_000_000
>>> rates.to_base(1000, "USD", day), rates.to_base(1000, "JPY", day), rates.to_base(1000, "EUR", day)
(950, 610, 1000)
>>> rates.to_base(1000, "CHF", day) is None
True
"""

from __future__ import annotations

import math
import tomllib
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from typing import Any

from floorwalker.errors import UsageError

_NO_DECIMALS = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()  # noqa: SIM905
)
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decimals_of(currency: str) -> int:
    """Decimal places between a currency's unit and its minor unit (ISO 4217).

    >>> decimals_of("EUR"), decimals_of("JPY"), decimals_of("KWD")
    (2, 0, 3)
    """
    if currency in _NO_DECIMALS:
        return 0
    if currency in _THREE_DECIMALS:
        return 3
    return 4 if currency in ("CLF", "UYW") else 2


class Rates:
    """What one unit of each currency was worth in units of the base currency, from which day on.

    Parameters
    ----------
    base : the base currency, ISO 4217.
    since : days from which each table holds, microseconds since 1970-01-01 UTC, rising.
    tables : a table for each of them, currency -> units of the base currency.
    """

    __slots__ = ("_since", "_tables", "base")

    def __init__(self, base: str, since: list[int], tables: list[dict[str, float]]) -> None:
        self.base = base
        self._since = since
        self._tables = tables

    def to_base(self, amount_minor: int, currency: str, at: int) -> int | None:
        """An amount in minor units of the base currency; None for a currency or a time without a rate.

        Before the first day the first table holds: old events keep their order of magnitude.
        """
        if currency == self.base:
            return amount_minor
        table = self._tables[max(bisect_right(self._since, at) - 1, 0)]
        rate = table.get(currency)
        if rate is None:
            return None
        return round(amount_minor * rate * 10.0 ** (decimals_of(self.base) - decimals_of(currency)))


def read_rates(text: str) -> Rates:
    """Rates out of TOML: `base`, and `[[rates]]` tables with `from`, a date, and a number for each currency.

    Errors
    ------
    `UsageError` naming what is at fault.
    """
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the table of rates is no TOML: {error}") from error
    base = values.get("base")
    entries = values.get("rates")
    if not isinstance(base, str) or len(base) != 3 or not isinstance(entries, list) or not entries:
        raise UsageError("the table of rates is not complete", allowed='base = "EUR" and at least one [[rates]]')
    dated: list[tuple[int, dict[str, float]]] = []
    for place, entry in enumerate(entries):
        day = entry.get("from") if isinstance(entry, dict) else None
        if not isinstance(day, date):
            raise UsageError(f"rates[{place}].from is {day!r}", allowed="a date, 2025-01-01")
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        table = {name: value for name, value in entry.items() if name != "from"}
        for name, value in table.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                raise UsageError(f"rates[{place}].{name} is {value!r}", allowed="a number above 0")
        dated.append(((start - _EPOCH) // timedelta(microseconds=1), {name: float(table[name]) for name in table}))
    dated.sort(key=lambda pair: pair[0])
    return Rates(base, [since for since, _ in dated], [table for _, table in dated])
