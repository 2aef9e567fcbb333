"""The history: every journalled row once, by day, whatever breaks; joined, swept, and asked by name of column."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from floorwalker.errors import InputError, UsageError
from floorwalker.store._parts import current_parts, list_parts
from floorwalker.store.errors import DamagedError, LockedError, StorageFullError
from floorwalker.store.history import DAY, History, open_history
from floorwalker.store.journal import Journal, RecordBatch

NOON = 20779 * DAY + DAY // 2


def to_table(batch: RecordBatch) -> Any:
    rows = [json.loads(record) for record in batch.records()]
    columns: dict[str, Any] = {
        "sequence": pa.array(batch.sequences),
        "at": pa.array([row["at"] for row in rows], pa.int64()),
        "type": pa.array([row["type"] for row in rows], pa.string()),
    }
    for name in sorted({name for row in rows for name in row} - {"at", "type"}):
        columns[name] = pa.array([row.get(name) for row in rows])
    return pa.table(columns)


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    with Journal(tmp_path / "journal", clock=lambda: 0, durability="process") as journal:
        yield journal


def add(journal: Journal, *rows: dict[str, Any]) -> None:
    journal.append([json.dumps(row).encode() for row in rows])
    journal.sync()


def add_many(journal: Journal, count: int, day_of: Any = lambda index: index % 3) -> None:
    add(journal, *({"at": NOON + day_of(i) * DAY, "type": "order" if i % 2 else "login"} for i in range(count)))


def ask(folder: Path, query: str, **bounds: str) -> list[Any]:
    with open_history(folder, **bounds) as connection:
        return connection.execute(query).fetchall()


def sequences(folder: Path) -> list[int]:
    return [row[0] for row in ask(folder, "select sequence from events order by sequence")]


def test_rows_stand_in_the_day_of_their_event(tmp_path: Path, journal: Journal) -> None:
    add_many(journal, 30)
    with History(tmp_path / "history", clock=lambda: NOON) as history:
        assert history.catch_up(journal, to_table, rows=7) == 30
        assert history.catch_up(journal, to_table) == 0
    assert sequences(tmp_path / "history") == list(range(30))
    assert ask(tmp_path / "history", "select day::varchar, count(*) from events group by 1 order by 1") == [
        ("2026-11-22", 10), ("2026-11-23", 10), ("2026-11-24", 10),
    ]  # fmt: skip
    assert ask(tmp_path / "history", "select count(*) from events", first_day="2026-11-23", last_day="2026-11-23") == [
        (10,)
    ]


def test_few_records_wait_for_more(tmp_path: Path, journal: Journal) -> None:
    add_many(journal, 9)
    with History(tmp_path / "history", clock=lambda: NOON) as history:
        assert history.catch_up(journal, to_table, at_least=10) == 0
        add_many(journal, 1)
        assert history.catch_up(journal, to_table, at_least=10) == 10


def test_a_crash_between_parts_and_checkpoint_doubles_nothing(tmp_path: Path, journal: Journal) -> None:
    folder = tmp_path / "history"
    add_many(journal, 10)
    with History(folder, clock=lambda: NOON) as history:
        history.catch_up(journal, to_table)
    checkpoint = (folder / "checkpoint").read_bytes()
    add_many(journal, 10)
    with History(folder, clock=lambda: NOON) as history:
        history.catch_up(journal, to_table)
    (folder / "checkpoint").write_bytes(checkpoint)
    assert sequences(folder) == list(range(10))
    with History(folder, clock=lambda: NOON) as history:
        assert history.reached == 10
        assert history.catch_up(journal, to_table, rows=3) == 10
    assert sequences(folder) == list(range(20))


def test_columns_that_come_and_widen_are_joined_by_name(tmp_path: Path, journal: Journal) -> None:
    folder = tmp_path / "history"
    with History(folder, clock=lambda: NOON) as history:
        for row in ({"score": 1}, {"country": "DE"}, {"score": 0.5, "country": "FR"}):
            add(journal, {"at": NOON, "type": "order", **row})
            history.catch_up(journal, to_table)
        expected = [(1.0, None), (None, "DE"), (0.5, "FR")]
        assert ask(folder, "select score, country from events order by sequence") == expected
        assert history.compact(parts=2) == 1
        assert ask(folder, "select score, country from events order by sequence") == expected


def test_joining_parts_changes_no_row_and_survives_a_crash(tmp_path: Path, journal: Journal) -> None:
    folder = tmp_path / "history"
    add_many(journal, 60)
    with History(folder, clock=lambda: NOON) as history:
        history.catch_up(journal, to_table, rows=6)
        assert len(list_parts(folder)) == 30
        assert history.compact(parts=11) == 0
        assert history.compact(parts=10) == 3
        # The parts joined are still there for readers that began before, and are not counted twice.
        assert (len(list_parts(folder)), len(current_parts(list_parts(folder)))) == (33, 3)
        assert sequences(folder) == list(range(60))
    with History(folder, clock=lambda: NOON) as history:
        assert len(list_parts(folder)) == 3
        add_many(journal, 6)
        history.catch_up(journal, to_table)
        assert history.compact(parts=2) == 3
    assert sequences(folder) == list(range(66))


def test_joined_parts_stay_below_a_size(tmp_path: Path, journal: Journal) -> None:
    folder = tmp_path / "history"
    add_many(journal, 50, day_of=lambda _: 0)
    with History(folder, clock=lambda: NOON) as history:
        history.catch_up(journal, to_table, rows=5)
        assert history.compact(parts=2, rows=20) == 3
    with History(folder, clock=lambda: NOON):
        assert [part.stop - part.first for part in list_parts(folder)] == [20, 20, 10]
    assert sequences(folder) == list(range(50))


def test_old_rows_go_by_type(tmp_path: Path, journal: Journal) -> None:
    folder = tmp_path / "history"
    add_many(journal, 30)
    end = 20780 * DAY
    now = end + 10 * DAY
    with History(folder, clock=lambda: now) as history:
        history.catch_up(journal, to_table, rows=10)
        history.compact(parts=2)
        assert history.sweep({"login": 10 * DAY + 1}) == 0
        assert history.sweep({"login": 10 * DAY}) == 5
        left = "select day::varchar, type, count(*) from events group by all order by all"
        assert ask(folder, left)[:3] == [
            ("2026-11-22", "order", 5),
            ("2026-11-23", "login", 5),
            ("2026-11-23", "order", 5),
        ]
        assert history.sweep({"login": 100 * DAY}, otherwise=9 * DAY) == 10
        assert ask(folder, left) == [("2026-11-23", "login", 5), ("2026-11-24", "login", 5), ("2026-11-24", "order", 5)]
        assert history.sweep({}, otherwise=0) == 15
    assert list(folder.glob("day=*")) == []
    with pytest.raises(InputError, match="holds no events"):
        open_history(folder)


def test_records_that_mean_nothing_here_are_left_out(tmp_path: Path, journal: Journal) -> None:
    add_many(journal, 4)
    with History(tmp_path / "history", clock=lambda: NOON) as history:
        assert history.catch_up(journal, lambda batch: to_table(batch).slice(0, 0)) == 4
        assert history.reached == 4
        assert list_parts(tmp_path / "history") == []


@pytest.mark.parametrize("column", ["sequence", "at", "type"])
def test_tables_without_what_every_part_needs_are_refused(tmp_path: Path, journal: Journal, column: str) -> None:
    add_many(journal, 4)
    with History(tmp_path / "history", clock=lambda: NOON) as history, pytest.raises(UsageError, match=column):
        history.catch_up(journal, lambda batch: to_table(batch).drop_columns([column]))


def test_damage_is_named(tmp_path: Path, journal: Journal) -> None:
    folder = tmp_path / "history"
    add_many(journal, 4)
    with History(folder, clock=lambda: NOON) as history:
        history.catch_up(journal, to_table, rows=2)
        with pytest.raises(LockedError):
            History(folder, clock=lambda: NOON)
        part = list_parts(folder)[0].path
        part.write_bytes(part.read_bytes()[:-9])
        with pytest.raises(DamagedError, match="no sound Parquet file"):
            history.sweep({}, otherwise=-100 * DAY)
    (folder / "checkpoint").write_bytes(b"nonsense")
    with pytest.raises(DamagedError, match="made again from the journal"):
        History(folder, clock=lambda: NOON)


def test_a_full_disk_is_named_and_the_next_attempt_succeeds(tmp_path: Path, journal: Journal) -> None:
    folder = tmp_path / "history"
    add_many(journal, 3000)
    with History(folder, clock=lambda: NOON) as history:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
        try:
            with pytest.raises(StorageFullError, match="free space"):
                history.catch_up(journal, to_table)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert history.reached == 0
        assert list(folder.rglob("*.unfinished")) == []
        assert history.catch_up(journal, to_table) == 3000
    assert sequences(folder) == list(range(3000))
