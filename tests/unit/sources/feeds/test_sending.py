"""The sender against a real HTTP server that answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from floorwalker.errors import UsageError
from floorwalker.events.decode import decode_event
from floorwalker.events.event import Event
from floorwalker.sources.feeds import DeadLetters, EventSender, StoppedError, UnreachableError
from floorwalker.sources.feeds._sending import MOST_BYTES

NOW = 1_760_000_000_000_000


def make_events(count: int, text: str = "") -> list[Event]:
    bodies = [
        {"id": f"e-{number}", "type": "review", "at": NOW, "item": "i", "account": "a", "text": text or "fine"}
        for number in range(count)
    ]
    return [decode_event(json.dumps(body).encode(), now=NOW) for body in bodies]


class Till:
    """What the server is asked, and what it answers: scripted answers first, then what a Floorwalker server says."""

    def __init__(self) -> None:
        self.script: list[tuple[int, dict[str, str], bytes]] = []
        self.bodies: list[list[dict[str, Any]]] = []
        self.refuse: set[str] = set()
        self.keys: set[str] = set()
        self.lengths: list[int] = []

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.lengths.append(len(body))
        self.keys.add(handler.headers["Authorization"])
        events = [json.loads(line) for line in body.splitlines()]
        status, headers, reply = self.script.pop(0) if self.script else (200, {}, b"")
        if status == 200 and not reply:
            faults = [
                {"position": place, "field": "at", "message": "too far ahead"}
                for place, event in enumerate(events) if event["id"] in self.refuse
            ]  # fmt: skip
            accepted = len(events) - len(faults)
            reply = json.dumps(
                {"accepted": accepted, "duplicates": 0, "rejected": len(faults), "faults": faults}
            ).encode()
            self.bodies.append(events)
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(reply))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply)


@pytest.fixture
def till() -> Iterator[tuple[Till, str]]:
    found = Till()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            found.answer(self)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield found, f"http://127.0.0.1:{server.server_address[1]}/behind/a/proxy/"
    server.shutdown()
    thread.join()
    server.server_close()


def make_sender(url: str, folder: Path, **others: Any) -> EventSender:
    return EventSender(url, "fw_1_2", DeadLetters(folder / "dead.jsonl"), "files x", lambda: NOW, **others)


def test_events_arrive_in_bodies_of_bounded_size(till: tuple[Till, str], tmp_path: Path) -> None:
    server, url = till
    sender = make_sender(url, tmp_path)
    sender(make_events(2_500))
    assert [len(body) for body in server.bodies] == [1000, 1000, 500]
    assert [event["id"] for body in server.bodies for event in body] == [f"e-{number}" for number in range(2_500)]
    assert server.keys == {"Bearer fw_1_2"}
    server.bodies.clear()
    sender(make_events(400, "long " * 3_000))
    assert [event["id"] for body in server.bodies for event in body] == [f"e-{number}" for number in range(400)]
    assert len(server.bodies) == 2
    assert all(length <= MOST_BYTES for length in server.lengths)
    assert (sender.sent.accepted, sender.sent.rejected) == (2_900, 0)
    sender.close()


def test_it_waits_as_long_as_it_is_asked_to_and_sends_the_same_again(till: tuple[Till, str], tmp_path: Path) -> None:
    server, url = till
    server.script = [(429, {"Retry-After": "0"}, b"slow"), (503, {"Retry-After": "0"}, b""), (500, {}, b"oh")]
    waits: list[tuple[str, float]] = []
    sender = make_sender(url, tmp_path, on_wait=lambda reason, seconds: waits.append((reason, seconds)))
    sender(make_events(3))
    assert [len(body) for body in server.bodies] == [3]
    assert waits == [
        ("the server answered 429", 0.0), ("the server answered 503", 0.0), ("the server answered 500", 1.0),
    ]  # fmt: skip
    assert sender.sent.attempts_repeated == 3
    sender.close()


def test_a_body_that_a_proxy_finds_too_large_is_halved(till: tuple[Till, str], tmp_path: Path) -> None:
    server, url = till
    server.script = [(413, {}, b""), (413, {}, b"")]
    sender = make_sender(url, tmp_path)
    sender(make_events(8))
    assert [len(body) for body in server.bodies] == [2, 2, 4]
    assert sender.sent.accepted == 8
    sender.close()


def test_what_the_server_refuses_is_written_down_before_it_returns(till: tuple[Till, str], tmp_path: Path) -> None:
    server, url = till
    server.refuse = {"e-1"}
    sender = make_sender(url, tmp_path)
    sender(make_events(3))
    (entry,) = [json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines()]
    assert (entry["place"], entry["field"], entry["reason"]) == ("event e-1", "at", "too far ahead")
    assert json.loads(entry["record"])["id"] == "e-1"
    assert (sender.sent.accepted, sender.sent.rejected) == (2, 1)
    sender.close()


@pytest.mark.parametrize("status", [401, 403, 404, 301, 415])
def test_what_no_patience_mends_is_said_at_once(till: tuple[Till, str], tmp_path: Path, status: int) -> None:
    server, url = till
    server.script = [(status, {}, b"")]
    with pytest.raises(UsageError):
        make_sender(url, tmp_path)(make_events(1))
    assert server.bodies == []


def test_an_answer_that_does_not_account_for_every_event_is_not_believed(
    till: tuple[Till, str], tmp_path: Path
) -> None:
    server, url = till
    from floorwalker.errors import InputError

    server.script = [(200, {}, b'{"accepted": 2, "duplicates": 0, "rejected": 0, "faults": []}')]
    with pytest.raises(InputError):
        make_sender(url, tmp_path)(make_events(3))
    server.script = [(200, {}, b"<html>welcome</html>")]
    with pytest.raises(UsageError):
        make_sender(url, tmp_path)(make_events(3))


def test_it_gives_up_where_that_was_asked_for_and_stops_when_told(till: tuple[Till, str], tmp_path: Path) -> None:
    server, url = till
    with pytest.raises(UnreachableError):
        make_sender("http://127.0.0.1:9", tmp_path, give_up_seconds=0.1)(make_events(1))
    stop = threading.Event()
    server.script = [(503, {"Retry-After": "120"}, b"")]
    sender = make_sender(url, tmp_path, stop=stop, on_wait=lambda *_: stop.set())
    with pytest.raises(StoppedError):
        sender(make_events(1))


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:80", "ftp://x", "http://", "http://u:p@x", "http://x:99999", "http://x?y=1"]
)
def test_urls_that_are_none_are_refused_before_anything_is_sent(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        make_sender(url, tmp_path)


@pytest.mark.parametrize("key", ["", "two words", "line\r\nX-Evil: 1", "schlüssel"])
def test_keys_that_are_none_are_refused_before_anything_is_sent(key: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        EventSender("http://x", key, DeadLetters(tmp_path / "d"), "files x", lambda: NOW)
