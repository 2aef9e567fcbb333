"""How fast live features are: one core, all default features, beside River's rolling aggregates in the same run."""

from __future__ import annotations

import datetime as dt
import gc
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from floorwalker.errors import MissingExtraError, UsageError
from floorwalker.evaluation.benchmarks._feature_traffic import make_newcomers, make_traffic
from floorwalker.events.batch import EventBatch
from floorwalker.events.types import EVENT_TYPES
from floorwalker.features.live import DEFAULT, Limits, LiveFeatures
from floorwalker.features.live.declarations import Count, Feature, Mean, Rate, Ratio, Sum, What
from floorwalker.features.live.windows import WINDOWS

ROUNDS = 5
EVENTS = 200_000
WARM = 300_000
RIVER_EVENTS = 2_000
RIVER_WARM = 2_000
LIVE_ENTITIES = 2_000_000
BARS = {
    "events_per_second": {"min": 300_000},
    "speedup_river": {"min": 20.0},
    "features_per_event": {"min": 60.0},
    "gigabytes_at_two_million": {"max": 4.0},
}
_NEW_ROWS = 8
"""Rows that one event of `make_newcomers` makes, at the least."""


def run(
    *,
    folder: Path,
    clock: Callable[[], float],
    rounds: int = ROUNDS,
    events: int = EVENTS,
    warm: int = WARM,
    river_events: int = RIVER_EVENTS,
    live_entities: int = LIVE_ENTITIES,
    seed: int = 1,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure.

    Parameters
    ----------
    folder : not used: nothing is written.
    clock : monotonic seconds.
    rounds : how often each side runs, in turn, on events of its own that go on from those before.
    events : events a round through all default features, in batches of 1,000.
    warm : events counted before the first round, so that tables are filled and the machine code is there.
    river_events : events a round through River.
    live_entities : rows that the memory is measured at.
    """
    if events % 1_000 or warm % 1_000 or min(events, warm, river_events) < 1_000:
        raise UsageError(f"events is {events}, warm is {warm}", allowed="multiples of 1,000, all at least 1,000")
    say = progress or (lambda text: None)
    say(f"making {warm + rounds * events:,} events")
    batches = make_traffic(warm + rounds * events, seed=seed)
    live = LiveFeatures(DEFAULT, seed=seed)
    river = RiverFeatures(DEFAULT)
    # What stands now is not garbage; without this the collector walks over every prepared event again and again.
    gc.collect()
    gc.freeze()
    held = warm // 1_000
    for batch in batches[:held]:
        live.advance(batch)
    for batch in batches[held - RIVER_WARM // 1_000 : held]:
        river.advance(batch)
    paces: list[float] = []
    river_paces: list[float] = []
    present = 0.0
    for number in range(rounds):
        mine = batches[held + number * (events // 1_000) : held + (number + 1) * (events // 1_000)]
        start = clock()
        for batch in mine:
            found = live.advance(batch)
        paces.append(len(mine) * 1_000 / (clock() - start))
        present = float((~found.missing).sum(axis=1).mean())
        theirs = mine[: river_events // 1_000]
        start = clock()
        for batch in theirs:
            river.advance(batch)
        river_paces.append(len(theirs) * 1_000 / (clock() - start))
        say(f"round {number + 1}: {paces[-1]:,.0f} events/s, River {river_paces[-1]:,.0f} events/s")
    figures = live.figures()
    gc.unfreeze()
    del batches, live, river
    gc.collect()
    memory = _memory(live_entities, seed, say)
    speedups = [mine / theirs for mine, theirs in zip(paces, river_paces, strict=True)]
    return {
        "data": {
            "events": rounds * events, "warm_events": warm, "batch": 1_000, "source": f"generated, seed {seed}",
            "rows": {name[5:]: count for name, count in figures.items() if name.startswith("rows.") and count},
        },
        "split": "none: speed only",
        "seeds": [seed],
        "metrics": {
            "events_per_second": statistics.median(paces),
            "speedup_river": statistics.median(speedups),
            "features": len(DEFAULT) + 1,
            "features_per_event": present,
            "entities": len({feature.of for feature in DEFAULT}),
            "all_events_per_second": [round(pace) for pace in paces],
            **memory,
        },
        "baselines": {
            "river": {
                "version": _river_version(), "events_per_second": statistics.median(river_paces),
                "features": len(_expressible(DEFAULT)),
                "does": "the count, sum, mean, rate and ratio features that have a window, as TimeRolling statistics",
            }
        },
        "bars": BARS,
        "notes": [
            "one thread; batches of 1,000 events as columns, taken through every default feature and counted",
            "speedup_river compares events per second although River computes only the features that it can express",
            "bytes_per_entity: growth of the resident size over the rows in use, slots and sketches included",
        ],
    }  # fmt: skip


def _memory(entities: int, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Fill tables with new entities until so many rows are live."""
    events = entities // _NEW_ROWS
    limits = Limits(rows={}, other_rows=events)
    before = _resident_bytes()
    live = LiveFeatures(DEFAULT, seed=seed, limits=limits)
    for start in range(0, events, 10_000):
        for batch in make_newcomers(min(10_000, events - start), seed=seed + start):
            live.advance(batch)
    figures = live.figures()
    rows = sum(count for name, count in figures.items() if name.startswith("rows."))
    size = _resident_bytes() - before if before else live.bytes_in_use()
    say(f"{rows:,} live entities take {size / 1e9:.2f} GB")
    return {
        "live_entities": rows,
        "bytes_per_entity": size / rows,
        "gigabytes_at_two_million": size / rows * 2e6 / 1e9,
    }


def _resident_bytes() -> int:
    """Resident size of this process; 0 where the system does not say."""
    if not sys.platform.startswith("linux"):
        return 0
    import resource

    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


@dataclass
class _Rolling:
    """One River statistic for each entity, as `river.feature_extraction.Agg` keeps them."""

    of: tuple[str, ...]
    what: What
    number: str | None
    make: Callable[[], Any]
    groups: dict[Any, Any] = field(default_factory=dict)


class RiverFeatures:
    """The features that River can express, computed with its rolling statistics: groups of `TimeRolling` by key.

    Only what River does is inside the loop: finding the group, reading its value, updating it. Selections of events are
    worked out once a batch.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        try:
            from river import stats, utils
        except ImportError as error:
            raise MissingExtraError("river", "evaluate") from error
        self._parts: list[_Rolling] = []
        for feature in _expressible(features):
            kind = feature.aggregate
            period = dt.timedelta(seconds=WINDOWS[str(feature.window)].seconds)
            number = getattr(kind, "number", None)
            statistic = stats.Mean if isinstance(kind, Mean) else stats.Sum

            def make(statistic: Any = statistic, period: dt.timedelta = period) -> Any:
                return utils.TimeRolling(statistic, period=period)

            for what in (kind.what, kind.below) if isinstance(kind, Ratio) else (kind.what,):
                self._parts.append(_Rolling(feature.of, what, number, make))

    def advance(self, batch: EventBatch) -> list[list[float]]:
        """The values of every event before it is counted; then it is."""
        names = [EVENT_TYPES[code].name for code in batch.type.tolist()]
        keys = {name: column.tolist() for name, column in batch.keys.items()}
        times = [dt.datetime.fromtimestamp(at / 1e6, dt.UTC).replace(tzinfo=None) for at in batch.at.tolist()]
        chosen = [_holds(part.what, names, batch) for part in self._parts]
        amounts = [
            batch.numbers[number].tolist() if (number := part.number or "") in batch.numbers else [1.0] * len(names)
            for part in self._parts
        ]
        plans = [
            (part.groups, part.make, [keys[name] for name in part.of], takes, amount)
            for part, takes, amount in zip(self._parts, chosen, amounts, strict=True)
        ]
        answers = []
        for row, at in enumerate(times):
            answer = []
            for groups, make, columns, takes, amount in plans:
                key = columns[0][row] if len(columns) == 1 else (columns[0][row], columns[1][row])
                if not key or (len(columns) == 2 and not (columns[0][row] and columns[1][row])):
                    continue
                group = groups.get(key)
                answer.append(0.0 if group is None else group.get())
                if takes[row] and amount[row] == amount[row]:
                    if group is None:
                        group = groups[key] = make()
                    group.update(amount[row], t=at)
            answers.append(answer)
        return answers


def _expressible(features: Sequence[Feature]) -> list[Feature]:
    """Counts, sums, means, rates and ratios over a window; a lifetime is no rolling window."""
    kinds = (Count, Sum, Mean, Rate, Ratio)
    return [
        feature
        for feature in features
        if type(feature.aggregate) in kinds and feature.window and WINDOWS[feature.window].seconds > 0
    ]


def _holds(what: What, names: Sequence[str], batch: EventBatch) -> list[bool]:
    takes = [not what.types or name in what.types for name in names]
    if what.number is None:
        return takes
    values = batch.numbers.get(what.number, np.full(len(names), np.nan))
    if what.otherwise is not None:
        values = np.where(np.isnan(values), what.otherwise, values)
    inside = (values >= what.at_least) & (values <= what.at_most)
    return [take and bool(fits) for take, fits in zip(takes, inside, strict=True)]


def _river_version() -> str:
    import importlib.metadata

    return importlib.metadata.version("river")
