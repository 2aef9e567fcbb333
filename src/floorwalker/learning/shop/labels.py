"""What became known, spread over the events that it speaks of.

A shop learns little, late, and of few events: a chargeback names an order, an analyst's verdict an event, a customer's
complaint an account. The other events of the same hands are as guilty, and unless they are told so, a model learns that
they are honest. What nobody judged stays unknown; training takes it for mostly honest.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.errors import InputError
from floorwalker.events.abuse import ABUSE_TYPES
from floorwalker.events.reason_codes import classify
from floorwalker.events.types import EVENT_TYPES
from floorwalker.learning.shop.recording import KEYS, Recording
from floorwalker.learning.tables import read_table

DAY = 86_400_000_000
"""Microseconds."""

SCHEMA = {
    "subject_kind": pl.String, "subject": pl.String, "abuse_type": pl.String, "value": pl.Float64,
    "observed_at": pl.Int64, "weight": pl.Float64,
}  # fmt: skip
"""Columns of a table of labels: as `floorwalker.events.outcomes.Label`; `observed_at` in µs UTC."""
KINDS: tuple[str, ...] = ("event", "order", "account", "session")
"""What a label may speak of here."""

OWNED = frozenset(ABUSE_TYPES) - {"account_takeover", "payment_fraud"}
"""Kinds of abuse in which the account is the abuser's own: one proof speaks of what the account did then."""
REACH = 14 * DAY
"""How far before and after a proven event the account's or the card's other events are taken for the same hands'."""
_OF_A_VISIT = np.array(
    [
        kind.name in {"page_view", "search", "add_to_cart", "livestream", "login_succeeded", "login_failed", "checkout"}
        for kind in EVENT_TYPES
    ]
    + [False]
)
"""Everybody does these all day: a proof speaks of those of the same visit, and of no others."""


def labels_of_outcomes(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Labels out of a table of outcomes (`outcomes.parquet` of a simulated shop, or an export in its columns).

    Chargebacks become labels by their reason codes, see docs/events.md: those about goods are no proof. Refunds and
    won disputes say nothing alone.
    """
    said = outcomes.filter(pl.col("abuse_type").is_not_null() & pl.col("value").is_not_null()).select(
        pl.lit("event").alias("subject_kind"),
        pl.col("event").alias("subject"),
        "abuse_type",
        "value",
        pl.col("at").alias("observed_at"),
        pl.lit(1.0).alias("weight"),
    )
    letters = outcomes.filter((pl.col("kind") == "chargeback") & pl.col("reason_code").is_not_null())
    rows = []
    for letter in letters.iter_rows(named=True):
        found = classify(letter["scheme"] or "visa", letter["reason_code"])
        if found.abuse_type is not None:
            by_order = letter["order"] is not None
            kind, subject = ("order", letter["order"]) if by_order else ("event", letter["event"])
            rows.append((kind, subject, found.abuse_type, 1.0, letter["at"], found.weight))
    charged = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return pl.concat([said.cast(SCHEMA), charged]).sort("observed_at")  # type: ignore[arg-type]


def read_labels(path: Path) -> pl.DataFrame:
    """A shop's own labels out of a CSV, JSON-lines or Parquet file.

    Needed columns: `subject`, `abuse_type`; taken where they are there: `subject_kind` (`event`), `value` (1, abuse; 0
    to 1), `observed_at` (µs UTC; 0, always known), `weight` (1). Raises `InputError` with the column or value at fault.
    """
    table = read_table(
        path, "labels", needed=("subject", "abuse_type"),
        taken="subject, abuse_type; subject_kind, value, observed_at, weight where they are known",
        words=("subject", "abuse_type", "subject_kind"),
    )  # fmt: skip
    defaults = {"subject_kind": "event", "value": 1.0, "observed_at": 0, "weight": 1.0}
    absent = [pl.lit(value).alias(name) for name, value in defaults.items() if name not in table.columns]
    try:
        table = table.with_columns(absent).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
    except pl.exceptions.PolarsError as broken:
        raise InputError(f"{path.name}: {broken}", allowed="value and weight numbers, observed_at µs UTC") from broken
    for name, known in (("subject_kind", KINDS), ("abuse_type", ABUSE_TYPES)):
        odd = table.filter(~pl.col(name).is_in(known) | pl.col(name).is_null())
        if len(odd):
            raise InputError(f"{path.name} has {name} {odd[name][0]!r}", allowed=", ".join(known))
    # Some programs write NaN where they know nothing.
    table = table.with_columns(pl.col("value").fill_nan(None))
    odd = table.filter(~pl.col("value").is_between(0, 1))
    if len(odd):
        raise InputError(f"{path.name} has value {odd['value'][0]}", allowed="0, judged honest, to 1, abuse")
    return table.sort("observed_at")


def proofs_of(recording: Recording, labels: pl.DataFrame, *, known_at: int | None = None) -> NDArray[np.float32]:
    """What was said of each event itself: float32 [n, abuse types], 1 abuse, 0 judged honest, NaN nothing.

    Parameters
    ----------
    labels : a table as `labels_of_outcomes` gives it; one of an order, account or session speaks of all its events.
        From one half on a value means abuse; without one it says nothing. Weights are not read: a label is a proof.
    known_at : only what was observed before this instant, µs UTC; None takes all.
    """
    table = recording.named().with_row_index("row")
    seen = labels if known_at is None else labels.filter(pl.col("observed_at") < known_at)
    found = [
        table.select("row", pl.col(column).alias("subject"))
        .drop_nulls()
        .join(seen.filter(pl.col("subject_kind") == kind), on="subject", how="inner")
        for kind, column in (("event", "id"), ("order", "order"), ("account", "account"), ("session", "session"))
    ]
    direct = pl.concat([each.select("row", "abuse_type", "value") for each in found])
    known = np.full((len(recording), len(ABUSE_TYPES)), np.nan, np.float32)
    for place, abuse_type in enumerate(ABUSE_TYPES):
        own = direct.filter((pl.col("abuse_type") == abuse_type) & pl.col("value").is_not_null())
        judged = own.group_by("row").agg(pl.col("value").max() >= 0.5).sort("row")
        known[judged["row"].to_numpy().astype(np.int64), place] = judged["value"].to_numpy()
    return known


def spread_proofs(recording: Recording, proofs: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is known of each event, with what follows from proofs of others: a copy of `proofs_of`, less of it NaN.

    A proof of one event is spread to what the same hands did: to events of the same visit; further, within `REACH`, to
    those of the same account where the account is the abuser's own, and of the same means of payment in payment fraud.
    A taken account is its owner's, and most of what happens there is honest. Only events of types that were themselves
    proven abusive somewhere count, and beyond the visit only of the types proven of these very hands: nobody calls a
    thief's page views fraud, and a wrong verdict shall not condemn all that a customer ever did.
    """
    known = proofs.copy()
    for place, abuse_type in enumerate(ABUSE_TYPES):
        proven = np.flatnonzero(proofs[:, place] >= 0.5)
        if len(proven):
            further = _same_hands(recording, proven, abuse_type)
            known[further[np.isnan(known[further, place])], place] = 1.0
    return known


def spread_labels(recording: Recording, labels: pl.DataFrame, *, known_at: int | None = None) -> NDArray[np.float32]:
    """What is known of each event: `spread_proofs` of `proofs_of`."""
    return spread_proofs(recording, proofs_of(recording, labels, known_at=known_at))


def _same_hands(recording: Recording, proven: NDArray[np.int64], abuse_type: str) -> NDArray[np.int64]:
    """Places of events by the hands that did the proven ones."""
    kinds = np.isin(recording.type, np.unique(recording.type[proven]))
    session = np.asarray(recording.keys[:, KEYS.index("session")])
    near = kinds & (session > 0) & np.isin(session, session[proven])
    owner = "account" if abuse_type in OWNED else "payment" if abuse_type == "payment_fraud" else None
    if owner is not None:
        near |= _near_in_time(recording, proven, np.asarray(recording.keys[:, KEYS.index(owner)]))
    return np.flatnonzero(near)


def _near_in_time(recording: Recording, proven: NDArray[np.int64], hands: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Events of the same hands and of a type proven of them, at most `REACH` before or after one of the proofs."""
    spoken = ~_OF_A_VISIT[recording.type] & (hands > 0)
    proofs = proven[spoken[proven]]
    events = pl.DataFrame(
        {
            "row": np.flatnonzero(spoken), "who": hands[spoken], "type": recording.type[spoken],
            "at": recording.at[spoken],
        }
    )  # fmt: skip
    said = pl.DataFrame({"who": hands[proofs], "type": recording.type[proofs], "proof_at": recording.at[proofs]})
    rows = (
        events.join(said, on=("who", "type"), how="inner")
        .filter((pl.col("at") - pl.col("proof_at")).abs() <= REACH)["row"]
        .unique()
        .to_numpy()
    )
    near = np.zeros(len(recording), np.bool_)
    near[rows] = True
    return near
