"""Feature density curves per category, as paper B shows why its four categories differ."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.features.visitors import FEATURES, NINE
from floorwalker.scan.phrases import say_count, say_number, say_value
from floorwalker.scan.report.markup import escape
from floorwalker.scan.result import CATEGORIES, ScanResult

BINS = 96
MOST_TICKS_OF_FLAGGED = 160
"""Flagged visitors marked under a curve, evenly chosen by rank where there are more."""

FEWEST = 3
"""Visitors that a category must have for a curve to mean anything."""

WIDTH, HEIGHT = 280, 124
LEFT, RIGHT, TOP, BASE = 8, 272, 20, 92

_KNOWN = {feature.name: feature for feature in FEATURES}
_SECONDS_TICKS = (
    (0, "0"), (1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"), (3600, "1 h"), (14_400, "4 h"), (86_400, "1 d"),
    (604_800, "7 d"),
)  # fmt: skip

Floats = NDArray[np.float64]


def feature_label(name: str) -> str:
    """A feature's name as words."""
    return name.replace("_", " ")


def feature_meaning(name: str) -> str:
    """What a feature is, in a sentence; empty for a name that is not known."""
    known = _KNOWN.get(name)
    return known.meaning if known else ""


def is_logarithmic(name: str, unit: str, values: Floats) -> bool:
    """Whether a feature is drawn on a log axis: as it is declared, else where it is never negative and very skew."""
    if name in _KNOWN:
        return _KNOWN[name].logarithmic
    if unit == "share" or not len(values) or values.min() < 0:
        return False
    return bool(values.max() > 50 * (np.median(values) + 1))


def smooth(counts: Floats) -> Floats:
    """Histograms [k, BINS] to density curves with peak 1: a Gaussian kernel of Silverman's width, reflected.

    Each curve is scaled to its own peak, so that a category of twenty visitors is seen beside one of a million.
    """
    bins = counts.shape[1]
    places = np.arange(bins)
    total = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    mean = (counts * places).sum(axis=1, keepdims=True) / total
    spread = np.sqrt((counts * (places - mean) ** 2).sum(axis=1, keepdims=True) / total)
    width = np.clip(0.9 * spread * total**-0.2, 1.4, bins / 8)
    curves = np.zeros_like(counts)
    for row, sigma in enumerate(width[:, 0]):
        reach = int(3 * sigma) + 1
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
        padded = np.pad(counts[row], reach, mode="symmetric")
        curves[row] = np.convolve(padded, kernel, mode="valid")
    peak = curves.max(axis=1, keepdims=True)
    scaled: Floats = np.divide(curves, peak, out=np.zeros_like(curves), where=peak > 0)
    return scaled


def density_panels(result: ScanResult) -> str:
    """One small chart a feature, as HTML; every judged visitor counts, none is sampled."""
    visitors = result.visitors
    if not visitors.height:
        return '<p class="empty">No visitor was judged, so there is nothing to draw.</p>'
    order = {name: code for code, name in enumerate(CATEGORIES)}
    category = visitors["category"].replace_strict(order, default=len(CATEGORIES), return_dtype=pl.Int64).to_numpy()
    sizes = np.bincount(category, minlength=len(CATEGORIES) + 1)[: len(CATEGORIES)]
    flagged = _spread_out(np.flatnonzero(visitors["flagged"].to_numpy()), visitors["rank"].to_numpy())
    constant = [name for name in result.features if visitors[name].n_unique() < 2]
    drawn = [name for name in result.features if name not in constant]
    first = [name for name in drawn if name in NINE] or drawn
    panels = {name: _panel(name, result, category, sizes, flagged) for name in drawn}
    shown = [name for name, size in zip(CATEGORIES, sizes, strict=True) if size >= FEWEST]
    legend = "".join(
        f'<li><svg class="key" viewBox="0 0 28 10" aria-hidden="true"><path class="line c-{name}" d="M1 5H27"/></svg>'
        f"{name} <small>{sizes[order[name]]:,}</small></li>"
        for name in shown
    )
    rest = [name for name in drawn if name not in first]
    further = (
        f"<details><summary>{say_count(len(rest), 'further feature')}</summary>{_grid(panels, rest)}</details>"
        if rest
        else ""
    )
    named = ", ".join(escape(feature_label(name)) for name in constant)
    same = f'<p class="note">Not drawn, because everybody has the same value: {named}.</p>' if constant else ""
    flags = (
        '<li><svg class="key" viewBox="0 0 28 10" aria-hidden="true"><path class="rug" d="M6 1v8M14 1v8M22 1v8"/></svg>'
        "flagged</li>"
    )
    return f'<ul class="legend">{legend}{flags if len(flagged) else ""}</ul>{_grid(panels, first)}{further}{same}'


def _grid(panels: Mapping[str, str], names: list[str]) -> str:
    return f'<div class="panels">{"".join(panels[name] for name in names)}</div>'


def _spread_out(rows: NDArray[np.int64], rank: NDArray[np.float32]) -> NDArray[np.int64]:
    if len(rows) <= MOST_TICKS_OF_FLAGGED:
        return rows
    ordered = rows[np.argsort(rank[rows])]
    return ordered[np.linspace(0, len(ordered) - 1, MOST_TICKS_OF_FLAGGED).astype(np.int64)]


def _panel(
    name: str, result: ScanResult, category: NDArray[np.int64], sizes: NDArray[np.int64], flagged: NDArray[np.int64]
) -> str:
    values = result.visitors[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
    unit = result.feature_units.get(name, "")
    finite = np.isfinite(values)
    log = is_logarithmic(name, unit, values[finite])
    scaled = np.log1p(np.maximum(np.where(finite, values, 0), 0)) if log else np.where(finite, values, 0)
    low, high = _range(scaled[finite], unit)
    place = np.clip((scaled - low) / (high - low), 0, 1)
    cells = np.minimum((place * BINS).astype(np.int64), BINS - 1) + category * BINS
    counts = np.bincount(cells[finite], minlength=(len(CATEGORIES) + 1) * BINS)[: len(CATEGORIES) * BINS]
    curves = smooth(counts.reshape(len(CATEGORIES), BINS).astype(np.float64))
    xs = LEFT + (np.arange(BINS) + 0.5) / BINS * (RIGHT - LEFT)
    lines, areas = [], []
    for code, kind in enumerate(CATEGORIES):
        if sizes[code] >= FEWEST:
            ys = BASE - curves[code] * (BASE - TOP)
            path = "M" + "L".join(f"{x:.0f} {y:.1f}" for x, y in zip(xs, ys, strict=True))
            areas.append(f'<path class="area c-{kind}" d="{path}L{RIGHT} {BASE}H{LEFT}Z"/>')
            lines.append(f'<path class="line c-{kind}" d="{path}"/>')
    rug = "".join(f"M{LEFT + spot * (RIGHT - LEFT):.1f} {BASE + 1}v6" for spot in place[flagged] if np.isfinite(spot))
    ticks = _ticks(low, high, unit, log=log)
    label = escape(feature_label(name))
    return (
        f'<figure class="panel"><figcaption title="{escape(feature_meaning(name))}"><b>{label}</b> '
        f"<small>{escape(unit)}{', log' if log else ''}</small></figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="density of {label} by category">'
        f'{"".join(areas)}{"".join(lines)}<path class="axis" d="M{LEFT} {BASE}H{RIGHT}"/>'
        f'<path class="rug" d="{rug}"/>{ticks}{_median(name, result, low, high, log=log)}</svg></figure>'
    )


def _range(scaled: Floats, unit: str) -> tuple[float, float]:
    if unit == "share":
        return 0.0, 1.0
    if not len(scaled):
        return 0.0, 1.0
    low, high = float(scaled.min()), float(scaled.max())
    return (low, high) if high - low > 1e-9 else (low - 0.5, low + 0.5)


def _median(name: str, result: ScanResult, low: float, high: float, *, log: bool) -> str:
    median = result.medians.get(name)
    if median is None or not np.isfinite(median):
        return ""
    spot = (np.log1p(max(median, 0)) if log else median) - low
    x = LEFT + float(np.clip(spot / (high - low), 0, 1)) * (RIGHT - LEFT)
    anchor = "start" if x < WIDTH * 0.3 else "end" if x > WIDTH * 0.7 else "middle"
    text = f"median {say_value(median, result.feature_units.get(name, ''))}"
    return (
        f'<path class="median" d="M{x:.1f} {TOP - 6}V{BASE}"/>'
        f'<text class="median-text" x="{x:.1f}" y="{TOP - 9}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _ticks(low: float, high: float, unit: str, *, log: bool) -> str:
    if unit == "share":
        marks = [(0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")]
    elif log and unit == "seconds":
        marks = [(float(np.log1p(value)), text) for value, text in _SECONDS_TICKS]
    elif log:
        marks = [
            (float(np.log1p(value)), say_number(value)) for value in (0, 1, 3, 10, 30, *(10.0**k for k in range(2, 9)))
        ]
    else:
        step = 10 ** np.floor(np.log10((high - low) / 2))
        step *= next(size for size in (5, 2, 1) if (high - low) / (step * size) >= 2 or size == 1)
        first = np.ceil(low / step) * step
        marks = [
            (float(value), say_number(round(float(value), 6))) for value in np.arange(first, high + step / 1e6, step)
        ]
    drawn, last = [], -100.0
    for value, text in marks:
        x = LEFT + (value - low) / (high - low) * (RIGHT - LEFT)
        if LEFT - 0.5 <= x <= RIGHT + 0.5 and x - last >= 14 + 4.5 * len(text):
            anchor = "start" if x < LEFT + 10 else "end" if x > RIGHT - 14 else "middle"
            drawn.append(
                f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{escape(text)}</text>'
            )
            last = x
    return "".join(drawn)
