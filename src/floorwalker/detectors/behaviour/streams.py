"""A shop's history as sequences: the events of each account, or of each session, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour._token_kernel import link_streams
from floorwalker.detectors.behaviour.sequences import Sequences
from floorwalker.detectors.behaviour.tokens import SHOP_FIELDS, ShopTokens

STREAMS: tuple[str, ...] = ("account", "session")
"""Whose events make a sequence."""

_link: Callable[..., None] = link_streams


@dataclass(frozen=True, eq=False)
class Stream:
    """Sequences of one kind of owner.

    Parameters
    ----------
    sequences : of every owner, in the order of their keys.
    rows : int64 [events of the sequences], the place in history of each of their events.
    """

    sequences: Sequences
    rows: NDArray[np.int64]

    def pick(self, chosen: NDArray[np.int64]) -> Stream:
        """These owners' sequences."""
        starts, lengths = self.sequences.starts[chosen], self.sequences.lengths[chosen]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        rows = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Stream(self.sequences.take(chosen), self.rows[rows])

    def reaching(self, since: int) -> Stream:
        """The whole sequences of owners with an event at or after the place `since`."""
        if not len(self.rows):
            return self
        last = np.maximum.reduceat(self.rows, self.sequences.starts[:-1])
        return self.pick(np.flatnonzero(last >= since))


def make_stream(history: ShopTokens, kind: str) -> Stream:
    """The events of each `account` or each `session`; events without one are left out."""
    keys: NDArray[np.uint64] = getattr(history, kind)
    named = np.flatnonzero(keys)
    order = named[np.argsort(keys[named], kind="stable")]
    linked = np.zeros((len(order), 3), np.uint8)
    _link(order, keys, history.at, history.device, history.network, linked)
    tokens = np.concatenate([history.tokens[order], linked], axis=1)
    borders = np.flatnonzero(np.diff(keys[order])) + 1
    starts = np.concatenate([[0], borders, [len(order)]]) if len(order) else np.zeros(1)
    return Stream(Sequences(tokens, starts.astype(np.int64), SHOP_FIELDS), order)
