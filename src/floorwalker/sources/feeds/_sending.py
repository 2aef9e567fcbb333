"""Events of a feed to a running server, over HTTP, until it has them."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from floorwalker.errors import FloorwalkerError, InputError, UsageError
from floorwalker.events.event import Event
from floorwalker.sources.feeds._base import Clock, Refused
from floorwalker.sources.feeds._dead_letters import DeadLetters

MOST_EVENTS = 1_000
"""Events in one body: the server names at most so many faults one by one."""
MOST_BYTES = 4 * 1024 * 1024
FIRST_WAIT, LONGEST_WAIT = 0.25, 30.0
"""Seconds between two attempts: doubled each time, or what `Retry-After` asks for."""
_LONGEST_ASKED = 300.0
_TIMEOUT = 60.0
_WAITED_FOR = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOST_REPLY = 4 * 1024 * 1024

_encoder = msgspec.json.Encoder()


class StoppedError(FloorwalkerError):
    """Somebody asked to stop while the server did not take the events; the checkpoint stands before them."""


class UnreachableError(FloorwalkerError):
    """The server has not taken the events for as long as was to be waited."""


class _FaultReply(msgspec.Struct):
    position: int
    field: str
    message: str


class _Reply(msgspec.Struct):
    accepted: int
    duplicates: int
    rejected: int
    faults: list[_FaultReply]


@dataclass
class Sent:
    """What the server said so far: new to it, known to it, refused by it; and how often it had to be asked again."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    attempts_repeated: int = 0


@dataclass
class EventSender:
    """Hands events to `POST /v1/events` and returns once the server has all of them on its disk.

    Nothing is given up on silently: while the server does not answer, is not ready or asks for patience (429, 503), the
    same body is sent again after a rest; the ids of its events keep that from counting twice. What the server refuses
    of a body goes to the dead letters. Use an object as the `deliver` of `pump`.

    Parameters
    ----------
    url : of the server, as `http://127.0.0.1:8080`; a path before `/v1` is kept.
    key : an API key with the scope `ingest`.
    dead_letters, feed, clock : where refused events go, under which name, and when; as in `pump`.
    stop : set it to end waiting with `StoppedError`.
    give_up_seconds : raise `UnreachableError` after so long without progress; None never does.
    on_wait : told why it waits, and for how many seconds.

    Errors
    ------
    `UsageError` for a URL or key that cannot be used (401, 403, 404): repeating would not help.
    """

    url: str
    key: str
    dead_letters: DeadLetters
    feed: str
    clock: Clock
    stop: threading.Event = field(default_factory=threading.Event)
    give_up_seconds: float | None = None
    on_wait: Callable[[str, float], None] = field(default=lambda reason, seconds: None)
    sent: Sent = field(default_factory=Sent, init=False)
    _connection: http.client.HTTPConnection | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1 or parts.query or parts.username:
            raise UsageError("a server URL that cannot be used", allowed="http://host:port or https://host")
        if not self.key or not self.key.isascii() or not self.key.isprintable() or " " in self.key:
            raise UsageError("no API key, or one that is none", fix="make one with: floorwalker keys create")
        self._parts = parts
        self._path = parts.path.rstrip("/") + "/v1/events"

    def __call__(self, events: Sequence[Event]) -> None:
        """Return once the server has taken these events, or refused them and the refusal is on the disk."""
        try:
            for body, chunk in _bodies(events):
                self._deliver(body, chunk)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _deliver(self, body: bytes, events: Sequence[Event]) -> None:
        wait, waited = FIRST_WAIT, 0.0
        while True:
            status, asked, answer = self._send(body)
            if status == 200:
                self._note(answer, events)
                return
            if status == 413 and len(events) > 1:
                # A proxy on the way takes less than the server would.
                for half in (events[: len(events) // 2], events[len(events) // 2 :]):
                    self._deliver(_encoder.encode_lines(half), half)
                return
            reason = f"the server answered {status}" if status else f"the server cannot be reached: {answer.decode()}"
            if status in (401, 403):
                raise UsageError(
                    f"the server refuses the API key ({status})", allowed="a key with the scope ingest",
                    fix="make one with: floorwalker keys create NAME --scopes ingest",
                )  # fmt: skip
            if status and status not in _WAITED_FOR:
                raise UsageError(f"{reason}, which is no answer of a Floorwalker server", fix="check --url")
            pause = min(asked, _LONGEST_ASKED) if asked is not None else wait
            if self.give_up_seconds is not None and waited + pause > self.give_up_seconds:
                raise UnreachableError(
                    f"{reason}, for {waited:.0f} s", fix="start it; the same command goes on where this one ended"
                )
            self.sent.attempts_repeated += 1
            self.on_wait(reason, pause)
            if self.stop.wait(pause):
                raise StoppedError(f"stopped while {reason}", fix="the same command goes on where this one ended")
            waited += pause
            wait = min(wait * 2, LONGEST_WAIT)

    def _send(self, body: bytes) -> tuple[int, float | None, bytes]:
        """Status (0 without an answer), seconds asked for, and the answer, or why there was none."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/x-ndjson"}
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.request("POST", self._path, body, headers)
            reply = self._connection.getresponse()
            answer = reply.read(_MOST_REPLY)
            asked = reply.headers.get("Retry-After", "")
            return reply.status, float(asked) if asked.isascii() and asked.isdigit() else None, answer
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return 0, None, (str(error) or type(error).__name__).encode()

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT, context=ssl.create_default_context())
        return http.client.HTTPConnection(host, port, timeout=_TIMEOUT)

    def _note(self, answer: bytes, events: Sequence[Event]) -> None:
        try:
            reply = msgspec.json.decode(answer, type=_Reply)
        except msgspec.MsgspecError as error:
            raise UsageError("the answer is none of a Floorwalker server", fix="check --url") from error
        if reply.accepted + reply.duplicates + reply.rejected != len(events) or len(reply.faults) != reply.rejected:
            raise InputError(f"the server's answer does not account for the {len(events)} events sent")
        refused = [
            Refused(f"event {events[fault.position].id}", fault.field, fault.message, _record(events[fault.position]))
            for fault in reply.faults
        ]
        self.dead_letters.write(self.feed, refused, now=self.clock())
        self.sent.accepted += reply.accepted
        self.sent.duplicates += reply.duplicates
        self.sent.rejected += reply.rejected


def _record(event: Event) -> str:
    return _encoder.encode(event).decode()


def _bodies(events: Sequence[Event]) -> Iterator[tuple[bytes, Sequence[Event]]]:
    """Bodies of bounded length, each with its events."""
    lines: list[bytes] = []
    size = first = 0
    for place, event in enumerate(events):
        line = _encoder.encode(event)
        if lines and (len(lines) == MOST_EVENTS or size + len(line) > MOST_BYTES):
            yield b"\n".join(lines), events[first:place]
            lines, size, first = [], 0, place
        lines.append(line)
        size += len(line) + 1
    if lines:
        yield b"\n".join(lines), events[first:]
