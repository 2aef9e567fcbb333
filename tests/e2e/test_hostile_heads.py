"""Heads of requests that never end, or hold too much, against a real server."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest

from floorwalker.testing.shop_server import Shop, make_event


def send(shop: Shop, *parts: bytes) -> bytes:
    """What the server answers to these bytes, to the end of the connection."""
    found = urlsplit(str(shop.client.base_url))
    with socket.create_connection((found.hostname or "", found.port or 0), timeout=10) as connection:
        answer = b""
        try:
            for part in parts:
                connection.sendall(part)
            while piece := connection.recv(65_536):
                answer += piece
        except (ConnectionResetError, BrokenPipeError):
            return answer or b"hung up"
        return answer


START = b"GET /health HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        (START + b"X-Long: ", *[b"a" * 60_000] * 200),
        (START, *[b"X-%d: y\r\n" % number * 1 for number in range(20_000)]),
        (START + b"".join(b"X-%d: y\r\n" % number for number in range(150)) + b"\r\n",),
        (b"GET /" + b"a" * 60_000, *[b"a" * 60_000] * 50),
    ],
    ids=["one header without end", "headers without end", "too many headers", "a path without end"],
)
def test_a_head_without_end_is_hung_up_on(shop: Shop, parts: tuple[bytes, ...]) -> None:
    answer = send(shop, *parts)
    assert answer.startswith((b"HTTP/1.1 431", b"hung up")), answer[:100]
    assert shop.decide(make_event()).status_code == 200


def test_heads_and_bodies_of_usual_size_come_through(shop: Shop) -> None:
    lines = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 200) for number in range(60))
    assert send(shop, START + lines + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200")
    halves = (START[:9], START[9:] + b"Connection: close\r\n\r\n")
    assert send(shop, *halves).startswith(b"HTTP/1.1 200")
    large = make_event(type="review", item="i", text="word " * 3_000)
    assert shop.decide(large).status_code == 200


def test_an_upgrade_that_is_asked_for_loses_no_event(shop: Shop) -> None:
    body = json.dumps(make_event()).encode()
    lines = [f"{name}: {value}".encode() for name, value in shop.headers().items()]
    lines += [b"Host: x", b"Content-Type: application/x-ndjson", b"Content-Length: %d" % len(body)]
    lines += [b"Connection: Upgrade", b"Upgrade: h2c"]
    end = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for path in (b"/v1/decisions", b"/v1/events"):
        head = b"POST %s HTTP/1.1\r\n%s\r\n\r\n" % (path, b"\r\n".join(lines))
        answer = send(shop, head, body, end)
        assert answer.count(b"HTTP/1.1 200") == 2, answer[:300]
        assert (b'"decision_id"' if path == b"/v1/decisions" else b'"duplicates":1') in answer, answer


def test_what_is_missing_in_a_query_is_not_said_to_callers_without_a_key(shop: Shop) -> None:
    assert shop.client.delete("/v1/lists/deny").status_code == 401
    assert shop.client.delete("/v1/lists/deny", headers=shop.headers()).status_code == 422
