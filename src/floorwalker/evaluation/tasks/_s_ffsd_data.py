"""The payments of S-FFSD, and the two ways of splitting their labels."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.errors import InputError, UsageError

FILE = Path("s_ffsd") / "S-FFSD.zip"
UNLABELLED = 2
LEARNED_SHARE = 0.6
"""Of the labelled rows, in both splits."""

ENTITIES = {"source": "Source", "target": "Target", "location": "Location", "type": "Type"}
TOGETHER = (
    ("source", "target"), ("target", "location"), ("target", "type"), ("source", "type"), ("location", "type"),
    ("source", "location"), ("target", "amount"), ("source", "amount"), ("target", "location", "type"),
)  # fmt: skip
"""Entities, and the amount, that are counted together."""
DIFFERENT = (
    ("source", "target"), ("source", "location"), ("source", "type"), ("target", "source"), ("target", "location"),
    ("target", "type"), ("location", "source"), ("location", "target"), ("type", "source"), ("type", "target"),
)  # fmt: skip
"""(of, what): how many different ones are counted."""


@dataclass(frozen=True)
class CardPayments:
    """The table in its order, which is that of time.

    Parameters
    ----------
    keys : name -> int64 [n], codes of entities and of several together.
    amount : float64 [n].
    label : float64 [n], 1 for fraud, 0, NaN where there is none.
    """

    keys: dict[str, NDArray[np.int64]]
    amount: NDArray[np.float64]
    label: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.amount)

    @property
    def labelled(self) -> NDArray[np.int64]:
        """Rising rows that have a label."""
        return np.flatnonzero(~np.isnan(self.label))


def read_card_payments(data: Path | None) -> CardPayments:
    """The payments of `data`/s_ffsd.

    Errors
    ------
    `UsageError` where the folder is not named or does not hold them, `InputError` where the archive has no table.
    """
    if data is None or not (data / FILE).exists():
        raise UsageError(
            f"s-ffsd is judged on public data that is not there: {FILE}",
            fix="give --data or set FLOORWALKER_DATA to the folder that holds s_ffsd",
        )
    with zipfile.ZipFile(data / FILE) as archive:
        name = next((name for name in archive.namelist() if Path(name).name == "S-FFSD.csv"), None)
        if name is None:
            raise InputError(f"{data / FILE} holds no S-FFSD.csv", fix="fetch the archive again")
        table = pl.read_csv(io.BytesIO(archive.read(name)))
    return take_table(table.sort("Time", maintain_order=True))


def take_table(table: pl.DataFrame) -> CardPayments:
    """A table with the columns Source, Target, Location, Type, Amount and Labels, in the order of time."""
    keys = {name: _codes([table[column]]) for name, column in ENTITIES.items()}
    keys["amount"] = _codes([table["Amount"]])
    for names in TOGETHER:
        keys["_".join(names)] = _codes([pl.Series(name, keys[name]) for name in names])
    label = table["Labels"].cast(pl.Float64).to_numpy()
    return CardPayments(keys, table["Amount"].cast(pl.Float64).to_numpy(), np.where(label == UNLABELLED, np.nan, label))


def _codes(columns: list[pl.Series]) -> NDArray[np.int64]:
    """A number from 0 for each different row of these columns."""
    frame = pl.DataFrame(columns)
    answer: NDArray[np.int64] = frame.select(pl.struct(frame.columns).rank("dense") - 1).to_series().to_numpy()
    return answer.astype(np.int64)


def split_at_random(payments: CardPayments, seed: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """RGTAN's split: labelled rows drawn within each class, 60 % to learn from; bool [n] for both parts."""
    random = np.random.default_rng(seed)
    learn = np.zeros(len(payments), np.bool_)
    for value in (0.0, 1.0):
        rows = random.permutation(np.flatnonzero(payments.label == value))
        learn[rows[: round(LEARNED_SHARE * len(rows))]] = True
    return learn, ~np.isnan(payments.label) & ~learn


def split_in_time(payments: CardPayments, share: float = LEARNED_SHARE) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The first 60 % of the labelled rows to learn from, the others to be judged on; bool [n] for both parts."""
    labelled = payments.labelled
    cut = labelled[int(share * len(labelled))]
    known, here = ~np.isnan(payments.label), np.arange(len(payments))
    return known & (here < cut), known & (here >= cut)
