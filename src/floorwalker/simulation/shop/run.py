"""A whole run: honest customers and adversaries by shards, in as many processes as there are cores, into one folder."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from floorwalker.errors import UsageError
from floorwalker.simulation.shop import access
from floorwalker.simulation.shop.chance import Chance
from floorwalker.simulation.shop.honest.crowd import make_crowd
from floorwalker.simulation.shop.honest.frame import make_frames
from floorwalker.simulation.shop.honest.machines import make_machines
from floorwalker.simulation.shop.naming import names
from floorwalker.simulation.shop.outcomes import AUDITS, Outcomes, make_outcomes
from floorwalker.simulation.shop.pieces import finish_day, pieces_of, read_day, write_pieces
from floorwalker.simulation.shop.scenario import Scenario
from floorwalker.simulation.shop.schema import EVENT_COLUMNS, TRUTH, frame_of
from floorwalker.simulation.shop.world import World

Progress = Callable[[str], None]
SHARD_EVENTS = 320_000
"""A shard makes about so many events; their number depends on the scenario alone, never on the cores."""
CAMPAIGN_GROUPS = 8
MACHINE_SHARE = 0.035
"""Verified crawlers and price comparison make about so much of all events; they fill what people leave."""
PILOT = 1_500
_GROUP_ROWS = 131_072
_OUTCOME_COLUMNS = ["type", "account", "order", "item", "payment", "amount_minor", "currency", "card.scheme"]


@dataclass(frozen=True)
class Summary:
    """What a run wrote.

    Parameters
    ----------
    folder : where. events, malicious, outcomes, campaigns : how many. files : name -> sha256.
    """

    folder: str
    events: int
    malicious: int
    outcomes: int
    campaigns: int
    files: dict[str, str]


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
    """
    say = progress or (lambda text: None)
    count = cores or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores or os.cpu_count() or 1
    if count < 1:
        raise UsageError(f"cores is {count}", allowed="1 or more")
    folder.mkdir(parents=True, exist_ok=True)
    parts = Path(tempfile.mkdtemp(prefix=".parts-", dir=folder))
    try:
        with _workers(count, scenario, parts) as work:
            return _run(scenario, folder, parts, work, access_log, say)
    finally:
        shutil.rmtree(parts, ignore_errors=True)


def _run(
    scenario: Scenario, folder: Path, parts: Path, work: Callable[[list[tuple[Any, ...]]], Iterator[Any]],
    access_log: Path | None, say: Progress,
) -> Summary:  # fmt: skip
    shards = max(1, -(-scenario.events // SHARD_EVENTS))
    groups = list(range(CAMPAIGN_GROUPS)) if find_spec(_CAMPAIGNS) else []
    scale = people_scale(scenario)
    jobs: list[tuple[Any, ...]] = [("campaigns", group) for group in groups]
    jobs += [("shard", shard, shards, scale) for shard in range(shards)]
    per_day = np.zeros(scenario.days, dtype=np.int64)
    used: set[str] = set()
    rows: list[tuple[int, dict[str, Any]]] = []
    malicious = 0
    for number, (counts, columns, campaign_rows, bad) in enumerate(work(jobs)):
        per_day += counts
        used |= columns
        rows += campaign_rows
        malicious += bad
        say(f"{number + 1} of {len(jobs)} parts, {int(per_day.sum()):,} events")
    missing = scenario.events - int(per_day.sum())
    if missing > 0:
        machines = make_machines(_world(scenario), missing)
        per_day += write_pieces(machines, scenario, parts, "m")
        used |= _said(machines)
    starts = np.concatenate([[0], np.cumsum(per_day)[:-1]])
    known = list(work([("known", day, int(starts[day])) for day in range(scenario.days)]))
    outcomes = _outcomes(scenario, pl.concat(known))
    late = _late(scenario, outcomes, int(per_day.sum()))
    used |= _said(late)
    columns = [name for name in EVENT_COLUMNS if name in used or name in ("id", "shop")]
    days = ((late["at"] - scenario.first_at) // 86_400_000_000).to_numpy()
    finish = [
        ("finish", day, int(starts[day]), late.filter(pl.Series(days == day)), columns, access_log is not None)
        for day in range(scenario.days)
    ]
    for number, _ in enumerate(work(finish)):
        say(f"{number + 1} of {scenario.days} days in order")
    say("writing")
    _sink(parts, folder, scenario, access_log)
    outcomes.table.write_parquet(folder / "outcomes.parquet")
    campaigns = pl.DataFrame([row for _, row in sorted(rows, key=lambda one: one[0])], infer_schema_length=None)
    campaigns.write_parquet(folder / "campaigns.parquet")
    total = int(per_day.sum()) + len(late)
    files = ["events.parquet", "truth.parquet", "outcomes.parquet", "campaigns.parquet"]
    hashes = {name: _sha256(folder / name) for name in files}
    summary = Summary(str(folder), total, malicious, len(outcomes.table), len(campaigns), hashes)
    _write_manifest(scenario, folder, summary, shards)
    return summary


_CAMPAIGNS = "floorwalker.simulation.shop.campaigns"


@lru_cache(maxsize=1)
def _world(scenario: Scenario) -> World:
    return World(scenario)


@lru_cache(maxsize=1)
def people_scale(scenario: Scenario) -> float:
    """How many times their own wish people visit, so that the run has as many events as asked for."""
    world = _world(scenario)
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


def _said(frame: pl.DataFrame) -> set[str]:
    return {name for name in frame.columns if name in EVENT_COLUMNS and frame[name].null_count() < len(frame)}


# --- in the workers -------------------------------------------------------------------------------------------------

_HERE: dict[str, Any] = {}


def _start(scenario: Scenario, parts: Path) -> None:
    _HERE.update(scenario=scenario, parts=parts)


def _do(job: tuple[Any, ...]) -> Any:
    scenario, parts = _HERE["scenario"], _HERE["parts"]
    kind = job[0]
    if kind == "shard":
        _, shard, shards, scale = job
        world = _world(scenario)
        rng = world.chance.generator("honest/shard", shard)
        frames = make_frames(make_crowd(world, np.arange(shard, world.customers, shards), rng, scale), shard)
        counts = [
            write_pieces(frame, scenario, parts, f"h{shard:03d}{letter}")
            for frame, letter in zip(frames, "pb", strict=True)
        ]
        return sum(counts), _said(frames[0]) | _said(frames[1]), [], 0
    if kind == "campaigns":
        return _campaigns(scenario, parts, job[1])
    if kind == "known":
        _, day, first = job
        frame = read_day(parts, scenario, day, first, [*_OUTCOME_COLUMNS, *(f"{TRUTH}{one}" for one in _TRUTH_READ)])
        wanted = pl.col("type").is_in([*AUDITS, "order", *_MONEY_TYPES]) | (pl.col(f"{TRUTH}phase") == "harmful")
        return frame.filter(wanted)
    _, day, first, late, columns, logged = job
    path = finish_day(parts, scenario, day, first, late, columns)
    if logged:
        access.write_lines(path, parts / f"day-{day:03d}.log")
    for piece in pieces_of(parts, day):
        piece.unlink()
    return day


_TRUTH_READ = ("abuse_type", "adversary", "family", "skill", "campaign", "phase", "loss_minor", "segment")
_MONEY_TYPES = ("payment_authorised", "payment_captured", "refund_issued")


def _campaigns(
    scenario: Scenario, parts: Path, group: int
) -> tuple[Any, set[str], list[tuple[int, dict[str, Any]]], int]:
    from importlib import import_module

    campaigns = import_module(_CAMPAIGNS)
    world = _world(scenario)
    entries, rows = [], []
    for place, planned in enumerate(campaigns.plan(scenario)):
        if place % CAMPAIGN_GROUPS == group:
            ran = campaigns.run(world, planned)
            entries += ran.entries
            rows.append((place, ran.row if isinstance(ran.row, dict) else asdict(ran.row)))
    entries = [one for one in entries if scenario.first_at <= one.event.at < scenario.end_at]
    frame = frame_of(entries, scenario.shop)
    return write_pieces(frame, scenario, parts, f"a{group:03d}"), _said(frame), rows, len(entries)


@contextmanager
def _workers(cores: int, scenario: Scenario, parts: Path) -> Iterator[Callable[[list[tuple[Any, ...]]], Iterator[Any]]]:
    """Answers a function that does jobs and gives their results in the jobs' order."""
    if cores == 1:
        _start(scenario, parts)
        yield lambda jobs: map(_do, jobs)
        return
    before = os.environ.get("POLARS_MAX_THREADS")
    # Each process is one core's: a second pool of threads in each would only cost memory.
    os.environ["POLARS_MAX_THREADS"] = "1"
    try:
        pool = multiprocessing.get_context("spawn").Pool(cores, _start, (scenario, parts))
    finally:
        if before is None:
            del os.environ["POLARS_MAX_THREADS"]
        else:
            os.environ["POLARS_MAX_THREADS"] = before
    with pool:
        yield lambda jobs: pool.imap(_do, jobs)


# --- what comes last ------------------------------------------------------------------------------------------------


def _outcomes(scenario: Scenario, known: pl.DataFrame) -> Outcomes:
    truth = known.select("id", *(pl.col(f"{TRUTH}{name}").alias(name) for name in _TRUTH_READ))
    events = known.select("id", "at", *_OUTCOME_COLUMNS)
    return make_outcomes(events, truth, Chance(scenario.seed), end_at=scenario.end_at)


def _late(scenario: Scenario, outcomes: Outcomes, first: int) -> pl.DataFrame:
    """The bank's letters as events, with ids after all others'."""
    frame = frame_of(outcomes.entries, scenario.shop).sort("at", maintain_order=True)
    made = names(Chance(scenario.seed), "event", np.arange(first, first + len(frame)))
    return frame.with_columns(made.alias("id"))


def _sink(parts: Path, folder: Path, scenario: Scenario, access_log: Path | None) -> None:
    days = [parts / f"day-{day:03d}.ipc" for day in range(scenario.days)]
    scan = pl.scan_ipc(days)
    seen = scan.collect_schema().names()
    truth = [name for name in seen if name.startswith(TRUTH)]
    options: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "row_group_size": _GROUP_ROWS}
    scan.select(pl.exclude(truth)).sink_parquet(folder / "events.parquet", **options)
    bare = [pl.col(name).alias(name.removeprefix(TRUTH)) for name in truth]
    scan.select("id", "account", "session", *bare).sink_parquet(folder / "truth.parquet", **options)
    if access_log is not None:
        access_log.parent.mkdir(parents=True, exist_ok=True)
        with access_log.open("wb") as out:
            for day in range(scenario.days):
                with (parts / f"day-{day:03d}.log").open("rb") as lines:
                    shutil.copyfileobj(lines, out, 1 << 20)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_manifest(scenario: Scenario, folder: Path, summary: Summary, shards: int) -> None:
    fields = {**asdict(scenario), "first_day": scenario.first_day.isoformat(), "only": list(scenario.only)}
    document = {
        "scenario": fields,
        "split_edges": list(scenario.split_edges),
        "shards": shards,
        "versions": {name: version(name) for name in ("floorwalker", "numpy", "polars")},
        "events": summary.events,
        "malicious": summary.malicious,
        "outcomes": summary.outcomes,
        "campaigns": summary.campaigns,
        "sha256": summary.files,
    }
    (folder / "manifest.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
