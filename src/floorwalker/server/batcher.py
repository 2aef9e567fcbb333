"""The micro-batcher: live requests share features, rules and one sync of the journal."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, Protocol, TypeVar

Request = TypeVar("Request")
Reply = TypeVar("Reply")
Answer = TypeVar("Answer", contravariant=True)

MOST_TOGETHER = 128
"""Live requests in one batch: beyond it the first would wait for the last one's computing."""
SYNCING_AT_ONCE = 2
"""One batch syncing and one waiting for the disk; a third would only make the replies of the first two late."""
LEAST_AWAY_SECONDS, MOST_AWAY_SECONDS = 0.05, 1.6
"""How long syncs go to a thread once they are slow: doubled while the disk stays so."""
_MOST_TIMES = 4
"""A slower sync counts as one that takes so many times what may be held."""
AWAY_TIMES = 50
"""At least so many times as long as the slow one took: trying the disk holds the event loop for a fiftieth at most."""


class Waiting(Protocol[Answer]):
    """Who waits for a reply: what the batcher asks of a future, and of whoever needs none."""

    def cancelled(self) -> bool:
        """Whether nobody waits any more."""

    def done(self) -> bool:
        """Whether there is nothing more to be told."""

    def set_result(self, result: Answer, /) -> None:
        """Here is the reply; must not raise."""

    def set_exception(self, exception: BaseException, /) -> None:
        """There is none, for this reason; must not raise."""


@dataclass
class MicroBatcher(Generic[Request, Reply]):
    """Collects requests, works on them together, and answers when their records are durable.

    A request that comes to an idle server is taken up after the requests that are already waiting in the sockets were
    read, never later than `company_seconds`. Replies leave in order.

    A sync of a fast disk takes less time than waking another thread and waiting for the interpreter to come back: it is
    done at once, in the event loop's thread. While syncs take longer than `direct_seconds`, on an average that a single
    slow one does not move far, they go to a thread of their own, and the next batch is worked on meanwhile.

    Parameters
    ----------
    work : turns requests into replies and the sequence through which the journal must be durable; runs in the event
        loop's thread, for it is the only one that moves live state.
    commit : returns when the journal is durable through this sequence; runs in the event loop's thread or another.
    company_seconds : longest wait for company.
    direct_seconds : commits that take no longer may hold the event loop; 0 sends every one to the thread.
    clock : monotonic seconds.

    Bulk requests (`submit(..., bulk=True)`) wait behind live ones: a batch takes at most one of them, so that a large
    import never makes a checkout wait for more than its own size.

    An error of `work` or `commit` is raised to every request of its batch.
    """

    work: Callable[[Sequence[Request]], tuple[list[Reply], int]]
    commit: Callable[[int], None]
    company_seconds: float = 0.0
    most_together: int = MOST_TOGETHER
    direct_seconds: float = 0.0
    clock: Callable[[], float] = time.perf_counter
    batches: int = field(default=0, init=False)
    syncs_in_thread: int = field(default=0, init=False)
    _waiting: list[tuple[Request, Waiting[Reply]]] = field(default_factory=list, init=False, repr=False)
    _bulk: deque[tuple[Request, Waiting[Reply]]] = field(default_factory=deque, init=False, repr=False)
    _syncing: ThreadPoolExecutor = field(init=False, repr=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False, repr=False)
    _is_due: bool = field(default=False, init=False, repr=False)
    _under_way: int = field(default=0, init=False, repr=False)
    _direct_from: float = field(default=0.0, init=False, repr=False)
    _sync_seconds: float = field(default=0.0, init=False, repr=False)
    _away_seconds: float = field(default=LEAST_AWAY_SECONDS, init=False, repr=False)

    def __post_init__(self) -> None:
        self._syncing = ThreadPoolExecutor(1, thread_name_prefix="journal-sync")

    @property
    def waiting(self) -> int:
        """Requests that were not taken up yet."""
        return len(self._waiting) + len(self._bulk)

    def start(self) -> None:
        """Begin; must be called inside the event loop."""
        self._loop = asyncio.get_running_loop()
        self._wake()

    def submit(self, request: Request, *, bulk: bool = False) -> asyncio.Future[Reply]:
        """The reply, once it may be given."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        (self._bulk if bulk else self._waiting).append((request, future))
        self._wake()
        return future

    def submit_for(self, waiting: Waiting[Reply], request: Request) -> None:
        """As `submit` for somebody who is told at once, without a turn of the event loop between."""
        self._waiting.append((request, waiting))
        self._wake()

    async def stop(self) -> None:
        """Answer everything that was submitted, then end."""
        while self.waiting or self._under_way:
            await asyncio.sleep(0.001)
        self._loop = None
        self._syncing.shutdown()

    def _wake(self) -> None:
        """See to it that what waits is taken up soon."""
        if self._is_due or self._loop is None or not (self._waiting or self._bulk):
            return
        if self._under_way < SYNCING_AT_ONCE:
            self._is_due = True
            if self.company_seconds:
                self._loop.call_later(self.company_seconds, self._take)
            else:
                # The sockets that are readable now get their turn.
                self._loop.call_soon(self._loop.call_soon, self._take)

    def _take(self) -> None:
        """Work on what waits, as much as goes together."""
        self._is_due = False
        pairs = self._waiting[: self.most_together]
        del self._waiting[: self.most_together]
        if self._bulk:
            pairs.append(self._bulk.popleft())
        taken = [pair for pair in pairs if not pair[1].cancelled()]
        if taken:
            self.batches += 1
            futures = [future for _, future in taken]
            try:
                replies, through = self.work([request for request, _ in taken])
            except Exception as error:  # noqa: BLE001 - whatever it was, each waiting request must hear of it
                _refuse(futures, error)
            else:
                self._commit(futures, replies, through)
        self._wake()

    def _commit(self, futures: list[Waiting[Reply]], replies: list[Reply], through: int) -> None:
        began = self.clock()
        # While a batch is with the thread, those behind it go the same way: replies leave in order.
        if not self._under_way and self.direct_seconds and began >= self._direct_from:
            try:
                self.commit(through)
            except Exception as error:  # noqa: BLE001 - as above
                _refuse(futures, error)
                return
            ended = self.clock()
            _answer(futures, replies)
            self._judge_disk(began, ended)
            return
        assert self._loop is not None
        self._under_way += 1
        self.syncs_in_thread += 1
        done = self._loop.run_in_executor(self._syncing, self.commit, through)
        done.add_done_callback(partial(self._end_commit, futures, replies))

    def _judge_disk(self, began: float, ended: float) -> None:
        took = min(ended - began, _MOST_TIMES * self.direct_seconds)
        # Slow to take a disk for slow, for one sync in a hundred is; quick to try it again.
        self._sync_seconds += (took - self._sync_seconds) * (0.1 if took > self._sync_seconds else 0.5)
        if self._sync_seconds <= self.direct_seconds:
            self._away_seconds = LEAST_AWAY_SECONDS
        else:
            self._direct_from = ended + max(self._away_seconds, AWAY_TIMES * (ended - began))
            self._away_seconds = min(2 * self._away_seconds, MOST_AWAY_SECONDS)

    def _end_commit(self, futures: list[Waiting[Reply]], replies: list[Reply], done: asyncio.Future[None]) -> None:
        self._under_way -= 1
        error = done.exception()
        if error is not None:
            _refuse(futures, error)
        else:
            _answer(futures, replies)
        self._wake()


def _answer(futures: Sequence[Waiting[Reply]], replies: Sequence[Reply]) -> None:
    for future, reply in zip(futures, replies, strict=True):
        if not future.done():
            future.set_result(reply)


def _refuse(futures: Sequence[Waiting[Reply]], error: BaseException) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
