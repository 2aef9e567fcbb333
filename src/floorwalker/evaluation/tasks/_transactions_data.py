"""The book's simulated card payments as events of a shop, and their live features, made once and kept."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.detectors.transaction.declarations import PAYMENTS
from floorwalker.errors import UsageError
from floorwalker.evaluation.tasks._shop_run import cache_folder
from floorwalker.events.batch import EventBatch
from floorwalker.events.types import TYPE_CODES
from floorwalker.features.live import DEFAULT, Limits, LiveFeatures

FILE = Path("handbook_simulated") / "simulated_data_raw.parquet"
SECOND, DAY = 1_000_000, 86_400
FIRST_AT = 1_522_540_800 * SECOND
"""Midnight of 2018-04-01 UTC, in microseconds: where the book's days begin."""
DELAY_DAYS = 7
"""A fraud is told as a chargeback so long after the payment."""
BATCH = 50_000


@dataclass(frozen=True)
class Payments:
    """The book's table, a row a payment in its order.

    Parameters
    ----------
    account, seller : int64 [n]: CUSTOMER_ID and TERMINAL_ID.
    amount : float64 [n], in whole currency units.
    at : int64 [n], seconds since the first midnight.
    fraud : bool [n].
    scenario : int8 [n], the generator's; 0 for honest. Read by nothing but the split of figures by scenario.
    """

    account: NDArray[np.int64]
    seller: NDArray[np.int64]
    amount: NDArray[np.float64]
    at: NDArray[np.int64]
    fraud: NDArray[np.bool_]
    scenario: NDArray[np.int8]

    @property
    def day(self) -> NDArray[np.int64]:
        """Whole days since the first midnight: int64 [n]."""
        return self.at // DAY

    def __len__(self) -> int:
        return len(self.at)


def read_payments(data: Path | None) -> Payments:
    """The payments of `data`/handbook_simulated.

    Errors
    ------
    `UsageError` where the folder is not named or does not hold them.
    """
    if data is None or not (data / FILE).exists():
        raise UsageError(
            f"transactions are judged on public data that is not there: {FILE}",
            fix="give --data or set FLOORWALKER_DATA to the folder that holds handbook_simulated",
        )
    table = pl.read_parquet(data / FILE)
    return Payments(
        account=table["CUSTOMER_ID"].to_numpy().astype(np.int64),
        seller=table["TERMINAL_ID"].to_numpy().astype(np.int64),
        amount=table["TX_AMOUNT"].to_numpy(),
        at=table["TX_TIME_SECONDS"].to_numpy().astype(np.int64),
        fraud=(table["TX_FRAUD_SCENARIO"] > 0).to_numpy(),
        scenario=table["TX_FRAUD_SCENARIO"].to_numpy().astype(np.int8),
    )


def live_features(
    payments: Payments, *, fraud: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float32], list[str]]:
    """The live features of each payment as of just before it, and the event's own amount and time.

    Each payment is an `order` of an account at a seller; each fraud comes back as a `dispute_chargeback` of the same
    account and seller `DELAY_DAYS` later, in its place among the orders.

    Parameters
    ----------
    fraud : bool [n], what comes back; the table's own without it.

    Returns float32 [n, F] without columns that never change, and their names.
    """
    told = np.flatnonzero(payments.fraud if fraud is None else fraud)
    count = len(payments)
    row = np.concatenate([np.arange(count), told])
    when = np.concatenate([payments.at, payments.at[told] + DELAY_DAYS * DAY])
    is_order = np.arange(len(row)) < count
    # At one second, what is told comes before what is bought.
    order = np.lexsort((np.arange(len(row)), is_order, when))
    row, when, is_order = row[order], when[order], is_order[order]
    limits = Limits(
        rows={"account": 16_384, "seller": 32_768, "account*seller": 1 << 21}, other_rows=1_024, sketches=4_096
    )
    live = LiveFeatures((*DEFAULT, *PAYMENTS), seed=1, limits=limits)
    values = np.empty((count, len(live.names)), np.float32)
    for start in range(0, len(row), BATCH):
        here = slice(start, start + BATCH)
        found = live.advance(_batch(payments, row[here], when[here], is_order[here]))
        values[row[here][is_order[here]]] = found.values[is_order[here]]
    moving = [
        place for place in range(values.shape[1]) if len(np.unique(values[:: max(count // 50_000, 1), place])) > 1
    ]
    hour = (payments.at % DAY / 3_600).astype(np.float32)
    weekday = (payments.day + 6) % 7
    own = np.stack([payments.amount, hour, weekday], axis=1).astype(np.float32)
    names = ["event.amount", "event.hour", "event.weekday", *(live.names[place] for place in moving)]
    return np.concatenate([own, values[:, moving]], axis=1), names


def _batch(
    payments: Payments, row: NDArray[np.int64], when: NDArray[np.int64], is_order: NDArray[np.bool_]
) -> EventBatch:
    at = FIRST_AT + when * SECOND
    types = np.where(is_order, TYPE_CODES["order"], TYPE_CODES["dispute_chargeback"]).astype(np.int16)
    keys = {"account": _scatter(payments.account[row], 1), "seller": _scatter(payments.seller[row], 2)}
    amount = np.rint(payments.amount[row] * 100)
    numbers = {"amount_minor": amount, "quantity": np.ones(len(row))}
    return EventBatch([""] * len(row), types, at, at, keys, numbers, {})


def _scatter(values: NDArray[np.int64], salt: int) -> NDArray[np.uint64]:
    """Keys that look like hashes; never 0."""
    mixed = (values.astype(np.uint64) + np.uint64(1 + salt * 1_000_003)) * np.uint64(0x9E3779B97F4A7C15)
    keys: NDArray[np.uint64] = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15) | np.uint64(1)
    return keys


def kept_features(payments: Payments) -> tuple[NDArray[np.float32], list[str]]:
    """`live_features`, read from the evaluations' cache where they were made from the same table and declarations."""
    digest = hashlib.blake2b(repr((DEFAULT, PAYMENTS, DELAY_DAYS, len(payments))).encode(), digest_size=10)
    digest.update(Path(__file__).read_bytes())
    digest.update(payments.at[:: max(len(payments) // 1_000, 1)].tobytes())
    folder = cache_folder() / "transactions" / digest.hexdigest()
    if not (folder / "complete").exists():
        values, names = live_features(payments)
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "values.npy", values, allow_pickle=False)
        (folder / "names.json").write_text(json.dumps(names), encoding="utf-8")
        (folder / "complete").touch()
    values = np.load(folder / "values.npy", mmap_mode="r", allow_pickle=False)
    return values, json.loads((folder / "names.json").read_text(encoding="utf-8"))
