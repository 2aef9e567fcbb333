"""Everything that the doctor counts, over any number of events, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.events.event import Event
from floorwalker.events.placeholders import WORDS, is_placeholder
from floorwalker.events.types import EVENT_TYPES
from floorwalker.sources.doctor._columns import EXPECTED, FIELDS, MADE, TYPES, Columns, take_apart
from floorwalker.sources.doctor._numbers import Spread
from floorwalker.sources.doctor._sampling import HashSample, HeavyHitters, PairSample
from floorwalker.sources.doctor._times import TimeProfile
from floorwalker.sources.feeds import Refused
from floorwalker.sources.mapping._fields import EVENT_FIELDS

ENTITY_FIELDS: dict[str, str] = {
    "account": "account", "session": "session", "device": "device", "ip": "ip", "ip_network": "ip_network",
    "payment": "payment", "bin": "bin", "email": "email", "email_domain": "email_domain", "phone": "phone",
    "delivery_address": "", "coupon": "coupon", "promotion": "promotion", "item": "item", "seller": "seller",
    "inviter": "inviter",
}  # fmt: skip
"""Field -> the kind of entity by which placeholders are told."""

SHARED = (
    "device",
    "ip",
    "ip_network",
    "payment",
    "email",
    "phone",
    "delivery_address",
    "coupon",
    "promotion",
    "inviter",
)
"""Entities whose accounts are counted: who shares them may be one person, or a hub."""

_COUNTED = (*ENTITY_FIELDS, "country", "currency", "user_agent", "url", "order", "channel")
_NUMBERS = ("amount_minor", "list_price_minor", "discount_minor", "quantity", "rating")
_IDS = 1 << 21
_VALUES = 1 << 16
_PAIRS = 1 << 18
_HITTERS = 4096
_MOST_EXAMPLES = 3
_ZERO_PLACES = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "PYG", "UGX", "XAF", "XOF", "XPF", "RWF"})


class Profile:
    """Counts over events.

    Parameters
    ----------
    now : microseconds since 1970-01-01 UTC at which the events are read; a `received_at` equal to it was not in the
        data.
    """

    def __init__(self, now: int) -> None:
        self.now = now
        self.events = 0
        self.refused = 0
        self.types = np.zeros(TYPES + 1, np.int64)
        self.present: dict[str, NDArray[np.int64]] = {}
        self.placeholders: dict[str, NDArray[np.int64]] = {}
        self.placeholder_examples: dict[str, Counter[str]] = {}
        self.refused_fields: Counter[str] = Counter()
        self.refused_examples: dict[str, tuple[str, str]] = {}
        self.times = TimeProfile()
        self.ids = HashSample(_IDS)
        self.contents = HashSample(_IDS)
        self.distinct: dict[str, HashSample] = {}
        self.heavy: dict[str, HeavyHitters] = {}
        self.shared: dict[str, PairSample] = {}
        self.spreads: dict[str, Spread] = {}
        self.money: dict[str, Spread] = {}
        self.currencies: Counter[str] = Counter()
        self.without_currency = 0
        self.amounts = 0
        self.round_hundreds: Counter[str] = Counter()

    def refuse(self, refused: Sequence[Refused]) -> None:
        """Count records that are no events."""
        self.refused += len(refused)
        for one in refused:
            self.refused_fields[one.field] += 1
            self.refused_examples.setdefault(one.field, (one.reason, one.place))

    def add(self, events: Sequence[Event]) -> None:
        """Count events, in the order in which they come."""
        if not events:
            return
        columns = take_apart(events)
        self.events += len(columns)
        self.types += np.bincount(columns.type, minlength=TYPES + 1) if columns.type.min() >= 0 else self._safe(columns)
        self.times.add(columns.at, columns.received_at, self.now)
        self.ids.add(pl.Series(columns.id).hash(1).to_numpy())
        self.contents.add(self._hash_contents(columns))
        hashes: dict[str, NDArray[np.uint64]] = {}
        for name, values in columns.values.items():
            there = np.fromiter((value is not None for value in values), np.bool_, len(values))
            self._count(self.present, name, columns.type[there])
            if name in ENTITY_FIELDS or name in _COUNTED:
                hashes[name] = self._look_at_texts(name, values, there, columns.type)
            elif isinstance(values[int(np.argmax(there))], str):
                self._look_at_words(name, values, there, columns.type)
        self._share(columns, hashes)
        self._look_at_numbers(columns)

    @staticmethod
    def _safe(columns: Columns) -> NDArray[np.int64]:
        codes = np.where(columns.type < 0, TYPES, columns.type)
        return np.bincount(codes, minlength=TYPES + 1)

    @staticmethod
    def _count(table: dict[str, NDArray[np.int64]], name: str, codes: NDArray[np.int16]) -> None:
        if name not in table:
            table[name] = np.zeros(TYPES + 1, np.int64)
        table[name] += np.bincount(np.where(codes < 0, TYPES, codes), minlength=TYPES + 1)

    @staticmethod
    def _hash_contents(columns: Columns) -> NDArray[np.uint64]:
        """Hashes of everything but the ids."""
        n = len(columns)
        names = [name for name in FIELDS if "." not in name and name not in ("coupons", "lines")]
        frame = pl.DataFrame(
            {
                "type": columns.type,
                "at": columns.at,
                "lines": [len(one) if one else 0 for one in columns.values.get("lines", [None] * n)],
                "coupon": pl.Series(columns.values.get("coupon", [None] * n), dtype=pl.String),
                **{name: _as_texts(columns.values.get(name), n) for name in names},
            }
        )
        return frame.hash_rows(1).to_numpy()

    def _look_at_texts(
        self, name: str, values: list[str | None], there: NDArray[np.bool_], codes: NDArray[np.int16]
    ) -> NDArray[np.uint64]:
        """Placeholders, cardinality and frequent values of one field; answers the hashes, 0 where nothing is known."""
        series = pl.Series(values, dtype=pl.String)
        counts = series.drop_nulls().value_counts(name="n")
        texts, numbers = counts.to_series(0).to_list(), counts["n"].to_list()
        entity = ENTITY_FIELDS.get(name, "")
        nobody = [text for text in texts if _is_nobody(entity, text)]
        usable = there
        if nobody:
            is_nobody = series.is_in(nobody).fill_null(False).to_numpy()
            self._count(self.placeholders, name, codes[is_nobody])
            examples = self.placeholder_examples.setdefault(name, Counter())
            for text in nobody:
                if len(examples) < 50 or text in examples:
                    examples[text] += numbers[texts.index(text)]
            usable = there & ~is_nobody
        self.heavy.setdefault(name, HeavyHitters(_HITTERS)).add(dict(zip(texts, numbers, strict=True)))
        hashes = series.hash(1).to_numpy().copy()
        hashes[~usable] = 0
        self.distinct.setdefault(name, HashSample(_VALUES)).add(hashes[usable])
        return hashes

    def _look_at_words(
        self, name: str, values: list[str | None], there: NDArray[np.bool_], codes: NDArray[np.int16]
    ) -> None:
        is_nobody = pl.Series(values, dtype=pl.String).str.to_lowercase().is_in(list(WORDS)).fill_null(False).to_numpy()
        if EVENT_FIELDS[name].choices:
            return
        if is_nobody.any():
            self._count(self.placeholders, name, codes[is_nobody])

    def _share(self, columns: Columns, hashes: dict[str, NDArray[np.uint64]]) -> None:
        """Pairs of an entity and an account."""
        accounts = hashes.get("account")
        if accounts is None:
            return
        for name in SHARED:
            mine = hashes.get(name)
            if mine is None:
                continue
            both = (mine != 0) & (accounts != 0)
            if both.any():
                self.shared.setdefault(name, PairSample(_PAIRS)).add(mine[both], accounts[both])

    def _look_at_numbers(self, columns: Columns) -> None:
        for name in _NUMBERS:
            if name in columns.values and name != "amount_minor":
                self.spreads.setdefault(name, Spread()).add(_as_numbers(columns.values[name]))
        amounts = columns.values.get("amount_minor")
        if amounts is None:
            return
        numbers = _as_numbers(amounts, keep_missing=True)
        known = ~np.isnan(numbers)
        self.amounts += int(known.sum())
        currencies = np.array(columns.values.get("currency") or [None] * len(amounts), dtype=object)
        self.without_currency += int(np.count_nonzero(known & (currencies == None)))  # noqa: E711
        for code in set(currencies[known].tolist()):
            rows = known & (currencies == code)
            name = code or "none"
            self.currencies[name] += int(rows.sum())
            if name in self.money or len(self.money) < 32:
                self.money.setdefault(name, Spread()).add(numbers[rows])
            if name in _ZERO_PLACES:
                self.round_hundreds[name] += int(np.count_nonzero(numbers[rows] % 100 == 0))

    def type_counts(self) -> dict[str, int]:
        """Type of event -> how many came; types that never came are left out."""
        return {kind.name: int(self.types[code]) for code, kind in enumerate(EVENT_TYPES) if self.types[code]}

    def usable(self, kind: str, name: str) -> tuple[int, int]:
        """Events of a type, and those of them with a usable value in a field."""
        code = next(place for place, one in enumerate(EVENT_TYPES) if one.name == kind)
        total = int(self.types[code])
        there = int(self.present[name][code]) if name in self.present else 0
        nobody = int(self.placeholders[name][code]) if name in self.placeholders else 0
        return total, there - nobody

    def expected(self, name: str) -> int:
        """Events whose type may be expected to fill a field."""
        return int(self.types[:TYPES][EXPECTED[name]].sum())

    def found(self, name: str) -> tuple[int, int]:
        """(values, placeholders among them) of a field, in the events that may be expected to fill it."""
        mask = EXPECTED[name]
        there = int(self.present[name][:TYPES][mask].sum()) if name in self.present else 0
        nobody = int(self.placeholders[name][:TYPES][mask].sum()) if name in self.placeholders else 0
        return there, nobody

    def seen_fields(self) -> list[str]:
        """Fields that any event fills, in the record's order, then what is made of them."""
        return [name for name in (*FIELDS, *MADE) if name in self.present]


@lru_cache(maxsize=1 << 17)
def _is_nobody(entity: str, text: str) -> bool:
    if entity in ("", "ip_network"):
        return text.lower() in WORDS
    return is_placeholder(entity, text)


def _as_numbers(values: list[float | None], *, keep_missing: bool = False) -> NDArray[np.float64]:
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    return numbers if keep_missing else numbers[~np.isnan(numbers)]


def _as_texts(values: list[object] | None, n: int) -> pl.Series:
    if values is None:
        return pl.Series([None] * n, dtype=pl.String)
    return pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)
