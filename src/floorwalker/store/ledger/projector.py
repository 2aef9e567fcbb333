"""A thread that brings the journal's records into the ledger, in batches, each exactly once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, Table, delete, select

from floorwalker.store.errors import DamagedError, LockedError, ReadOnlyStorageError, StorageFullError, UnavailableError
from floorwalker.store.journal import Journal, RecordBatch
from floorwalker.store.journal.tail import JournalTail
from floorwalker.store.ledger.database import Ledger, Row, put
from floorwalker.store.ledger.tables import PROJECTED, projections

Work = Callable[[Connection, RecordBatch], None]
Rows = Callable[[RecordBatch], Mapping[Table, Sequence[Row]]]


def put_rows(rows: Rows) -> Work:
    """Work that inserts what `rows` makes of a batch; a row whose key exists is replaced."""

    def work(connection: Connection, batch: RecordBatch) -> None:
        for table, each in rows(batch).items():
            put(connection, table, each)

    return work


class Projector:
    """Follow the journal's durable end and keep the ledger as far.

    Every batch and the note of how far it reaches are one transaction, and a batch is worked on only where that note
    stands at its beginning: none is applied twice, whatever breaks. A database that does not answer is waited for; the
    journal keeps what is still to come.

    Parameters
    ----------
    journal, ledger : read from, written to. Another process than the journal's owner gives a `JournalTail`.
    work : brings one batch of records into the tables; see `put_rows`. It knows what the records mean.
    clock : gives µs UTC.
    name : of this projection in the ledger.
    rows : records in one transaction.
    seconds : how long small batches are gathered while little happens.
    rebuild : empty the projected tables first, and fill them from the oldest record that the journal keeps.

    Raises `DamagedError` where the ledger knows records that the journal does not have, unless it is rebuilt.

    Attributes
    ----------
    error : what holds the thread up at the moment, or has ended it; None while all is well.
    reached : every record before this sequence is in the ledger.
    """

    def __init__(
        self,
        journal: Journal | JournalTail,
        ledger: Ledger,
        work: Work,
        *,
        clock: Callable[[], int],
        name: str = "ledger",
        rows: int = 5000,
        seconds: float = 0.25,
        rebuild: bool = False,
    ) -> None:
        self._journal = journal
        self._ledger = ledger
        self._work = work
        self._clock = clock
        self._name = name
        self._rows = rows
        self._seconds = seconds
        self._stop = threading.Event()
        self._moved = threading.Condition()
        self._thread: threading.Thread | None = None
        self.error: Exception | None = None
        self.reached = ledger.write(self._empty if rebuild else self._begin)
        if self.reached > journal.next:
            raise DamagedError(
                f"the ledger {ledger.place} was made from {self.reached} records, but the journal has {journal.next}",
                path=journal.folder, sequence=journal.next,
                fix="restore the journal that belongs to it, or rebuild the ledger (docs/storage.md, 'Failures')",
            )  # fmt: skip

    @property
    def behind(self) -> int:
        """Durable records that are not in the ledger yet."""
        return max(0, self._journal.durable - self.reached)

    @property
    def is_running(self) -> bool:
        """Whether the thread lives; it ends by `stop`, or with an `error` that waiting does not heal."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Follow the journal in a thread until `stop`."""
        self._thread = threading.Thread(target=self._follow, name="floorwalker-projector", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch at hand and end the thread; what is missing is done after the next start."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wait_for(self, sequence: int, timeout: float) -> bool:
        """Wait until every record before this sequence is in the ledger; False where the seconds have passed."""
        with self._moved:
            return self._moved.wait_for(lambda: self.reached >= sequence, timeout)

    def catch_up(self) -> int:
        """Bring everything durable into the ledger now, in this thread; returns the number of records."""
        start = self.reached
        while self._step():
            pass
        return self.reached - start

    def rebuild(self) -> int:
        """Empty the projected tables and fill them from the oldest record the journal keeps; returns the number."""
        self.reached = self._ledger.write(self._empty)
        return self.catch_up()

    def _begin(self, connection: Connection) -> int:
        row = {"name": self._name, "sequence": 0, "updated_at": self._clock()}
        put(connection, projections, [row], replace=False)
        return self._read_place(connection)

    def _empty(self, connection: Connection) -> int:
        for table in PROJECTED:
            connection.execute(delete(table))
        put(connection, projections, [{"name": self._name, "sequence": 0, "updated_at": self._clock()}])
        return 0

    def _read_place(self, connection: Connection) -> int:
        # In PostgreSQL the row is locked, so that a second projector waits here and then sees what the first did.
        found = select(projections.c.sequence).where(projections.c.name == self._name).with_for_update()
        return int(connection.execute(found).scalar_one())

    def _step(self) -> bool:
        durable = self._journal.durable
        if self.reached >= durable:
            return False
        first = max(self.reached, self._journal.first)
        stop = min(durable, first + self._rows)
        batches = list(self._journal.read_batches(first, stop))

        def advance(connection: Connection) -> int:
            place = self._read_place(connection)
            if place == self.reached:
                for batch in batches:
                    self._work(connection, batch)
                row = {"name": self._name, "sequence": stop, "updated_at": self._clock()}
                put(connection, projections, [row])
                place = stop
            return place

        reached = self._ledger.write(advance)
        with self._moved:
            self.reached = reached
            self._moved.notify_all()
        return True

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                if not self._step():
                    self._journal.wait_beyond(self.reached, 0.5)
                elif self.behind < self._rows:
                    self._stop.wait(self._seconds)
                self.error = None
            except (LockedError, ReadOnlyStorageError, StorageFullError, UnavailableError) as error:
                self.error = error
                self._stop.wait(self._seconds)
            except Exception as error:  # noqa: BLE001
                # Not to be healed by waiting, whatever the work raised: `error` says so, the journal keeps the records.
                self.error = error
                return
