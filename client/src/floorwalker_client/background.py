"""Events that are sent behind the page's back: a bounded queue, a thread, and a count of what was dropped."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from floorwalker_client._base import check_piece
from floorwalker_client.client import Client
from floorwalker_client.errors import PartlySentError, RefusedError, UnavailableError, UnreachableError
from floorwalker_client.fallback import warn
from floorwalker_client.fields import EventFields


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of what was put in.

    Parameters
    ----------
    taken : events and reports that were put in and not dropped at once.
    sent : of these, those that the server took or knew already.
    rejected : those that it named as faulty, or refused with the whole body.
    dropped : those for which there was no room, or no time at the end, and those that cannot be sent at all: without a
        type, or with something that JSON cannot hold.
    waiting : those that are still to be sent.
    """

    taken: int
    sent: int
    rejected: int
    dropped: int
    waiting: int


@dataclass(frozen=True, slots=True)
class _Report:
    decision_id: str
    action: str
    by: str
    reason: str


class Background:
    """Sends events and reports in a thread of its own; putting one in takes microseconds and never raises.

    Parameters
    ----------
    client : its key needs the scope `ingest`, and `decide` for reports.
    most : events kept while the server does not answer; beyond it the newest are dropped and counted.
    piece : events in one body.
    every : seconds between two bodies while less than a piece waits.
    farewell : seconds that the end of the process may take to send what waits.

    A process that was forked begins with an empty queue and a thread of its own.
    """

    def __init__(
        self, client: Client, *, most: int = 10_000, piece: int = 500, every: float = 1.0, farewell: float = 2.0
    ) -> None:
        check_piece(piece)
        self.client = client
        self._most = most
        self._piece = piece
        self._every = every
        self._farewell = farewell
        self._closed = False
        self._begin()
        # Bound to the object itself, atexit would keep it alive for ever.
        reference = weakref.ref(self)

        def say_goodbye() -> None:
            alive = reference()
            if alive is not None:
                alive.close(alive._farewell)

        atexit.register(say_goodbye)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: _begin_again(reference))

    def _begin(self) -> None:
        self._queue: deque[dict[str, object] | _Report] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._in_hand = 0
        self._hurry = False
        self._taken = self._sent = self._rejected = self._dropped = 0

    @property
    def figures(self) -> Figures:
        """What became of what was put in, until now."""
        with self._changed:
            waiting = len(self._queue) + self._in_hand
            return Figures(self._taken, self._sent, self._rejected, self._dropped, waiting)

    def tell(self, event: EventFields | Mapping[str, object]) -> bool:
        """Put an event in; False where it was dropped, as one is that could not be sent."""

        def make() -> dict[str, object]:
            prepared: dict[str, object] = self.client.core.prepare(event)
            self.client.core.check(prepared)
            return prepared

        return self._put(make)

    def report(self, decision_id: str, action: str, *, by: str = "policy", reason: str = "") -> bool:
        """Put a report of what was done in; False where it was dropped."""

        def make() -> _Report:
            self.client.core.check([decision_id, action, by, reason])
            return _Report(decision_id, action, by, reason)

        return self._put(make)

    def flush(self, timeout: float) -> bool:
        """Wait until everything is sent, at most `timeout` seconds; whether it is."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            while self._queue or self._in_hand:
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    break
            self._hurry = False
            return not self._queue and not self._in_hand

    def close(self, timeout: float = 2.0) -> None:
        """Send what waits, at most `timeout` seconds; what is left then, and what comes later, is dropped."""
        with self._changed:
            if self._closed:
                return
        if self._thread is not None and self._thread.is_alive():
            self.flush(timeout)
        with self._changed:
            self._closed = True
            self._dropped += len(self._queue)
            self._queue.clear()
            self._changed.notify_all()

    def _put(self, make: Callable[[], dict[str, object] | _Report]) -> bool:
        try:
            made = make()
            with self._changed:
                if self._closed or len(self._queue) >= self._most:
                    self._dropped += 1
                    return False
                self._taken += 1
                self._queue.append(made)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="floorwalker-background", daemon=True)
                    self._thread.start()
                elif len(self._queue) >= self._piece:
                    self._changed.notify_all()
                return True
        except Exception as error:  # noqa: BLE001 - whatever it is must not reach the shop's page
            warn("an event was dropped: %s", error)
            with self._changed:
                self._dropped += 1
            return False

    def _work(self) -> None:
        wait = self._every
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._hurry or len(self._queue) >= self._piece, wait)
                if self._closed:
                    return
                piece = [self._queue.popleft() for _ in range(min(self._piece, len(self._queue)))]
                self._in_hand = len(piece)
            left, sent, rejected = self._deliver(piece) if piece else (piece, 0, 0)
            with self._changed:
                self._sent += sent
                self._rejected += rejected
                # What could not be sent goes to the front again, for it is older than what came meanwhile.
                room = 0 if self._closed else self._most - len(self._queue)
                self._dropped += max(0, len(left) - room)
                self._queue.extendleft(reversed(left[:room]))
                self._in_hand = 0
                self._changed.notify_all()
                wait = min(max(2 * wait, 0.1), 5.0) if left else self._every
            if left:
                # A server that is away is not asked in a loop, however full the queue is.
                time.sleep(min(wait, 0.2 if self._hurry else wait))

    def _deliver(self, piece: list[dict[str, object] | _Report]) -> tuple[list[dict[str, object] | _Report], int, int]:
        """What is left to be sent, how many were sent and how many were rejected."""
        events = [one for one in piece if isinstance(one, dict)]
        reports = [one for one in piece if isinstance(one, _Report)]
        unsent, sent, rejected = self._send(events) if events else (events, 0, 0)
        left: list[dict[str, object] | _Report] = [*unsent]
        for place, report in enumerate(reports):
            try:
                self.client.applied(report.decision_id, report.action, by=report.by, reason=report.reason)
                sent += 1
            except (UnavailableError, UnreachableError):
                left += reports[place:]
                break
            except Exception as error:  # noqa: BLE001 - the thread must live on
                warn("a report was refused: %s", error)
                rejected += 1
        return left, sent, rejected

    def _send(self, events: list[dict[str, object]]) -> tuple[list[dict[str, object]], int, int]:
        """As `_deliver`, of events alone. Only what the network or a busy server held up is tried again."""
        try:
            receipt = self.client.send(events, piece=self._piece)
            if receipt.rejected and receipt.faults:
                warn("%d events were rejected, the first: %s", receipt.rejected, receipt.faults[0].message)
            return [], receipt.accepted + receipt.duplicates, receipt.rejected
        except PartlySentError as error:
            receipt = error.receipt
            return events[error.sent :], receipt.accepted + receipt.duplicates, receipt.rejected
        except (UnavailableError, UnreachableError) as error:
            warn("events wait: %s", error)
            return events, 0, 0
        except RefusedError as error:
            warn("events were refused: %s", error)
            return [], 0, len(events)
        except Exception as error:  # noqa: BLE001 - the thread must live on
            warn("events were dropped: %s", error)
            # The client itself failed, and would fail again: those that it can write must not share the others' end.
            sound = [event for event in events if self._can_send(event)]
            faulty = len(events) - len(sound)
            if not faulty or not sound:
                return [], 0, len(events)
            left, sent, rejected = self._send(sound)
            return left, sent, rejected + faulty

    def _can_send(self, event: dict[str, object]) -> bool:
        try:
            self.client.core.check(self.client.core.prepare(event))
        except Exception:  # noqa: BLE001 - as above
            return False
        return True


def _begin_again(reference: weakref.ref[Background]) -> None:
    alive = reference()
    if alive is not None:
        alive._begin()
