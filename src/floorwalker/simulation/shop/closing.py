"""What comes last in a run: days into one file each of events and truth, and the manifest."""

from __future__ import annotations

import hashlib
import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from floorwalker.simulation.shop.scenario import Scenario
from floorwalker.simulation.shop.schema import TRUTH

FILES = ("events.parquet", "truth.parquet", "outcomes.parquet", "campaigns.parquet")
_GROUP_ROWS = 131_072


def write_tables(parts: Path, folder: Path, scenario: Scenario) -> None:
    """Put the days' files into `events.parquet` and `truth.parquet`."""
    scan = pl.scan_ipc([parts / f"day-{day:03d}.ipc" for day in range(scenario.days)])
    seen = scan.collect_schema().names()
    truth = [name for name in seen if name.startswith(TRUTH)]
    options: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "row_group_size": _GROUP_ROWS}
    scan.select(pl.exclude(truth)).sink_parquet(folder / "events.parquet", **options)
    bare = [pl.col(name).alias(name.removeprefix(TRUTH)) for name in truth]
    scan.select("id", "account", "session", *bare).sink_parquet(folder / "truth.parquet", **options)


def write_access_log(parts: Path, target: Path, scenario: Scenario) -> None:
    """Put the days' lines into one log."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        for day in range(scenario.days):
            with (parts / f"day-{day:03d}.log").open("rb") as lines:
                shutil.copyfileobj(lines, out, 1 << 20)


def hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a run."""
    hashes = {}
    for name in FILES:
        with (folder / name).open("rb") as file:
            hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def write_manifest(folder: Path, scenario: Scenario, facts: dict[str, Any]) -> None:
    """Write what was simulated, with which versions, and `facts` about what came of it."""
    document = {
        "scenario": scenario.as_plain(),
        "split_edges": list(scenario.split_edges),
        "versions": {name: version(name) for name in ("floorwalker", "numpy", "polars")},
        **facts,
    }
    (folder / "manifest.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
