"""Histogram-based outlier score: rows that fall into thin bins are unusual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from floorwalker.detectors.anomaly._base import Capabilities, Matrix
from floorwalker.detectors.anomaly._fitted import FittedDetector, State, against_typical, typical_of
from floorwalker.detectors.anomaly._layout import SCALE, Layout, Stored, damaged
from floorwalker.errors import UsageError


@dataclass
class Histogram(FittedDetector):
    """Sum over the columns of `log2(1 / density)` (HBOS; Goldstein, Dengel 2012).

    Each column gets a histogram of its own, so a visitor's score is a sum of per-feature surprises: the fastest
    detector here, and the easiest to explain. It works against abuse that is extreme in many features at once; it
    does not see odd combinations.

    Robust bins: equal widths between the 2.5 and 97.5 % quantiles of the training rows, so that a few enormous
    visitors cannot squeeze everybody else into one bin. Beyond the ends bins double in width each, and their
    density falls accordingly: further out is always more unusual. A value that at least a fifth of the rows share
    exactly (zero errors, one page) is a spike with a bin of its own.

    Parameters
    ----------
    bins : number of equal bins; 0 = the square root of the number of training rows, from 5 to 50.

    Scores: `b / (b + typical b)` with b the mean bits above the densest bin of each column: 0.5 the typical
    training row. Fewer than 2 rows raise `UsageError`.

    >>> rows = np.random.default_rng(1).normal(size=(500, 3)).astype(np.float32)
    >>> centre, far = Histogram().fit(rows).score(np.array([[0, 0, 0], [6, 6, 6]], np.float32))
    >>> bool(centre < 0.5 < 0.8 < far)
    True
    """

    capabilities: ClassVar[Capabilities] = Capabilities(
        name="Histogram (HBOS)",
        source="Goldstein, Dengel 2012, equation 1; tails and spikes our own",
        score_meaning="mean bits of surprise b over the columns: b / (b + typical b); 0.5 the typical training row",
        order_free=True,
    )
    layout: ClassVar[Layout] = {
        "low": Stored(np.float64, ("width",)),
        "step": Stored(np.float64, ("width",), positive=True),
        "spike": Stored(np.float32, ("width",), finite=False),
        "spike_bits": Stored(np.float64, ("width",)),
        "bits": Stored(np.float64, ("width", "places")),
        "typical": SCALE,
    }

    bins: int = 0

    def __post_init__(self) -> None:
        if self.bins < 0:
            raise UsageError(f"bins={self.bins}", allowed="0 (by itself) and up")

    @classmethod
    def examples(cls) -> list[dict[str, Any]]:
        """The default, and few bins."""
        return [{}, {"bins": 7}]

    def _fit(self, rows: Matrix) -> State:
        bins = self.bins or int(np.clip(np.sqrt(len(rows)), 5, 50))
        parts = [_fit_column(rows[:, column], bins) for column in range(rows.shape[1])]
        learned: State = {
            "low": np.array([part[0] for part in parts]),
            "step": np.array([part[1] for part in parts]),
            "spike": np.array([part[2] for part in parts], np.float32),
            "spike_bits": np.array([part[3] for part in parts]),
            "bits": np.stack([part[4] for part in parts]),
        }
        learned["typical"] = np.array(typical_of(_mean_bits(rows, learned)))
        return learned

    def _check_learned(self, learned: State, lengths: dict[str, int]) -> None:
        name = self.capabilities.name
        bins = lengths["places"] - 2 * TAIL_BINS
        if bins < 1 or self.bins not in (0, bins):
            raise damaged(f"bits of {name} has {lengths['places']} places", f"its bins and {2 * TAIL_BINS} beyond them")

    def bits(self, rows: Matrix) -> NDArray[np.float64]:
        """Surprise of each value, float64 [n, d], in bits above the densest bin of its column: why a row is unusual."""
        return _bits(self._checked(rows, int(self._learned["width"])), self._learned)

    def _score(self, rows: Matrix, learned: State) -> NDArray[Any]:
        return against_typical(_mean_bits(rows, learned), float(learned["typical"]))


TAIL_BINS = 24
"""Doubling bins beyond each end: they reach 16 million bin widths."""

SPIKE_SHARE = 0.2


def _fit_column(values: NDArray[np.float32], bins: int) -> tuple[float, float, float, float, NDArray[np.float64]]:
    """Low end, bin width, spike value (NaN = none), bits of the spike, bits of the bins (tail, middle, tail)."""
    count = len(values)
    distinct, counts = np.unique(values, return_counts=True)
    at = int(np.argmax(counts))
    spike = float(distinct[at]) if counts[at] >= max(2, SPIKE_SHARE * count) else float("nan")
    rest = values[values != spike].astype(np.float64)
    width = bins + 2 * TAIL_BINS
    if len(rest) == 0:
        # A constant column: its value tells nothing, any other is as surprising as one row in all plus one.
        scale = max(abs(spike), 1.0)
        return spike - scale / 2, scale / bins, spike, 0.0, np.full(width, np.log2(count + 1.0))
    low, high = np.quantile(rest, [0.025, 0.975])
    step = (high - low) / bins
    if step <= 0 or not np.isfinite(step):
        step = max(float(rest.max() - rest.min()), abs(float(low)) * 1e-3, 1e-6) / bins
    tallies = np.bincount(_places(rest, low, step, bins), minlength=width).astype(np.float64)
    # Outer bins keep at most what a tail that halves with each doubling would hold, so surprise never falls outwards.
    widths = np.concatenate([2.0 ** np.arange(TAIL_BINS)[::-1], np.ones(bins), 2.0 ** np.arange(TAIL_BINS)])
    density = (tallies + 0.5) / widths
    density[bins + TAIL_BINS :] = np.minimum.accumulate(density[bins + TAIL_BINS :])
    density[:TAIL_BINS] = np.minimum.accumulate(density[:TAIL_BINS][::-1])[::-1]
    # The spike is a bin as wide as the others; its mass cannot be less than its share.
    heaviest = max(float(density.max()), float(count - len(rest)))
    bits = np.log2(heaviest / density)
    spike_bits = 0.0 if np.isnan(spike) else float(np.log2(heaviest / (count - len(rest))))
    return float(low), float(step), spike, spike_bits, bits


def _places(values: NDArray[np.float64], low: Any, step: Any, bins: int) -> NDArray[np.int64]:
    """Bin of each value: doubling bins below, equal ones from `low` on, doubling ones above."""
    position = (values - low) / step
    below = np.log2(np.maximum(-position, 0.0) + 1.0)
    above = np.log2(np.maximum(position - bins, 0.0) + 1.0)
    place: NDArray[np.int64] = np.where(
        position < 0,
        TAIL_BINS - 1 - np.minimum(below, TAIL_BINS - 1).astype(np.int64),
        np.where(
            position >= bins,
            TAIL_BINS + bins + np.minimum(above, TAIL_BINS - 1).astype(np.int64),
            TAIL_BINS + np.clip(position, 0, bins - 1).astype(np.int64),
        ),
    )
    return place


def _bits(rows: Matrix, learned: State) -> NDArray[np.float64]:
    bits = learned["bits"]
    bins = bits.shape[1] - 2 * TAIL_BINS
    values = rows.astype(np.float64)
    places = _places(values, learned["low"], learned["step"], bins)
    surprise = np.take_along_axis(bits, places.T, axis=1).T
    answer: NDArray[np.float64] = np.where(rows == learned["spike"], learned["spike_bits"], surprise)
    return answer


def _mean_bits(rows: Matrix, learned: State) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = _bits(rows, learned).mean(axis=1)
    return mean
