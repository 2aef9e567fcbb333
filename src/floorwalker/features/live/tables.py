"""The declarations as Markdown tables; a test holds docs/live-features.md to them.

>>> print(windows_table().splitlines()[2])
| `1m` | 10 s | 6 | 50 s to 1 min |
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from floorwalker.features.live import _layout as layout
from floorwalker.features.live._compile import LATE_FEATURE, compile_features
from floorwalker.features.live.declarations import Feature
from floorwalker.features.live.limits import Limits
from floorwalker.features.live.windows import LEVELS, WINDOWS

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def features_table(features: Sequence[Feature]) -> str:
    """Every feature with its unit and the abuse types that it speaks to, by entity; rows that differ in the window
    alone are one."""
    lines = [
        f"| `{LATE_FEATURE}` | event | 0 or 1 | 1 where the event came too late to be counted | |",
    ]
    for _, several in groupby(features, _family):
        family = list(several)
        names = ", ".join(f"`{feature.name}`" for feature in family)
        first = family[0]
        unit = first.aggregate.unit.replace("minor units", "minor units of the base currency")
        columns = (names, " × ".join(first.of), unit, first.describe(), ", ".join(first.against))
        lines.append(f"| {' | '.join(columns)} |")
    head = ["| feature | of | unit | what it is | speaks to |", "|---|---|---|---|---|"]
    return "\n".join(head + lines)


def sharing_list(features: Sequence[Feature]) -> str:
    """The features that are missing at a hub, a line for each kind of entity or pair."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for feature in features:
        if feature.sharing:
            groups.setdefault(feature.of, []).append(f"`{feature.name}`")
    return "\n".join(f"- {' × '.join(of)}: {', '.join(names)}" for of, names in groups.items())


def windows_table() -> str:
    """Every window with its buckets and how far back it reaches."""
    lines = ["| window | bucket | buckets | reaches back |", "|---|---|---|---|"]
    for window in WINDOWS.values():
        width = LEVELS[window.level].seconds
        if width:
            reach = f"{_length(window.least_seconds)} to {_length(window.most_seconds)}"
            lines.append(f"| `{window.name}` | {_length(width)} | {window.buckets} | {reach} |")
        else:
            lines.append(f"| `{window.name}` | none | 1 | as far as the row does |")
    return "\n".join(lines)


def rows_table(features: Sequence[Feature], limits: Limits) -> str:
    """Every table with the bytes of a row, the most rows and what they take together."""
    program = compile_features(features, limits.rows, limits.other_rows)
    lines = ["| table | bytes a row | most rows | MB at most |", "|---|---|---|---|"]
    total = 0
    for of, table in zip(program.entities, program.tables, strict=True):
        width, cap = 4 * int(table[layout.T_WIDTH]), int(table[layout.T_CAP])
        total += width * cap
        lines.append(f"| {' × '.join(of)} | {width:,} | {cap:,} | {width * cap / 1e6:,.0f} |")
    extra = 4 * program.slots + limits.sketches * (layout.PAGE_BYTES + 20)
    lines.append(f"| slots and sketches | | | {extra / 1e6:,.0f} |")
    lines.append(f"| together | | | {(total + extra) / 1e6:,.0f} |")
    return "\n".join(lines)


def _family(feature: Feature) -> tuple[object, ...]:
    stem = feature.name.removesuffix(f"_{feature.window}") if feature.window else feature.name
    return feature.of, feature.aggregate, stem, feature.against


def _length(seconds: int) -> str:
    """A length of time in its largest unit that leaves no more than one decimal.

    >>> _length(86_400), _length(600), _length(2_628_000)
    ('1 d', '10 min', '30.4 d')
    """
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{round(seconds / size, 1):g} {unit}"
    return "0 s"
