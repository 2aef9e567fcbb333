from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from floorwalker.server.batcher import MicroBatcher


class Journal:
    """Counts what is appended and what is durable; a sync waits until it is let go."""

    def __init__(self) -> None:
        self.appended = 0
        self.durable = 0
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()

    def work(self, requests: Sequence[int]) -> tuple[list[int], int]:
        if -1 in requests:
            raise RuntimeError("broken")
        self.batches.append(list(requests))
        self.appended += len(requests)
        return [10 * request for request in requests], self.appended

    def commit(self, through: int) -> None:
        assert self.gate.wait(10)
        self.durable = max(self.durable, through)


def run(journal: Journal, scenario) -> None:  # type: ignore[no-untyped-def]
    async def main() -> None:
        batcher: MicroBatcher[int, int] = MicroBatcher(journal.work, journal.commit, most_together=5)
        batcher.start()
        await asyncio.wait_for(scenario(batcher), 20)
        await batcher.stop()

    asyncio.run(main())


def test_every_request_gets_its_own_reply_and_company_is_kept() -> None:
    journal = Journal()

    async def scenario(batcher: MicroBatcher[int, int]) -> None:
        replies = await asyncio.gather(*(batcher.submit(number) for number in range(12)))
        assert replies == [10 * number for number in range(12)]

    run(journal, scenario)
    assert journal.batches == [list(range(5)), list(range(5, 10)), [10, 11]]


def test_no_reply_leaves_before_its_records_are_durable() -> None:
    journal = Journal()
    journal.gate.clear()

    async def scenario(batcher: MicroBatcher[int, int]) -> None:
        first = asyncio.ensure_future(batcher.submit(1))
        await asyncio.sleep(0.05)
        assert journal.appended == 1
        assert not first.done()
        second = asyncio.ensure_future(batcher.submit(2))
        await asyncio.sleep(0.05)
        # The next batch is computed while the first is being synced.
        assert journal.appended == 2
        third = asyncio.ensure_future(batcher.submit(3))
        await asyncio.sleep(0.05)
        assert journal.appended == 2
        assert journal.durable == 0
        journal.gate.set()
        assert await asyncio.gather(first, second, third) == [10, 20, 30]
        assert journal.durable == 3

    run(journal, scenario)


def test_a_failure_reaches_its_own_batch_only() -> None:
    journal = Journal()

    async def scenario(batcher: MicroBatcher[int, int]) -> None:
        broken = asyncio.ensure_future(batcher.submit(-1))
        with pytest.raises(RuntimeError, match="broken"):
            await broken
        assert await batcher.submit(4) == 40

    run(journal, scenario)


def test_a_failed_sync_is_told_to_those_who_wait_for_it() -> None:
    journal = Journal()

    def fail(through: int) -> None:
        raise OSError("no disk")

    journal.commit = fail  # type: ignore[method-assign]

    async def scenario(batcher: MicroBatcher[int, int]) -> None:
        with pytest.raises(OSError, match="no disk"):
            await batcher.submit(1)

    run(journal, scenario)


def test_bulk_requests_wait_behind_live_ones_and_go_one_at_a_time() -> None:
    journal = Journal()

    async def scenario(batcher: MicroBatcher[int, int]) -> None:
        bulk = [batcher.submit(100 + number, bulk=True) for number in range(3)]
        live = [batcher.submit(number) for number in range(7)]
        await asyncio.gather(*bulk, *live)

    run(journal, scenario)
    assert journal.batches == [[0, 1, 2, 3, 4, 100], [5, 6, 101], [102]]


def test_stopping_answers_what_waits() -> None:
    journal = Journal()
    replies: list[int] = []

    async def main() -> None:
        batcher: MicroBatcher[int, int] = MicroBatcher(journal.work, journal.commit)
        batcher.start()
        waiting = [asyncio.ensure_future(batcher.submit(number)) for number in range(40)]
        await asyncio.sleep(0)
        await batcher.stop()
        replies.extend(await asyncio.gather(*waiting))

    asyncio.run(main())
    assert replies == [10 * number for number in range(40)]


def test_a_request_whose_caller_has_gone_is_not_worked_on() -> None:
    journal = Journal()

    async def scenario(batcher: MicroBatcher[int, int]) -> None:
        gone = asyncio.ensure_future(batcher.submit(1))
        gone.cancel()
        stays = asyncio.ensure_future(batcher.submit(2))
        assert await stays == 20

    run(journal, scenario)
    assert journal.batches == [[2]]


def test_a_fast_disk_needs_no_thread_and_a_slow_one_gets_it() -> None:
    journal, here = Journal(), threading.current_thread()
    direct: list[bool] = []
    now, takes = [0.0], [0.001]

    def commit(through: int) -> None:
        direct.append(threading.current_thread() is here)
        now[0] += takes[0]
        journal.durable = max(journal.durable, through)

    async def main() -> None:
        batcher: MicroBatcher[int, int] = MicroBatcher(
            journal.work, commit, direct_seconds=0.002, clock=lambda: now[0]
        )  # fmt: skip
        batcher.start()
        for number, seconds in enumerate([0.001, 0.1, 0.001, 0.1, 0.1, 0.1, 0.1, 1.0, 4.0, 0.001, 0.001], 1):
            takes[0] = seconds
            assert await batcher.submit(number) == 10 * number
        assert batcher.syncs_in_thread == direct.count(False)
        await batcher.stop()

    asyncio.run(main())
    # One slow sync says little; after two more the disk is left alone for fifty times as long as the last took.
    assert direct == [True] * 5 + [False] * 4 + [True] * 2
    assert journal.durable == 11


def test_a_direct_sync_that_fails_is_told_to_those_who_wait_for_it() -> None:
    journal = Journal()

    def fail(through: int) -> None:
        raise OSError("no disk")

    async def main() -> None:
        batcher: MicroBatcher[int, int] = MicroBatcher(journal.work, fail, direct_seconds=1.0)
        batcher.start()
        with pytest.raises(OSError, match="no disk"):
            await batcher.submit(1)
        await batcher.stop()

    asyncio.run(main())


class Caller:
    """Waits for a reply without a future."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def cancelled(self) -> bool:
        return False

    def done(self) -> bool:
        return bool(self.heard)

    def set_result(self, result: int, /) -> None:
        self.heard.append(result)

    def set_exception(self, exception: BaseException, /) -> None:
        self.heard.append(str(exception))


def test_who_waits_without_a_future_is_told_with_the_others_once_durable() -> None:
    journal = Journal()
    journal.gate.clear()

    async def scenario(batcher: MicroBatcher[int, int]) -> None:
        caller = Caller()
        batcher.submit_for(caller, 1)
        other = asyncio.ensure_future(batcher.submit(2))
        await asyncio.sleep(0.05)
        assert journal.batches == [[1, 2]]
        assert caller.heard == []
        journal.gate.set()
        assert await other == 20
        assert caller.heard == [10]
        refused = Caller()
        batcher.submit_for(refused, -1)
        await asyncio.sleep(0.05)
        assert refused.heard == ["broken"]

    run(journal, scenario)
