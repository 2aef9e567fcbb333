from __future__ import annotations

from pathlib import Path

import pytest

from floorwalker.store.errors import StoreError
from floorwalker.store.journal import Journal
from floorwalker.store.journal.tail import JournalTail


def _read(tail: JournalTail, first: int, stop: int | None = None) -> list[bytes]:
    return [record for batch in tail.read_batches(first, stop) for record in batch.records()]


def test_what_is_durable_is_given_once_over_segments_in_steps_of_any_size(tmp_path: Path) -> None:
    with Journal(tmp_path, clock=lambda: 0, segment_bytes=1500) as journal:
        tail = JournalTail(tmp_path)
        assert (tail.first, _read(tail, 0)) == (0, [])
        given: list[bytes] = []
        for round_ in range(60):
            journal.append([b"%d" % (round_ * 3 + n) * (1 + 40 * n) for n in range(3)])
            journal.sync()
            if round_ % 4 == 0:
                tail.note(journal.durable)
            # A step ends inside what is there, as the projector's do.
            given += _read(tail, len(given), len(given) + 7)
        tail.note(journal.durable)
        given += _read(tail, len(given))
        assert given == [record for _, record in journal.read()]
        assert _read(tail, 5, 9) == given[5:9]


def test_what_is_not_acknowledged_is_not_given(tmp_path: Path) -> None:
    with Journal(tmp_path, clock=lambda: 0) as journal:
        tail = JournalTail(tmp_path)
        journal.append([b"a"])
        journal.sync()
        tail.note(journal.durable)
        journal.append([b"b"])
        assert _read(tail, 0) == [b"a"]
        tail.note(0)
        assert (tail.durable, tail.next) == (1, 1)


def test_damage_is_named(tmp_path: Path) -> None:
    with Journal(tmp_path, clock=lambda: 0) as journal:
        journal.append([b"a" * 100, b"b" * 100])
        journal.sync()
        path = next(tmp_path.glob("*.journal"))
        data = bytearray(path.read_bytes())
        data[100] ^= 1
        path.write_bytes(data)
        tail = JournalTail(tmp_path)
        tail.note(2)
        with pytest.raises(StoreError, match="not those that were written"):
            _read(tail, 0)
        path.write_bytes(bytes(data[:100]) + bytes([data[100] ^ 1]) + bytes(data[101:]))
