"""How well a grouping of URLs agrees with the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


def _pairs(sizes: Iterable[float]) -> float:
    return sum(size * (size - 1) / 2 for size in sizes)


def pair_f1(truth: Sequence[Hashable], found: Sequence[Hashable]) -> float:
    """F1 over all pairs of URLs: precision and recall of being put together.

    >>> pair_f1([1, 1, 2, 2], [1, 1, 2, 3])
    0.6666666666666666
    """
    together = _pairs(Counter(zip(truth, found, strict=True)).values())
    wanted, given = _pairs(Counter(truth).values()), _pairs(Counter(found).values())
    return 2 * together / (wanted + given) if wanted + given else 1.0


def v_measure(
    truth: Sequence[Hashable], found: Sequence[Hashable], weights: NDArray[np.float64] | None = None
) -> float:
    """Harmonic mean of homogeneity and completeness (Rosenberg and Hirschberg 2007), each URL once or by a weight.

    >>> v_measure(["a", "a", "b"], [1, 1, 2])
    1.0
    """
    mass = np.ones(len(truth)) if weights is None else np.asarray(weights, np.float64)
    mass = mass / mass.sum()

    def entropy(labels: Sequence[Hashable]) -> float:
        total: Counter[Hashable] = Counter()
        for label, part in zip(labels, mass.tolist(), strict=True):
            total[label] += part
        shares = np.array(list(total.values()))
        shares = shares[shares > 0]
        return float(-(shares * np.log(shares)).sum())

    both = entropy(list(zip(truth, found, strict=True)))
    of_truth, of_found = entropy(truth), entropy(found)
    homogeneity = 1.0 if of_truth < 1e-12 else 1 - (both - of_found) / of_truth
    completeness = 1.0 if of_found < 1e-12 else 1 - (both - of_truth) / of_found
    total = homogeneity + completeness
    return round(2 * homogeneity * completeness / total, 12) if total > 0 else 0.0


def guard_violations(truth: Sequence[str], found: Sequence[Hashable], state_changing: Collection[str]) -> int:
    """Groups that hold a state-changing endpoint together with anything else."""
    held: dict[Hashable, set[str]] = {}
    for name, group in zip(truth, found, strict=True):
        held.setdefault(group, set()).add(name)
    return sum(1 for names in held.values() if len(names) > 1 and not names.isdisjoint(state_changing))
