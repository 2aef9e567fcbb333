"""Many events taken in at once: texts in, the journal's records and the vault's values out.

>>> from floorwalker.events.identity import Tokeniser
>>> taker = BulkTaker(Tokeniser(bytes(32)), seed=bytes(32))
>>> text = b'{"id": "e-1", "type": "logout", "at": 1760000000000000, "account": "a-1"}'
>>> taken = taker.take(text, [0], [len(text)], now=1760000000000000)
>>> taken.rows.tolist(), taken.record(0)[:18]
([0], b'\\x82\\xa4type\\xa5event\\xa5event')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from floorwalker.events.bulk import _known
from floorwalker.events.bulk._known import (
    Known,
    add_entries,
    add_marks,
    forget_entries,
    forget_marks,
    make_known,
)
from floorwalker.events.bulk._schema import RECORD_HEAD, F, longest_suspect, make_schema
from floorwalker.events.bulk._taking import (
    BEGIN,
    DONE,
    END,
    ENTRY,
    FIELD,
    KIND,
    NAMED,
    ROW,
    SAID,
    SHOP_BEGIN,
    SHOP_END,
    TOKEN,
    UNKNOWN,
    WATCH,
    WHOSE,
    WHOSE_BEGIN,
    WHOSE_END,
    take_rows,
)
from floorwalker.events.bulk._values import make_values
from floorwalker.events.cards import KINDS
from floorwalker.events.codec import pack_event
from floorwalker.events.decode import decode_event
from floorwalker.events.event import Event, Identity
from floorwalker.events.faults import Fault, FieldError
from floorwalker.events.identity.normalise import (
    ADDRESSES,
    DEFAULT_RULES,
    IdentityRules,
    PersonalValue,
    normalise,
    phone_region,
    raw_address,
)
from floorwalker.events.identity.payments import read_payment
from floorwalker.events.identity.tokens import Tokeniser
from floorwalker.events.identity.values import Taken, take_address, take_email, take_ip, take_name, take_phone
from floorwalker.events.limits import DEFAULT_LIMITS, DecodeLimits
from floorwalker.events.placeholders import is_placeholder

_NAMES = Event.__struct_fields__
_pack = msgspec.msgpack.Encoder().encode
_ROOM = 1 << 16
"""Bytes of the longest event that the kernel takes apart; a longer one is the twin's."""
_ROUNDS = 3
_DAY = 86_400_000_000


@dataclass
class TakenEvents:
    """What became of some events.

    Parameters
    ----------
    data : uint8, holds the records.
    starts, stops : int64 [n], where the record of each event stands; a stop of 0 for one without.
    personal : raw values for the vault.
    faults : what could not be taken.
    left : positions of events that need the twin, one after the other; see `BulkTaker.look_closely`.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    personal: list[PersonalValue]
    faults: list[Fault]
    left: list[int]
    _more: dict[int, bytes] = field(default_factory=dict, repr=False)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Positions of the events that were taken, rising."""
        return np.flatnonzero(self.stops)

    def record(self, row: int) -> bytes:
        """The journal record of the event at this position."""
        return self.data[self.starts[row] : self.stops[row]].tobytes()

    def settle(self) -> None:
        """Put the records that the twin made beside the others."""
        if self._more:
            at = len(self.data)
            for row, record in self._more.items():
                self.starts[row], self.stops[row] = at, at + len(record)
                at += len(record)
            self.data = np.concatenate([self.data, np.frombuffer(b"".join(self._more.values()), np.uint8)])
            self._more.clear()
        self.faults.sort(key=lambda fault: fault.position)


class BulkTaker:
    """Does for many events what `decode_event` and `normalise` do for one, with equal results.

    A kernel does it as long as it understands the event beyond doubt and knows the tokens of its personal values.
    Values that it does not know are learned, once; what it does not understand goes to the two functions themselves.

    Parameters
    ----------
    tokeniser, rules : as for `normalise`.
    seed : 32 random bytes, secret and not kept: they make the tables of known values hard to overfill on purpose.
    limits : as for `decode_event`.
    has_vault : whether anybody keeps the raw values; without, `take` gives none.
    """

    def __init__(
        self,
        tokeniser: Tokeniser,
        *,
        seed: bytes,
        rules: IdentityRules = DEFAULT_RULES,
        limits: DecodeLimits = DEFAULT_LIMITS,
        has_vault: bool = True,
    ) -> None:
        self._has_vault = has_vault
        self._tokeniser = tokeniser
        self._rules = rules
        self._limits = limits
        self._schema = make_schema(sorted(rules.hubs.names))
        self._longest = longest_suspect(self._schema)
        self._known: Known = make_known(seed)
        self._values = make_values(_ROOM)
        self._decode = msgspec.json.Decoder(Event).decode
        self._counts = np.zeros(2, np.int64)
        self._day = -1
        self._must_forget = False

    def take(
        self,
        body: bytes,
        starts: Sequence[int] | NDArray[np.int64],
        stops: Sequence[int] | NDArray[np.int64],
        *,
        now: int,
        shop: str | None = None,
    ) -> TakenEvents:
        """Take the events ``body[starts[k]:stops[k]]`` in, as far as the kernel can; `left` names the others.

        Parameters
        ----------
        body : texts of events, each one JSON object.
        starts, stops : int64 [n].
        now : int64 µs UTC, becomes `received_at`.
        shop : the only shop whose events are taken; None for any.
        """
        texts = np.frombuffer(body, np.uint8)
        begin, end = np.asarray(starts, np.int64), np.asarray(stops, np.int64)
        n = len(begin)
        if now // _DAY != self._day:
            # What is kept is kept from the day on which it was seen last.
            self._day = now // _DAY
            self._must_forget = True
        if self._must_forget:
            self._must_forget = False
            forget_marks(self._known)
        status = np.ones(n, np.int8)
        places = np.zeros((n, 2), np.int64)
        personal: list[PersonalValue] = []
        out = np.empty(0, np.uint8)
        if n and self._rules.rates is None:
            self._make_room()
            out = np.empty(2 * int((end - begin).sum()) + 1024 * n, np.uint8)
            self._run(body, texts, begin, end, now, shop, out, places, status, personal)
        places[status != DONE] = 0
        left = np.flatnonzero(status != DONE).tolist()
        return TakenEvents(out, places[:, 0], places[:, 1], personal, [], left)

    def look_closely(self, taken: TakenEvents, row: int, text: bytes, *, now: int, shop: str | None = None) -> None:
        """Take one event that was `left`, or name what is wrong with it."""
        try:
            event = decode_event(text, now=now, limits=self._limits)
            if shop is not None and event.shop != shop:
                raise FieldError("shop", f"the API key speaks for the shop {shop!r} only")
        except FieldError as error:
            taken.faults.append(Fault(row, error.field, str(error)))
            return
        kept, values = normalise(event, self._tokeniser, self._rules)
        taken.personal += values
        taken._more[row] = RECORD_HEAD + pack_event(kept)

    def forget_given(self) -> None:
        """Give every raw value to the vault again, as after somebody was erased or values were lost; in any thread."""
        self._must_forget = True

    def _make_room(self) -> None:
        known = self._known
        if 8 * int(known.used[0]) > 7 * len(known.entries) or 8 * int(known.used[1]) > 7 * len(known.arena):
            forget_entries(known)
        if 2 * int(known.used[2]) >= len(known.marks):
            forget_marks(known)

    def _run(
        self,
        body: bytes,
        texts: NDArray[np.uint8],
        begin: NDArray[np.int64],
        end: NDArray[np.int64],
        now: int,
        shop: str | None,
        out: NDArray[np.uint8],
        places: NDArray[np.int64],
        status: NDArray[np.int8],
        personal: list[PersonalValue],
    ) -> None:
        limits = np.array([now, now + self._limits.ahead_seconds * 1_000_000, self._limits.earliest], np.int64)
        only = np.frombuffer((shop or "").encode(), np.uint8)
        rows = np.flatnonzero(end - begin <= self._limits.event_bytes)
        at = 0
        asked, unsent = np.empty((16 * len(rows), 6), np.int64), np.empty((16 * len(rows) + 16, 11), np.int64)
        for _ in range(_ROUNDS):
            with np.errstate(over="ignore"):
                at = take_rows(
                    texts, begin, end, rows, self._schema, self._known, KINDS, self._longest, self._values, limits,
                    only, out, at, places, status, asked, unsent, self._counts,
                )  # fmt: skip
            questions, given = self._counts.tolist()
            if given and not self._has_vault:
                with np.errstate(over="ignore"):
                    add_marks(self._known, np.ascontiguousarray(unsent[:given, KIND]))
            elif given:
                personal += self._name_values(body, begin, end, unsent[:given])
            if not questions:
                return
            self._learn(body, begin, end, asked[:questions])
            rows = rows[status[rows] == UNKNOWN]

    def _learn(self, body: bytes, begin: NDArray[np.int64], end: NDArray[np.int64], asked: NDArray[np.int64]) -> None:
        """Work out what the kernel asked for, each value once."""
        done: set[tuple[int, int, bytes]] = set()
        last, event = -1, None
        facts: list[tuple[int, ...]] = []
        data, packed = bytearray(), bytearray()
        for question in asked.tolist():
            row, kind, place = question[ROW], question[KIND], question[ENTRY]
            value = body[question[BEGIN] : question[END]]
            if value and (kind, place, value) in done:
                continue
            done.add((kind, place, value))
            if row != last or event is None:
                last, event = row, self._decode(body[begin[row] : end[row]])
            taken, known_by = self._work_out(kind, question[FIELD], event)
            data += value or known_by
            verdict = _known.PERSONAL * taken.is_personal | _known.NOBODY * taken.is_nobody
            verdict |= _known.HUB * bool(taken.hubs)
            token = taken.token
            card = read_payment(event.bin, event.card) if kind == _known.CARD else None
            if token is not None or card is not None:
                packed += _pack(token if card is None else card)
                if kind not in (_known.SHIPPING, _known.BILLING):
                    verdict |= _known.CHANGED
            token_end = len(packed)
            told = _pack(Identity(**taken.facts)) if taken.facts else b"\xde\x00\x00"
            packed += told[3:]
            facts.append((kind, place, len(data), token_end, len(packed), told[2], verdict))
        with np.errstate(over="ignore"):
            add_entries(
                self._known, np.array(facts, np.int64), np.frombuffer(bytes(data), np.uint8),
                np.frombuffer(bytes(packed), np.uint8),
            )  # fmt: skip

    def _work_out(self, kind: int, number: int, event: Event) -> tuple[Taken, bytes]:
        """What becomes of one value of an event, and, where that is no text, the bytes that it is known by."""
        shop, tokeniser, rules = event.shop, self._tokeniser, self._rules
        if kind == _known.EMAIL:
            return take_email(event.email or "", shop, tokeniser, rules.hubs), b""
        if kind == _known.PHONE:
            return take_phone(event.phone or "", phone_region(event, rules), shop, tokeniser), b""
        if kind == _known.IP:
            return take_ip(event.ip or "", shop, tokeniser, rules.hubs, keep=rules.keep_ip), b""
        if kind in (_known.SHIPPING, _known.BILLING):
            name, point, area = ADDRESSES[kind - _known.SHIPPING]
            address = getattr(event, name)
            is_delivery = kind == _known.SHIPPING
            taken = take_address(address, point, area, shop, tokeniser, rules.hubs, is_delivery=is_delivery)
            return taken, _pack(address)
        if kind == _known.CARD:
            return Taken(None, {}, is_personal=False), b"" if event.card is None else _pack(event.card)
        name = _NAMES[number]
        value = getattr(event, name)
        if kind < WATCH:
            return take_name(value, shop, tokeniser), b""
        is_nobody = is_placeholder(name, value)
        shared = (name,) if not is_nobody and rules.hubs.holds(name, value) else ()
        return Taken(None, {}, is_nobody=is_nobody, hubs=shared, is_personal=False), b""

    def _name_values(
        self, body: bytes, begin: NDArray[np.int64], end: NDArray[np.int64], unsent: NDArray[np.int64]
    ) -> list[PersonalValue]:
        """Raw values that the vault was not given yet; from now on it was."""
        with np.errstate(over="ignore"):
            add_marks(self._known, np.ascontiguousarray(unsent[:, KIND]))
        found: dict[int, PersonalValue] = {}
        for value in unsent.tolist():
            if value[KIND] in found:
                continue
            name = _NAMES[value[FIELD]]
            token = self._token_of(value[ENTRY])
            if value[FIELD] in (F["shipping_address"], F["billing_address"]):
                row = value[ROW]
                raw = raw_address(getattr(self._decode(body[begin[row] : end[row]]), name))
            else:
                raw = body[value[BEGIN] : value[END]].decode()
            whose = value[WHOSE]
            subject = token
            if whose == SAID:
                subject = f"account:{body[value[WHOSE_BEGIN] : value[WHOSE_END]].decode()}"
            elif whose == NAMED:
                subject = f"account:{self._token_of(value[WHOSE_BEGIN])}"
            elif whose == TOKEN:
                subject = self._token_of(value[WHOSE_BEGIN])
            shop = body[value[SHOP_BEGIN] : value[SHOP_END]].decode() or "default"
            found[value[KIND]] = PersonalValue(name, token, raw, subject, shop)
        return list(found.values())

    def _token_of(self, entry: int) -> str:
        at, length = self._known.entries[entry, :2].tolist()
        token: str = msgspec.msgpack.decode(self._known.arena[at : at + length].tobytes())
        return token


__all__ = ["RECORD_HEAD", "BulkTaker", "PersonalValue", "TakenEvents"]
