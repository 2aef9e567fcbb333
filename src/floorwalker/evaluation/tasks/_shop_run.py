"""A simulated shop on disk, made once for each scenario and version of the simulator, and its live features."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

import floorwalker.simulation.shop as shop_package
from floorwalker.errors import InputError
from floorwalker.events.batch import EventBatch, make_batch
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.frames import read_events, read_table
from floorwalker.events.identity.normalise import normalise
from floorwalker.events.identity.tokens import Tokeniser
from floorwalker.features.live import FeatureBatch, LiveFeatures
from floorwalker.learning.shop.reading import EventReader
from floorwalker.learning.shop.recording import Recording, is_recorded, open_recording, record_frames
from floorwalker.simulation.shop.scenario import DAY, Scenario

_SOURCES = frozenset({".py", ".txt", ".json"})
"""What the shop is made of: code, word lists, fitted tables."""
_ELSEWHERE = frozenset({"streaming.py", "streamed.py", "wire.py"})
"""What sends a shop's events on, and does not touch what is written."""
BATCH = 20_000
"""Events read and counted at once."""


def cache_folder() -> Path:
    """Where evaluations keep what they made: FLOORWALKER_CACHE, or `.cache/floorwalker` in the user's home."""
    given = os.environ.get("FLOORWALKER_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "floorwalker"


def simulated_shop(scenario: Scenario) -> Path:
    """The folder with this scenario's events, truth and outcomes; simulated now where it is not there yet."""
    from floorwalker.simulation.shop.run import simulate

    folder = cache_folder() / "shops" / fingerprint(scenario)
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        simulate(scenario, folder)
        (folder / "complete").touch()
    return folder


def fingerprint(scenario: Scenario) -> str:
    """A name for what this scenario gives under the present code of the simulator."""
    digest = hashlib.blake2b(digest_size=10)
    digest.update(msgspec.json.encode({**asdict(scenario), "first_day": scenario.first_day.isoformat()}))
    for file in sorted(Path(shop_package.__path__[0]).rglob("*")):
        if file.suffix in _SOURCES and file.name not in _ELSEWHERE:
            digest.update(file.read_bytes())
    return f"{scenario.events}-{digest.hexdigest()}"


def iterate_features(folder: Path, *, seed: int = 1) -> Iterator[tuple[pl.DataFrame, EventBatch, FeatureBatch]]:
    """The events in their order, in pieces of the table, as columns, with the live features as of just before each.

    Identity is normalised as the server does it; the secrets are fixed, for nobody attacks an evaluation.
    """
    live = LiveFeatures(seed=seed)
    keyer, tokeniser = EntityKeyer(bytes(16)), Tokeniser(bytes(32))
    for frame in iterate_frames(folder):
        events = [normalise(event, tokeniser)[0] for event in read_events(frame)]
        batch = make_batch(events, keyer)
        yield frame, batch, live.advance(batch)


def iterate_frames(folder: Path) -> Iterator[pl.DataFrame]:
    """The events' table in pieces of `BATCH` rows."""
    yield from read_table(folder / "events.parquet", rows=BATCH)


def gather_features(
    folder: Path, wanted: NDArray[np.int64], *, seed: int = 1
) -> tuple[pl.DataFrame, NDArray[np.float32], tuple[str, ...]]:
    """The table's rows at these positions (rising), and their features.

    Returns the rows, float32 [len(wanted), F] and the names of the F features; every event is counted on the way, by
    the same kernels that take events in at `/v1/events`.
    """
    frames: list[pl.DataFrame] = []
    values: list[NDArray[Any]] = []
    live, reader = LiveFeatures(seed=seed), EventReader()
    start = 0
    for frame in iterate_frames(folder):
        batch, faults = reader.read(frame)
        if faults:
            raise InputError(f"the simulator wrote an event that is none: {faults[0]}")
        features = live.advance(batch)
        here = wanted[np.searchsorted(wanted, start) : np.searchsorted(wanted, start + len(frame))] - start
        frames.append(frame[here])
        values.append(features.values[here])
        start += len(frame)
    return pl.concat(frames, how="diagonal_relaxed"), np.concatenate(values), live.names


def recorded_shop(scenario: Scenario) -> tuple[Path, Recording]:
    """The folder of `simulated_shop` and its history as columns; both kept from one evaluation to the next."""
    folder = simulated_shop(scenario)
    columns = folder / "columns"
    if not is_recorded(columns):
        return folder, record_frames(iterate_frames(folder), columns)
    return folder, open_recording(columns)


def read_truth(folder: Path, scenario: Scenario) -> pl.DataFrame:
    """A row an event in the order of the events' table: truth, type, time, day."""
    events = pl.read_parquet(folder / "events.parquet", columns=["id", "type", "at", "account", "session"])
    truth = pl.read_parquet(folder / "truth.parquet")
    doubled = [name for name in truth.columns if name in events.columns and name != "id"]
    return events.join(truth.drop(doubled), on="id", how="left", maintain_order="left").with_columns(
        ((pl.col("at") - scenario.first_at) // DAY).alias("day")
    )
