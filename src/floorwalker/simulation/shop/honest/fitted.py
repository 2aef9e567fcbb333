"""Draws out of what was measured on real shops (`fitted.json`, see docs/realism.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_BELL = np.linspace(-5.0, 5.0, 2001)


def _normal_distribution() -> Floats:
    # Trapezes over the density: exact to 1e-6, and NumPy has no error function.
    density = np.exp(-0.5 * _BELL**2)
    area = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return np.asarray(area / area[-1])


_BELL_LEVELS = _normal_distribution()


def to_level(z: Floats) -> Floats:
    """The share of a standard normal below each value.

    >>> bool(abs(to_level(np.array([0.0]))[0] - 0.5) < 1e-6)
    True
    """
    return np.interp(z, _BELL, _BELL_LEVELS)


def to_score(level: Floats) -> Floats:
    """The inverse of `to_level`."""
    return np.interp(level, _BELL_LEVELS, _BELL)


def pick(levels: Floats, shares: Floats) -> Ints:
    """A position for each level in [0, 1): positions are as frequent as their shares."""
    edges = np.cumsum(shares)
    found = np.searchsorted(edges, levels * edges[-1], side="right")
    return np.asarray(np.minimum(found, len(edges) - 1), dtype=np.int64)


@dataclass(frozen=True)
class Pace:
    """Pauses within a visit.

    Parameters
    ----------
    levels, log_gap : quantiles of the logarithm of the seconds.
    alike : how much of the variance the visits of one kind share within themselves.
    places, place_shift : shift by the place in the visit, in standard deviations.
    """

    levels: Floats
    log_gap: Floats
    alike: float
    places: Ints
    place_shift: Floats

    def gaps(self, z_visit: Floats, place: Ints, rng: Generator, shift: Floats | float = 0.0) -> Floats:
        """Seconds before an action, for the pace of its visit (standard normal) and its place in it."""
        own = rng.standard_normal(len(z_visit))
        places = self.place_shift[np.searchsorted(self.places, np.maximum(place, 1), side="right") - 1]
        z = np.sqrt(self.alike) * z_visit + np.sqrt(1.0 - self.alike) * own + places + shift
        return np.exp(np.interp(to_level(z), self.levels, self.log_gap))


@dataclass(frozen=True)
class Popularity:
    """How much the most popular items take.

    Parameters
    ----------
    ranks, shares : of the first `ranks` items, the share of everything.
    """

    ranks: Floats
    shares: Floats

    def draw(self, levels: Floats, items: int) -> Ints:
        """A rank (0 is the most popular) for each level in [0, 1); fewer items than measured are spread alike."""
        rank = np.interp(levels, self.shares, self.ranks) * min(1.0, items / self.ranks[-1])
        return np.asarray(np.minimum(rank, items - 1), dtype=np.int64)


@dataclass(frozen=True)
class Fitted:
    """Everything measured; see `fitted.json` for the sources."""

    web: dict[str, Any]
    app: dict[str, Any]
    trade: dict[str, Any]
    purchase: dict[str, Any]
    web_pace: Pace
    app_pace: Pace
    web_popularity: Popularity
    trade_popularity: Popularity
    sources: dict[str, str]


@cache
def fitted() -> Fitted:
    """The committed parameters."""
    document = json.loads(Path(__file__).with_name("fitted.json").read_text("utf-8"))
    levels, places = np.array(document["levels"]), np.array(document["places"], dtype=np.int64)
    parts = {
        name: {key: np.array(value) if isinstance(value, list) else value for key, value in document[name].items()}
        for name in ("web", "app", "trade", "purchase")
    }

    def pace(part: dict[str, Any]) -> Pace:
        return Pace(levels, part["log_gap"], float(part["alike"]), places, part["place_shift"])

    def popularity(part: dict[str, Any]) -> Popularity:
        numbers = part["popularity"]
        ranks = np.concatenate([[0.0], np.geomspace(1, numbers[0], len(numbers) - 2)])
        return Popularity(ranks, numbers[1:])

    return Fitted(
        **parts,
        web_pace=pace(parts["web"]),
        app_pace=pace(parts["app"]),
        web_popularity=popularity(parts["web"]),
        trade_popularity=popularity(parts["trade"]),
        sources=document["sources"],
    )
