"""A journal cut anywhere reopens as a prefix; a killed writer loses nothing that it acknowledged."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.store.journal import Journal, read_journal
from floorwalker.store.journal.segments import SEGMENT_HEADER_BYTES, list_segments

groups_of_records = st.lists(st.lists(st.binary(max_size=60), min_size=1, max_size=4), min_size=1, max_size=8)
some_records = st.lists(st.binary(max_size=90), min_size=1, max_size=3)


def clock() -> int:
    """A clock that stands still."""
    return 1_700_000_000_000_000


def lengths_of_prefixes(groups: list[list[bytes]]) -> list[int]:
    """The slow oracle: bytes of a one-segment journal after each record."""
    sizes = [SEGMENT_HEADER_BYTES]
    for group in groups:
        for record in group:
            sizes.append(sizes[-1] + 24 + len(record))
    return sizes


@settings(max_examples=25)
@given(groups_of_records, st.data())
def test_a_cut_at_any_byte_leaves_a_prefix_and_the_journal_goes_on(
    groups: list[list[bytes]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "journal"
        # Killed before it closed, so no note says how far it went; and never synced, so nothing was acknowledged.
        journal = Journal(folder, clock=clock)
        for group in groups:
            journal.append(group)
        killed = Path(name) / "killed"
        shutil.copytree(folder, killed)
        journal.close()
        records = [record for group in groups for record in group]
        sizes = lengths_of_prefixes(groups)
        path = list_segments(killed)[0]
        written = path.read_bytes()
        assert not any(written[sizes[-1] :])
        cut = data.draw(st.integers(SEGMENT_HEADER_BYTES, sizes[-1]))
        room = data.draw(st.sampled_from([0, 1, 30, 600, 70_000]))
        content = written[:cut] + bytes(room)
        path.write_bytes(content)
        # A record that lost zeros only is whole again where zeros follow.
        kept = sum(content[:size] == written[:size] for size in sizes) - 1
        assert [record for _, record in read_journal(killed)] == records[:kept]
        with Journal(killed, clock=clock) as again:
            assert again.next == kept
            if not room:
                assert again.recovery.cut_bytes == cut - sizes[kept]
            elif room >= 600:
                assert again.recovery.cut_bytes <= max(0, cut - sizes[kept])
            assert list(again.read()) == list(enumerate(records[:kept]))
            assert again.append([b"behind the cut"]) == kept
            again.sync()
        with Journal(killed, clock=clock) as again:
            assert [record for _, record in again.read()] == [*records[:kept], b"behind the cut"]


def test_a_cut_at_every_byte_is_healed(tmp_path: Path) -> None:
    records = [bytes([65 + index]) * length for index, length in enumerate([0, 1, 7, 8, 9, 30])]
    source = tmp_path / "source"
    with Journal(source, clock=clock) as journal:
        journal.append(records)
    # Closed, so without the room behind its records.
    whole = list_segments(source)[0].read_bytes()
    sizes = lengths_of_prefixes([records])
    assert len(whole) == sizes[-1]
    for cut in range(SEGMENT_HEADER_BYTES, len(whole) + 1):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / list_segments(source)[0].name).write_bytes(whole[:cut])
        kept = sum(size <= cut for size in sizes) - 1
        with Journal(folder, clock=clock) as journal:
            assert [record for _, record in journal.read()] == records[:kept]


@settings(max_examples=25)
@given(groups_of_records, st.integers(60, 400), st.data())
def test_reading_from_anywhere_equals_a_slice(
    groups: list[list[bytes]], segment_bytes: int, data: st.DataObject
) -> None:
    records = [record for group in groups for record in group]
    with tempfile.TemporaryDirectory() as name:
        with Journal(Path(name), clock=clock, segment_bytes=segment_bytes) as journal:
            assert [journal.append(group) for group in groups] == np.cumsum([0, *map(len, groups[:-1])]).tolist()
            first = data.draw(st.integers(0, len(records) + 1))
            stop = data.draw(st.integers(0, len(records) + 1))
            expected = list(enumerate(records))[first:stop]
            assert list(journal.read(first, stop)) == expected
            assert list(read_journal(Path(name), first, stop)) == expected
        with Journal(Path(name), clock=clock) as journal:
            assert list(journal.read(first, stop)) == expected


WRITER = """
import sys
from pathlib import Path
from floorwalker.store.journal import Journal
journal = Journal(Path(sys.argv[1]), clock=lambda: 0, durability=sys.argv[2], segment_bytes=20_000)
print("ready", flush=True)
while True:
    first = journal.append([f"record {journal.next + i}".encode() * 5 for i in range(1 + journal.next % 7)])
    journal.sync()
    sys.stdout.write(f"{journal.durable}\\n")
    sys.stdout.flush()
"""


@pytest.mark.parametrize("durability", ["power_loss", "process"])
def test_a_killed_writer_loses_no_acknowledged_record(tmp_path: Path, durability: str) -> None:
    random = np.random.default_rng(7)
    acknowledged = 0
    for _ in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), durability], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(int(random.integers(2, 400)))]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.read().splitlines(keepends=True)
        child.wait()
        child.stdout.close()
        whole = [line for line in lines[1:] if line.endswith("\n")]
        acknowledged = max([acknowledged, *map(int, whole)])
        with Journal(tmp_path, clock=clock, durability=durability, segment_bytes=20_000) as journal:  # type: ignore[arg-type]
            assert journal.next >= acknowledged
            assert [record for _, record in journal.read()] == [
                f"record {sequence}".encode() * 5 for sequence in range(journal.next)
            ]
    assert acknowledged > 100


PAGE = 64
"""Stands for the disk's page: small, so that small journals have many."""


def lose_power(path: Path, safe: int, data: st.DataObject) -> None:
    """Leave of what was not synced any pages and any length, as a power cut may."""
    content = bytearray(path.read_bytes())
    end = data.draw(st.integers(safe, len(content)))
    pages = range(safe - safe % PAGE, end, PAGE)
    lost = data.draw(st.sets(st.sampled_from(pages))) if len(pages) else set()
    for page in lost:
        start, stop = max(page, safe), min(page + PAGE, end)
        content[start:stop] = bytes(stop - start)
    path.write_bytes(content[:end])


@settings(max_examples=40)
@given(st.lists(st.tuples(some_records, st.booleans()), max_size=9), st.data())
def test_a_power_cut_loses_nothing_acknowledged_and_never_looks_like_damage(
    steps: list[tuple[list[bytes], bool]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        journal = Journal(Path(name) / "open", clock=clock)
        records: list[bytes] = []
        acknowledged, safe = 0, SEGMENT_HEADER_BYTES
        for group, is_synced in steps:
            journal.append(group)
            records += group
            if is_synced:
                journal.sync()
                acknowledged, safe = len(records), journal.size_bytes
        folder = Path(name) / "cut"
        shutil.copytree(journal.folder, folder)
        journal.close()
        lose_power(list_segments(folder)[0], safe, data)
        with Journal(folder, clock=clock) as again:
            assert again.next >= acknowledged
            assert [record for _, record in again.read()] == records[: again.next]


@settings(max_examples=40)
@given(st.lists(st.binary(min_size=20, max_size=90), min_size=4, max_size=20), st.data())
def test_a_power_cut_under_process_durability_leaves_a_prefix(records: list[bytes], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        journal = Journal(Path(name) / "open", clock=clock, durability="process", segment_bytes=250)
        for record in records:
            journal.append([record])
            journal.sync()
        folder = Path(name) / "cut"
        shutil.copytree(journal.folder, folder)
        journal.close()
        # Segments before the last but one were synced when the last was begun.
        unsynced = list_segments(folder)[-2:]
        for path in unsynced:
            lose_power(path, SEGMENT_HEADER_BYTES, data)
        with Journal(folder, clock=clock, durability="process", segment_bytes=250) as again:
            assert again.next >= int(unsynced[0].stem)
            kept = list(again.read())
            assert kept == list(enumerate(records[: again.next]))
            again.append([b"goes on"])
        assert [record for _, record in read_journal(folder)] == [*records[: len(kept)], b"goes on"]
