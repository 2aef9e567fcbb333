"""Plain decision requests are answered by the protocol itself, all others by the application: nobody may notice."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from floorwalker.testing.shop_server import Shop, make_event

CHUNKED = {"transfer-encoding": "chunked"}
"""What makes a request take the application's way."""


class Line:
    """One connection, byte by byte."""

    def __init__(self, shop: Shop) -> None:
        found = urlsplit(str(shop.client.base_url))
        self.socket = socket.create_connection((found.hostname or "", found.port or 0), timeout=20)
        self.headers = shop.headers()
        self.rest = b""

    def request(self, body: bytes, *, path: str = "/v1/decisions", **more: str) -> bytes:
        headers = {**self.headers, **{name.replace("_", "-"): value for name, value in more.items()}}
        if headers.get("transfer-encoding") == "chunked":
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        else:
            headers["content-length"] = str(len(body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {path} HTTP/1.1\r\nHost: shop\r\n{lines}\r\n".encode() + body

    def reply(self) -> tuple[bytes, bytes]:
        """Head and body of the next reply."""
        while b"\r\n\r\n" not in self.rest:
            self._more()
        head, _, rest = self.rest.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(rest) < length:
            before = len(self.rest)
            self._more()
            rest += self.rest[before:]
        self.rest = rest[length:]
        return head, rest[:length]

    def ask(self, body: bytes, **more: str) -> tuple[bytes, bytes]:
        self.socket.sendall(self.request(body, **more))
        return self.reply()

    def is_closed(self) -> bool:
        return self.socket.recv(1) == b""

    def _more(self) -> None:
        got = self.socket.recv(65_536)
        assert got, "the server hung up"
        self.rest += got


@pytest.fixture
def connect(shop: Shop) -> Iterator[Callable[[], Line]]:
    lines: list[Line] = []

    def made() -> Line:
        lines.append(Line(shop))
        return lines[-1]

    yield made
    for line in lines:
        line.socket.close()


def body_of(**changes: object) -> bytes:
    return json.dumps(make_event(**changes)).encode()


def test_both_ways_give_the_same_bytes(connect: Callable[[], Line]) -> None:
    line, event = connect(), body_of()
    head, first = line.ask(event)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not json.loads(first)["duplicate"]
    again, other = line.ask(event), line.ask(event, transfer_encoding="chunked")
    assert again == other
    assert json.loads(again[1])["decision_id"] == json.loads(first)["decision_id"]


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (422, b"{", {}),
        (422, b'{"id": "e-1"}', {}),
        (401, b"{}", {"authorization": "Bearer fw_000000000000_x"}),
    ],
)
def test_both_ways_refuse_the_same(
    connect: Callable[[], Line], status: int, body: bytes, headers: dict[str, str]
) -> None:
    line = connect()
    line.headers = {**{name.lower(): value for name, value in line.headers.items()}, **headers}
    plain, other = line.ask(body), line.ask(body, transfer_encoding="chunked")
    assert plain == other
    assert plain[0].startswith(b"HTTP/1.1 %d " % status), plain


def test_requests_behind_one_another_are_answered_in_order(connect: Callable[[], Line]) -> None:
    line = connect()
    events = [make_event() for _ in range(6)]
    ways = [{}, CHUNKED, {}, {}, CHUNKED, {}]
    sent = [line.request(json.dumps(event).encode(), **way) for event, way in zip(events, ways, strict=True)]
    line.socket.sendall(b"".join(sent))
    assert [json.loads(line.reply()[1])["event_id"] for _ in events] == [event["id"] for event in events]
    # And the connection goes on.
    assert line.ask(body_of())[0].startswith(b"HTTP/1.1 200")


def test_a_request_in_pieces_is_read_to_its_end(connect: Callable[[], Line]) -> None:
    line = connect()
    event = body_of()
    whole = line.request(event)
    for start in range(0, len(whole), 40):
        line.socket.sendall(whole[start : start + 40])
    assert json.loads(line.reply()[1])["event_id"] == json.loads(event)["id"]


def test_a_connection_is_closed_when_asked_for(connect: Callable[[], Line]) -> None:
    for way in ({}, CHUNKED):
        line = connect()
        head, _ = line.ask(body_of(), connection="close", **way)
        assert b"connection: close" in head
        assert line.is_closed()


def test_whoever_hangs_up_early_harms_nobody(shop: Shop, connect: Callable[[], Line]) -> None:
    for _ in range(5):
        line, event = connect(), make_event()
        line.socket.sendall(line.request(json.dumps(event).encode()))
        line.socket.close()
    half = connect()
    half.socket.sendall(half.request(body_of())[:-5])
    half.socket.close()
    assert shop.decide(make_event()).status_code == 200


def test_a_long_body_is_decided_too(connect: Callable[[], Line]) -> None:
    long = body_of(type="review", item="i", text="4000 0000 word " * 900)
    assert json.loads(connect().ask(long)[1])["duplicate"] is False
