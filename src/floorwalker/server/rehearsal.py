"""Everything that is compiled on its first use, used once before the first customer waits for it.

A fresh machine compiles the kernels for a minute or two and keeps the machine code; every later start loads it. What
is done here is done on a shop of its own, in a folder that is thrown away: no state of the real one moves.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from floorwalker.detectors.rules import LiveRules, RuleTable, default_schema
from floorwalker.detectors.unusual import LEAST_ROWS, UnusualActivity
from floorwalker.events.bulk.splitting import split_array, split_lines
from floorwalker.events.bulk.taking import BulkTaker
from floorwalker.events.decode import decode_event
from floorwalker.events.entities import EntityKeyer
from floorwalker.events.identity import Tokeniser, normalise
from floorwalker.features.live import Limits, LiveFeatures
from floorwalker.fusion.accounts import suspect_days
from floorwalker.pipeline.ids import IdHasher
from floorwalker.pipeline.pipeline import Pipeline
from floorwalker.pipeline.recent import RecentEvents
from floorwalker.pipeline.window import EventWindow
from floorwalker.server.engine import DecideJob, Engine
from floorwalker.store.journal import Journal
from floorwalker.store.live import Snapshots

_ROWS = 64
_EVENT = {
    "type": "checkout", "account": "warm-up", "email": "warm-up@example.com", "phone": "+442079460000",
    "ip": "192.0.2.1", "amount_minor": 1, "currency": "EUR", "country": "GB", "coupons": ["A", "B"], "url": "/",
    "lines": [{"item": "i", "seller": "s", "quantity": 2, "price_minor": 5}, {"item": "j", "price_minor": 1}],
    "inviter": "another",
}  # fmt: skip


def rehearse(clock: Callable[[], int]) -> None:
    """Take, decide, journal, read, save and restore a few events of a shop that does not exist.

    Parameters
    ----------
    clock : µs UTC.
    """
    with (
        TemporaryDirectory(prefix="floorwalker-rehearsal-") as folder,
        Journal(Path(folder) / "journal", durability="process", clock=clock) as journal,
    ):
        engine = Engine(_empty_pipeline(), journal, clock)
        now = engine.now()
        texts = [msgspec.json.encode({**_EVENT, "id": f"rehearsal-{number}", "at": now}) for number in range(4)]
        body = b"[" + b",".join(texts) + b"]"
        split_lines(body, 1)
        found = split_array(body, len(texts))
        tokeniser = Tokeniser(bytes(32))
        taken = BulkTaker(tokeniser, seed=os.urandom(32)).take(found.body, found.starts, found.stops, now=now)
        taken.settle()
        engine.ingest_packed(taken)
        asked = {**_EVENT, "id": "rehearsal-asked", "at": now}
        event, _ = normalise(decode_event(msgspec.json.encode(asked), now=now), tokeniser)
        engine.work([DecideJob(event)])
        engine.commit(journal.next)
        for batch in journal.read_batches():
            engine.pipeline.packed.read(batch.data, batch.starts, batch.stops)
        _save_and_restore(engine.pipeline, Path(folder) / "snapshots", clock)
    history = np.random.default_rng(0).random((LEAST_ROWS, 2), np.float32)
    UnusualActivity.fit(history, ("a", "b"), version="0", seed=0, trees=2).judge(history[:2])
    suspect_days([0, 0], [now, now], [0.0, 0.0])


def _empty_pipeline() -> Pipeline:
    limits = Limits(rows=dict.fromkeys(Limits().rows, _ROWS), other_rows=_ROWS, sketches=_ROWS)
    features = LiveFeatures(seed=0, limits=limits)
    table = RuleTable.load({}, schema=default_schema(features.names))
    return Pipeline(
        EntityKeyer(bytes(16)), IdHasher(bytes(16)), features, LiveRules(table),
        window=EventWindow(_ROWS), recent=RecentEvents(_ROWS),
    )  # fmt: skip


def _save_and_restore(pipeline: Pipeline, folder: Path, clock: Callable[[], int]) -> None:
    state = {f"{part}.{name}": array for part, arrays in pipeline.state().items() for name, array in arrays.items()}
    pages = {f"{part}.{name}": where for part, of in pipeline.pages().items() for name, where in of.items()}
    snapshots = Snapshots(folder, clock=clock)
    for change in range(2):
        snapshots.take({**state, "small": np.arange(8) + change}, sequence=change, pages=pages)
        while snapshots.step():
            pass
        snapshots.wait()
    snapshots.restore()
