"""From shards to one file in the order of time: pieces by day, sorted and named day by day."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from floorwalker.simulation.shop import schema
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.naming import names
from floorwalker.simulation.shop.scenario import DAY, Scenario
from floorwalker.simulation.shop.schema import COLUMNS, TRUTH, TRUTH_COLUMNS, complete


def write_pieces(frame: pl.DataFrame, scenario: Scenario, folder: Path, name: str) -> NDArray[np.int64]:
    """Cut a frame by days into files; answers how many rows each day got.

    Parameters
    ----------
    frame : events without ids. name : of the source: a shard, a group of campaigns.
    """
    if not len(frame):
        return np.zeros(scenario.days, dtype=np.int64)
    columns = [name for name in COLUMNS if name in frame.columns and frame[name].null_count() < len(frame)]
    ready = frame.select(
        schema.lines_of(frame[name]) if name == "lines" else pl.col(name).cast(COLUMNS[name]) for name in columns
    ).sort("at", maintain_order=True)
    at = ready["at"].to_numpy()
    edges = np.searchsorted(at, scenario.first_at + np.arange(scenario.days + 1) * DAY)
    for day in range(scenario.days):
        low, high = int(edges[day]), int(edges[day + 1])
        if high > low:
            ready.slice(low, high - low).write_ipc(folder / f"{day:03d}-{name}.arrow", compression="lz4")
    return np.diff(edges)


def _order(frame: pl.DataFrame, chance: Chance, day: int) -> pl.DataFrame:
    # Events of one instant come in an order that has nothing to do with who made them.
    lot = chance.words(f"writing/{day}", np.arange(len(frame)))
    return frame.with_columns(pl.Series("_lot", lot)).sort("at", "_lot").drop("_lot")


def pieces_of(folder: Path, day: int) -> list[Path]:
    """The files of a day, in a fixed order."""
    return sorted(folder.glob(f"{day:03d}-*.arrow"))


def name_events(frame: pl.DataFrame, chance: Chance, first: int) -> pl.DataFrame:
    """Give ids to events whose places in the whole run begin at `first`."""
    return frame.with_columns(names(chance, "event", np.arange(first, first + len(frame))).alias("id"))


def read_day(folder: Path, scenario: Scenario, day: int, first: int, columns: list[str] | None = None) -> pl.DataFrame:
    """One day's events, in order, with ids.

    Parameters
    ----------
    first : how many events lie before this day.
    columns : only these, beside `id` and `at`.
    """
    chance = Chance(scenario.seed)
    files = pieces_of(folder, day)
    wanted = None if columns is None else list(dict.fromkeys(["id", "at", *columns]))
    parts = []
    for path in files:
        there = None if wanted is None else [name for name in pl.read_ipc_schema(path) if name in wanted]
        parts.append(pl.read_ipc(path, columns=there))
    frame = pl.concat(parts, how="diagonal") if parts else pl.DataFrame(schema={"at": pl.Int64})
    known = name_events(_order(frame, chance, day), chance, first)
    return known if wanted is None else complete(known, wanted)


def finish_day(
    folder: Path, scenario: Scenario, day: int, first: int, late: pl.DataFrame | None, used: list[str]
) -> Path:
    """Write a whole day sorted; `late` are further events with ids, `used` the columns that say anything."""
    frame = read_day(folder, scenario, day, first)
    if late is not None and len(late):
        frame = pl.concat([frame, late], how="diagonal").sort("at", maintain_order=True)
    at = frame["at"].to_numpy()
    splits = np.array(["train", "validation", "test"])
    validation, test = scenario.split_edges
    split = (at >= validation).astype(np.int64) + (at >= test)
    frame = complete(frame.with_columns(shop=pl.lit(scenario.shop)), [*used, *TRUTH_COLUMNS]).with_columns(
        pl.Series(f"{TRUTH}split", splits[split].tolist())
    )
    target = folder / f"day-{day:03d}.ipc"
    frame.write_ipc(target, compression="lz4")
    return target
