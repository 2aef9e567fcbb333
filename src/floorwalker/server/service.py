"""What the routes need: the engine behind its batcher, keys, metrics, the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from litestar import Request

from floorwalker.events.bulk.taking import BulkTaker
from floorwalker.events.event import Event
from floorwalker.pipeline.records import Record, ReplyRecord
from floorwalker.server.batcher import MicroBatcher
from floorwalker.server.engine import Engine, Job, Outcome, RecordJob
from floorwalker.server.idempotency import RequestMark, mark_request
from floorwalker.server.keyring import KeyRing
from floorwalker.server.keys import ALL_SHOPS, ApiKey
from floorwalker.server.metrics import Metrics
from floorwalker.server.problems import ProblemError
from floorwalker.server.rule_watch import RuleWatch
from floorwalker.store.vault import PersonalValue

if TYPE_CHECKING:
    from floorwalker.server.calibration import CalibrationWatch
    from floorwalker.server.joining import TextJoiner

Personal = Sequence[PersonalValue]
Headers = Iterable[tuple[bytes, bytes]]
"""As ASGI gives them: lower-case names."""


class Intake(Protocol):
    """Makes an event ready to be kept: raw personal values out, tokens in."""

    def __call__(self, event: Event) -> tuple[Event, Personal]:
        """The event to keep, and what the vault shall hold of it."""


@dataclass
class Service:
    """One running server.

    Parameters
    ----------
    engine, batcher, keyring, metrics : its parts.
    intake : normalises and tokenises an event.
    taker : does the same for many at once.
    forms : the forms under which an entity that somebody names may stand in the records, the newest first.
    ledger : answers questions about the past.
    personal_waiting : raw personal values on their way to the vault.
    ready : "" once recovered, else what it is still doing.
    rules : exchanges the rules; None until the server is ready.
    degraded : by name of what works beside the decisions, why it does not at the moment; "" while it does.
    calibration : says how far off risks are, by labels; None until the server is ready.
    texts : has texts read beside the decisions; None where no classifier is installed, and until the server is ready.
    one_list : held while a list of suspects is made: a busy shop's takes seconds and the memory of two weeks'
        suspicions, and the threads that make it serve others as well.
    """

    engine: Engine
    batcher: MicroBatcher[Job, Outcome]
    keyring: KeyRing
    metrics: Metrics
    intake: Intake
    taker: BulkTaker
    forms: Callable[[str, str, str], list[str]]
    ledger: Any
    personal_waiting: Callable[[], int] = field(default=lambda: 0)
    ready: str = "starting"
    rules: RuleWatch | None = None
    texts: TextJoiner | None = None
    calibration: CalibrationWatch | None = None
    degraded: dict[str, Callable[[], str]] = field(default_factory=dict)
    one_list: asyncio.Lock = field(default_factory=asyncio.Lock)

    def admit(self, headers: Headers, scope: str) -> ApiKey:
        """The caller's key; raises `ProblemError` where it may not do this, or while the server is not ready."""
        if self.ready:
            raise ProblemError(503, f"not ready: {self.ready}", headers={"Retry-After": "1"})
        return self.keyring.check(read_key(headers), scope, now=self.engine.now())

    def mark(self, headers: Headers, caller: ApiKey, path: str, body: bytes) -> RequestMark | None:
        """The mark of a request that carries an Idempotency-Key, else None."""
        for name, value in headers:
            if name == b"idempotency-key":
                return mark_request(caller.id, path, value.decode("latin-1"), body)
        return None

    async def first_reply(self, mark: RequestMark) -> ReplyRecord | None:
        """What a request with this mark was answered before, once that is durable; None where the caller shall work,
        and then call `engine.book.end`."""
        before = await self.engine.book.begin(mark, self.engine.now())
        if before is not None:
            # Its record may be on its way to the disk only now.
            await self.record()
        return before

    async def record(self, *records: Record, then: Callable[[int], None] = lambda first: None) -> int:
        """Journal records of other kinds; returns the sequence of the first, once durable.

        Parameters
        ----------
        then : told of this sequence once they are appended. What is remembered of them is remembered there: the engine
            may refuse them, and whoever asks again must not hear that it was done.
        """
        sequence = await self.batcher.submit(RecordJob(records, then=then))
        assert isinstance(sequence, int)
        return sequence


def read_key(headers: Headers) -> str:
    """The API key of a request, "" where it has none."""
    for name, value in headers:
        if name == b"authorization":
            text = value.decode("latin-1")
            return text[7:].strip() if text[:7].lower() == "bearer " else text
        if name == b"x-api-key":
            return value.decode("latin-1").strip()
    return ""


def check_shop(caller: ApiKey, shop: str) -> None:
    """Refuse a caller that speaks for another shop than its key's."""
    if caller.shop not in (ALL_SHOPS, shop):
        raise ProblemError(403, f"the API key speaks for the shop {caller.shop!r} only", fix="use that shop's own key")


def service_of(request: Request[Any, Any, Any]) -> Service:
    """The service that answers a request."""
    service: Service = request.app.state.service
    return service
