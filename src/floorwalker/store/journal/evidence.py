"""Was a broken frame ever acknowledged? What stands behind it in the file knows."""

from __future__ import annotations

import numpy as np

from floorwalker.store.journal.frames import find_frame
from floorwalker.store.journal.segments import Segment


def durable_claim_behind(segment: Segment, offset: int, sequence: int) -> int:
    """The highest sequence before which a sound frame behind a broken one calls every record durable; -1: no claim.

    Parameters
    ----------
    segment : the file.
    offset : where the broken frame begins.
    sequence : the record that should stand there; only frames of later records count.
    """
    data = np.fromfile(segment.path, np.uint8, offset=offset)
    claim = -1
    at = 1
    while at >= 0:
        at, _, synced = find_frame(data, at, len(data), sequence + 1, segment.salt)
        if at >= 0:
            claim = max(claim, synced)
            if claim > sequence:
                return claim
            at += 24
    return claim
