"""Access logs of web servers, followed while they are written, as page views."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from floorwalker.errors import InputError, UsageError
from floorwalker.events.event import Event
from floorwalker.sources.feeds._base import Checkpoint, Clock, Delivery, Feed, FeedExample, Refused
from floorwalker.sources.feeds._lines import LineReader
from floorwalker.sources.feeds._log_lines import LogLineReader
from floorwalker.sources.feeds._making import EventMaker, derived_id
from floorwalker.sources.feeds._rotation import (
    Generation,
    find_generation,
    later_generations,
    log_fingerprint,
    mark_of_lines,
)

_BLOCK = 1 << 20


class AccessLogsFeed(Feed):
    """Page views out of one growing access log, whatever rotates it.

    A generation of the log is known by its first request line, not by its name or inode, and a place in it by the
    bytes before it. So a log that is renamed, copied and truncated, or packed in the meantime is read on where it was
    left, and a line has the same event id wherever its file has gone. After a longer pause all generations that came
    in between are read, in the order of their last changes.

    What a log cannot tell (a renamed log that was deleted before it was read to its end) is said in `warnings`.

    Parameters
    ----------
    path : the log that the server writes; its older generations lie beside it, their names with a number or a date.
    clock : gives `received_at`.
    log_format : id of a format, or a format string of nginx or Apache; recognised where None.
    trusted_proxies : addresses and ranges whose forwarding headers are believed.
    session : where the session id is, as `floorwalker scan --visitor session:…` takes it.
    batch : lines in a delivery, about.
    shop : the shop that the log belongs to.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        clock: Clock,
        log_format: str | None = None,
        trusted_proxies: Sequence[str] = (),
        session: str | None = None,
        batch: int = 1000,
        shop: str = "default",
    ) -> None:
        if batch < 1:
            raise UsageError(f"batch is {batch}", allowed="at least 1")
        self._path = Path(path)
        self._batch = batch
        self._shop = shop
        self._maker = EventMaker(clock)
        self._reader = LogLineReader(log_format, trusted_proxies, session)
        self._held: BinaryIO | None = None
        self._before: dict[str, Any] | None = None
        self._reached = 0
        self._head = b""
        self._looked_at = ""
        self.warnings: list[str] = []

    @property
    def identity(self) -> str:
        """The log's path."""
        return f"access_logs {self._path}"

    def read(self, after: Checkpoint | None = None) -> Iterator[Delivery]:
        """Deliveries of the whole lines that are there beyond the checkpoint, in all generations.

        After a rotation the server may write to the renamed log for a while: the generation before the present one
        is looked at each time, too.
        """
        notes = self.position(after)
        if not notes:
            # Without a checkpoint the log itself is read from its start; older generations are history.
            self._before = None
            if mark := log_fingerprint(self._path):
                yield from self._read_generation(Generation(self._path, mark, _changed_at(self._path)), 0)
            return
        self._before = notes.get("before")
        mark, offset = notes["mark"], notes["offset"]
        if self._before is not None and (older := find_generation(self._path, self._before["mark"])) is not None:
            yield from self._read_before(older, notes)
        here = find_generation(self._path, mark)
        if here is not None:
            yield from self._read_generation(here, offset)
            self._before = {"mark": mark, "offset": self._reached or offset}
        elif self._held is not None and _handle_mark(self._held) == mark:
            # Deleted under whatever name: our handle still reads it.
            yield from self._read_handle(self._held, mark, offset, int(notes["changed_at"]))
        else:
            self.warnings.append(
                f"the log that was read up to byte {offset:,} is gone: what was written to it afterwards is lost"
            )
        since = here.changed_at if here is not None else int(notes["changed_at"])
        for one in later_generations(self._path, {mark, (notes.get("before") or {}).get("mark", "")}, since):
            yield from self._read_generation(one, 0)
            self._before = {"mark": one.mark, "offset": self._reached}

    def close(self) -> None:
        """Close the handle that keeps a renamed log alive."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def _read_generation(self, one: Generation, offset: int) -> Iterator[Delivery]:
        self._hold(one)
        self._head = b"".join(line + b"\n" for line, _, _ in islice(LineReader(one.path), 400))
        if one.mark != self._looked_at:
            self._looked_at = one.mark
            self._reader.look_again(self._head, one.path.name)
        lines = iter(LineReader(one.path, offset, whole_only=not _is_packed(one.path)))
        yield from self._deliver(lines, one.path.name, one.mark, offset, one.changed_at)

    def _read_before(self, older: Generation, notes: dict[str, Any]) -> Iterator[Delivery]:
        """What came late to the generation before the one of the checkpoint, whose place stays as it is."""
        before = self._before
        assert before is not None
        lines = iter(LineReader(older.path, before["offset"], whole_only=not _is_packed(older.path)))
        for late in self._deliver(lines, older.path.name, older.mark, before["offset"], older.changed_at):
            self._before = {"mark": older.mark, "offset": self._reached}
            place = {**notes, "before": self._before}
            yield replace(late, checkpoint=Checkpoint(self.identity, place))

    def _read_handle(self, file: BinaryIO, mark: str, offset: int, changed_at: int) -> Iterator[Delivery]:
        file.seek(offset)
        lines: list[tuple[bytes, int, bool]] = []
        end = offset
        for line in file.read().split(b"\n")[:-1]:
            end += len(line) + 1
            lines.append((line, end, False))
        yield from self._deliver(iter(lines), self._path.name, mark, offset, changed_at)

    def _hold(self, one: Generation) -> None:
        """Keep a handle on the log as it is now, for it may be renamed and deleted before it is asked for again."""
        if one.path != self._path:
            return
        self.close()
        with contextlib.suppress(OSError):
            self._held = open(one.path, "rb")  # noqa: SIM115

    def _deliver(
        self, lines: Iterator[tuple[bytes, int, bool]], name: str, mark: str, offset: int, changed_at: int
    ) -> Iterator[Delivery]:
        held: list[tuple[bytes, int, bool]] = []
        self._reached = offset
        for line in lines:
            held.append(line)
            if len(held) >= self._batch:
                yield self._turn(held, name, mark, changed_at)
                held = []
        if held:
            yield self._turn(held, name, mark, changed_at)

    def _turn(self, held: list[tuple[bytes, int, bool]], name: str, mark: str, changed_at: int) -> Delivery:
        events: list[Event] = []
        refused: list[Refused] = []
        skipped = 0
        begins = [self._reached, *[end for _, end, _ in held[:-1]]]
        self._reached = held[-1][1]
        found = self._reader.read([line for line, _, _ in held], self._path.name, self._head)
        for (line, _, is_cut), begin, one in zip(held, begins, found, strict=True):
            place = f"{name}, byte {begin}"
            if is_cut:
                refused.append(
                    Refused(place, "record", "the line is too long", line[:16_384].decode("utf-8", "replace"))
                )
            elif one is None:
                skipped += 1
            elif isinstance(one, str):
                refused.append(Refused(place, "record", one, line.decode("utf-8", "backslashreplace")))
            else:
                event_id = derived_id(self._path.name.encode(), mark.encode(), str(begin).encode())
                made = self._maker.make(one.body(event_id, self._shop), place)
                if isinstance(made, Refused):
                    refused.append(Refused(place, made.field, made.reason, line.decode("utf-8", "backslashreplace")))
                else:
                    events.append(made)
        notes = {"mark": mark, "offset": self._reached, "changed_at": changed_at, "before": self._before}
        return Delivery(events, refused, Checkpoint(self.identity, notes), len(held), skipped)

    @classmethod
    def examples(cls, folder: Path) -> list[FeedExample]:
        """A log with junk in it, and the same log after a rotation."""
        from floorwalker.sources.feeds._log_examples import make_examples

        return make_examples(folder)


def _changed_at(path: Path) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", fix="check the path and its rights") from error


def _is_packed(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(2) in (b"\x1f\x8b", b"\x28\xb5", b"BZ", b"\xfd7")


def _handle_mark(file: BinaryIO) -> str:
    file.seek(0)
    return mark_of_lines(file)


FEED = AccessLogsFeed
