"""Damage among acknowledged records is refused with its place, and repaired without losing the rest."""

from __future__ import annotations

import resource
import shutil
from pathlib import Path

import pytest

from floorwalker.store.errors import DamagedError, NewerVersionError
from floorwalker.store.journal import Journal, read_journal, repair_journal
from floorwalker.store.journal.segments import (
    SEGMENT_HEADER_BYTES,
    list_segments,
    name_segment,
)

RECORDS = [f"record {i}".encode() for i in range(9)]
FRAME = 24 + len(RECORDS[0])


def clock() -> int:
    return 0


def write(folder: Path, *, groups: int = 9, segment_bytes: int = 10_000) -> None:
    """Nine records, acknowledged in groups; then the process dies without closing."""
    journal = Journal(folder / "open", clock=clock, segment_bytes=segment_bytes)
    size = len(RECORDS) // groups
    for first in range(0, len(RECORDS), size):
        journal.append(RECORDS[first : first + size])
        journal.sync()
    shutil.copytree(folder / "open", folder / "journal")
    journal.close()


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize("broken", range(8))
def test_an_acknowledged_record_is_not_cut_off(tmp_path: Path, broken: int) -> None:
    write(tmp_path)
    path = list_segments(tmp_path / "journal")[0]
    flip(path, SEGMENT_HEADER_BYTES + broken * FRAME + 30)
    before = path.read_bytes()
    with pytest.raises(DamagedError, match=f"byte {SEGMENT_HEADER_BYTES + broken * FRAME}, record {broken}:") as caught:
        Journal(tmp_path / "journal", clock=clock)
    assert (caught.value.path, caught.value.sequence) == (path, broken)
    assert "repair_journal" in str(caught.value)
    assert path.read_bytes() == before
    with pytest.raises(DamagedError, match=f"record {broken}"):
        list(read_journal(tmp_path / "journal"))


def test_a_hole_in_a_group_that_was_never_synced_is_cut(tmp_path: Path) -> None:
    # A power cut may have written the last pages of a group and not the first: no frame behind claims durability.
    write(tmp_path, groups=3)
    path = list_segments(tmp_path / "journal")[0]
    flip(path, SEGMENT_HEADER_BYTES + 6 * FRAME)
    assert len(list(read_journal(tmp_path / "journal"))) == 6
    with Journal(tmp_path / "journal", clock=clock) as journal:
        assert journal.recovery.cut_bytes == 3 * FRAME
        assert [record for _, record in journal.read()] == RECORDS[:6]


@pytest.mark.parametrize("broken", [0, 8])
def test_after_an_orderly_close_every_record_is_known(tmp_path: Path, broken: int) -> None:
    write(tmp_path, groups=1)
    flip(list_segments(tmp_path / "open")[0], SEGMENT_HEADER_BYTES + broken * FRAME)
    with pytest.raises(DamagedError, match=f"record {broken}"):
        Journal(tmp_path / "open", clock=clock)


def test_a_journal_cut_at_a_frame_after_an_orderly_close_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    path = list_segments(tmp_path / "open")[0]
    with path.open("r+b") as file:
        file.truncate(SEGMENT_HEADER_BYTES + 4 * FRAME)
    with pytest.raises(DamagedError, match="closed with 9 records"):
        Journal(tmp_path / "open", clock=clock)
    path.unlink()
    with pytest.raises(DamagedError, match="holds no segment"):
        Journal(tmp_path / "open", clock=clock)


def test_repairing_keeps_every_sound_record_and_its_sequence(tmp_path: Path) -> None:
    write(tmp_path)
    path = list_segments(tmp_path / "journal")[0]
    original = path.read_bytes()
    flip(path, SEGMENT_HEADER_BYTES + 2 * FRAME + 5)
    flip(path, SEGMENT_HEADER_BYTES + 5 * FRAME + 25)
    flip(path, SEGMENT_HEADER_BYTES + 6 * FRAME + 5)
    repair = repair_journal(tmp_path / "journal")
    assert repair.lost == ((2, 2), (5, 6))
    assert repair.changed == (path,)
    assert len(path.with_name(path.name + ".damaged").read_bytes()) == len(original)
    with Journal(tmp_path / "journal", clock=clock) as journal:
        kept = [(sequence, RECORDS[sequence]) for sequence in (0, 1, 3, 4, 7, 8)]
        assert list(journal.read()) == kept
        assert list(journal.read(3, 8)) == kept[2:5]
        assert journal.append([b"goes on"]) == 9
    assert repair_journal(tmp_path / "journal").lost == ()


def test_repairing_a_broken_end_reserves_what_others_know(tmp_path: Path) -> None:
    write(tmp_path)
    flip(list_segments(tmp_path / "open")[0], SEGMENT_HEADER_BYTES + 7 * FRAME)
    flip(list_segments(tmp_path / "open")[0], SEGMENT_HEADER_BYTES + 8 * FRAME)
    assert repair_journal(tmp_path / "open", at_least=12).lost == ((7, 11),)
    with Journal(tmp_path / "open", clock=clock) as journal:
        assert [sequence for sequence, _ in journal.read()] == list(range(7))
        assert journal.append([b"goes on"]) == 12


@pytest.mark.parametrize("which", range(3))
def test_a_segment_that_is_missing_or_has_no_header(tmp_path: Path, which: int) -> None:
    write(tmp_path, segment_bytes=SEGMENT_HEADER_BYTES + 3 * FRAME)
    paths = list_segments(tmp_path / "open")
    assert [path.stem.lstrip("0") or "0" for path in paths] == ["0", "3", "6"]
    flip(paths[which], 17)
    with pytest.raises(DamagedError, match="header"):
        Journal(tmp_path / "open", clock=clock)
    repair_journal(tmp_path / "open", at_least=9)
    assert paths[which].with_name(paths[which].name + ".damaged").exists()
    with Journal(tmp_path / "open", clock=clock) as journal:
        kept = [sequence for sequence in range(9) if sequence // 3 != which]
        assert list(journal.read()) == [(sequence, RECORDS[sequence]) for sequence in kept]
        assert journal.append([b"goes on"]) == 9


def test_a_segment_removed_from_the_middle_is_noticed_when_read(tmp_path: Path) -> None:
    write(tmp_path, segment_bytes=SEGMENT_HEADER_BYTES + 3 * FRAME)
    list_segments(tmp_path / "open")[1].unlink()
    message = "next segment begins with 6"
    with Journal(tmp_path / "open", clock=clock) as journal, pytest.raises(DamagedError, match=message):
        list(journal.read())


def test_when_every_segment_is_lost_a_new_one_begins_behind_what_others_know(tmp_path: Path) -> None:
    write(tmp_path)
    flip(list_segments(tmp_path / "open")[0], 3)
    repair_journal(tmp_path / "open", at_least=9)
    with Journal(tmp_path / "open", clock=clock) as journal:
        assert list(journal.read()) == []
        assert (journal.first, journal.append([b"goes on"])) == (9, 9)


def test_a_text_that_looks_like_a_frame_is_no_evidence(tmp_path: Path) -> None:
    # The last record is torn, and holds a frame that its sender made: without the salt it would look like one of ours.
    with Journal(tmp_path / "forger", clock=clock) as forger:
        forger.append([b"x"] * 40)
        forger.sync()
        forger.append([b"x"])
        forged = list_segments(tmp_path / "forger")[0].read_bytes()[-25:]
    journal = Journal(tmp_path / "open", clock=clock)
    journal.append([b"sound"])
    journal.sync()
    journal.append([forged + b"y" * 50])
    shutil.copytree(tmp_path / "open", tmp_path / "journal")
    journal.close()
    path = name_segment(tmp_path / "journal", 0)
    path.write_bytes(path.read_bytes().rstrip(b"\0")[:-1])
    with Journal(tmp_path / "journal", clock=clock) as healed:
        assert [record for _, record in healed.read()] == [b"sound"]


def test_a_newer_segment_is_refused(tmp_path: Path) -> None:
    import struct
    import zlib

    write(tmp_path)
    path = list_segments(tmp_path / "open")[0]
    data = bytearray(path.read_bytes())
    data[8] = 2
    data[44:48] = struct.pack("<I", zlib.crc32(data[:44]))
    path.write_bytes(data)
    with pytest.raises(NewerVersionError, match="or a newer one"):
        Journal(tmp_path / "open", clock=clock)


def test_room_that_nothing_was_written_to_is_no_damage(tmp_path: Path) -> None:
    """A killed owner leaves zeros behind its last record: they are cut off without a word, and a repair keeps all."""
    journal = Journal(tmp_path / "open", clock=clock)
    journal.append([b"one", b"two"])
    journal.sync()
    for name in ("reopened", "repaired"):
        shutil.copytree(tmp_path / "open", tmp_path / name)
    journal.close()
    path = name_segment(tmp_path / "reopened", 0)
    assert path.stat().st_size > 100_000
    assert [record for _, record in read_journal(tmp_path / "reopened")] == [b"one", b"two"]
    with Journal(tmp_path / "reopened", clock=clock) as again:
        assert (again.next, again.recovery.cut_bytes, again.recovery.cut_path) == (2, 0, None)
        assert path.stat().st_size == again.size_bytes < 1_000
    assert repair_journal(tmp_path / "repaired").lost == ()
    with Journal(tmp_path / "repaired", clock=clock) as again:
        assert [record for _, record in again.read()] == [b"one", b"two"]
    assert name_segment(tmp_path / "open", 0).stat().st_size == path.stat().st_size


def test_room_that_was_made_in_part_is_cut_off_before_the_next_segment(tmp_path: Path) -> None:
    """The disk took some of the zeros: the segment must not end with them once another follows."""
    records = [b"small", b"x" * 30_000, b"y" * 390_000]
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Journal(tmp_path, clock=clock, segment_bytes=400_000) as journal:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            journal.append(records[:1])
            journal.append(records[1:2])
            assert name_segment(tmp_path, 0).stat().st_size == 100_000
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        journal.append(records[2:])
        assert name_segment(tmp_path, 0).stat().st_size < 31_000
        assert [record for _, record in journal.read()] == records
    with Journal(tmp_path, clock=clock) as again:
        assert [record for _, record in again.read()] == records
