"""Count one event into the blocks of a row that are no rings: times, gaps, memories, bins, places, the tree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._inline import inline_kernel
from floorwalker.store._hashing import widen

_SECOND = 1e-6
_BINS = layout.BINS
_HOURS = layout.HOURS
_MEMORY = layout.MEMORY
_TOKENS = layout.TOKENS
_THREE_HOURS = 10_800_000_000
_WEIGHED = 1024
_COUNTS = np.arange(_WEIGHED, dtype=np.float64)
_WEIGHTS = _COUNTS * np.log2(np.maximum(_COUNTS, 1.0))
_U32 = np.uint64(32)
_U60 = np.uint64(60)


@inline_kernel
def bin_of(mixed: np.uint64) -> int:
    """The bin of a mixed code: its upper four bits."""
    return widen(mixed >> _U60)


@inline_kernel
def hour_of(at: int) -> int:
    """Which three hours of the day (UTC) a time lies in."""
    return widen((at // _THREE_HOURS) % _HOURS)


@inline_kernel
def fingerprint_of(mixed: np.uint64) -> np.uint32:
    """32 bits of a mixed code, never 0."""
    found = np.uint32(mixed >> _U32)
    return found if found != 0 else np.uint32(1)


@inline_kernel
def add_gap(place: int, at: int, floats: NDArray[np.float32], times: NDArray[np.int64]) -> None:
    """Take the gap since the newest event into mean and squares; an event out of order closes no gap."""
    last = times[place >> 1]
    if last == 0:
        times[place >> 1] = at
        return
    if at < last:
        return
    times[place >> 1] = at
    gap = (at - last) * _SECOND
    count = np.float64(floats[place + 2]) + 1.0
    floats[place + 2] = np.float32(count)
    mean = np.float64(floats[place + 3])
    step = gap - mean
    mean += step / count
    floats[place + 3] = np.float32(mean)
    floats[place + 4] = np.float32(np.float64(floats[place + 4]) + step * (gap - mean))
    figure = np.log1p(gap)
    mean = np.float64(floats[place + 5])
    step = figure - mean
    mean += step / count
    floats[place + 5] = np.float32(mean)
    floats[place + 6] = np.float32(np.float64(floats[place + 6]) + step * (figure - mean))


@inline_kernel
def remember(place: int, mark: np.uint32, words: NDArray[np.uint32]) -> None:
    """Put a value first in a memory of eight, newest first."""
    last = _MEMORY - 1
    for entry in range(_MEMORY):
        if words[place + entry] == mark or words[place + entry] == 0:
            last = entry
            break
    for entry in range(last, 0, -1):
        words[place + entry] = words[place + entry - 1]
    words[place] = mark


@inline_kernel
def is_new(place: int, mark: np.uint32, words: NDArray[np.uint32]) -> float:
    """1 where the value is not in the memory, 0 where it is, NaN where the memory is empty."""
    if words[place] == 0:
        return float(np.nan)
    for entry in range(_MEMORY):
        if words[place + entry] == mark:
            return 0.0
    return 1.0


@inline_kernel
def weigh(count: float) -> float:
    """count · log2(count); a table answers for small counts, where the logarithm would take most of the time."""
    if count < _WEIGHED:
        return float(_WEIGHTS[np.uint64(count)])
    return float(count * np.log2(count))


@inline_kernel
def entropy(place: int, floats: NDArray[np.float32]) -> float:
    """Entropy of the bins in bits; NaN where they are empty."""
    total = 0.0
    weighted = 0.0
    for j in range(_BINS):
        count = np.float64(floats[place + j])
        total += count
        weighted += weigh(count)
    if total == 0.0:
        return float(np.nan)
    return float(max((weigh(total) - weighted) / total, 0.0))


@inline_kernel
def hour_share(place: int, at: int, floats: NDArray[np.float32]) -> float:
    """Share of the past in the hours of `at`; NaN below ten events."""
    total = 0.0
    for j in range(_HOURS):
        total += np.float64(floats[place + j])
    if total < 10.0:
        return float(np.nan)
    return float(np.float64(floats[place + hour_of(at)]) / total)


@inline_kernel
def travel_speed(
    place: int, at: int, latitude: float, longitude: float, floats: NDArray[np.float32], times: NDArray[np.int64]
) -> float:
    """Kilometres an hour from the last place, by the haversine formula on a sphere of 6371 km."""
    last = times[place >> 1]
    if last == 0 or not (-90.0 <= latitude <= 90.0) or not (-180.0 <= longitude <= 180.0):
        return float(np.nan)
    north = np.radians(latitude)
    other = np.radians(np.float64(floats[place + 2]))
    up = np.sin((north - other) / 2.0)
    along = np.sin(np.radians(longitude - np.float64(floats[place + 3])) / 2.0)
    chord = up * up + np.cos(north) * np.cos(other) * along * along
    distance = 2.0 * 6371.0 * np.arcsin(np.sqrt(min(chord, 1.0)))
    hours = max(at - last, 60_000_000) / 3.6e9
    return float(max(distance - 50.0, 0.0) / hours)


@inline_kernel
def set_place(
    place: int, at: int, latitude: float, longitude: float, floats: NDArray[np.float32], times: NDArray[np.int64]
) -> None:
    """Keep the place of the newest event that has one."""
    if at >= times[place >> 1] and -90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 180.0:
        times[place >> 1] = at
        floats[place + 2] = np.float32(latitude)
        floats[place + 3] = np.float32(longitude)


@inline_kernel
def add_token(place: int, kind: int, gap: int, shorts: NDArray[np.uint16], words: NDArray[np.uint32]) -> None:
    """Append a token: the type's code plus one, and above it the octave of the gap in seconds (0 below one, 15 at the
    most)."""
    octave = 0
    seconds = gap // 1_000_000
    while seconds > 0 and octave < 15:
        seconds >>= 1
        octave += 1
    count = widen(words[place])
    shorts[2 * (place + 2) + count % _TOKENS] = np.uint16((kind + 1) + 256 * octave)
    # The counter starts again at a multiple of the ring, far from zero, so that a full ring stays known as one.
    words[place] = np.uint32(count + 1 if count < 1_000_000 * _TOKENS else _TOKENS + (count + 1) % _TOKENS)
