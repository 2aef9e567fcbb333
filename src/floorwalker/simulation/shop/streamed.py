"""What comes to light of a shop that was sent live: outcomes of what the server let happen, and nothing of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import polars as pl

from floorwalker.events.event import Event
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.diary import Entry, Truth
from floorwalker.simulation.shop.outcomes import AUDITS, LETTERS, Outcomes, make_outcomes

_TOLD = frozenset({*AUDITS, "order", "payment_authorised", "payment_captured", "refund_issued"})
"""Types of event that something can be heard of, whoever caused them."""
_EVENT = {
    "id": pl.String, "at": pl.Int64, "type": pl.String, "account": pl.String, "order": pl.String, "item": pl.String,
    "payment": pl.String, "amount_minor": pl.Int64, "currency": pl.String, "card.scheme": pl.String,
}  # fmt: skip
_TRUTH = {field.name: pl.Int64 if field.name in ("campaign", "loss_minor") else pl.String for field in fields(Truth)}
_ROWS = 20_000
"""Events that are kept as rows before they are put into columns."""
_LABELLED = frozenset({"chargeback", "verdict", "customer_report"})


class Witness:
    """Keeps what outcomes are made of while a shop is sent.

    Parameters
    ----------
    chance : of the scenario: an event has the same outcome whether it was written to a file or sent.
    """

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._events: list[tuple[Any, ...]] = []
        self._truth: list[tuple[Any, ...]] = []
        self._tables: list[tuple[pl.DataFrame, pl.DataFrame]] = []
        self.refused: set[str] = set()
        """Ids of events that the server did not let happen."""

    def see(self, entry: Entry, *, passed: bool) -> None:
        """Take in an event that was sent, and whether it was let happen."""
        event, truth = entry.event, entry.truth
        if event.type not in _TOLD and truth.phase != "harmful":
            return
        scheme = event.card.scheme if event.card is not None else None
        self._events.append(
            (event.id, event.at, event.type, event.account, event.order, event.item, event.payment, event.amount_minor,
             event.currency, scheme)
        )  # fmt: skip
        self._truth.append((event.id, *(getattr(truth, name) for name in _TRUTH)))
        if not passed:
            self.refused.add(event.id)
        if len(self._events) >= _ROWS:
            self._pack()

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

    def outcomes(self, end_at: int) -> Outcomes:
        """Everything that the shop will ever hear of it, and the bank's letters that come before `end_at`."""
        self._pack()
        events, truth = (pl.concat(tables) for tables in zip(*self._tables, strict=True))
        return make_outcomes(events, truth, self._chance, end_at=end_at, refused=self.refused)


def is_letter(event: Event) -> bool:
    """Whether an event is a letter of a bank: made anew of what was let happen, never sent as it was written."""
    return event.type in LETTERS.values()


def labels_of(outcomes: pl.DataFrame, shop: str, end_at: int) -> Iterator[dict[str, Any]]:
    """Bodies for `/v1/labels`: what a shop enters of the outcomes that it knows of at `end_at`.

    Parameters
    ----------
    outcomes : columns of `outcomes.SCHEMA`. shop : their shop. end_at : microseconds; later ones are not known yet.

    Refunds and won disputes say of nobody what he did.
    """
    for row in outcomes.filter(pl.col("at") <= end_at).iter_rows(named=True):
        if row["kind"] not in _LABELLED:
            continue
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
        yield body
