"""The reviews of YelpChi as CARE-GNN has them: who reviewed what and when, the stars, and what the site filtered.

The file's order and the user ids give the label away (filtered users were numbered apart: ROC AUC 0.996). So rows are
shuffled on reading, and of users and products only who is the same as whom is kept, under numbers drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.errors import InputError

FILE = Path("yelpchi") / "metadata.gz"
MOST_REVIEWS = 800
"""Products with more reviews are no nodes of CARE-GNN's graph; their reviews are history of their users, unlabelled."""

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Reviews:
    """Reviews in random order.

    Parameters
    ----------
    user, product : int64 [n], numbers that say nothing but who is the same.
    day : int64 [n], days since 2000-01-01.
    stars : float32 [n], 1 to 5.
    filtered : bool [n], the label; read for nodes only.
    is_node : bool [n].
    """

    user: Whole
    product: Whole
    day: Whole
    stars: NDArray[np.float32]
    filtered: NDArray[np.bool_]
    is_node: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: NDArray[np.intp]) -> Reviews:
        """The reviews at these positions, in this order."""
        return Reviews(
            self.user[rows], self.product[rows], self.day[rows], self.stars[rows], self.filtered[rows],
            self.is_node[rows],
        )  # fmt: skip

    def relabelled(self, filtered: NDArray[np.bool_]) -> Reviews:
        """The same reviews with other labels."""
        return replace(self, filtered=filtered)

    def months(self) -> Whole:
        """int64 [n], calendar months since 2000."""
        days = np.datetime64("2000-01-01") + self.day.astype("timedelta64[D]")
        return days.astype("datetime64[M]").astype(np.int64) - 30 * 12


def read_reviews(data: Path, *, seed: int) -> Reviews:
    """All reviews, shuffled; `InputError` where they are missing."""
    path = data / FILE
    if not path.is_file():
        raise InputError(f"no {FILE} in {data}", fix="give the folder that holds yelpchi")
    names = ["user", "product", "stars", "label", "date"]
    table = pl.read_csv(path, separator=" ", has_header=False, new_columns=names)
    random = np.random.default_rng([seed, 20])
    table = table[random.permutation(len(table))]
    days = table["date"].str.to_date("%Y-%m-%d").to_numpy().astype("datetime64[D]") - np.datetime64("2000-01-01")
    return hide_ids(
        Reviews(
            user=table["user"].to_numpy().astype(np.int64),
            product=table["product"].to_numpy().astype(np.int64),
            day=days.astype(np.int64),
            stars=table["stars"].to_numpy().astype(np.float32),
            filtered=table["label"].to_numpy() == -1,
            is_node=_are_nodes(table["product"].to_numpy()),
        ),
        random,
    )


def hide_ids(reviews: Reviews, random: np.random.Generator) -> Reviews:
    """The same reviews, users and products numbered anew at random."""

    def renumber(ids: Whole) -> Whole:
        _, place = np.unique(ids, return_inverse=True)
        numbers: Whole = random.permutation(int(place.max()) + 1 if len(place) else 0)[place]
        return numbers

    return replace(reviews, user=renumber(reviews.user), product=renumber(reviews.product))


def _are_nodes(product: NDArray[np.generic]) -> NDArray[np.bool_]:
    _, place, counts = np.unique(product, return_inverse=True, return_counts=True)
    nodes: NDArray[np.bool_] = counts[place] <= MOST_REVIEWS
    return nodes
