"""What nobody proved and is abuse all the same: a guess, for training alone.

A shop hears of a quarter of what is done to it. A model that is told the rest were honest learns to look away from just
what it should find. So a teacher looks at the whole time that is learned from at once, as no served model can: what the
same account, device, card or door did later, and what else was proven of them. It learns from two thirds of all hands
which events are proven themselves, and judges the last third. How likely an event is to be *proven* becomes how likely
it is to be *abuse* by Elkan and Noto, "Learning classifiers from only positive and unlabeled data" (KDD 2008, section
3): where proofs fall on a share c of the abuse, an unproven event with probability p is abuse by
(1 - c) / c * p / (1 - p). Proofs do not fall evenly; the share over all abuse is the harmonic mean of what the teacher
says of proven events.

What is almost certainly abuse is learned as such. What may be is learned as nothing: a mistake either way costs more
than an event.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.detectors.transaction.boosted_trees import BoostedTrees
from floorwalker.fusion.columns import column_names, fusion_columns
from floorwalker.learning.shop.drawing import draw_rows
from floorwalker.learning.shop.recording import KEYS, Recording
from floorwalker.learning.shop.signals import Signals

FOLDS = 3
FEWEST = 150
"""Proven events below which nothing is guessed."""
SURE, UNSURE = 0.6, 0.05
"""From where on an event counts as abuse as far as it is likely; from where on as nothing."""
MOST, MOST_UNSURE = 2.0, 5.0
"""What counts as abuse is at most so many times the proven events, with what counts as nothing so many, the likeliest
first: from labels by chance anything would follow, and without odd honest events nobody learns what is merely odd."""
SHARED: tuple[str, ...] = (
    "session", "account", "device", "ip", "ip_network", "payment", "bin", "delivery_point", "coupon", "promotion",
    "item", "seller", "inviter", "email_domain", "phone_prefix",
)  # fmt: skip
"""Kinds of entity over which is looked."""
FACTS: tuple[str, ...] = ("others", "mean", "often", "proven", "hands", "hands_share", "own_mean", "own_often")
PERSONAL: tuple[str, ...] = ("session", "device", "payment")
"""Kinds of entity that are the hands' own: other proofs of theirs speak of the event."""
TOGETHER: tuple[str, ...] = ("session", "device")
"""Kinds of entity by which an event is one of the same hands: of an account that was taken, most events are its
owner's, and so are those of a stolen card."""
MOST_TOGETHER = 1_000
"""Events in the whole time above which a visit or device is nobody's own, but a name that many share."""
_ODD = 0.5
_RAREST = 0.01
_WHOLE = float(1 << 32)
"""Oddness is added up in whole numbers: groups are added in any order, and one seed shall give the same guesses."""
_MIX = np.uint64(0x9E3779B97F4A7C15)


def guess_unproven(
    recording: Recording,
    signals: Signals,
    proofs: NDArray[np.bool_],
    proven: NDArray[np.bool_],
    judged: NDArray[np.bool_],
    odd: NDArray[np.float32],
    *,
    most_rows: int,
    seed: int,
    threads: int,
) -> NDArray[np.float32]:
    """How far each event that was not proven itself counts as abuse: float32 [n] in [0, 1], NaN where it is to count as
    nothing.

    Parameters
    ----------
    proofs, proven, judged : bool [n], of the events that are learned from: proven themselves; these and what follows
        from them; of a type at which abuse is looked for and that nobody called honest.
    odd : float32 [n], the first opinion, by models that had not seen the event.
    most_rows : events that were not proven that the teacher learns from and judges; the odd ones first.
    """
    found = np.where(proven & ~proofs, 1.0, 0.0).astype(np.float32)
    if proofs.sum() < FEWEST:
        return found
    rows, standing = draw_rows(proven, judged, odd, most_rows, np.random.default_rng(seed))
    told = [
        fusion_columns(
            np.asarray(recording.features[rows]), np.asarray(recording.numbers[rows]), recording.type[rows],
            signals.rows(rows),
        ),
        company(recording, np.flatnonzero(judged), rows, odd, proven),
        further_proofs(recording, rows, proofs[rows]),
    ]  # fmt: skip
    matrix = np.concatenate(told, axis=1)
    names = (
        *column_names(recording.names, signals.outputs), *(f"{kind}/{fact}" for kind in SHARED for fact in FACTS),
        *(f"further/{place}" for place in range(told[-1].shape[1])),
    )  # fmt: skip
    label = proofs[rows].astype(np.float64)
    fold = ((hands_of(recording, rows) * _MIX) >> np.uint64(40)) % np.uint64(FOLDS)
    said = _judge_folds(matrix, names, label, standing, fold, seed=seed, threads=threads)
    share = np.where(label == 1, 0.0, abuse_of_proof(said, label == 1))
    # By what the teacher says, for the likeliest shares are all 1: among these the earliest would come first.
    likeliest = np.argsort(np.where(label == 1, 1.0, -said), kind="stable")
    before = np.empty(len(rows))
    before[likeliest] = np.cumsum((standing * (label == 0))[likeliest])
    sure = (share >= SURE) & (before <= MOST * label.sum())
    unsure = ~sure & (((share >= UNSURE) & (before <= MOST_UNSURE * label.sum())) | proven[rows])
    # What looks odd and was not looked at may be either.
    found[judged & ~proven & (odd > 0)] = np.nan
    found[rows] = np.where(label == 1, 0.0, np.where(unsure, np.nan, np.where(sure, share, 0.0)))
    return found


def _judge_folds(
    matrix: NDArray[np.float32],
    names: Sequence[str],
    label: NDArray[np.float64],
    standing: NDArray[np.float64],
    fold: NDArray[np.uint64],
    *,
    seed: int,
    threads: int,
) -> NDArray[np.float64]:
    """What trees say of each row that learned from the other folds alone."""
    said = np.zeros(len(label))
    for place in range(FOLDS):
        mine = fold == place
        if not mine.any() or not 0 < label[~mine].sum() < (~mine).sum():
            continue
        trees = BoostedTrees(
            rounds=100, leaves=31, rate=0.1, max_bin=255, column_share=0.3, l2=5.0, validation_share=0.0,
            blind_rounds=100, seed=seed, threads=threads,
        )  # fmt: skip
        trees.fit(matrix[~mine], label[~mine], names=names, weights=standing[~mine])
        said[mine] = trees.score(matrix[mine])
    return said


def abuse_of_proof(said: NDArray[np.float64], proven: NDArray[np.bool_]) -> NDArray[np.float64]:
    """From the probability that an event is proven to that of abuse if it was not.

    Parameters
    ----------
    said : [n], by models that did not learn from the event.
    proven : bool [n], at least one.

    >>> abuse_of_proof(np.array([0.5, 0.5, 0.25, 0.0]), np.array([True, True, False, False])).round(2).tolist()
    [1.0, 1.0, 0.33, 0.0]
    """
    share = 1.0 / float((1.0 / np.clip(said[proven], _RAREST, 1.0)).mean())
    odds = said / np.maximum(1.0 - said, 1e-9)
    return np.clip((1.0 - share) / share * odds, 0.0, 1.0)


def further_proofs(recording: Recording, rows: NDArray[np.int64], proofs: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How many other events of the same hands, visit, device and card were proven, and how many of the same type:
    float32 [len(rows), 2 * (1 + len(PERSONAL))]; the event itself is not counted."""
    keys = np.asarray(recording.keys[rows])
    kinds = recording.type[rows].astype(np.int64)
    counts = []
    for entity in (hands_of(recording, rows), *(keys[:, KEYS.index(name)] for name in PERSONAL)):
        _, number = np.unique(entity, return_inverse=True)
        for group in (number, np.unique(number * 1_000 + kinds, return_inverse=True)[1]):
            count = np.bincount(group, weights=proofs)[group] - proofs
            counts.append(np.where(entity > 0, count, 0.0))
    return np.stack(counts, axis=1).astype(np.float32)


def is_company(recording: Recording, rows: NDArray[np.int64], guilty: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the events at `rows` share a visit or a device with a guilty one, or are one: bool [len(rows)].

    Parameters
    ----------
    guilty : bool [n], of the recording's first n events.
    """
    found = np.zeros(len(rows), np.bool_)
    for kind in TOGETHER:
        keys = np.asarray(recording.keys[:, KEYS.index(kind)])
        theirs, many = np.unique(keys[: len(guilty)], return_counts=True)
        theirs = theirs[(theirs > 0) & (many <= MOST_TOGETHER)]
        found |= np.isin(keys[rows], np.intersect1d(theirs, keys[: len(guilty)][guilty]))
    return found


def hands_of(recording: Recording, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Whose events these are: the account's key, the session's of a visitor without one."""
    keys = np.asarray(recording.keys[rows])
    account, session = (keys[:, KEYS.index(name)] for name in ("account", "session"))
    return np.where(account > 0, account, session)


def company(
    recording: Recording,
    judged: NDArray[np.int64],
    rows: NDArray[np.int64],
    odd: NDArray[np.float32],
    proven: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """What the events of each of these rows' entities were like over the whole time, before and after.

    Of an entity's other hands: how many events, mean oddness, share of odd ones, share of proven ones, how many hands
    were proven and which share of them; of the event's own hands there: mean oddness, and how many were odd. What was
    proven of the own hands is not told: it would give the label away.

    Parameters
    ----------
    judged : places of the events that are looked at, rising; `rows` are among them.

    Returns float32 [len(rows), len(SHARED) * len(FACTS)], NaN where the event has no such entity.
    """
    wanted = np.searchsorted(judged, rows)
    keys = np.asarray(recording.keys[judged])
    said = odd[judged]
    events = pl.DataFrame(
        {
            "hands": hands_of(recording, judged), "odd": np.rint(said.astype(np.float64) * _WHOLE).astype(np.int64),
            "often": (said >= _ODD).astype(np.float32),
            "proven": proven[judged].astype(np.float32),
        }
    )  # fmt: skip
    found = np.full((len(rows), len(SHARED) * len(FACTS)), np.nan, np.float32)
    for place, kind in enumerate(SHARED):
        named = events.with_columns(pl.Series("entity", keys[:, KEYS.index(kind)]))
        own = (
            named.filter(pl.col("entity") > 0)
            .group_by("entity", "hands")
            .agg(pl.len().cast(pl.Float32).alias("count"), pl.col("odd", "often", "proven").sum())
        )
        whole = own.group_by("entity").agg(
            pl.col("count", "odd", "often", "proven").sum().name.prefix("all_"),
            pl.len().cast(pl.Float32).alias("hands_count"),
            (pl.col("proven") > 0).sum().cast(pl.Float32).alias("hands_proven"),
        )
        both = named[wanted].select("entity", "hands").join(
            own.join(whole, on="entity"), on=("entity", "hands"), how="left", maintain_order="left"
        )  # fmt: skip
        others = pl.col("all_count") - pl.col("count")
        many = pl.max_horizontal(others, 1.0)
        bad_hands = pl.col("hands_proven") - (pl.col("proven") > 0)
        told = both.select(
            others.log1p().alias("others"),
            ((pl.col("all_odd") - pl.col("odd")) / _WHOLE / many).alias("mean"),
            ((pl.col("all_often") - pl.col("often")) / many).alias("often"),
            ((pl.col("all_proven") - pl.col("proven")) / many).alias("proven"),
            bad_hands.alias("hands"),
            (bad_hands / pl.max_horizontal(pl.col("hands_count") - 1.0, 1.0)).alias("hands_share"),
            (pl.col("odd") / _WHOLE / pl.col("count")).alias("own_mean"),
            pl.col("often").alias("own_often"),
        )
        first = place * len(FACTS)
        found[:, first : first + len(FACTS)] = told.cast(pl.Float32).to_numpy()
    return found
