"""How pages are used by hand: pointer, touches, keys, time; what the collector counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from floorwalker.simulation.shop.honest.fitted import Floats

_DRIVEN, _WINDOWLESS = 0.0008, 0.0003
"""Shares of people's reports that take them for a driven browser, and for one without a window."""


def draw_signals(
    rng: Generator,
    *,
    touch: NDArray[np.bool_],
    pointer: Floats,
    form: NDArray[np.bool_],
    pages: Floats,
    seconds: Floats,
    renewed: NDArray[np.bool_],
) -> dict[str, NDArray[Any]]:
    """The counts of a page group, for `n` reports at once.

    Parameters
    ----------
    touch : bool [n], a telephone or tablet.
    pointer : float64 [n], times the usual moves; near 0 with a keyboard or a screen reader.
    form : bool [n], something was typed.
    pages, seconds : float64 [n], what the report is about.
    renewed : bool [n], counted by the app's new release: a gesture is one touch, every frame of a scroll counts, times
        between keys are coarse, and its check for tampering errs more.

    Returns columns by the names of `ClientSignals`; -1 (and NaN) where nothing was seen.
    """
    count = len(touch)
    active = np.maximum(pages, 1.0) * pointer
    moves = np.where(touch, -1, rng.poisson(np.clip(active * 34.0 * rng.lognormal(0.0, 0.6, count), 0.0, 1e5)))
    straight = np.where(touch | (moves < 3), np.nan, np.clip(rng.normal(0.62, 0.13, count), 0.02, 0.999))
    often = np.where(renewed, 3.2, 7.0)
    touches = np.where(touch, rng.poisson(np.clip(active * often * rng.lognormal(0.0, 0.5, count), 0.0, 1e5)), -1)
    by_keys = np.where(pointer < 0.2, 28.0, 0.0) * np.maximum(pages, 1.0)
    keys = rng.poisson(np.where(form, 24.0 * rng.lognormal(0.0, 0.6, count), 0.25) + by_keys)
    gap = np.where(keys > 4, rng.lognormal(5.05, 0.34, count), np.nan)
    gap = np.where(renewed, np.ceil(gap / 16.0) * 16.0, gap)
    filled = form & (rng.random(count) < 0.34)
    rolls = np.where(renewed, 15.0, 9.0)
    return {
        # Extensions that fill forms, and browsers that hide what they are.
        "webdriver": rng.random(count) < _DRIVEN,
        "headless": rng.random(count) < _WINDOWLESS,
        "tampered": rng.random(count) < np.where(renewed, 0.04, 0.012),
        "trap_filled": filled & (rng.random(count) < 0.006),
        "pointer_moves": moves,
        "pointer_straightness": np.round(straight, 3),
        "touches": touches,
        "key_presses": np.where(filled, keys // 4, keys),
        "key_gap_ms": np.round(gap, 1),
        "key_gap_spread_ms": np.round(gap * rng.uniform(0.25, 0.75, count), 1),
        "pastes": rng.poisson(np.where(filled, 0.6, np.where(form, 0.2, 0.02))),
        "scrolls": rng.poisson(np.clip(np.maximum(pages, 1.0) * rolls * rng.lognormal(0.0, 0.6, count), 0.0, 1e5)),
        "dwell_ms": (np.clip(seconds, 0.3, 1e5) * 1000.0 * rng.uniform(0.6, 1.0, count)).astype(np.int64),
        "form_ms": np.where(form, rng.lognormal(9.5, 0.6, count), -1.0).astype(np.int64),
    }
