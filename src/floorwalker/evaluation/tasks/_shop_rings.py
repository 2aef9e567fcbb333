"""Rings among the accounts at risk of a simulated shop, against its campaigns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.detectors.relation.live import LiveRelations
from floorwalker.detectors.relation.rings import Ring
from floorwalker.learning.shop.recording import KEYS, Recording

LEAST_SCORE, LEAST_BREADTH = 0.4, 0.5
"""Score and breadth of a ring from which on it is reported: chosen on small scenarios of other seeds."""


def ring_pairs(
    recording: Recording, truth: pl.DataFrame, flagged: NDArray[np.bool_], start: int, stop: int
) -> dict[str, Any]:
    """Pairs of accounts that are put in one ring: how many of them belong to one campaign.

    The live graph follows all events before place `stop`; then rings are looked for among the accounts with a flagged
    event in the part. Nothing of the truth is used for that.

    Parameters
    ----------
    truth : a row an event of the recording: `phase`, `campaign`.
    flagged : bool [stop - start], the part's events that reach the deployed threshold.

    Returns
    -------
    `pair_precision` (None where there are no rings), `rings`, `pairs`, `members`, and `recall`: of the accounts of the
    part's campaigns with at least three of them, the share that is in a ring.
    """
    live = LiveRelations()
    for _, batch, features in recording.batches(0, stop):
        live.advance(batch, features)
    accounts = np.asarray(recording.keys[start:stop, KEYS.index("account")])
    suspected = np.unique(accounts[flagged & (accounts > 0)])
    rings = live.rings(since=int(recording.at[start]), among=suspected)
    campaigns = campaigns_of(accounts, truth[start:stop])
    told = [ring for ring in rings if ring.score >= LEAST_SCORE and ring.breadth >= LEAST_BREADTH]
    return judge_rings(told, campaigns)


def campaigns_of(accounts: NDArray[np.uint64], truth: pl.DataFrame) -> dict[int, set[int]]:
    """The campaigns that each account took part in, also as a victim's: by the account's key."""
    bad = (truth["phase"] != "").to_numpy() & (accounts > 0)
    found: dict[int, set[int]] = {}
    for account, campaign in zip(accounts[bad].tolist(), truth["campaign"].to_numpy()[bad].tolist(), strict=True):
        found.setdefault(account, set()).add(campaign)
    return found


def judge_rings(rings: Sequence[Ring], campaigns: dict[int, set[int]]) -> dict[str, Any]:
    """Figures of rings whose members are keys of accounts; as `ring_pairs`.

    >>> ring = Ring((1, 2, 3), (), 0.5)
    >>> judge_rings([ring], {1: {7}, 2: {7}})["pair_precision"]
    0.3333333333333333
    """
    pairs = [pair for ring in rings for pair in combinations(ring.members, 2)]
    right = sum(bool(campaigns.get(one, set()) & campaigns.get(other, set())) for one, other in pairs)
    sizes: dict[int, int] = {}
    for joined in campaigns.values():
        for campaign in joined:
            sizes[campaign] = sizes.get(campaign, 0) + 1
    crews = {account for account, joined in campaigns.items() if any(sizes[campaign] >= 3 for campaign in joined)}
    members = set(_members(rings))
    return {
        "pair_precision": right / len(pairs) if pairs else None,
        "pairs": len(pairs),
        "rings": len(rings),
        "members": len(members),
        "recall": len(crews & members) / len(crews) if crews else None,
    }


def _members(rings: Sequence[Ring]) -> Iterator[int]:
    for ring in rings:
        yield from ring.members
