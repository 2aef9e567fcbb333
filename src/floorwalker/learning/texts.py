"""A shop's own labelled texts, and the classifier of texts learned from them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from floorwalker.detectors.content.tuned import Tuning
from floorwalker.errors import InputError
from floorwalker.fusion.late_texts import train_texts
from floorwalker.learning.tables import read_table


def train_texts_of(
    path: Path,
    folder: Path,
    *,
    encoders: tuple[str, ...] = ("minilm_layers",),
    tuning: Tuning | None = None,
    seed: int = 0,
) -> Mapping[str, Any]:
    """Learn from a file of texts; returns what is known of the classifier.

    Parameters
    ----------
    path : CSV, JSON lines or Parquet with the columns `text` and `value` (1 abuse, 0 harmless, empty for texts of which
        nothing is known: they only tell how rare a score is); where `at` is there (a number or a time), texts are put
        in its order, else they are taken to be in the order of their times.
    folder : is written.
    encoders, tuning, seed : see `train_texts`.

    Raises `InputError` with the column or value at fault.
    """
    import polars as pl

    table = read_table(path, "texts", needed=("text", "value"), taken="text, value; at", words=("text",))
    if "at" in table.columns:
        table = table.sort("at", maintain_order=True)
    try:
        # Some programs write NaN where they know nothing.
        values = table["value"].cast(pl.Float64).fill_nan(None)
    except pl.exceptions.PolarsError as broken:
        raise InputError(f"{path.name}: {broken}", allowed="value: 1 for abuse, 0 for harmless") from broken
    if not values.drop_nulls().is_between(0, 1).all():
        raise InputError(f"{path.name} has values outside of 0 to 1", allowed="value: 1 for abuse, 0 for harmless")
    texts = [None if text is None else str(text) for text in table["text"].to_list()]
    return train_texts(
        texts, values.fill_null(float("nan")).to_numpy(), folder, encoders=encoders, tuning=tuning, seed=seed
    )
