"""The countries that the shop sells to: share of the customers, money, language, clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Country:
    """One of them.

    Parameters
    ----------
    code : ISO 3166 alpha-2.
    share : of the honest customers.
    currency : that its customers pay in.
    languages : of browsers and telephones there, with weights.
    utc_offset_minutes : of its clocks in winter.
    price_level : times the shop's price in euro, for the same item in this currency.
    """

    code: str
    share: float
    currency: str
    languages: tuple[tuple[str, float], ...]
    utc_offset_minutes: int
    price_level: float


COUNTRIES: tuple[Country, ...] = (
    Country("DE", 0.56, "EUR", (("de-DE", 0.86), ("en-GB", 0.05), ("en-US", 0.03), ("tr-TR", 0.03), ("pl-PL", 0.03)),
            60, 1.0),
    Country("AT", 0.07, "EUR", (("de-AT", 0.8), ("de-DE", 0.12), ("en-GB", 0.08)), 60, 1.0),
    Country("GB", 0.13, "GBP", (("en-GB", 0.92), ("en-US", 0.05), ("pl-PL", 0.03)), 0, 0.87),
    Country("PL", 0.05, "PLN", (("pl-PL", 0.93), ("en-GB", 0.04), ("de-DE", 0.03)), 60, 4.25),
    Country("NL", 0.05, "EUR", (("nl-NL", 0.86), ("en-GB", 0.1), ("de-DE", 0.04)), 60, 1.0),
    Country("US", 0.03, "USD", (("en-US", 0.94), ("es-US", 0.06)), -300, 1.15),
    Country("CN", 0.11, "CNY", (("zh-CN", 0.97), ("en-US", 0.03)), 480, 8.2),
)  # fmt: skip
CODES: tuple[str, ...] = tuple(country.code for country in COUNTRIES)
"""Their codes; a country's place here is how columns name it."""

LANGUAGES: tuple[str, ...] = tuple(dict.fromkeys(code for country in COUNTRIES for code, _ in country.languages))
"""All languages of browsers and telephones; `People.language_code` is a place here."""

SHARES = np.array([country.share for country in COUNTRIES])


def place_of(code: str) -> int:
    """A country's place in `COUNTRIES`; one that the shop does not know counts as its home country.

    >>> CODES[place_of("GB")], CODES[place_of("BR")]
    ('GB', 'DE')
    """
    return CODES.index(code) if code in CODES else 0
