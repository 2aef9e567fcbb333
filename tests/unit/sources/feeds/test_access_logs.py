"""Access logs: what a line becomes, and every way in which a log can be rotated."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from floorwalker.sources.feeds import Checkpoint
from floorwalker.sources.feeds._log_examples import log_line
from floorwalker.sources.feeds.access_logs import AccessLogsFeed

NOW = 1_760_000_000_000_000


class Log:
    """A log, its reader, and the requests that have come."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "access.log"
        self.feed = AccessLogsFeed(self.path, clock=lambda: NOW, batch=7)
        self.place: Checkpoint | None = None
        self.urls: list[str] = []
        self.ids: list[str] = []
        self.written = 0
        self._clock = 1_700_000_000

    def write(self, count: int, path: Path | None = None) -> None:
        path = path or self.path
        with path.open("ab") as file:
            file.write(b"".join(log_line(self.written + place) for place in range(count)))
        self.written += count
        self.touch(path)

    def touch(self, path: Path) -> None:
        self._clock += 10
        os.utime(path, (self._clock, self._clock))

    def poll(self) -> None:
        for delivery in self.feed.read(self.place):
            assert not delivery.refused
            self.urls += [event.url or "" for event in delivery.events]
            self.ids += [event.id for event in delivery.events]
            self.place = Checkpoint.decode(delivery.checkpoint.encode())

    def restart(self) -> None:
        self.feed.close()
        self.feed = AccessLogsFeed(self.path, clock=lambda: NOW, batch=3)

    def check(self) -> None:
        assert self.urls == [f"/p/{number}" for number in range(self.written)]
        assert len(set(self.ids)) == self.written
        assert self.feed.warnings == []


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Log]:
    log = Log(tmp_path)
    yield log
    log.feed.close()


@pytest.fixture
def log(fresh: Log) -> Log:
    fresh.write(20)
    fresh.poll()
    fresh.write(5)
    return fresh


def test_a_growing_log_is_read_on(log: Log) -> None:
    log.poll()
    with log.path.open("ab") as file:
        file.write(log_line(25)[:30])
    log.poll()
    log.check()
    with log.path.open("ab") as file:
        file.write(log_line(25)[30:])
    log.written += 1
    log.poll()
    log.check()


@pytest.mark.parametrize("restarted", [False, True])
def test_a_renamed_log_is_read_to_its_end_first(log: Log, restarted: bool) -> None:
    log.path.rename(log.path.with_name("access.log.1"))
    log.write(4)
    if restarted:
        log.restart()
    log.poll()
    log.check()


def test_a_server_that_still_writes_to_the_renamed_log_loses_nothing(log: Log) -> None:
    old = log.path.with_name("access.log.1")
    log.path.rename(old)
    log.write(3)
    log.poll()
    before = len(log.urls)
    log.write(2, old)
    log.poll()
    assert log.urls[before:] == ["/p/28", "/p/29"]
    log.write(3)
    log.restart()
    log.poll()
    log.check()


@pytest.mark.parametrize("restarted", [False, True])
def test_copytruncate(log: Log, restarted: bool) -> None:
    shutil.copy(log.path, log.path.with_name("access.log.1"))
    log.touch(log.path.with_name("access.log.1"))
    with log.path.open("r+b") as file:
        file.truncate(0)
    log.write(40)  # longer than before: only the first line tells that it is another log
    if restarted:
        log.restart()
    log.poll()
    log.check()


def test_several_rotations_while_nobody_read(log: Log) -> None:
    log.feed.close()
    for generation in range(3):
        for number in range(generation, 0, -1):
            log.path.with_name(f"access.log.{number}").rename(log.path.with_name(f"access.log.{number + 1}"))
        log.path.rename(log.path.with_name("access.log.1"))
        log.write(6)
    old = log.path.with_name("access.log.3")
    packed = old.with_name("access.log.3.gz")
    packed.write_bytes(gzip.compress(old.read_bytes()))
    shutil.copystat(old, packed)
    old.unlink()
    log.restart()
    log.poll()
    log.check()


def test_a_dated_name_is_found_too(log: Log) -> None:
    log.path.rename(log.path.with_name("access-20251001.log"))
    log.write(2)
    log.poll()
    log.check()


def test_neighbours_that_begin_with_the_same_letters_are_other_logs(log: Log) -> None:
    neighbours = ("access-api.log", "access-ssl.log", "access.log-api", "access.log.api.1", "access-2.log")
    for turn in range(3):
        log.write(1)
        for place, name in enumerate(neighbours):
            with log.path.with_name(name).open("ab") as file:
                file.write(log_line(1000 * (place + 1) + turn))
            log.touch(log.path.with_name(name))
        log.poll()
    log.check()


@pytest.mark.parametrize(
    "name",
    [
        "access.log.1", "access.log.12", "access.log-20251001", "access.log-2025100113",
        "access.log-20251001-1759276800",
        "access.log.2025-10-01T13:45:00Z", "access.log_20251001_134500", "access.log.1759276800", "access.log.old",
        "access.1.log", "access-20251001.log", "access_2025-10-01.log", "access.2025-10-01.log",
    ],
)  # fmt: skip
@pytest.mark.parametrize("packed", [False, True])
def test_every_name_that_rotation_gives_is_found(log: Log, name: str, packed: bool) -> None:
    old = log.path.with_name(f"{name}.gz" if packed else name)
    log.path.rename(old)
    log.write(2)
    if packed:
        changed = old.stat().st_mtime_ns
        old.write_bytes(gzip.compress(old.read_bytes()))
        os.utime(old, ns=(changed, changed))
    log.restart()
    log.poll()
    log.check()


def test_a_log_that_was_deleted_is_read_through_its_handle(log: Log) -> None:
    log.path.unlink()
    log.write(3)
    log.poll()
    log.check()


def test_a_format_that_changes_with_a_rotation_is_recognised_again(log: Log) -> None:
    log.path.rename(log.path.with_name("access.log.1"))
    lines = [
        json.dumps({"remote_addr": "203.0.113.9", "time_iso8601": f"2025-10-02T08:00:{second:02}+00:00",
                    "request": f"GET /p/{25 + second} HTTP/1.1", "status": "200"})
        for second in range(5)
    ]  # fmt: skip
    log.path.write_text("\n".join(lines) + "\n")
    log.touch(log.path)
    log.written += 5
    log.poll()
    log.check()


def test_what_is_lost_is_said(log: Log) -> None:
    log.feed.close()
    log.path.unlink()
    log.write(3)
    log.restart()
    log.poll()
    assert log.urls[20:] == ["/p/25", "/p/26", "/p/27"]
    assert "what was written to it afterwards is lost" in log.feed.warnings[0]


def test_ids_do_not_depend_on_where_the_file_has_gone(fresh: Log, tmp_path: Path) -> None:
    log = fresh
    log.write(9)
    log.poll()
    ids, place = log.ids, log.place
    assert place is not None
    middle = Checkpoint(place.feed, {**place.position, "offset": len(b"".join(map(log_line, range(4))))})
    log.path.rename(tmp_path / "access.log.1")
    log.write(1)
    again = [event.id for delivery in log.feed.read(middle) for event in delivery.events]
    assert again[:5] == ids[4:]


def test_a_log_that_is_not_there_yet_is_waited_for(fresh: Log) -> None:
    fresh.poll()
    fresh.write(3)
    fresh.poll()
    fresh.check()


def test_what_a_line_becomes(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(
        '192.0.2.1 - - [01/Oct/2025:10:00:00 +0200] "POST /login?next=/a HTTP/1.1" 401 9 "https://shop.example.com/x" '
        '"Mozilla/5.0" "203.0.113.9"\n'
        '192.0.2.1 - - [01/Oct/2025:10:00:01 +0200] "GET /l?password=secret HTTP/1.1" 200 9 "-" "-" "203.0.113.9"\n'
        + "x" * 70_000 + "\n"
    )  # fmt: skip
    feed = AccessLogsFeed(path, clock=lambda: NOW, trusted_proxies=["192.0.2.0/24"], shop="outlet")
    (delivery,) = feed.read()
    feed.close()
    (event,) = delivery.events
    assert (event.type, event.url, event.method, event.status) == ("page_view", "/login?next=/a", "POST", 401)
    assert (event.ip, event.user_agent, event.referrer) == ("203.0.113.9", "Mozilla/5.0", "shop.example.com")
    assert (event.at, event.received_at, event.shop) == (1_759_305_600_000_000, NOW, "outlet")
    assert [(one.field, "secret" in one.reason) for one in delivery.refused] == [("url", False), ("record", False)]
