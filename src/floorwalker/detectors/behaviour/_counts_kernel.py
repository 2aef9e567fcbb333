"""How often codes and pairs of codes came so far, along sequences."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.behaviour._token_kernel import inline_kernel
from floorwalker.kernels import kernel

_NOTHING = np.int64(-1)
_BEFORE, _NOW = np.int64(1_000_003), np.int64(7_919)


@inline_kernel
def place_of(
    tokens: NDArray[np.int32],
    row: int,
    field: int,
    before: np.int64,
    offsets: NDArray[np.int64],
    counts: int,
    pairs: int,
) -> np.int64:
    """Where a field's code is counted; behind the last field, the pair with the event before (its code, or -1)."""
    if field < tokens.shape[1]:
        found = offsets[field] + np.int64(tokens[row, field])
    else:
        found = counts - pairs + ((before + 2) * _BEFORE + (np.int64(tokens[row, 0]) + 1) * _NOW) % pairs
    return np.int64(found)


@kernel
def weigh_counts(
    tokens: NDArray[np.int32],
    starts: NDArray[np.int64],
    offsets: NDArray[np.int64],
    often: NDArray[np.float32],
    now: NDArray[np.float32],
    bias: NDArray[np.float32],
    pairs: int,
    logits: NDArray[np.float32],
) -> None:
    """Fill `logits`, float32 [events, K], with the weighted counts as of each event."""
    counts, labels = often.shape
    fields = tokens.shape[1] + 1
    seen = np.zeros(counts, np.int64)
    total = np.empty(labels, np.float64)
    for sequence in range(len(starts) - 1):
        for label in range(labels):
            total[label] = bias[label]
        before = _NOTHING
        for row in range(starts[sequence], starts[sequence + 1]):
            for label in range(labels):
                logits[row, label] = 0.0
            for field in range(fields):
                place = place_of(tokens, row, field, before, offsets, counts, pairs)
                grown = math.sqrt(seen[place] + 1.0) - math.sqrt(np.float64(seen[place]))
                seen[place] += 1
                for label in range(labels):
                    total[label] += grown * often[place, label]
                    logits[row, label] += now[place, label]
            before = np.int64(tokens[row, 0])
            for label in range(labels):
                logits[row, label] += total[label]
        before = _NOTHING
        for row in range(starts[sequence], starts[sequence + 1]):
            for field in range(fields):
                seen[place_of(tokens, row, field, before, offsets, counts, pairs)] = 0
            before = np.int64(tokens[row, 0])


@kernel
def lay_counts(
    tokens: NDArray[np.int32],
    starts: NDArray[np.int64],
    offsets: NDArray[np.int64],
    wanted: NDArray[np.bool_],
    counts: int,
    pairs: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """What `weigh_counts` weighs, of the wanted events, as a sparse matrix by rows: values, columns, where rows end.

    Its columns are the `counts` so far, then, shifted by as many, what came just now.
    """
    fields = tokens.shape[1] + 1
    values, columns = np.empty(1024, np.float64), np.empty(1024, np.int64)
    ends = np.zeros(wanted.sum() + 1, np.int64)
    seen = np.zeros(counts, np.int64)
    filled, done = 0, 0
    for sequence in range(len(starts) - 1):
        first, last = starts[sequence], starts[sequence + 1]
        met = np.empty((last - first) * fields, np.int64)
        known = 0
        before = _NOTHING
        for row in range(first, last):
            needed = filled + known + 2 * fields
            if wanted[row] and needed > len(values):
                values = np.concatenate((values, np.empty(needed, np.float64)))
                columns = np.concatenate((columns, np.empty(needed, np.int64)))
            for field in range(fields):
                place = place_of(tokens, row, field, before, offsets, counts, pairs)
                if seen[place] == 0:
                    met[known] = place
                    known += 1
                seen[place] += 1
                if wanted[row]:
                    values[filled], columns[filled] = 1.0, counts + place
                    filled += 1
            before = np.int64(tokens[row, 0])
            if wanted[row]:
                for number in range(known):
                    values[filled], columns[filled] = math.sqrt(np.float64(seen[met[number]])), met[number]
                    filled += 1
                done += 1
                ends[done] = filled
        for number in range(known):
            seen[met[number]] = 0
    return values[:filled], columns[:filled], ends
