"""The journal beside what can go wrong around it: owners, disks, threads, and long life."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from floorwalker.errors import UsageError
from floorwalker.store.errors import (
    ClosedError,
    DamagedError,
    LockedError,
    ReadOnlyStorageError,
    StorageFailedError,
    StorageFullError,
)
from floorwalker.store.journal import Journal, read_journal, segments
from floorwalker.store.journal import journal as journal_module
from floorwalker.store.journal.segments import list_segments


def clock() -> int:
    return 0


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """No file of this process may grow beyond this."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def append_until_full(journal: Journal) -> int:
    """The number of records that found room."""
    with contextlib.suppress(StorageFullError):
        while True:
            journal.append([bytes(5000)] * 2)
    return journal.next


def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    with Journal(tmp_path, clock=clock):
        with pytest.raises(LockedError, match=f"in use by process {os.getpid()}"):
            Journal(tmp_path, clock=clock)
        script = "import sys, pathlib, floorwalker.store.journal as j; j.Journal(pathlib.Path(sys.argv[1]), clock=int)"
        command = [sys.executable, "-c", script, tmp_path]
        child = subprocess.run(command, capture_output=True, text=True, check=False)
        assert f"in use by process {os.getpid()}" in child.stderr
    with Journal(tmp_path, clock=clock):
        pass


def test_a_limit_on_file_size_keeps_whole_groups_only(tmp_path: Path) -> None:
    with Journal(tmp_path, clock=clock) as journal:
        journal.append([b"before"])
        journal.sync()
        with file_size_limit(2000):
            with pytest.raises(StorageFullError, match="free space"):
                journal.append([b"y" * 700] * 3)
            assert journal.append([b"small"]) == 1
            journal.sync()
            assert [record for _, record in journal.read()] == [b"before", b"small"]
        assert journal.append([b"y" * 700] * 3) == 2
        journal.sync()
    with Journal(tmp_path, clock=clock) as journal:
        assert (journal.recovery.cut_bytes, journal.next) == (0, 5)


def test_no_room_for_a_new_segment(tmp_path: Path) -> None:
    with Journal(tmp_path, clock=clock, segment_bytes=1000) as journal:
        journal.append([b"x" * 900])
        with file_size_limit(20):
            for _ in range(2):
                with pytest.raises(StorageFullError):
                    journal.append([b"x" * 900])
        assert len(list_segments(tmp_path)) == 1
        assert journal.append([b"x" * 900]) == 1
        assert len(list_segments(tmp_path)) == 2
    assert len(list(read_journal(tmp_path))) == 2


def test_a_full_disk_takes_records_again_when_there_is_room(small_disk: Any) -> None:
    folder = small_disk.mount("256k")
    filler = folder / "filler"
    filler.write_bytes(bytes(100_000))
    with Journal(folder / "journal", clock=clock, segment_bytes=64_000) as journal:
        kept = append_until_full(journal)
        journal.sync()
        assert (journal.next, len(list(journal.read()))) == (kept, kept)
        with pytest.raises(StorageFullError):
            journal.append([bytes(50_000)])
        filler.unlink()
        assert journal.append([bytes(50_000)]) == kept
        journal.sync()
    with Journal(folder / "journal", clock=clock) as again:
        assert (again.next, again.recovery.cut_bytes) == (kept + 1, 0)


def test_a_disk_that_is_full_from_the_start_says_so(small_disk: Any) -> None:
    folder = small_disk.mount("64k")
    with pytest.raises(OSError, match="No space"):
        (folder / "filler").write_bytes(bytes(100_000))
    with pytest.raises(StorageFullError, match="free space"):
        Journal(folder / "journal", clock=clock)


def test_a_disk_that_turns_read_only_and_back(small_disk: Any) -> None:
    folder = small_disk.mount("1m") / "journal"
    with Journal(folder, clock=clock, segment_bytes=1000) as journal:
        journal.append([b"x" * 950])
        journal.sync()
    small_disk.remount("ro")
    with pytest.raises(ReadOnlyStorageError, match="make the folder writable"):
        Journal(folder, clock=clock)
    assert len(list(read_journal(folder))) == 1
    small_disk.remount("rw")
    with Journal(folder, clock=clock) as journal:
        assert journal.append([b"again"]) == 1


def test_a_failed_sync_is_final(tmp_path: Path) -> None:
    journal = Journal(tmp_path, clock=clock)
    journal.append([b"never acknowledged"])
    # A pipe cannot be synced: the kernel answers with an error, as a broken disk does.
    reader, writer = os.pipe()
    os.dup2(writer, journal._descriptor)
    with pytest.raises(StorageFailedError, match="could not be synced"):
        journal.sync()
    with pytest.raises(StorageFailedError, match="start again"):
        journal.append([b"more"])
    with pytest.raises(StorageFailedError):
        journal.sync()
    assert journal.durable == 0
    journal.close()
    os.close(reader)
    os.close(writer)
    with Journal(tmp_path, clock=clock) as again:
        assert [record for _, record in again.read()] == [b"never acknowledged"]


@pytest.mark.parametrize("rolled", [False, True])
def test_what_a_failed_sync_leaves_in_memory_is_not_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rolled: bool
) -> None:
    journal = Journal(tmp_path, clock=clock, segment_bytes=2000)
    journal.append([b"acknowledged" * 100])
    journal.sync()
    if rolled:
        journal.append([b"another segment" * 60])
        assert len(journal._segments) == 2

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    journal.append([b"in memory only"])
    monkeypatch.setattr(journal_module, "sync_data", fail)
    with pytest.raises(StorageFailedError, match="could not be synced"):
        journal.sync()
    with pytest.raises(StorageFailedError):
        journal.append([b"more"])
    assert [record for _, record in journal.read()] == [b"acknowledged" * 100]
    journal.close()
    monkeypatch.undo()
    with Journal(tmp_path, clock=clock) as again:
        assert [record for _, record in again.read()] == [b"acknowledged" * 100]
        assert again.append([b"goes on"]) == 1


def test_durability_of_the_process_alone_cuts_nothing_that_was_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, clock=clock, segment_bytes=2000, durability="process")
    for number in range(2):
        journal.append([b"%d" % number * 1500])
        journal.sync()

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(journal_module, "sync_data", fail)
    with pytest.raises(StorageFailedError):
        journal.append([b"2" * 1500])
    journal.close()
    monkeypatch.undo()
    with Journal(tmp_path, clock=clock) as again:
        assert [record[:1] for _, record in again.read()] == [b"0", b"1"]


def test_a_sync_that_fails_at_the_end_of_a_segment_cuts_that_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, clock=clock, segment_bytes=2000)
    journal.append([b"acknowledged" * 50])
    journal.sync()
    journal.append([b"in memory only" * 50])

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(journal_module, "sync_data", fail)
    with pytest.raises(StorageFailedError, match="could not be synced"):
        journal.append([b"the next segment" * 60])
    journal.close()
    monkeypatch.undo()
    with Journal(tmp_path, clock=clock) as again:
        assert [record for _, record in again.read()] == [b"acknowledged" * 50]


def test_what_is_not_allowed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="power_loss or process"):
        Journal(tmp_path, clock=clock, durability="never")  # type: ignore[arg-type]
    with Journal(tmp_path, clock=clock) as journal:
        assert journal.append([]) == 0
        with pytest.raises(UsageError, match="at most"):
            journal.append([b"fine", bytes(64 * 1024 * 1024 + 1)])
        assert journal.next == 0
    with pytest.raises(ClosedError):
        journal.append([b"late"])
    journal.close()


def test_records_larger_than_the_reading_buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "BUFFER_BYTES", 500)
    records = [b"small", b"y" * 3000, b"small again", b"x" * 501, *[b"z" * length for length in range(400, 500)]]
    with Journal(tmp_path, clock=clock) as journal:
        journal.append(records)
        assert [record for _, record in journal.read()] == records
        assert [record for _, record in journal.read(2, 50)] == records[2:50]


def test_old_segments_are_dropped_whole(tmp_path: Path) -> None:
    with Journal(tmp_path, clock=clock, segment_bytes=1100) as journal:
        for _ in range(10):
            journal.append([b"x" * 300])
        assert len(list_segments(tmp_path)) == 4
        assert journal.drop_before(5) == 1
        assert journal.first == 3
        assert [sequence for sequence, _ in journal.read()] == list(range(3, 10))
        assert journal.drop_before(10**9) == 2
    with Journal(tmp_path, clock=clock) as journal:
        assert (journal.first, journal.next) == (9, 10)
        assert [sequence for sequence, _ in journal.read()] == [9]


@pytest.mark.parametrize(("durability", "checked"), [("power_loss", 1), ("process", 2)])
def test_opening_checks_only_the_end(tmp_path: Path, durability: str, checked: int) -> None:
    journal = Journal(tmp_path / "open", clock=clock, durability=durability, segment_bytes=1100)  # type: ignore[arg-type]
    for _ in range(20):
        journal.append([b"x" * 300])
        journal.sync()
    shutil.copytree(tmp_path / "open", tmp_path / "journal")
    journal.close()
    paths = list_segments(tmp_path / "journal")
    assert len(paths) == 7
    for path in paths[:-checked]:
        path.write_bytes(path.read_bytes()[:-1])
    with Journal(tmp_path / "journal", clock=clock) as journal:
        assert journal.next == 20
        with pytest.raises(DamagedError, match="record 2:"):
            list(journal.read())


@pytest.mark.parametrize("durability", ["power_loss", "process"])
def test_many_threads_share_syncs(tmp_path: Path, durability: str) -> None:
    with Journal(tmp_path, clock=clock, durability=durability, segment_bytes=3000) as journal:  # type: ignore[arg-type]
        given: dict[int, bytes] = {}

        def work(name: int) -> None:
            for index in range(60):
                record = f"{name}/{index}".encode()
                first = journal.append([record])
                journal.sync(first + 1)
                assert journal.durable > first
                given[first] = record

        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            seen = [sequence for sequence, _ in journal.read()]
            assert seen == list(range(len(seen)))
        for thread in threads:
            thread.join()
        assert dict(journal.read()) == given
        assert len(given) == 240


def test_a_follower_is_woken_by_a_sync(tmp_path: Path) -> None:
    with Journal(tmp_path, clock=clock) as journal:
        found: list[int] = []
        thread = threading.Thread(target=lambda: found.append(journal.wait_beyond(0, 30)))
        thread.start()
        journal.append([b"one"])
        journal.sync()
        thread.join()
        assert found == [1]
        assert journal.wait_beyond(1, 0) == 1


def test_the_reply_comes_after_the_sync(tmp_path: Path) -> None:
    strace = "/usr/bin/strace"
    if not Path(strace).exists():
        pytest.skip("strace is not installed")
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from floorwalker.store.journal import Journal
        with Journal(Path(sys.argv[1]), clock=int) as journal:
            journal.append([b"FIRST-RECORD"])
            journal.sync()
            sys.stdout.write("REPLY")
            sys.stdout.flush()
        """
    )
    trace = tmp_path / "trace"
    command = [
        strace,
        "-f",
        "-e",
        "trace=write,pwrite64,fdatasync,fsync",
        "-s",
        "200",
        "-o",
        trace,
        sys.executable,
        "-c",
        script,
    ]
    subprocess.run([*command, tmp_path / "journal"], check=True, capture_output=True)
    lines = trace.read_text().splitlines()
    written = next(i for i, line in enumerate(lines) if "FIRST-RECORD" in line)
    synced = next(i for i, line in enumerate(lines) if i > written and "fdatasync(" in line and "= 0" in line)
    replied = next(i for i, line in enumerate(lines) if "REPLY" in line)
    assert written < synced < replied


def test_batches_hold_what_records_says(tmp_path: Path) -> None:
    with Journal(tmp_path, clock=clock) as journal:
        journal.append([b"a", b"", b"ccc"])
        (batch,) = journal.read_batches()
        assert len(batch) == 3
        assert batch.records() == [b"a", b"", b"ccc"]
        assert batch.between(1, 2).records() == [b""]
        assert batch.between(5, 2).records() == []
        np.testing.assert_array_equal(batch.sequences, [0, 1, 2])
