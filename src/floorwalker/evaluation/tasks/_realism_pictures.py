"""Pictures for docs/realism.md: real and simulated shops side by side, drawn as SVG without any library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.evaluation.tasks import _realism_statistics as measures
from floorwalker.evaluation.tasks._realism_tables import Tables

Floats = NDArray[np.float64]
_WIDTH, _HEIGHT, _LEFT, _TOP, _PLOT_W, _PLOT_H = 420, 260, 48, 34, 350, 170
_REAL, _MADE = "#3b4a5a", "#d9822b"


def draw_pictures(real: Tables, simulated: Tables, folder: Path) -> list[Path]:
    """One file a picture; answers their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, title, unit, logarithmic, values in _CURVES:
        made.append(folder / f"{name}.svg")
        made[-1].write_text(_curve(title, unit, values(real), values(simulated), logarithmic), "utf-8")
    for name, title, size, kinds in _BARS:
        made.append(folder / f"{name}.svg")
        made[-1].write_text(_bars(title, kinds(real), kinds(simulated), size), "utf-8")
    return made


def _column(
    table: str, name: str, through: Callable[[pl.DataFrame], pl.DataFrame] | None = None
) -> Callable[[Tables], Floats]:
    def values(tables: Tables) -> Floats:
        frame = getattr(tables, table)
        return measures._floats(through(frame) if through else frame, name)

    return values


def _of_orders(name: str) -> Callable[[Tables], Floats]:
    return lambda tables: measures._floats(measures._bought(tables), name)


_CURVES: tuple[tuple[str, str, str, bool, Callable[[Tables], Floats]], ...] = (
    ("item_gap", "Pause between two items, web", "seconds", True, _column("clicks", "gap", measures._gaps)),
    ("action_gap", "Pause between two actions, app", "seconds", True, _column("actions", "gap", measures._gaps)),
    ("visit_items", "Views of items in a web visit", "views", True, _column("clicks", "count", measures._visits)),
    ("visit_actions", "Actions in an app visit", "actions", True, _column("actions", "count", measures._visits)),
    ("order_lines", "Lines of a trade order", "lines", True, _of_orders("lines")),
    ("order_amount", "Value of a trade order", "main units", True, _of_orders("amount")),
    ("repeat_days", "Days to the next trade order", "days", False, _column("invoices", "days", measures._repeats)),
)  # fmt: skip
_BARS: tuple[tuple[str, str, int, Callable[[Tables], NDArray[np.int64]]], ...] = (
    ("hour_of_day", "Local hour of an action, app", 24, lambda t: measures._hour(t.actions)),
    ("order_weekday", "Weekday of a trade order, Thursday first", 7,
     lambda t: measures._hour_of_week(measures._bought(t)) // 24),
    ("purchase_by_pages", "Fifth of the visits by pages (pairs: left, bought)", 10, measures._pages_and_purchase),
)  # fmt: skip


def _frame(title: str, body: str, low: str, high: str, unit: str) -> str:
    legend = "".join(
        f'<rect x="{x}" y="14" width="10" height="10" fill="{colour}"/>'
        f'<text x="{x + 14}" y="23" font-size="11" fill="#333">{name}</text>'
        for x, colour, name in ((270, _REAL, "real"), (325, _MADE, "simulated"))
    )
    bottom = _TOP + _PLOT_H
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>'
        f'<text x="12" y="23" font-size="13" fill="#111">{title}</text>{legend}'
        f'<path d="M{_LEFT} {_TOP}V{bottom}H{_LEFT + _PLOT_W}" stroke="#999" fill="none"/>'
        f'<text x="{_LEFT}" y="{bottom + 16}" font-size="11" fill="#555">{low}</text>'
        f'<text x="{_LEFT + _PLOT_W}" y="{bottom + 16}" font-size="11" fill="#555" text-anchor="end">{high}</text>'
        f'<text x="{_LEFT + _PLOT_W / 2}" y="{bottom + 32}" font-size="11" fill="#555" text-anchor="middle">'
        f"{unit}</text>"
        f"{body}</svg>\n"
    )


def _curve(title: str, unit: str, real: Floats, made: Floats, logarithmic: bool) -> str:
    both = np.concatenate([real, made])
    low, high = (float(np.quantile(both, level)) for level in (0.005, 0.995))
    low = max(low, 0.5) if logarithmic else low
    scale = np.log if logarithmic else (lambda x: x)
    grid = np.linspace(scale(low), scale(max(high, low * 1.01 + 1e-9)), 160)
    lines = ""
    for values, colour in ((real, _REAL), (made, _MADE)):
        ordered = np.sort(scale(np.maximum(values, 1e-3)) if logarithmic else values)
        share = np.searchsorted(ordered, grid, side="right") / len(ordered)
        x = _LEFT + (grid - grid[0]) / (grid[-1] - grid[0]) * _PLOT_W
        y = _TOP + (1 - share) * _PLOT_H
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        lines += f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
    label = unit + (", logarithmic" if logarithmic else "")
    lines += "".join(
        f'<text x="{_LEFT - 6}" y="{_TOP + (1 - share) * _PLOT_H + 4}" font-size="10" fill="#555" text-anchor="end">'
        f"{share:.0%}</text>"
        for share in (0.0, 0.5, 1.0)
    )
    return _frame(title, lines, f"{low:,.3g}", f"{high:,.4g}", label)


def _bars(title: str, real: NDArray[np.int64], made: NDArray[np.int64], size: int) -> str:
    shares = [np.bincount(values, minlength=size)[:size] / len(values) for values in (real, made)]
    top = max(float(share.max()) for share in shares)
    step = _PLOT_W / size
    body = ""
    for place, (share, colour) in enumerate(zip(shares, (_REAL, _MADE), strict=True)):
        for kind, value in enumerate(share):
            height = value / top * (_PLOT_H - 6)
            x = _LEFT + kind * step + step * (0.12 + 0.38 * place)
            y = _TOP + _PLOT_H - height
            size_of = f'width="{step * 0.38:.1f}" height="{height:.1f}"'
            body += f'<rect x="{x:.1f}" y="{y:.1f}" {size_of} fill="{colour}"/>'
    body += f'<text x="{_LEFT - 6}" y="{_TOP + 8}" font-size="10" fill="#555" text-anchor="end">{top:.0%}</text>'
    return _frame(title, body, "0", str(size - 1), "")
