"""The way to a server: a few connections that are kept, events told in bodies, decisions asked for one by one.

Events of one visit always take the same connection, also where it logs in midway, and so does the account's next visit
that begins logged in: they arrive in their order, a purchase waits for the answer to its login, and nobody's page
overtakes the refusal of the one before. Others overtake them.
"""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

import msgspec

from floorwalker.errors import FloorwalkerError, InputError, UsageError
from floorwalker.events.event import Event
from floorwalker.simulation.shop.diary import Entry

MOST_TOLD = 500
"""Events in one body."""
WAITING = 2_000
"""Entries that may wait for each connection before the sender has to wait."""
ACTORS = 200_000
"""Visits and accounts whose connection is remembered; the longest silent are forgotten first."""
_SECONDS = 30.0
"""A server that does not answer for so long is down."""


@dataclass
class Asked:
    """One entry on its way, and what came back.

    Parameters
    ----------
    entry : what happens.
    decide : whether the shop waits for a decision about it.
    action, decision : of the answer; "" where none was asked for.
    happened : False where something before it was refused, so that it was never sent.
    """

    entry: Entry
    decide: bool
    action: str = ""
    decision: str = ""
    happened: bool = True


@dataclass
class Wire:
    """Sends entries to a server over a bounded number of connections.

    Parameters
    ----------
    url : of the server, `http://localhost:8000`.
    key : with the scopes `decide` and `ingest`.
    happens : asked just before an entry is sent; False keeps it from happening.
    settle : told of each answer before the next entry of the same actor is looked at; True where the entry passed
        after all (a challenge that was solved), with the events that this brought.
    connections : how many.
    """

    url: str
    key: str
    happens: Callable[[Entry], bool]
    settle: Callable[[Asked], Sequence[Event]]
    connections: int = 4
    answers: queue.SimpleQueue[Asked] = field(default_factory=queue.SimpleQueue)
    _lane_of: OrderedDict[str, int] = field(default_factory=OrderedDict)
    _lanes: list[queue.Queue[Asked | None]] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _broken: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{self.url!r} is no address of a server", allowed="http://host:port or https://host")
        if not 1 <= self.connections <= 64:
            raise UsageError(f"connections is {self.connections}", allowed="1 to 64")
        for number in range(self.connections):
            lane: queue.Queue[Asked | None] = queue.Queue(WAITING)
            thread = threading.Thread(target=self._serve, args=(lane,), name=f"wire-{number}", daemon=True)
            self._lanes.append(lane)
            self._threads.append(thread)
            thread.start()

    def send(self, asked: Asked) -> None:
        """Put an entry on its way; waits where its connection is behind. Raises what broke the connection."""
        lane = self._lanes[self._lane(asked.entry.event)]
        while True:
            self.check()
            try:
                lane.put(asked, timeout=1.0)
            except queue.Full:
                continue
            return

    def finish(self) -> None:
        """Wait until everything has been sent and answered, then let the connections go."""
        for lane in self._lanes:
            while self._alive():
                try:
                    lane.put(None, timeout=1.0)
                except queue.Full:
                    continue
                break
        for thread in self._threads:
            thread.join()
        self.check()

    def check(self) -> None:
        """Raise what broke a connection."""
        if self._broken:
            raise self._broken[0]

    def _lane(self, event: Event) -> int:
        """The visit's connection, else the account's; whoever is new takes one by his name."""
        known = self._lane_of
        names = [f"{kind}{name}" for kind, name in (("s", event.session), ("a", event.account)) if name]
        lane = next((known[name] for name in names if name in known), None)
        if lane is None:
            actor = event.account or event.session or event.order or ""
            lane = crc32(actor.encode()) % len(self._lanes)
        for name in names:
            known[name] = lane
            known.move_to_end(name)
        while len(known) > ACTORS:
            known.popitem(last=False)
        return lane

    def _alive(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _serve(self, lane: queue.Queue[Asked | None]) -> None:
        """What each thread does: told events are gathered until a decision is due or nothing waits."""
        post = Post(self.url, self.key)
        told: list[Event] = []
        try:
            while True:
                try:
                    asked = lane.get_nowait() if told else lane.get()
                except queue.Empty:
                    post.tell(told)
                    told = []
                    continue
                if asked is None:
                    break
                if not self.happens(asked.entry):
                    asked.happened = False
                elif asked.decide:
                    if told:
                        post.tell(told)
                        told = []
                    asked.action, asked.decision = post.decide(asked.entry.event)
                    told += self.settle(asked)
                else:
                    told.append(asked.entry.event)
                    if len(told) >= MOST_TOLD:
                        post.tell(told)
                        told = []
                self.answers.put(asked)
            if told:
                post.tell(told)
        except (FloorwalkerError, OSError, HTTPException, msgspec.MsgspecError) as error:
            self._broken.append(
                error
                if isinstance(error, FloorwalkerError)
                else InputError(f"the server at {self.url} does not answer: {error}", fix="is it running?")
            )
        finally:
            post.close()


class _Reply(msgspec.Struct):
    action: str
    decision_id: str = ""


class _Receipt(msgspec.Struct):
    rejected: int = 0
    faults: list[dict[str, object]] = []


class Post:
    """One connection.

    Parameters
    ----------
    url, key : of the server.
    """

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=_SECONDS)
        self._base = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}

    def decide(self, event: Event) -> tuple[str, str]:
        """The action about one event, and the decision's id."""
        body = self._post("/v1/decisions", msgspec.json.encode(event), "application/json")
        reply = msgspec.json.decode(body, type=_Reply)
        return reply.action, reply.decision_id

    def tell(self, events: Sequence[Event]) -> None:
        """Events that happened."""
        lines = b"\n".join(msgspec.json.encode(event) for event in events)
        receipt = msgspec.json.decode(self._post("/v1/events", lines, "application/x-ndjson"), type=_Receipt)
        if receipt.rejected:
            raise InputError(f"the server refused {receipt.rejected} events, the first: {receipt.faults[:1]}")

    def label(self, body: Mapping[str, Any]) -> bool:
        """Say what turned out to be true; False where the key may not."""
        return bool(self._post("/v1/labels", msgspec.json.encode(body), "application/json", may_refuse=True))

    def _post(self, path: str, body: bytes, content_type: str, *, may_refuse: bool = False) -> bytes:
        headers = self._headers | {"Content-Type": content_type}
        for attempt in (0, 1):
            try:
                self._connection.request("POST", self._base + path, body, headers)
                response = self._connection.getresponse()
                answer = response.read()
            except (HTTPException, OSError):
                # A connection that was closed while idle; the ids make a second sending harmless.
                self._connection.close()
                if attempt:
                    raise
                continue
            if response.status == 403 and may_refuse:
                return b""
            if response.status not in (200, 201):
                raise InputError(
                    f"the server answered {response.status} to {path}: {answer[:300].decode(errors='replace')}",
                    fix="check the key's scopes (decide, ingest) and its rate",
                )
            return answer
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Let it go."""
        self._connection.close()
