from __future__ import annotations

import asyncio

import pytest

from floorwalker.pipeline.records import ReplyRecord
from floorwalker.server.idempotency import IdempotencyBook, RequestMark, mark_request
from floorwalker.server.problems import ProblemError

SECOND = 1_000_000


def mark(key: str = "k", body: bytes = b"1", caller: str = "c", path: str = "/p") -> RequestMark:
    return mark_request(caller, path, key, body)


def reply(of: RequestMark, at: int = 0, body: bytes = b"answer") -> ReplyRecord:
    return ReplyRecord(key=of.key, digest=of.digest, at=at, status=200, body=body)


def test_callers_paths_and_keys_do_not_meet() -> None:
    marks = [mark(), mark(key="l"), mark(caller="d"), mark(path="/q"), mark(caller="c\x00/p", path="")]
    assert len({each.key for each in marks}) == 5


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_keys_of_impossible_length_are_refused(key: str) -> None:
    with pytest.raises(ProblemError, match="1 to 255"):
        mark(key)


def test_the_first_reply_is_given_again_and_another_body_refused() -> None:
    async def scenario() -> None:
        book = IdempotencyBook()
        assert await book.begin(mark(), 0) is None
        book.keep(reply(mark()))
        book.end(mark())
        again = await book.begin(mark(), 1)
        assert again is not None
        assert again.body == b"answer"
        with pytest.raises(ProblemError) as refused:
            await book.begin(mark(body=b"2"), 1)
        assert refused.value.status == 409

    asyncio.run(scenario())


def test_a_second_request_waits_for_the_first() -> None:
    async def scenario() -> None:
        book = IdempotencyBook()
        assert await book.begin(mark(), 0) is None
        second = asyncio.ensure_future(book.begin(mark(), 0))
        await asyncio.sleep(0)
        assert not second.done()
        with pytest.raises(ProblemError):
            await book.begin(mark(body=b"2"), 0)
        book.keep(reply(mark()))
        book.end(mark())
        found = await second
        assert found is not None
        assert found.body == b"answer"

    asyncio.run(scenario())


def test_a_request_that_failed_may_be_tried_again() -> None:
    async def scenario() -> None:
        book = IdempotencyBook()
        assert await book.begin(mark(), 0) is None
        second = asyncio.ensure_future(book.begin(mark(), 0))
        await asyncio.sleep(0)
        book.end(mark())
        assert await second is None

    asyncio.run(scenario())


def test_replies_go_with_age_number_and_bytes() -> None:
    async def scenario() -> None:
        book = IdempotencyBook(retention_seconds=10, most_replies=3, most_bytes=20)
        for number in range(5):
            book.keep(reply(mark(str(number)), at=number * SECOND, body=b"abcd"))
        assert len(book) == 3
        book.keep(reply(mark("large"), at=5 * SECOND, body=b"x" * 15))
        assert len(book) == 2
        assert await book.begin(mark("large"), 15 * SECOND) is not None
        assert await book.begin(mark("large"), 15 * SECOND + 1) is None

    asyncio.run(scenario())
