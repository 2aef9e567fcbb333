"""Requests that are sent twice: the same key and body gets the first reply, another body is refused."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from floorwalker.pipeline.records import ReplyRecord
from floorwalker.server.problems import ProblemError

RETENTION_SECONDS = 24 * 3600
"""How long a reply is kept."""
MOST_REPLIES = 200_000
MOST_BYTES = 128 * 1024 * 1024
LONGEST_KEY = 255
"""Bounds of memory: beyond them the oldest replies go before their time."""
_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class RequestMark:
    """A request with an idempotency key, as hashes: 16 bytes of caller, path and key; 16 bytes of the body."""

    key: bytes
    digest: bytes


def mark_request(caller: str, path: str, key: str, body: bytes) -> RequestMark:
    """The mark of a request.

    Raises `ProblemError` 400 where the key is empty or longer than `LONGEST_KEY`.

    >>> mark_request("k1", "/v1/events", "a", b"1").key == mark_request("k1", "/v1/events", "a", b"2").key
    True
    """
    if not 0 < len(key) <= LONGEST_KEY:
        raise ProblemError(
            400, f"an Idempotency-Key of {len(key)} characters", allowed=f"1 to {LONGEST_KEY} characters"
        )
    named = f"{caller}\x00{path}\x00{key}".encode("utf-8", "surrogateescape")
    return RequestMark(hashlib.blake2b(named, digest_size=16).digest(), hashlib.blake2b(body, digest_size=16).digest())


@dataclass
class IdempotencyBook:
    """Replies by mark, bounded by age, number and bytes; every reply stands in the journal too.

    A request that arrives while the first of its key is still being worked on waits for that one.

    Parameters
    ----------
    retention_seconds, most_replies, most_bytes : bounds.
    check : raises where kept replies must not be given, for their records may not be on the disk.
    """

    retention_seconds: int = RETENTION_SECONDS
    most_replies: int = MOST_REPLIES
    most_bytes: int = MOST_BYTES
    check: Callable[[], None] = field(default=lambda: None, repr=False)
    _kept: OrderedDict[bytes, ReplyRecord] = field(default_factory=OrderedDict, init=False, repr=False)
    _bytes: int = field(default=0, init=False)
    _running: dict[bytes, tuple[bytes, asyncio.Future[None]]] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self._kept)

    async def begin(self, mark: RequestMark, now: int) -> ReplyRecord | None:
        """The first reply to this request, or None where the caller shall work and then call `end`.

        Raises `ProblemError` 409 where the key was used with another body, and what `check` raises.
        """
        while True:
            self._forget(now)
            kept = self._kept.get(mark.key)
            if kept is not None:
                _check_body(mark, kept.digest)
                self.check()
                return kept
            running = self._running.get(mark.key)
            if running is None:
                self._running[mark.key] = (mark.digest, asyncio.get_running_loop().create_future())
                return None
            _check_body(mark, running[0])
            await asyncio.shield(running[1])

    def end(self, mark: RequestMark) -> None:
        """The work for a request is over, with a reply kept or without: whoever waits may look again."""
        running = self._running.pop(mark.key, None)
        if running is not None and not running[1].done():
            running[1].set_result(None)

    def keep(self, reply: ReplyRecord) -> None:
        """Keep a reply, live or from the journal."""
        before = self._kept.pop(reply.key, None)
        if before is not None:
            self._bytes -= len(before.body)
        self._kept[reply.key] = reply
        self._bytes += len(reply.body)
        while len(self._kept) > self.most_replies or (self._bytes > self.most_bytes and len(self._kept) > 1):
            self._drop_oldest()

    def replies(self) -> list[ReplyRecord]:
        """All replies kept, the oldest first."""
        return list(self._kept.values())

    def _forget(self, now: int) -> None:
        limit = now - self.retention_seconds * _MICROSECONDS
        while self._kept and next(iter(self._kept.values())).at < limit:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, dropped = self._kept.popitem(last=False)
        self._bytes -= len(dropped.body)


def _check_body(mark: RequestMark, digest: bytes) -> None:
    if mark.digest != digest:
        raise ProblemError(
            409,
            "this Idempotency-Key was used with another body",
            allowed="the same body again",
            fix="use a new key for a new request",
        )
