"""Access logs in, batches of requests out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

from floorwalker.errors import InputError
from floorwalker.events.requests import RequestBatch
from floorwalker.sources.access_log._addresses import TrustedProxies
from floorwalker.sources.access_log._blocks import BlockReader
from floorwalker.sources.access_log._columns import Interner, RequestTables
from floorwalker.sources.access_log._files import PEEK_BYTES, LogFile, LogStream, expand_paths
from floorwalker.sources.access_log._ordering import BATCH_ROWS, TOLERANCE, Sorter, concatenated
from floorwalker.sources.access_log._parsing import SAMPLE_BYTES, SAMPLES, LineParser
from floorwalker.sources.access_log._program import SessionRule
from floorwalker.sources.access_log._recognition import DetectedFormat, Recognised, recognise
from floorwalker.sources.access_log._slots import EMPTY, MALFORMED, ODD, REASONS, TOO_LONG
from floorwalker.sources.access_log._streaming import Chunk, FileStream, Workers

_FAR = 1 << 62
_AHEAD = 12
_MIXED = 0.2
_SAMPLED_FILES = 50


class AccessLog:
    """One or more access logs of one site, as a stream of batches in the order of time.

    While a batch is worked on, the next ones are made by other threads; `tables` shows the texts of what has come so
    far and nothing more.

    The files are looked at when the object is made: formats are recognised and first times read. `batches` reads them
    once; afterwards `cleaned`, `warnings`, `lines`, `requests` and `size_bytes` are complete.

    Parameters
    ----------
    paths : files, patterns (`logs/*.gz`), pipes, or `-` for standard input; packed with gzip, zstd, bzip2 or xz or
        plain, in any order.
    log_format : id of a format, or a format string of nginx or Apache; recognised for each file where None.
    trusted_proxies : addresses and ranges whose forwarding headers are believed.
    session : where the session id is: `cookie:NAME`, `header:NAME`, `param:NAME`, or `NAME` for any of them.
    seed : of the hash's secret keys; codes do not depend on it.
    chunk_bytes : bytes of lines that are parsed at a time.
    target_capacity : distinct targets to keep; past three quarters of it new ones lose their query, past it
        they are one.

    Raises
    ------
    InputError : a file is missing, empty, binary, or has a format that is not known.
    UsageError : options that cannot be.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        *,
        log_format: str | None = None,
        trusted_proxies: Sequence[str] = (),
        session: str | None = None,
        seed: int = 0,
        chunk_bytes: int = 1 << 22,
        target_capacity: int = 1 << 23,
    ) -> None:
        self._session = SessionRule.parse(session)
        self._proxies = TrustedProxies(trusted_proxies)
        self._chunk_bytes = chunk_bytes
        self.tables = RequestTables.empty(seed, target_capacity)
        self.warnings: list[str] = []
        self.lines = 0
        self.requests = 0
        self.size_bytes = 0
        self._counts: Counter[int] = Counter()
        self._samples: defaultdict[int, list[str]] = defaultdict(list)
        self._interner = Interner(self.tables, self._proxies)
        self.files = tuple(str(path) for path in ([paths] if isinstance(paths, str | Path) else paths))
        files = [LogFile(name) for name in expand_paths(paths)]
        try:
            self._inputs = self._recognised(files, log_format)
        except BaseException:
            for file in files:
                file.close()
            raise
        self.format = self._described()
        self._first_warnings = tuple(self.warnings)

    @property
    def cleaned(self) -> list[tuple[str, int, str, tuple[str, ...]]]:
        """What was set aside: (reason, count, `lines`, examples), the most frequent reason first."""
        return [
            (REASONS[reason], count, "lines", tuple(self._samples[reason]))
            for reason, count in self._counts.most_common()
        ]

    def sample(self, lines: int = 200_000) -> RequestBatch:
        """Requests from the heads of the files, sorted by time; `batches` will bring them again.

        Meant for what has to be learned before the first batch. With many files, fifty of them are
        sampled, spread over time.
        """
        step = max(1, len(self._inputs) // _SAMPLED_FILES)
        chosen = self._inputs[::step]
        each = max(1, lines // len(chosen))
        batches = [self._head_batch(file, recognised, each) for file, recognised in chosen]
        sorter = Sorter()
        for batch in batches:
            sorter.add(batch)
        released = list(sorter.release(_FAR))
        return concatenated(released) if released else batches[0]

    def batches(self) -> Iterator[RequestBatch]:
        """All requests in the order of time, at most 262,144 a batch.

        Files are merged by time: one is opened when the others have come near its first request. Inside a file a
        request may stand up to five minutes too late; those later still are counted in `warnings` and come with
        the next batch.
        """
        workers = Workers()
        opened: list[FileStream] = []
        sorter = Sorter()
        self._jumps = self.lines = self.requests = self.size_bytes = 0
        self.warnings = list(self._first_warnings)
        self._counts.clear()
        self._samples.clear()
        for table in self.tables.all():
            table.hold_back()
        try:
            yield from self._merged(workers, opened, sorter)
        finally:
            for stream in opened:
                stream.close()
            workers.close()
            for table in self.tables.all():
                table.show_all()
        self._conclude(sorter)

    def _merged(self, workers: Workers, opened: list[FileStream], sorter: Sorter) -> Iterator[RequestBatch]:
        unopened = list(reversed(self._inputs))
        while unopened or opened:
            # The slowest clock among the open files decides which file is read on, and which is due.
            slowest = min((stream.newest for stream in opened), default=_FAR)
            while unopened and (not opened or self._first_at(unopened[-1]) <= slowest):
                file, recognised = unopened.pop()
                ahead = max(2, _AHEAD // (len(opened) + 1))
                stream = FileStream(
                    file,
                    recognised.program,
                    self._interner,
                    workers,
                    block_bytes=self._chunk_bytes if len(opened) < 8 else self._chunk_bytes // 4,
                    ahead=ahead,
                )
                stream.newest = self._first_at((file, recognised))
                opened.append(stream)
                slowest = min(slowest, stream.newest)
            stream = min(opened, key=lambda candidate: candidate.newest)
            chunk = stream.next()
            self._note_long_lines(stream)
            if chunk is None:
                self._close(stream)
                opened.remove(stream)
                if opened or unopened:
                    continue
            else:
                self._account(chunk)
                sorter.add(chunk.batch)
            if sorter.pending_rows >= BATCH_ROWS or not (opened or unopened):
                yield from sorter.release(self._watermark(opened, unopened))

    def _watermark(self, opened: list[FileStream], unopened: list[tuple[LogFile, Recognised]]) -> int:
        if not opened and not unopened:
            return _FAR
        due = self._first_at(unopened[-1]) if unopened else _FAR
        return min([stream.newest for stream in opened] + [due]) - TOLERANCE

    @staticmethod
    def _first_at(item: tuple[LogFile, Recognised]) -> int:
        first = item[1].first_at
        return 0 if first is None else first

    def _account(self, chunk: Chunk) -> None:
        for table, count in zip(self.tables.all(), chunk.held, strict=True):
            table.show(count)
        self.lines += chunk.lines
        self.size_bytes += chunk.size_bytes
        self.requests += len(chunk.batch) - sum(count for reason, count, _ in chunk.asides if reason in ODD)
        self._jumps += chunk.jumps
        for reason, count, samples in chunk.asides:
            self._set_aside(reason, count, samples)

    def _set_aside(self, reason: int, count: int, samples: list[bytes]) -> None:
        self._counts[reason] += count
        kept = self._samples[reason]
        kept.extend(_shown(sample) for sample in samples[: SAMPLES - len(kept)])

    def _note_long_lines(self, stream: FileStream) -> None:
        while stream.reader.long_lines:
            line = stream.reader.long_lines.pop()
            self.lines += 1
            self._set_aside(TOO_LONG, 1, [line.head])

    def _close(self, stream: FileStream) -> None:
        # Lines that were too long stand in no block, and a missing last newline was put there.
        self.size_bytes += stream.reader.size_bytes - stream.counted_bytes
        if stream.note:
            self.warnings.append(stream.note)

    def _conclude(self, sorter: Sorter) -> None:
        content = self.lines - self._counts[EMPTY]
        malformed = self._counts[MALFORMED]
        if content and malformed > _MIXED * content:
            self.warnings.append(
                f"{malformed:,} of {content:,} lines do not fit the format {self.format.id}: "
                "the log may mix formats; scan each of them apart"
            )
        if self._jumps:
            self.warnings.append(
                f"the clock fell back by more than an hour {_count(self._jumps, 'time')} inside a file"
            )
        if sorter.late:
            late = _count(sorter.late, "request")
            self.warnings.append(f"{late} stood more than five minutes too late in their files")
        table = self.tables.target
        if self._interner.shortened:
            self.warnings.append(
                f"more than {table.capacity * 3 // 4:,} distinct targets: "
                f"{_count(self._interner.shortened, 'request')} lost their query"
            )
        if table.refused:
            self.warnings.append(f"more than {table.capacity:,} distinct targets: {table.refused:,} requests share one")
        if not self.requests:
            reasons = ", ".join(f"{count:,} × {reason}" for reason, count, _, _ in self.cleaned)
            raise InputError(
                f"{' '.join(self.files)} holds no request ({reasons or 'it was emptied while it was read'})",
                allowed="a log with at least one request",
            )

    def _recognised(self, files: list[LogFile], log_format: str | None) -> list[tuple[LogFile, Recognised]]:
        """The files with their formats, ordered by their first requests; empty ones are left out with a warning."""
        found = []
        for file in files:
            head = file.head(PEEK_BYTES)
            if not head.strip(b"\0\r\n "):
                self.warnings.append(f"{file.label} is empty{file.cut_note()}")
                continue
            keys = self.tables.target.keys
            found.append((file, recognise(head, file.label, keys, self._session, log_format)))
        if not found:
            raise InputError(
                ", ".join(f"{file.label} is empty{file.cut_note()}" for file in files),
                allowed="a log with at least one request",
            )
        found.sort(key=self._first_at)
        return found

    def _described(self) -> DetectedFormat:
        formats = Counter(recognised.program.format for _, recognised in self._inputs)
        main = formats.most_common(1)[0][0]
        note = next(recognised.note for _, recognised in self._inputs if recognised.program.format == main)
        if len(formats) > 1:
            others = ", ".join(f"{name} in {count}" for name, count in formats.items() if name != main)
            note += f" (files of other formats: {others})"
        return DetectedFormat(main, note)

    def _head_batch(self, file: LogFile, recognised: Recognised, lines: int) -> RequestBatch:
        """Up to about so many lines from the head of a file, read apart from `batches`."""
        parser = LineParser(recognised.program, self.tables.target.keys, keeps_odd=True)
        if file.is_regular:
            source: LogStream | BytesIO = file.open()
        else:
            head = file.head(PEEK_BYTES)
            source = BytesIO(file.head(lines * max(1, len(head) // max(1, head.count(b"\n")))))
        try:
            reader = BlockReader(source.readinto, self._chunk_bytes)
            batches: list[RequestBatch] = []
            while lines > 0 and (block := reader.read()) is not None:
                for parsed in parser.parse(block):
                    batches.append(self._interner.intern(parsed).take(slice(0, max(lines, 0))))
                    lines -= parsed.lines
                reader.give_back(block)
        finally:
            source.close()
        return concatenated(batches)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _shown(data: bytes) -> str:
    """Bytes of a stranger as they may be printed: a terminal would obey control characters."""
    text = data.decode("utf-8", "backslashreplace")
    safe = "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)
    return safe[:SAMPLE_BYTES]
