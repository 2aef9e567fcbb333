"""What `test_store_kills.py` starts and kills: every part of the store at work in one process."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, insert

from floorwalker.store.history import History
from floorwalker.store.journal import Journal, RecordBatch
from floorwalker.store.ledger import Ledger, Projector, sqlite_url
from floorwalker.store.ledger.tables import audit
from floorwalker.store.live import Snapshots

SEGMENT_BYTES = 30_000
DAY = 86_400_000_000


def insert_only(connection: Connection, batch: RecordBatch) -> None:
    """Fails where a record comes a second time."""
    rows = [
        {"sequence": sequence, "shop": "s", "at": 0, "actor": "a", "action": "t", "object": "o", "detail_json": "{}"}
        for sequence in batch.sequences.tolist()
    ]
    connection.execute(insert(audit), rows)


def to_table(batch: RecordBatch) -> Any:
    """Rows of two days."""
    days = batch.sequences // 100 % 2 * DAY
    kinds = pa.array(["test"] * len(batch), pa.string())
    return pa.table({"sequence": pa.array(batch.sequences), "at": pa.array(days), "type": kinds})


def say(sequence: int) -> None:
    """Acknowledge every record before this one to whoever started us."""
    sys.stdout.write(f"{sequence}\n")
    sys.stdout.flush()


def archive(history: History, journal: Journal) -> None:
    """Write and join parts for as long as the process lives."""
    while True:
        history.catch_up(journal, to_table, at_least=20)
        history.compact(parts=4)


def run(folder: Path) -> None:
    """Append, sync, say so, and move the state on, until killed."""
    journal = Journal(folder / "journal", clock=lambda: 0, segment_bytes=SEGMENT_BYTES)
    snapshots = Snapshots(folder / "snapshots", clock=lambda: 0, chunk_bytes=512, full_every=5)
    restored = snapshots.restore()
    counts: Any = restored.state.get("counts", np.zeros(5000, np.int64))
    for sequence, _ in journal.read(restored.sequence):
        counts[sequence * 7919 % len(counts)] += 1
    Projector(
        journal, Ledger(sqlite_url(folder / "ledger.sqlite")), insert_only, clock=lambda: 0, rows=30, seconds=0.0
    ).start()
    history = History(folder / "history", clock=lambda: 0)
    threading.Thread(target=archive, args=(history, journal), daemon=True).start()
    say(journal.next)
    while True:
        first = journal.append([f"record {journal.next + i}".encode() for i in range(1 + journal.next % 5)])
        journal.sync()
        for sequence in range(first, journal.next):
            counts[sequence * 7919 % len(counts)] += 1
        snapshots.take({"counts": counts}, sequence=journal.next)
        say(journal.durable)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
