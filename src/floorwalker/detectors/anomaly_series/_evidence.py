"""How much a count or a value speaks against what was expected, in nats, without special functions."""

from __future__ import annotations

import math

from floorwalker.kernels import kernel

COUNTS, VALUES = 0, 1


@kernel
def count_evidence(count: float, mean: float, spread: float) -> float:
    """The log likelihood ratio of a negative binomial count against its own best mean, where it is above `mean`.

    `exp(-evidence)` bounds the chance of so large a count (Chernoff). The variance is `mean + spread * mean²`; a spread
    of 0 is Poisson's law. For `k` counts added up, the spread of the sum is `spread / k`.
    """
    if count <= mean:
        return 0.0
    mean = max(mean, 1e-9)
    if spread < 1e-9:
        return count * math.log(count / mean) - (count - mean)
    shape = 1.0 / spread
    return count * math.log(count / mean) - (count + shape) * math.log((count + shape) / (mean + shape))


@kernel
def value_evidence(value: float, mean: float, deviation: float, weight: float) -> float:
    """The same of a mean of `weight` normal values that lies above `mean`; `deviation` is that of a single one."""
    if value <= mean:
        return 0.0
    distance = (value - mean) / max(deviation, 1e-12)
    return 0.5 * weight * distance * distance


@kernel
def chance(evidence: float) -> float:
    """A score in [0, 1) from evidence: one minus the bound on the chance."""
    return 1.0 - math.exp(-max(evidence, 0.0))
