"""The micro-batcher: live requests share features, rules and one sync of the journal."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Request = TypeVar("Request")
Reply = TypeVar("Reply")

MOST_TOGETHER = 128
"""Live requests in one batch: beyond it the first would wait for the last one's computing."""


@dataclass
class MicroBatcher(Generic[Request, Reply]):
    """Collects requests, works on them together, and answers when their records are durable.

    While one batch is being synced the next is collected and computed; replies leave in order. A request that comes
    to an idle server is taken up after the requests that are already waiting in the sockets were read, never later
    than `company_seconds`.

    Parameters
    ----------
    work : turns requests into replies and the sequence through which the journal must be durable; runs in the event
        loop's thread, for it is the only one that moves live state.
    commit : returns when the journal is durable through this sequence; runs in a thread of its own.
    company_seconds : longest wait for company.

    Bulk requests (`submit(..., bulk=True)`) wait behind live ones: a batch takes at most one of them, so that a large
    import never makes a checkout wait for more than its own size.

    An error of `work` or `commit` is raised to every request of its batch.
    """

    work: Callable[[Sequence[Request]], tuple[list[Reply], int]]
    commit: Callable[[int], None]
    company_seconds: float = 0.0
    most_together: int = MOST_TOGETHER
    batches: int = field(default=0, init=False)
    _waiting: list[tuple[Request, asyncio.Future[Reply]]] = field(default_factory=list, init=False, repr=False)
    _bulk: deque[tuple[Request, asyncio.Future[Reply]]] = field(default_factory=deque, init=False, repr=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)
    _syncing: ThreadPoolExecutor = field(init=False, repr=False)
    _slots: asyncio.Semaphore = field(init=False, repr=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False, repr=False)
    _commits: set[asyncio.Task[None]] = field(default_factory=set, init=False, repr=False)

    def __post_init__(self) -> None:
        self._syncing = ThreadPoolExecutor(1, thread_name_prefix="journal-sync")
        # One batch syncing and one waiting for the disk; a third would only make the replies of the first two late.
        self._slots = asyncio.Semaphore(2)

    @property
    def waiting(self) -> int:
        """Requests that were not taken up yet."""
        return len(self._waiting) + len(self._bulk)

    def start(self) -> None:
        """Begin; must be called inside the event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def submit(self, request: Request, *, bulk: bool = False) -> Awaitable[Reply]:
        """The reply, once it may be given."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        (self._bulk if bulk else self._waiting).append((request, future))
        self._woken.set()
        return future

    async def stop(self) -> None:
        """Answer everything that was submitted, then end."""
        while self.waiting or self._commits:
            await asyncio.sleep(0.001)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._syncing.shutdown()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._woken.wait()
            await self._slots.acquire()
            # Give the sockets that are readable now their turn.
            await asyncio.sleep(self.company_seconds)
            taken = self._waiting[: self.most_together]
            del self._waiting[: self.most_together]
            if self._bulk:
                taken.append(self._bulk.popleft())
            if not self.waiting:
                self._woken.clear()
            taken = [pair for pair in taken if not pair[1].cancelled()]
            if not taken:
                self._slots.release()
                continue
            self.batches += 1
            try:
                replies, through = self.work([request for request, _ in taken])
            except Exception as error:  # noqa: BLE001 - whatever it was, each waiting request must hear of it
                self._slots.release()
                for _, future in taken:
                    if not future.done():
                        future.set_exception(error)
                continue
            commit = loop.create_task(self._commit(taken, replies, through))
            self._commits.add(commit)
            commit.add_done_callback(self._commits.discard)

    async def _commit(
        self, taken: list[tuple[Request, asyncio.Future[Reply]]], replies: list[Reply], through: int
    ) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._syncing, self.commit, through)
        except Exception as error:  # noqa: BLE001 - as above
            for _, future in taken:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), reply in zip(taken, replies, strict=True):
                if not future.done():
                    future.set_result(reply)
        finally:
            self._slots.release()
