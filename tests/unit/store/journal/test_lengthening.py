"""Room for records is made ahead of them, beside them, and no record depends on it."""

import os
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from floorwalker.store.journal import Journal, lengthening
from floorwalker.store.journal import journal as journal_module
from floorwalker.store.journal.lengthening import Lengthener
from floorwalker.store.journal.segments import MOST_ROOM_BYTES, ROOM_BYTES, name_segment

RECORD = bytes(range(1, 251)) * 40


def clock() -> int:
    return 1_750_000_000_000_000


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def room_threads() -> int:
    return sum(thread.name == "journal-room" for thread in threading.enumerate())


def test_room_grows_with_the_file_up_to_a_bound(tmp_path: Path) -> None:
    path = name_segment(tmp_path, 0)
    with Journal(tmp_path, clock=clock, segment_bytes=16 * MOST_ROOM_BYTES) as journal:
        journal.append([b"x"])
        wait_until(lambda: path.stat().st_size == ROOM_BYTES)
        for size in (ROOM_BYTES, 2 * MOST_ROOM_BYTES):
            while journal.size_bytes < size:
                journal.append([RECORD])
            least = journal.size_bytes + min(size, MOST_ROOM_BYTES) // 2
            wait_until(lambda least=least: path.stat().st_size >= least)
        # What is there is enough for a while.
        time.sleep(0.05)
        assert path.stat().st_size <= journal.size_bytes + MOST_ROOM_BYTES + ROOM_BYTES
        assert path.stat().st_size % ROOM_BYTES == 0
    assert path.stat().st_size == journal.size_bytes
    with Journal(tmp_path, clock=clock, segment_bytes=6_000_000) as journal:
        # Too long already: the next segment begins, and its room ends where it does.
        for _ in range(3):
            journal.append([RECORD])
        wait_until(lambda: name_segment(tmp_path, journal.first).exists())
        newest = name_segment(tmp_path, max(int(each.stem) for each in tmp_path.glob("*.journal")))
        wait_until(lambda: newest.stat().st_size == ROOM_BYTES)


def test_who_appends_now_and_then_finds_room_made_by_the_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the first time, zeros are written by nobody who appends."""
    wrote: list[str] = []
    write_at = journal_module.write_at

    def note(descriptor: int, data: Any, offset: int) -> None:
        if len(data) > len(RECORD) * 2:
            wrote.append(threading.current_thread().name)
        write_at(descriptor, data, offset)

    monkeypatch.setattr(journal_module, "write_at", note)
    path = name_segment(tmp_path, 0)
    with Journal(tmp_path, clock=clock) as journal:
        for _ in range(400):
            journal.append([RECORD])
            wait_until(lambda: path.stat().st_size >= journal.size_bytes + ROOM_BYTES // 8)
    assert wrote.count("MainThread") == 1
    assert len(wrote) > 20
    assert set(wrote) == {"MainThread", "journal-room"}


def test_records_are_read_back_whatever_was_made_beside_them(tmp_path: Path) -> None:
    """Segments are begun and zeros cut off while the thread writes."""
    records = [b"%d " % number + RECORD[: number % 9000] for number in range(3000)]
    with Journal(tmp_path, clock=clock, segment_bytes=3 * ROOM_BYTES) as journal:
        for start in range(0, len(records), 7):
            journal.append(records[start : start + 7])
            journal.sync()
        assert [record for _, record in journal.read()] == records
    assert room_threads() == 0
    for path in sorted(tmp_path.glob("*.journal")):
        assert path.read_bytes()[-1] != 0
    with Journal(tmp_path, clock=clock) as again:
        assert [record for _, record in again.read()] == records
        assert again.recovery.cut_bytes == 0


def test_a_disk_that_takes_no_zeros_is_asked_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    lengthen = Journal._lengthen
    monkeypatch.setattr(Journal, "_lengthen", lambda self: (asked.append(self.size_bytes), lengthen(self))[1])
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Journal(tmp_path, clock=clock) as journal:
        journal.append([b"small"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, hard))
        try:
            while journal.size_bytes < ROOM_BYTES - 2 * len(RECORD):
                journal.append([RECORD])
            wait_until(lambda: len(asked) > 0)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert len(asked) < 5
        for _ in range(100):
            journal.append([RECORD])
        wait_until(lambda: name_segment(tmp_path, 0).stat().st_size >= journal.size_bytes + ROOM_BYTES // 4)


@pytest.mark.parametrize("durability", ["process", "power_loss"])
def test_only_who_waits_for_the_disk_needs_room(tmp_path: Path, durability: Any) -> None:
    with Journal(tmp_path, clock=clock, durability=durability) as journal:
        for _ in range(40):
            journal.append([RECORD])
        assert room_threads() == (durability == "power_loss")
    assert room_threads() == 0


def test_the_file_is_synced_by_pieces_and_may_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(lengthening, "sync_data", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    path = tmp_path / "a"
    left = iter(range(40))

    def lengthen() -> Path | None:
        if next(left, None) is None:
            path.unlink(missing_ok=True)
            return None
        with path.open("ab") as file:
            file.write(b"0")
        return path

    lengthener = Lengthener(lengthen)
    lengthener.wake()
    wait_until(lambda: not path.exists() and len(synced) > 0 and next(left, None) is None)
    lengthener.stop()
    assert synced == [16, 32]
