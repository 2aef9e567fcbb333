"""A process that journals, projects, archives and snapshots at once is killed at random moments; nothing is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from floorwalker.store.history import History, open_history
from floorwalker.store.journal import Journal
from floorwalker.store.ledger import Ledger, Projector, sqlite_url
from floorwalker.store.ledger.tables import audit
from floorwalker.store.live import Snapshots

CHILD = Path(__file__).with_name("_store_child.py")


def fold(counts: np.ndarray, sequences: range) -> np.ndarray:
    """The state that the child keeps: how often each of 5,000 counters was met."""
    for sequence in sequences:
        counts[sequence * 7919 % len(counts)] += 1
    return counts


def check_everything(folder: Path) -> int:
    import _store_child as child

    with Journal(folder / "journal", clock=lambda: 0, segment_bytes=child.SEGMENT_BYTES) as journal:
        records = [record for _, record in journal.read()]
        assert records == [f"record {sequence}".encode() for sequence in range(journal.next)]
        with Ledger(sqlite_url(folder / "ledger.sqlite")) as ledger:
            projector = Projector(journal, ledger, child.insert_only, clock=lambda: 0, rows=100)

            def projected() -> list[int]:
                query = select(audit.c.sequence).order_by(audit.c.sequence)
                return list(ledger.read(lambda connection: connection.execute(query).scalars()))

            assert projected() == list(range(projector.reached))
            projector.catch_up()
            assert projected() == list(range(journal.next))
        with History(folder / "history", clock=lambda: 0) as history:
            assert history.reached <= journal.next
            history.catch_up(journal, child.to_table)
        if journal.next:
            with open_history(folder / "history") as connection:
                rows = connection.execute("select sequence from events order by sequence").fetchnumpy()
            assert rows["sequence"].tolist() == list(range(journal.next))
        restored = Snapshots(folder / "snapshots", clock=lambda: 0).restore()
        assert restored.faults == ()
        assert restored.sequence <= journal.next
        if restored.state:
            expected = fold(np.zeros(5000, np.int64), range(restored.sequence))
            np.testing.assert_array_equal(restored.state["counts"], expected)
        return journal.next


@pytest.mark.parametrize("kills", [3, pytest.param(40, marks=pytest.mark.slow)])
def test_every_part_agrees_with_the_journal_after_a_kill(
    tmp_path: Path, kills: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(CHILD.parent)
    random = np.random.default_rng(kills)
    for _ in range(kills):
        child = subprocess.Popen([sys.executable, CHILD, tmp_path], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(int(random.integers(1, 120)))]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.read().splitlines(keepends=True)
        child.wait()
        child.stdout.close()
        acknowledged = max(int(line) for line in lines if line.endswith("\n"))
        assert check_everything(tmp_path) >= acknowledged
