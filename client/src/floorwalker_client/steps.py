"""What the client does, step by step: written once, carried out by the sync and the async client.

A step asks for a call or for a pause; it is sent the answer, or has the transport's error thrown in.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
import uuid
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from floorwalker_client.breaker import Breaker
from floorwalker_client.errors import (
    ClientError,
    DeadlineError,
    PartlySentError,
    Problem,
    RefusedError,
    UnavailableError,
    UnreachableError,
    UsageError,
)
from floorwalker_client.replies import (
    Applied,
    Decision,
    LabelReceipt,
    Receipt,
    read_applied,
    read_decision,
    read_label,
    read_receipt,
)
from floorwalker_client.scrub import scrub
from floorwalker_client.wire import Answer, Call

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


Steps = Generator[Call | Pause, Answer | None, Result]

_JSON = ("Content-Type", "application/json")
_LINES = ("Content-Type", "application/x-ndjson")
_TRY_AGAIN = (429, 502, 503, 504)
MOST_EVENTS = 10_000
"""Events that a server takes in one body."""
MOST_BYTES = 8 * 1024 * 1024
"""Bytes of one body of events; a server takes four times as many."""
LONGEST_PAUSE = 5.0


@dataclass
class Core:
    """What both clients share.

    Parameters
    ----------
    key : of the API.
    shop : put into events that name none.
    deciding, telling : circuit breakers of decisions and of everything else.
    tries : how often a call that may be sent again is sent at most.
    now : µs UTC, for events that say no time.
    chance : [0, 1), spreads the pauses between tries.
    """

    key: str
    shop: str | None = None
    deciding: Breaker = field(default_factory=Breaker)
    telling: Breaker = field(default_factory=Breaker)
    tries: int = 4
    now: Callable[[], int] = lambda: time.time_ns() // 1000
    chance: Callable[[], float] = random.random

    def prepare(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of an event with an id, a time and the shop, without card numbers and passwords.

        Raises `UsageError` where it has no type.
        """
        if not isinstance(event, Mapping) or not isinstance(event.get("type"), str):
            raise UsageError("an event without a type; allowed: a mapping with at least a type")
        made: dict[str, Any] = scrub(dict(event))
        made.setdefault("id", uuid.uuid4().hex)
        made.setdefault("at", self.now())
        if self.shop is not None:
            made.setdefault("shop", self.shop)
        return made

    def check(self, told: Any) -> None:
        """Raise `UsageError` for what cannot be written as JSON: half a character, a number that is none, an object."""
        _encode(told)

    def decide(self, event: Mapping[str, Any], deadline: float) -> Steps[Decision]:
        """Ask about one event; it may be sent twice, since a server decides an event id once."""
        call = Call("POST", "/v1/decisions", _encode(event), self._headers(_JSON))
        return read_decision((yield from self._ask(call, deadline, self.deciding, tries=2)))

    def apply(self, decision_id: str, action: str, by: str, reason: str, deadline: float) -> Steps[Applied]:
        """Report what was done."""
        body = _encode({"action": action, "by": by, "reason": reason})
        call = Call("POST", f"/v1/decisions/{quote(decision_id, safe='')}/applied", body, self._headers(_JSON))
        return read_applied((yield from self._ask(call, deadline, self.telling)))

    def send(self, events: Iterable[Mapping[str, Any]], piece: int, deadline: float) -> Steps[Receipt]:
        """Tell of events that are prepared, piece by piece."""
        receipt, sent = Receipt(), 0
        for lines in _split(events, piece):
            body = b"\n".join(lines)
            # The key is made of the body: whoever sends the same piece again gets the first reply.
            key = hashlib.blake2b(body, digest_size=16).hexdigest()
            call = Call("POST", "/v1/events", body, self._headers(_LINES, ("Idempotency-Key", key)))
            try:
                answer = yield from self._ask(call, deadline, self.telling)
            except ClientError as error:
                if sent == 0:
                    raise
                raise PartlySentError(receipt, sent) from error
            receipt = receipt.plus(read_receipt(answer, sent))
            sent += len(lines)
        return receipt

    def label(self, body: Mapping[str, Any], idempotency_key: str | None, deadline: float) -> Steps[LabelReceipt]:
        """Say what turned out to be true."""
        key = ("Idempotency-Key", idempotency_key or uuid.uuid4().hex)
        call = Call("POST", "/v1/labels", _encode(body), self._headers(_JSON, key))
        return read_label((yield from self._ask(call, deadline, self.telling)))

    def withdraw(self, label_id: str, deadline: float) -> Steps[None]:
        """Take a label back."""
        call = Call("DELETE", f"/v1/labels/{quote(label_id, safe='')}", b"", self._headers())
        yield from self._ask(call, deadline, self.telling)

    def read(self, parts: Sequence[str], query: Mapping[str, str], deadline: float) -> Steps[dict[str, Any]]:
        """Look something up."""
        path = "/v1/" + "/".join(quote(part, safe="") for part in parts)
        call = Call("GET", path + (f"?{urlencode(query)}" if query else ""), b"", self._headers())
        found: dict[str, Any] = yield from self._ask(call, deadline, self.telling)
        return found

    def fetch(self, path: str, deadline: float) -> Steps[Answer]:
        """Something that is no JSON and needs no key."""
        return (yield from self._call(Call("GET", path), deadline, self.telling, 1))

    def _headers(self, *others: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        return (("Authorization", f"Bearer {self.key}"), *others)

    def _ask(self, call: Call, deadline: float, breaker: Breaker, tries: int | None = None) -> Steps[Any]:
        answer = yield from self._call(call, deadline, breaker, self.tries if tries is None else tries)
        return _read(answer)

    def _call(self, call: Call, deadline: float, breaker: Breaker, tries: int) -> Steps[Answer]:
        """One call, tried again within its deadline where the server did not answer or said "later"."""
        tried = 0
        while True:
            breaker.admit()
            tried += 1
            wait = min(0.05 * 2**tried, LONGEST_PAUSE) * (0.5 + self.chance())
            try:
                answer = yield call
                assert answer is not None
                if answer.status not in _TRY_AGAIN:
                    breaker.succeed()
                    if answer.status >= 400:
                        raise RefusedError(_read_problem(answer))
                    return answer
                # "Too fast" comes from a server that is well.
                breaker.succeed() if answer.status == 429 else breaker.fail()
                later = _read_seconds(answer.headers.get("retry-after", ""))
                wait = max(wait, later)
                error: ClientError = UnavailableError(_read_problem(answer), later)
            except DeadlineError:
                breaker.fail()
                raise
            except UnreachableError as problem:
                breaker.fail()
                error = problem
            if tried >= tries or time.monotonic() + wait >= deadline:
                raise error
            yield Pause(wait)


def _encode(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"it cannot be written as JSON: {error}") from error


def _split(events: Iterable[Mapping[str, Any]], piece: int) -> Generator[list[bytes], None, None]:
    lines: list[bytes] = []
    size = 0
    for event in events:
        line = _encode(event)
        if lines and (len(lines) >= piece or size + len(line) > MOST_BYTES):
            yield lines
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 1
    if lines:
        yield lines


def _read(answer: Answer) -> Any:
    if answer.status == 204 or not answer.body:
        return {}
    try:
        found = json.loads(answer.body)
    except ValueError as error:
        raise UnreachableError("the answer is not JSON: is this a Floorwalker server?") from error
    if not isinstance(found, dict):
        raise UnreachableError("the answer is no JSON object: is this a Floorwalker server?")
    return found


def _read_problem(answer: Answer) -> Problem:
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return Problem(answer.status)
    faults = found.get("faults", ())
    return Problem(
        answer.status,
        str(found.get("title", "")),
        str(found.get("detail", "")),
        tuple(fault for fault in faults if isinstance(fault, dict)) if isinstance(faults, list) else (),
    )


def _read_seconds(text: str) -> float:
    # A date is possible too; our server sends seconds.
    return min(float(text), 3600.0) if text.strip().isdigit() else 0.0
