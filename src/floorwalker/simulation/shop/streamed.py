"""What comes to light of a shop that is sent live: outcomes of what the server let happen, and nothing of the rest.

`Witness` keeps what outcomes are made of, `Teller` tells the server of each when simulated time has come so far.
"""

from __future__ import annotations

import heapq
import queue
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, fields
from http.client import HTTPException
from typing import Any

import msgspec
import polars as pl
from numpy.random import Generator

from floorwalker.errors import InputError
from floorwalker.events.event import Event
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.diary import Entry, Truth
from floorwalker.simulation.shop.outcomes import AUDITS, LETTERS, SCHEMA, Carried, Outcomes, make_outcomes
from floorwalker.simulation.shop.scenario import HOUR
from floorwalker.simulation.shop.wire import MOST_TOLD, Post

_TOLD = frozenset({*AUDITS, "order", "payment_authorised", "payment_captured", "refund_issued"})
"""Types of event that something can be heard of, whoever caused them."""
_EVENT = {
    "id": pl.String, "at": pl.Int64, "type": pl.String, "account": pl.String, "order": pl.String, "item": pl.String,
    "payment": pl.String, "amount_minor": pl.Int64, "currency": pl.String, "card.scheme": pl.String,
}  # fmt: skip
_TRUTH = {field.name: pl.Int64 if field.name in ("campaign", "loss_minor") else pl.String for field in fields(Truth)}
_ROWS = 20_000
"""Events that are kept as rows before they are put into columns."""
_ORDERS = 200_000
"""Orders whose card's scheme is remembered; the oldest are forgotten first."""
_LABELLED = frozenset({"chargeback", "verdict", "customer_report"})
LOOK = 3 * HOUR
"""Simulated time after which what has happened is looked at: hardly anything comes to light sooner."""


@dataclass(frozen=True)
class Seen:
    """What was seen since the last look, and which of it did not happen.

    Parameters
    ----------
    tables : pairs of events and their truth, as `make_outcomes` takes them.
    refused : ids of events that the server did not let happen.
    """

    tables: list[tuple[pl.DataFrame, pl.DataFrame]]
    refused: set[str]


class Witness:
    """Keeps what outcomes are made of while a shop is sent.

    Parameters
    ----------
    chance : of the scenario: an event has the same outcome whether it was written to a file or sent; but for verdicts
        on honest people, of which there are as many as guilty ones ask for, and which depend on what was seen when.
    """

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._events: list[tuple[Any, ...]] = []
        self._truth: list[tuple[Any, ...]] = []
        self._tables: list[tuple[pl.DataFrame, pl.DataFrame]] = []
        self._refused: set[str] = set()
        self._schemes: OrderedDict[str, str] = OrderedDict()
        self._carried = Carried()

    def see(self, entry: Entry, *, passed: bool) -> None:
        """Take in an event that was sent, and whether it was let happen."""
        event, truth = entry.event, entry.truth
        if event.type not in _TOLD and truth.phase != "harmful":
            return
        scheme = event.card.scheme if event.card is not None else None
        self._events.append(
            (event.id, event.at, event.type, event.account, event.order, event.item, event.payment, event.amount_minor,
             event.currency, self._scheme_of(event.order, scheme))
        )  # fmt: skip
        self._truth.append((event.id, *(getattr(truth, name) for name in _TRUTH)))
        if not passed:
            self._refused.add(event.id)
        if len(self._events) >= _ROWS:
            self._pack()

    def take(self) -> Seen:
        """Hand over what was seen since the last time."""
        self._pack()
        seen = Seen(self._tables, self._refused)
        self._tables, self._refused = [], set()
        return seen

    def judge(self, seen: Seen, end_at: int) -> Outcomes:
        """Everything that the shop will ever hear of it, and the bank's letters that come before `end_at`.

        Called for one piece after the other; from any thread, but from one at a time.
        """
        events, truth = (pl.concat(tables) for tables in zip(*seen.tables, strict=True))
        return make_outcomes(events, truth, self._chance, end_at=end_at, refused=seen.refused, carried=self._carried)

    def outcomes(self, end_at: int) -> Outcomes:
        """`judge` of what `take` gives."""
        return self.judge(self.take(), end_at)

    def _scheme_of(self, order: str | None, scheme: str | None) -> str | None:
        """The scheme of an order's card: letters name it, also those about events that do not."""
        if order is None:
            return scheme
        if scheme is not None:
            self._schemes.setdefault(order, scheme)
            if len(self._schemes) > _ORDERS:
                self._schemes.popitem(last=False)
            return scheme
        return self._schemes.get(order)

    def _pack(self) -> None:
        """Put what was seen last into columns, which take a tenth of the room."""
        truth = {"id": pl.String, **_TRUTH}
        self._tables.append(
            (
                pl.DataFrame(self._events, schema=_EVENT, orient="row"),
                pl.DataFrame(self._truth, schema=truth, orient="row"),
            )
        )
        self._events, self._truth = [], []


class Teller:
    """Tells a server what comes to light, each as soon as simulated time has come so far.

    A thread of its own with its own connection: whoever sends events never waits for it. While it is at work nothing is
    handed to it, so what waits for it is one piece at the most; outcomes are then told a little later.

    Parameters
    ----------
    witness : has seen the events.
    url, key : of the server; labels are left out where the key lacks the scope `label`.
    shop : in whose name. names : draws ids for letters.
    end_at : microseconds; what is due later is kept, and told to nobody: the shop does not know it yet.
    """

    def __init__(self, witness: Witness, url: str, key: str, *, shop: str, names: Generator, end_at: int) -> None:
        self.witness, self.shop, self.end_at = witness, shop, end_at
        self.letters = self.labels = self.told_meanwhile = 0
        self._url, self._key, self._names = url, key, names
        self._tables: list[pl.DataFrame] = []
        self._told_at: list[int | None] = []
        self._due: list[tuple[int, int, int, Event | dict[str, Any]]] = []
        self._numbered = 0
        self._look_at = 0
        self._next = 1 << 62
        self._may_label = True
        self._broken: Exception | None = None
        self._jobs: queue.SimpleQueue[tuple[int, Seen | None] | None] = queue.SimpleQueue()
        self._idle = threading.Event()
        self._idle.set()
        self._thread: threading.Thread | None = None

    def pass_to(self, now: int) -> None:
        """The server has seen events up to `now` (microseconds). Returns at once; raises what broke the connection."""
        if not self._idle.is_set() or (now < self._look_at and now < self._next):
            return
        self._check()
        seen = None
        if now >= self._look_at:
            # The first event begins the first piece.
            seen = self.witness.take() if self._look_at else None
            self._look_at = now + LOOK
        self._hand(now, seen)

    def finish(self) -> pl.DataFrame:
        """Tell what has come to light by the end; answers all outcomes, with `told_at` where the server was told."""
        self._idle.wait()
        self.told_meanwhile = self.letters + self.labels
        self._hand(self.end_at, self.witness.take())
        self.close()
        assert self._thread is not None
        self._thread.join()
        self._check()
        table = pl.concat(self._tables)
        return table.with_columns(pl.Series("told_at", self._told_at, pl.Int64)).sort("at", "event", "kind")

    def close(self) -> None:
        """Let the thread end when it has done what it has."""
        self._jobs.put(None)

    def _check(self) -> None:
        if self._broken is not None:
            raise self._broken

    def _hand(self, now: int, seen: Seen | None) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="teller", daemon=True)
            self._thread.start()
        self._idle.clear()
        self._jobs.put((now, seen))

    def _serve(self) -> None:
        post = Post(self._url, self._key)
        try:
            while (job := self._jobs.get()) is not None:
                now, seen = job
                if seen is not None:
                    self._keep(self.witness.judge(seen, self.end_at))
                self._tell(post, now)
                self._next = self._due[0][0] if self._due else 1 << 62
                self._idle.set()
        except (OSError, HTTPException, msgspec.MsgspecError) as error:
            self._broken = InputError(f"the server at {self._url} does not answer: {error}", fix="is it running?")
        except Exception as error:  # noqa: BLE001, whoever waits for the thread raises it
            self._broken = error
        finally:
            self._idle.set()
            post.close()

    def _keep(self, found: Outcomes) -> None:
        """Remember what is to be told when."""
        first = len(self._told_at)
        places: dict[tuple[str, str | None, int], int] = {}
        for place, row in enumerate(found.table.iter_rows(named=True), first):
            if row["kind"] in LETTERS:
                places[LETTERS[row["kind"]], row["order"], row["at"]] = place
            body = label_of(row, self.shop)
            if body is not None and row["at"] <= self.end_at:
                self._plan(row["at"], place, body)
        for entry in found.entries:
            event = msgspec.structs.replace(
                entry.event, id=f"{int(self._names.integers(1 << 44)):011x}", shop=self.shop
            )
            self._plan(event.at, places.get((event.type, event.order, event.at), -1), event)
        self._tables.append(found.table)
        self._told_at += [None] * len(found.table)

    def _plan(self, at: int, place: int, what: Event | dict[str, Any]) -> None:
        self._numbered += 1
        heapq.heappush(self._due, (at, self._numbered, place, what))

    def _tell(self, post: Post, now: int) -> None:
        """Letters in bodies of many, labels one by one."""
        letters: list[Event] = []
        while self._due and self._due[0][0] <= now:
            _, _, place, what = heapq.heappop(self._due)
            if isinstance(what, Event):
                letters.append(what)
            elif not self._may_label:
                continue
            elif not post.label(what):
                self._may_label = False
                continue
            else:
                self.labels += 1
            if place >= 0:
                self._told_at[place] = now
        for start in range(0, len(letters), MOST_TOLD):
            post.tell(letters[start : start + MOST_TOLD])
        self.letters += len(letters)


def is_letter(event: Event) -> bool:
    """Whether an event is a letter of a bank: made anew of what was let happen, never sent as it was written."""
    return event.type in LETTERS.values()


def labels_of(outcomes: pl.DataFrame, shop: str, end_at: int) -> Iterator[dict[str, Any]]:
    """Bodies for `/v1/labels`: what a shop enters of the outcomes that it knows of at `end_at`.

    Parameters
    ----------
    outcomes : columns of `outcomes.SCHEMA`. shop : their shop. end_at : microseconds; later ones are not known yet.
    """
    for row in outcomes.filter(pl.col("at") <= end_at).iter_rows(named=True):
        body = label_of(row, shop)
        if body is not None:
            yield body


def label_of(row: dict[str, Any], shop: str) -> dict[str, Any] | None:
    """The body for `/v1/labels` of one outcome; None for refunds and won disputes, which say of nobody what he did."""
    if row["kind"] not in _LABELLED:
        return None
    by_order = row["kind"] == "chargeback" and row["order"]
    body = {
        "shop": shop,
        "subject_kind": "order" if by_order else "event",
        "subject": row["order"] if by_order else row["event"],
        "source": row["source"],
        "observed_at": row["at"],
    }
    if row["abuse_type"]:
        body |= {"abuse_type": row["abuse_type"], "value": row["value"]}
    if row["reason_code"]:
        body |= {"scheme": row["scheme"] or "visa", "reason_code": row["reason_code"]}
    return body


__all__ = ["LOOK", "SCHEMA", "Seen", "Teller", "Witness", "is_letter", "label_of", "labels_of"]
