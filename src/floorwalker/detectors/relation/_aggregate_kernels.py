"""Inner loops over neighbour lists."""

from __future__ import annotations

from typing import Any

import numpy as np

from floorwalker.kernels import kernel


@kernel
def mean_maximum_and_sum(
    start: Any, neighbour: Any, times: Any, halving: float, values: Any, mean: Any, largest: Any, total: Any
) -> None:
    """Weighted mean, maximum and weighted sum of the neighbours' values; NaN where no neighbour has one.

    A neighbour weighs `2 ** -(distance in time / halving)`; all weigh the same where `halving` is 0.
    """
    width = values.shape[1]
    weights = np.empty(width, np.float64)
    sums = np.empty(width, np.float64)
    for node in range(len(start) - 1):
        weights[:] = 0.0
        sums[:] = 0.0
        largest[node, :] = np.nan
        for edge in range(start[node], start[node + 1]):
            other = neighbour[edge]
            weight = 1.0
            if halving > 0.0:
                weight = 2.0 ** (-abs(float(times[node] - times[other])) / halving)
            for column in range(width):
                value = values[other, column]
                if not np.isnan(value):
                    weights[column] += weight
                    sums[column] += weight * value
                    if not largest[node, column] >= value:
                        largest[node, column] = value
        for column in range(width):
            mean[node, column] = sums[column] / weights[column] if weights[column] > 0.0 else np.nan
            total[node, column] = sums[column] if weights[column] > 0.0 else np.nan


@kernel
def weigh_labels(
    start: Any, neighbour: Any, times: Any, halving: float, delay: Any, past: bool,
    label: Any, known: Any, fold: Any, hits: Any, total: Any,
) -> None:  # fmt: skip
    """Weights of the neighbours whose label is known, and of those among them that are positive.

    Labels of nodes in the node's own fold do not count; with `past` only those
    that are older by more than the node's `delay`.
    """
    for node in range(len(start) - 1):
        found = 0.0
        weights = 0.0
        for edge in range(start[node], start[node + 1]):
            other = neighbour[edge]
            if not known[other] or (fold[node] >= 0 and fold[other] == fold[node]):
                continue
            if past and times[node] - times[other] <= delay[node]:
                continue
            weight = 1.0
            if halving > 0.0:
                weight = 2.0 ** (-abs(float(times[node] - times[other])) / halving)
            weights += weight
            found += weight * label[other]
        hits[node] = found
        total[node] = weights


@kernel
def mean_of_rows(start: Any, neighbour: Any, rows: Any, values: Any, mean: Any) -> None:
    """Mean of the neighbours' values for some nodes only; NaN where none has a value."""
    for node in rows:
        total = 0.0
        count = 0
        for edge in range(start[node], start[node + 1]):
            value = values[neighbour[edge]]
            if not np.isnan(value):
                total += value
                count += 1
        mean[node] = total / count if count else np.nan


@kernel
def propagate(start: Any, neighbour: Any, scale: Any, values: Any) -> Any:
    """`D^-1/2 A D^-1/2 values` with `scale = D^-1/2`."""
    answer = np.empty(len(values), np.float64)
    for node in range(len(start) - 1):
        total = 0.0
        for edge in range(start[node], start[node + 1]):
            other = neighbour[edge]
            total += scale[other] * values[other]
        answer[node] = scale[node] * total
    return answer
