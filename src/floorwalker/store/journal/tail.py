"""A journal as seen by a process that follows its owner."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from floorwalker.store.errors import name_storage_error
from floorwalker.store.journal.batches import RecordBatch
from floorwalker.store.journal.reader import read_segments
from floorwalker.store.journal.segments import FrameError, Segment, list_segments, read_header


class JournalTail:
    """Read durable records of a journal that another process writes, going on where the last reading ended.

    The owner says how far it is durable (`note`): a record that is in the file but not acknowledged is never given.

    Parameters
    ----------
    folder : the journal's; no lock is taken and nothing is changed.

    >>> import tempfile
    >>> from floorwalker.store.journal import Journal
    >>> folder = Path(tempfile.mkdtemp())
    >>> with Journal(folder, clock=lambda: 0) as journal:
    ...     tail = JournalTail(folder)
    ...     first = journal.append([b"a login", b"an order"])
    ...     journal.sync()
    ...     tail.note(journal.durable)
    ...     [batch.records() for batch in tail.read_batches(0)]
    [[b'a login', b'an order']]
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._grown = threading.Condition()
        self._durable = 0
        self._is_ended = False
        self._segments: dict[Path, Segment] = {}

    @property
    def first(self) -> int:
        """Sequence of the oldest record kept."""
        paths = list_segments(self.folder)
        return int(paths[0].stem) if paths else 0

    @property
    def next(self) -> int:
        """As `durable`: what is not acknowledged does not exist here."""
        return self._durable

    @property
    def durable(self) -> int:
        """Every record before this sequence is acknowledged, by what the owner said last."""
        return self._durable

    def note(self, durable: int) -> None:
        """The owner says that every record before this sequence is acknowledged."""
        with self._grown:
            self._durable = max(self._durable, durable)
            self._grown.notify_all()

    def end(self) -> None:
        """Let nobody wait any more."""
        with self._grown:
            self._is_ended = True
            self._grown.notify_all()

    def wait_beyond(self, sequence: int, timeout: float) -> int:
        """Wait until records from `sequence` on are durable, or the seconds have passed; returns `durable`."""
        with self._grown:
            self._grown.wait_for(lambda: self._durable > sequence or self._is_ended, timeout)
            return self._durable

    def read_batches(self, first: int = 0, stop: int | None = None) -> Iterator[RecordBatch]:
        """Batches of checked, durable records from `first` to before `stop`, about 8 MiB each.

        Raises `DamagedError` where stored bytes are not those that were written, and other kinds of `StoreError` where
        a file cannot be read, as one that the owner dropped just now.
        """
        end = self._durable if stop is None else min(stop, self._durable)
        try:
            segments = [self._segments.get(path) or read_header(path) for path in list_segments(self.folder)]
            self._segments = {segment.path: segment for segment in segments}
            sizes = [segment.path.stat().st_size for segment in segments]
            for batch, place, expected in read_segments(segments, sizes, first, end):
                yield batch
                self._keep_place(segments, int(batch.sequences[0]), place, expected)
        except FrameError as error:
            raise error.as_error() from None
        except OSError as error:
            raise name_storage_error(error, "read", self.folder) from error

    @staticmethod
    def _keep_place(segments: list[Segment], sequence: int, place: int, expected: int) -> None:
        segment = max((each for each in segments if each.first <= sequence), key=lambda each: each.first)
        # The end of the piece just read, and its beginning: the next reading starts at one or between the two.
        if not segment.points or segment.points[-1][0] < expected:
            segment.points = [*segment.points[-1:], (expected, place)]
