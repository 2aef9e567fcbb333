"""The two public sets of reviews with known fakes: Ott et al. (hotels, English) and ViSpamReviews (Vietnamese)."""

from __future__ import annotations

import gzip
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.errors import InputError

OTT = "ott_deceptive/deceptive-opinion.csv.gz"
VISPAM = "vispam_reviews/vispamdetection_dataset.zip"
VISPAM_PARTS = ("train", "dev", "test")


@dataclass(frozen=True, eq=False)
class Reviews:
    """Texts with their labels.

    Parameters
    ----------
    texts : n reviews.
    label : int64 [n]; Ott: 1 deceptive; ViSpam: 0 honest, 1 fake, 2 about the brand only, 3 no review at all.
    group : [n]; Ott: the hotel; ViSpam: `train`, `dev` or `test`, the official split.
    rating : float32 [n], stars; NaN where there are none.
    """

    texts: list[str]
    label: NDArray[np.int64]
    group: NDArray[np.str_]
    rating: NDArray[np.float32]


def read_ott(data: Path) -> Reviews:
    """1,600 reviews of 20 hotels, half of them written for money (Ott et al. 2011, 2013), each text once."""
    file = _file(data, OTT)
    table = pl.read_csv(io.BytesIO(gzip.decompress(file.read_bytes())))
    table = table.with_columns(pl.col("text").str.strip_chars()).unique("text", keep="first", maintain_order=True)
    return Reviews(
        texts=table["text"].to_list(),
        label=(table["deceptive"] == "deceptive").to_numpy().astype(np.int64),
        group=table["hotel"].to_numpy().astype(str),
        rating=np.full(len(table), np.nan, np.float32),
    )


def read_vispam(data: Path) -> Reviews:
    """19,870 reviews of Vietnamese shops (Van Dinh et al. 2022); learning rows whose text is in the test are left out,
    and of texts that are there twice the first is kept."""
    file = _file(data, VISPAM)
    with zipfile.ZipFile(file) as archive:
        parts = [
            pl.read_csv(archive.read(f"dataset/{part}.csv")).with_columns(pl.lit(part).alias("part"))
            for part in VISPAM_PARTS
        ]
    table = pl.concat(parts).with_columns(
        pl.col("Comment").str.strip_chars().alias("text"),
        pl.col("Comment").str.strip_chars().str.to_lowercase().str.replace_all(r"\s+", " ").alias("same"),
    )
    tested = table.filter(pl.col("part") == "test")["same"]
    table = table.filter((pl.col("part") == "test") | ~pl.col("same").is_in(tested.implode()))
    learned = table.filter(pl.col("part") != "test").unique("same", keep="first", maintain_order=True)
    table = pl.concat([learned, table.filter(pl.col("part") == "test")])
    return Reviews(
        texts=table["text"].to_list(),
        label=table["SpamLabel"].to_numpy().astype(np.int64),
        group=table["part"].to_numpy().astype(str),
        rating=table["Rating"].to_numpy().astype(np.float32),
    )


def _file(data: Path, name: str) -> Path:
    file = data / name
    if not file.exists():
        raise InputError(
            f"{file} is missing", allowed="the public data set", fix="put it there, see docs/evaluation.md"
        )
    return file
