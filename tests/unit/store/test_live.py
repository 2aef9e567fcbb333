"""Snapshots: what comes back equals what went in, increments are small, and damage falls back with a word."""

from __future__ import annotations

import resource
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floorwalker.errors import UsageError
from floorwalker.store import live
from floorwalker.store.errors import StorageFullError
from floorwalker.store.live import Snapshots


def make_snapshots(folder: Path, **options: int) -> Snapshots:
    return Snapshots(folder, clock=lambda: 5, chunk_bytes=64, **options)


def some_state(random: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        "counts": random.integers(0, 9, 100),
        "flags": random.random(33) < 0.5,
        "means": random.random((7, 5), np.float32),
        "one": np.array(random.integers(1, 9)),
        "none": np.empty(0, np.uint16),
        "zeros": np.zeros(50, np.uint64),
    }


def assert_same(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> None:
    assert left.keys() == right.keys()
    for name, array in left.items():
        assert array.dtype == right[name].dtype
        np.testing.assert_array_equal(array, right[name])


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.lists(st.lists(st.integers(0, 99), max_size=4), min_size=1, max_size=12))
def test_each_snapshot_gives_back_the_state_of_its_moment(seed: int, changes: list[list[int]]) -> None:
    state = some_state(np.random.default_rng(seed))
    with tempfile.TemporaryDirectory() as name:
        snapshots = make_snapshots(Path(name), full_every=4)
        for sequence, rows in enumerate(changes):
            state["counts"][rows] += 1
            state["zeros"][[row % 50 for row in rows]] ^= np.uint64(3)
            assert snapshots.take(state, sequence=sequence)
            info = snapshots.wait()
            assert info is not None
            assert info.sequence == sequence
            restored = make_snapshots(Path(name)).restore()
            assert (restored.sequence, restored.faults) == (sequence, ())
            assert_same(restored.state, state)


def test_an_increment_writes_only_what_changed(tmp_path: Path) -> None:
    snapshots = make_snapshots(tmp_path)
    state = {"a": np.arange(8000, dtype=np.int64)}
    assert snapshots.take(state, sequence=1)
    full = snapshots.wait()
    state["a"][4000] = -1
    assert snapshots.take(state, sequence=2)
    small = snapshots.wait()
    assert full is not None
    assert small is not None
    assert (full.is_full, full.written_bytes) == (True, 64_000)
    assert (small.is_full, small.written_bytes) == (False, 64)


def test_the_state_may_move_on_while_it_is_written(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path, clock=lambda: 0)
    state = {"a": np.ones(100_000, np.int64)}
    snapshots.take(state, sequence=1)
    state["a"][:] = 2
    snapshots.wait()
    assert set(snapshots.restore().state["a"].tolist()) == {1}


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), min_size=1, max_size=12), st.integers(1, 3))
def test_arrays_grow_and_shrink(changes: list[tuple[int, int]], width: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        snapshots = make_snapshots(Path(name), full_every=5)
        array = np.zeros((0, width), np.uint8)
        for sequence, (length, value) in enumerate(changes):
            grown = np.full((length, width), value % 3, np.uint8)
            kept = min(len(array), length)
            grown[:kept] = array[:kept]
            array = grown
            if length:
                array[value % length] = value
            assert snapshots.take({"a": array}, sequence=sequence)
            snapshots.wait()
            assert_same(make_snapshots(Path(name)).restore().state, {"a": array})


def test_growth_writes_only_what_is_new(tmp_path: Path) -> None:
    snapshots = make_snapshots(tmp_path)
    snapshots.take({"a": np.arange(1, 801)}, sequence=1)
    snapshots.wait()
    snapshots.take({"a": np.arange(1, 1605)}, sequence=2)
    info = snapshots.wait()
    assert info is not None
    assert (info.is_full, info.written_bytes) == (False, 804 * 8)


@pytest.mark.parametrize("ending", [".snapshot", ".pack"])
def test_every_damaged_byte_of_the_newest_falls_back_and_says_so(tmp_path: Path, ending: str) -> None:
    snapshots = make_snapshots(tmp_path)
    state = {"a": np.arange(1, 20)}
    snapshots.take(state, sequence=1)
    snapshots.wait()
    state["a"] += 1
    snapshots.take(state, sequence=2)
    snapshots.wait()
    newest = sorted(tmp_path.glob(f"*{ending}"))[-1]
    sound = newest.read_bytes()
    for place in range(len(sound)):
        newest.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        restored = make_snapshots(tmp_path).restore()
        assert restored.sequence == 1
        assert restored.state["a"].tolist() == list(range(1, 20))
        assert newest.name in restored.faults[0]
    newest.write_bytes(sound[:-1])
    assert make_snapshots(tmp_path).restore().sequence == 1
    newest.write_bytes(sound)
    assert make_snapshots(tmp_path).restore().sequence == 2


def test_damage_to_a_shared_pack_falls_back_to_the_generation_before(tmp_path: Path) -> None:
    snapshots = make_snapshots(tmp_path, full_every=3)
    state = {"a": np.arange(1, 200)}
    for sequence in range(1, 8):
        state["a"][sequence] = 0
        snapshots.take(state, sequence=sequence)
        snapshots.wait()
    packs = sorted(tmp_path.glob("*.pack"), key=lambda path: path.stat().st_size)
    largest = max(packs[-2:])
    largest.write_bytes(bytes(largest.stat().st_size))
    restored = make_snapshots(tmp_path).restore()
    assert restored.sequence == 4
    assert len(restored.faults) == 2


def test_a_restart_keeps_the_snapshot_that_was_sound(tmp_path: Path) -> None:
    state = {"a": np.arange(1, 20)}
    for sequence in (1, 2):
        snapshots = make_snapshots(tmp_path)
        snapshots.take(state, sequence=sequence)
        snapshots.wait()
    sorted(tmp_path.glob("*.pack"))[-1].write_bytes(b"")
    snapshots = make_snapshots(tmp_path)
    assert snapshots.restore().sequence == 1
    snapshots.take(state, sequence=3)
    snapshots.wait()
    sorted(tmp_path.glob("*.pack"))[-1].write_bytes(b"")
    assert make_snapshots(tmp_path).restore().sequence == 1


def test_nothing_is_left_where_nothing_is_sound(tmp_path: Path) -> None:
    (tmp_path / "000000000001.snapshot").write_bytes(b"nonsense")
    restored = make_snapshots(tmp_path).restore()
    assert (restored.state, restored.sequence) == ({}, 0)
    assert "000000000001.snapshot" in restored.faults[0]


def test_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="allowed: numbers"):
        make_snapshots(tmp_path).take({"a": np.array([object()])}, sequence=0)


def test_a_full_disk_is_named_and_nothing_is_forgotten(tmp_path: Path) -> None:
    snapshots = make_snapshots(tmp_path)
    state = {"a": np.arange(1, 1000)}
    snapshots.take(state, sequence=1)
    snapshots.wait()
    before = sorted(path.name for path in tmp_path.iterdir())
    state["a"][:] += 1
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
    try:
        assert snapshots.take(state, sequence=2)
        with pytest.raises(StorageFullError, match="free space"):
            snapshots.wait()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert make_snapshots(tmp_path).restore().sequence == 1
    state["a"][3] = 77
    assert snapshots.take(state, sequence=3)
    info = snapshots.wait()
    assert info is not None
    assert info.written_bytes == 999 * 8
    assert_same(make_snapshots(tmp_path).restore().state, state)


def test_unusable_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="chunk_bytes a multiple of 8"):
        Snapshots(tmp_path, clock=lambda: 0, chunk_bytes=12)


def test_a_manifest_of_a_newer_version_is_passed_over(tmp_path: Path) -> None:
    snapshots = make_snapshots(tmp_path)
    snapshots.take({"a": np.arange(3)}, sequence=1)
    snapshots.wait()
    (path,) = tmp_path.glob("*.snapshot")
    data = bytearray(path.read_bytes())
    data[8] = 2
    data[-4:] = zlib.crc32(data[:-4]).to_bytes(4, "little")
    path.write_bytes(data)
    assert "version 2; allowed: up to 1" in make_snapshots(tmp_path).restore().faults[0]


def test_what_is_not_wanted_any_more_is_freed_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill while a pack shrinks finds no manifest that names it."""
    monkeypatch.setattr(live, "_FREED_BYTES", 4096)
    lengths: list[int] = []
    truncate = live.os.truncate

    def watch(path: Path, size: int) -> None:
        assert not path.with_suffix(live.ENDING).exists()
        lengths.append(size)
        truncate(path, size)

    monkeypatch.setattr(live.os, "truncate", watch)
    snapshots = Snapshots(tmp_path, clock=lambda: 5, keep=1, full_every=1, rest_seconds=1e-6)
    for number in range(6):
        state = np.arange(4_000) + number
        snapshots.take({"a": state}, sequence=number)
        while snapshots.is_busy:
            time.sleep(0.001)
    assert lengths
    assert max(lengths) < state.nbytes
    assert len(list(tmp_path.glob(f"*{live.PACK_ENDING}"))) < 6
    np.testing.assert_array_equal(Snapshots(tmp_path, clock=lambda: 5).restore().state["a"], state)
