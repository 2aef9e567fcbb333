"""Who reads or copies a journal beside its owner meets room that is being filled, and takes it for nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from floorwalker.errors import UsageError
from floorwalker.store.errors import DamagedError
from floorwalker.store.journal import Journal, copy_journal, copying, read_journal, read_journal_batches
from floorwalker.store.journal.segments import list_segments, name_segment


def clock() -> int:
    return 0


def write(journal: Journal, *records: bytes) -> None:
    for record in records:
        journal.append([record])
        journal.sync()


def test_records_written_while_somebody_reads_are_no_damage(tmp_path: Path) -> None:
    """The room behind the last record was empty when it was read; later frames call durable what is there by now."""
    with Journal(tmp_path, clock=clock) as journal:
        write(journal, b"one")
        read: list[bytes] = []
        for batch in read_journal_batches(tmp_path):
            read += batch.records()
            write(journal, b"two", b"three")
        assert read == [b"one"]
        assert [record for _, record in read_journal(tmp_path)] == [b"one", b"two", b"three"]


def test_an_acknowledged_record_that_became_zeros_is_damage_for_a_reader_too(tmp_path: Path) -> None:
    with Journal(tmp_path, clock=clock) as journal:
        write(journal, b"one", b"two", b"three")
        path = name_segment(tmp_path, 0)
        data = bytearray(path.read_bytes())
        at = data.index(b"two")
        data[at - 24 : at + 3] = bytes(27)
        path.write_bytes(data)
        with pytest.raises(DamagedError, match="record 1"):
            list(read_journal(tmp_path))
        with pytest.raises(DamagedError, match="record 1"):
            copy_journal(tmp_path, tmp_path / "copy")


def test_a_segment_cut_and_closed_while_somebody_reads_it(tmp_path: Path) -> None:
    with Journal(tmp_path, clock=clock, segment_bytes=200) as journal:
        write(journal, b"a" * 50)
        read: list[bytes] = []
        for batch in read_journal_batches(tmp_path):
            read += batch.records()
            write(journal, b"b" * 50, b"c" * 50, b"d" * 50)
        assert read == [b"a" * 50]
        assert len(list_segments(tmp_path)) > 1


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_copy_holds_what_was_acknowledged_and_opens(tmp_path: Path, is_closed: bool) -> None:
    folder, target = tmp_path / "journal", tmp_path / "deep" / "copy"
    journal = Journal(folder, clock=clock, segment_bytes=300)
    records = [b"%d" % number * (1 + 7 * number) for number in range(9)]
    write(journal, *records)
    if is_closed:
        journal.close()
    assert copy_journal(folder, target) == len(records)
    # No room and no torn frame is copied.
    assert sum(path.stat().st_size for path in list_segments(target)) <= journal_bytes(records, target)
    with Journal(target, clock=clock) as copy:
        assert copy.recovery.cut_bytes == 0
        assert [record for _, record in copy.read()] == records
        write(copy, b"goes on")
    with pytest.raises(UsageError, match="not empty"):
        copy_journal(folder, target)
    journal.close()


def test_a_copy_is_on_the_disk_and_for_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[int] = set()

    def sync_data(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        os.fsync(descriptor)

    monkeypatch.setattr(copying, "sync_data", sync_data)
    with Journal(tmp_path / "journal", clock=clock, segment_bytes=300) as journal:
        write(journal, *(b"record" * 20 for _ in range(6)))
        copy_journal(tmp_path / "journal", tmp_path / "copy")
    *before, last = list_segments(tmp_path / "copy")
    assert len(before) > 1
    # The last one is put in its place by `replace_file`, which syncs by itself.
    assert synced == {path.stat().st_ino for path in before}
    assert {path.stat().st_mode & 0o007 for path in (*before, last)} == {0}


def journal_bytes(records: list[bytes], folder: Path) -> int:
    return 48 * len(list_segments(folder)) + sum(24 + len(record) for record in records)


def test_a_torn_record_is_left_out_of_a_copy(tmp_path: Path) -> None:
    with Journal(tmp_path / "open", clock=clock) as journal:
        write(journal, b"one")
        journal.append([b"two" * 100])
        shutil.copytree(tmp_path / "open", tmp_path / "journal")
    path = name_segment(tmp_path / "journal", 0)
    path.write_bytes(path.read_bytes().rstrip(b"\0")[:-10] + bytes(700))
    assert copy_journal(tmp_path / "journal", tmp_path / "copy") == 1
    with Journal(tmp_path / "copy", clock=clock) as copy:
        assert [record for _, record in copy.read()] == [b"one"]


def test_no_journal_no_copy(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no journal"):
        copy_journal(tmp_path / "empty", tmp_path / "copy")
