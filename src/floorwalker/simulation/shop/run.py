"""A whole run: honest customers and adversaries by shards, in as many processes as there are cores, into one folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from floorwalker.simulation.shop.campaigns import MOST_MALICIOUS
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.closing import hash_files, write_access_log, write_manifest, write_tables
from floorwalker.simulation.shop.honest.crowd import make_crowd
from floorwalker.simulation.shop.honest.machines import make_machines
from floorwalker.simulation.shop.naming import names
from floorwalker.simulation.shop.outcomes import Outcomes, make_outcomes
from floorwalker.simulation.shop.pieces import write_pieces
from floorwalker.simulation.shop.quotas import count_quotas
from floorwalker.simulation.shop.scenario import DAY, Scenario
from floorwalker.simulation.shop.schema import EVENT_COLUMNS, TRUTH, frame_of
from floorwalker.simulation.shop.worker import CAMPAIGN_GROUPS, OUTCOME_COLUMNS, TRUTH_READ, Job, said, world_of
from floorwalker.simulation.shop.workers import Work, cores_here, working

Progress = Callable[[str], None]
SHARD_EVENTS = 320_000
"""A shard makes about so many events; their number depends on the scenario alone, never on the cores."""
MACHINE_SHARE = 0.035
"""Verified crawlers and price comparison make about so much of all events; they fill what people leave."""
PILOT = 1_500


@dataclass(frozen=True)
class Summary:
    """What a run wrote.

    Parameters
    ----------
    folder : where. events, malicious, outcomes, campaigns : how many. files : name -> sha256.
    absent : part -> kinds of abuse that were asked for and for which it had no room.
    absent_families : families of adversaries for which the whole run had no room.
    """

    folder: str
    events: int
    malicious: int
    outcomes: int
    campaigns: int
    files: dict[str, str]
    absent: dict[str, list[str]] = field(default_factory=dict)
    absent_families: list[str] = field(default_factory=list)


def simulate(
    scenario: Scenario,
    folder: Path,
    *,
    cores: int | None = None,
    access_log: Path | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Write `events.parquet`, `truth.parquet`, `outcomes.parquet`, `campaigns.parquet` and `manifest.json`.

    The same scenario gives the same bytes, for any number of cores.

    Parameters
    ----------
    folder : where; made if it does not exist.
    cores : processes; all that this process may use without it.
    access_log : file for the matching nginx log.
    progress : is told what is going on.

    Raises `UsageError` for fewer than one core, `InputError` where a process dies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = Path(tempfile.mkdtemp(prefix=".parts-", dir=folder))
    try:
        with working(cores_here() if cores is None else cores, scenario, parts) as work:
            return _run(scenario, folder, parts, work, access_log, progress or (lambda text: None))
    finally:
        shutil.rmtree(parts, ignore_errors=True)


def _run(scenario: Scenario, folder: Path, parts: Path, work: Work, access_log: Path | None, say: Progress) -> Summary:
    shards = max(1, -(-scenario.events // SHARD_EVENTS))

    def jobs() -> Iterator[Job]:
        yield from ({"do": "campaigns", "group": group} for group in range(CAMPAIGN_GROUPS))
        # Campaigns are at work in the other processes while this one finds out how often people come.
        scale = people_scale(scenario)
        yield from ({"do": "shard", "number": shard, "shards": shards, "scale": scale} for shard in range(shards))

    per_day = np.zeros(scenario.days, dtype=np.int64)
    used: set[str] = set()
    rows: list[dict[str, Any]] = []
    malicious = 0
    for number, done in enumerate(work(jobs())):
        per_day += np.array(done["counts"])
        used.update(done["columns"])
        rows += done["campaigns"]
        malicious += done["malicious"]
        say(f"{number + 1} of {CAMPAIGN_GROUPS + shards} parts, {int(per_day.sum()):,} events")
    # Should campaigns have caused more than planned, they are among more of everything.
    least = max(scenario.events, -int(-malicious // MOST_MALICIOUS))
    missing = least - int(per_day.sum())
    if missing > 0:
        machines = make_machines(world_of(scenario), missing)
        per_day += write_pieces(machines, scenario, parts, "m")
        used.update(said(machines))
    starts = np.concatenate([[0], np.cumsum(per_day)[:-1]]).tolist()
    known = [
        pl.read_ipc(parts / done["file"])
        for done in work({"do": "known", "day": day, "first": first} for day, first in enumerate(starts))
    ]
    outcomes = _outcomes(scenario, pl.concat(known))
    late = _late(scenario, outcomes, int(per_day.sum()))
    used.update(said(late))
    columns = [name for name in EVENT_COLUMNS if name in used or name in ("id", "shop")]
    finish = [
        {
            "do": "finish", "day": day, "first": first, "columns": columns, "logged": access_log is not None,
            "late": _keep_late(late, scenario.first_at + day * DAY, parts / f"late-{day:03d}.ipc"),
        }
        for day, first in enumerate(starts)
    ]  # fmt: skip
    for number, _ in enumerate(work(finish)):
        say(f"{number + 1} of {scenario.days} days in order")
    say("writing")
    write_tables(parts, folder, scenario)
    if access_log is not None:
        write_access_log(parts, access_log, scenario)
    outcomes.table.write_parquet(folder / "outcomes.parquet")
    rows.sort(key=lambda row: row["campaign"])
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / "campaigns.parquet")
    total = int(per_day.sum()) + len(late)
    quotas = count_quotas(rows)
    summary = Summary(
        str(folder), total, malicious, len(outcomes.table), len(rows), hash_files(folder), quotas.absent(scenario),
        quotas.absent_families(scenario),
    )  # fmt: skip
    told = ("events", "malicious", "outcomes", "campaigns", "absent", "absent_families")
    counts = {name: getattr(summary, name) for name in told}
    write_manifest(folder, scenario, {"shards": shards, **counts, "sha256": summary.files})
    return summary


@lru_cache(maxsize=1)
def people_scale(scenario: Scenario) -> float:
    """How many times their own wish people visit, so that the run has as many events as asked for."""
    world = world_of(scenario)
    step = max(1, world.customers // 200_000)
    wishes = world.people(np.arange(0, world.customers, step)).visits_per_week.sum() * step * scenario.days / 7.0
    wanted = scenario.events * (1.0 - MACHINE_SHARE - scenario.malicious_share)
    pilot = np.linspace(0, world.customers - 1, min(PILOT, world.customers)).astype(np.int64)
    scale = wanted / (9.0 * wishes)
    for attempt in range(2):
        crowd = make_crowd(world, pilot, world.chance.generator("honest/pilot", attempt), scale)
        rows = len(crowd.rows.stack((scenario.first_at, scenario.end_at))["at"])
        drawn = len(crowd.calls[0])
        # What one visit brings with it is steady; how many visits these few people make is not.
        scale = wanted / (rows / max(drawn, 1) * wishes)
    return float(scale)


def _outcomes(scenario: Scenario, known: pl.DataFrame) -> Outcomes:
    truth = known.select("id", *(pl.col(f"{TRUTH}{name}").alias(name) for name in TRUTH_READ))
    events = known.select("id", "at", *OUTCOME_COLUMNS)
    return make_outcomes(events, truth, Chance(scenario.seed), end_at=scenario.end_at)


def _late(scenario: Scenario, outcomes: Outcomes, first: int) -> pl.DataFrame:
    """The bank's letters as events, with ids after all others'."""
    frame = frame_of(outcomes.entries, scenario.shop).sort("at", maintain_order=True)
    made = names(Chance(scenario.seed), "event", np.arange(first, first + len(frame)))
    return frame.with_columns(made.alias("id"))


def _keep_late(late: pl.DataFrame, begins: int, target: Path) -> str:
    """Write a day's letters for the process that finishes the day; answers the file's name, "" where there are none."""
    day = late.filter(pl.col("at").is_between(begins, begins + DAY, closed="left"))
    if not len(day):
        return ""
    day.write_ipc(target)
    return target.name
