"""The load generator: a process of its own, on a core of its own, that measures what a shop would see.

Run as ``python -m floorwalker.evaluation.benchmarks._load PORT KEY PLAN``; the plan and the figures are JSON. It works
with plain sockets and `select`, whose timer counts microseconds, so that it sends when it means to and needs little of
its core.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

CARRIER_ADDRESS = "198.51.100.7"
"""The address behind which 100,000 accounts stand."""
CARRIER_ACCOUNTS = 100_000
COUPON = "HALF"
"""The coupon that takes half of the events."""
DEVICES = 60_000
ACCOUNTS = 150_000
_KINDS = ("page_view", "login_succeeded", "login_failed", "add_to_cart", "coupon_redeem", "checkout", "order")
_SHARES = (0.10, 0.12, 0.03, 0.05, 0.38, 0.20, 0.12)
_SMALLEST = 200


def make_tails(count: int, seed: int) -> list[bytes]:
    """Events without their ids and times, as the inside of JSON objects: real fields, entities by Zipf's law."""
    random = np.random.default_rng(seed)
    kinds = random.choice(len(_KINDS), count, p=_SHARES)
    accounts = np.minimum(random.zipf(1.2, count), ACCOUNTS)
    devices = np.minimum(random.zipf(1.2, count), DEVICES)
    items = np.minimum(random.zipf(1.3, count), 20_000)
    carrier = random.random(count) < 0.05
    behind = random.integers(0, CARRIER_ACCOUNTS, count)
    amounts = np.round(np.exp(random.normal(8.0, 0.8, count))).astype(int)
    places = random.integers(0, 3, count)
    with_coupon = random.random(count)
    tails = []
    for row in range(count):
        kind = _KINDS[kinds[row]]
        account = f"c-{behind[row]}" if carrier[row] else f"a-{accounts[row]}"
        event: dict[str, Any] = {
            "type": kind,
            "account": account,
            "session": f"s-{account}-{row % 7}",
            "device": f"d-{devices[row]}",
            "ip": CARRIER_ADDRESS if carrier[row] else _home_address(int(accounts[row]), int(places[row])),
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
            "country": "DE",
        }
        if kind == "page_view":
            event |= {"url": f"/item/{items[row]}", "status": 200, "item": f"i-{items[row]}"}
        elif kind in ("coupon_redeem", "checkout", "order", "add_to_cart"):
            event |= {
                "amount_minor": int(amounts[row]),
                "currency": "EUR",
                "lines": [{"item": f"i-{items[row]}", "quantity": 1, "price_minor": int(amounts[row])}],
            }
        if kind == "coupon_redeem" or (kind in ("checkout", "order") and with_coupon[row] < 0.4):
            event |= {"coupons": [COUPON], "promotion": "spring"}
        if kind in ("checkout", "order"):
            event |= {
                "order": f"o-{row}",
                "payment": f"card-{accounts[row]}",
                "email": f"{account}@example.com",
                "shipping_address": {
                    "name": "A Customer",
                    "street": f"{1 + row % 90} High Street",
                    "city": "Springfield",
                    "postal_code": f"{10000 + int(accounts[row]) % 80000}",
                    "country": "DE",
                },
            }
        tails.append(json.dumps(event, separators=(",", ":")).encode()[1:])
    return tails


def _home_address(account: int, place: int) -> str:
    """One of the three addresses that a customer is seen at, of a range set aside for benchmarks (RFC 2544)."""
    number = (account * 3 + place) % 131_072
    return f"198.{18 + (number >> 16)}.{(number >> 8) & 255}.{number & 255}"


def carrier_body(first: int, count: int, now: int) -> bytes:
    """Events of `count` accounts behind the one address, as NDJSON."""
    line = '{"id":"fill-%d","type":"login_succeeded","at":%d,"account":"c-%d","ip":"%s","device":"dc-%d"}'
    return "\n".join(
        line % (number, now, number, CARRIER_ADDRESS, number) for number in range(first, first + count)
    ).encode()


@dataclass
class Connection:
    """One keep-alive connection with at most one request under way."""

    socket: socket.socket
    started: float = 0.0
    buffer: bytes = b""


@dataclass
class Figures:
    """What was seen."""

    seconds: list[float] = field(default_factory=list)
    errors: int = 0
    statuses: dict[str, int] = field(default_factory=dict)


class Load:
    """Connections to one server.

    Parameters
    ----------
    port, key : where, and with which API key.
    connections : kept open.
    tails : see `make_tails`.
    run : makes ids unique over several runs.
    """

    def __init__(self, port: int, key: str, connections: int, tails: list[bytes], run: str) -> None:
        self._tails = tails
        self._run = run.encode()
        self._sent = 0
        self._head = (
            b"POST /v1/decisions HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer " + key.encode()
            + b"\r\nContent-Type: application/json\r\nContent-Length: "
        )  # fmt: skip
        self.figures = Figures()
        self._connections = {}
        for _ in range(connections):
            made = socket.create_connection(("127.0.0.1", port))
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.setblocking(False)
            self._connections[made] = Connection(made)

    def close(self) -> None:
        """Hang up."""
        for each in self._connections:
            each.close()

    def closed(self, seconds: float) -> None:
        """Every connection asks again as soon as it is answered."""
        poll = select.epoll()
        by_number = {each.socket.fileno(): each for each in self._connections.values()}
        for number in by_number:
            poll.register(number, select.EPOLLIN)
        end = time.perf_counter() + seconds
        for each in by_number.values():
            self._send(each, time.perf_counter())
        waiting = len(by_number)
        while waiting:
            for number, _ in poll.poll(5.0):
                each = by_number[number]
                if self._receive(each):
                    now = time.perf_counter()
                    if now < end:
                        self._send(each, now)
                    else:
                        waiting -= 1
        poll.close()

    def open(self, seconds: float, rate: float, seed: int) -> None:
        """Requests at the times of a Poisson process, whether or not the server keeps up; late ones wait in a queue."""
        random = np.random.default_rng(seed)
        gaps = random.exponential(1 / rate, int(seconds * rate * 1.2) + 100)
        times = np.cumsum(gaps)
        times = times[times < seconds]
        idle = deque(self._connections.values())
        queue: deque[float] = deque()
        start = time.perf_counter() + 0.01
        due = (start + times).tolist()
        place = 0
        under_way: set[socket.socket] = set()
        while place < len(due) or queue or under_way:
            now = time.perf_counter()
            while place < len(due) and due[place] <= now:
                queue.append(due[place])
                place += 1
            while queue and idle:
                each = idle.popleft()
                self._send(each, queue.popleft())
                under_way.add(each.socket)
            wait = max(0.0, due[place] - time.perf_counter()) if place < len(due) else 1.0
            readable, _, _ = select.select(under_way, (), (), wait)
            for one in readable:
                each = self._connections[one]
                if self._receive(each):
                    under_way.discard(one)
                    idle.append(each)

    def _send(self, each: Connection, started: float) -> None:
        number = self._sent
        self._sent += 1
        body = b'{"id":"%s-%d","at":%d,%s' % (
            self._run, number, time.time_ns() // 1000, self._tails[number % len(self._tails)],
        )  # fmt: skip
        each.started = started
        each.socket.send(self._head + b"%d\r\n\r\n" % len(body) + body)

    def _receive(self, each: Connection) -> bool:
        """Take what came; True once the reply is complete and counted."""
        got = each.socket.recv(65536)
        if not got:
            raise ConnectionError("the server hung up")
        each.buffer += got
        split = each.buffer.find(b"\r\n\r\n")
        if split < 0:
            return False
        head = each.buffer[:split].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 : at + 26].split(b"\r\n")[0])
        if len(each.buffer) < split + 4 + length:
            return False
        self.figures.seconds.append(time.perf_counter() - each.started)
        status = head[9:12].decode()
        self.figures.statuses[status] = self.figures.statuses.get(status, 0) + 1
        if status != "200" or length < _SMALLEST:
            self.figures.errors += 1
        each.buffer = b""
        return True


def post(port: int, key: str, path: str, body: bytes, kind: str) -> dict[str, Any]:
    """One request, for what is not measured by the reply."""
    with socket.create_connection(("127.0.0.1", port)) as made:
        made.sendall(
            f"POST {path} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {key}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        )
        made.sendall(body)
        answer = b""
        while got := made.recv(1 << 16):
            answer += got
    head, _, content = answer.partition(b"\r\n\r\n")
    if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
        raise ConnectionError(content.decode("utf-8", "replace")[:500])
    found: dict[str, Any] = json.loads(content)
    return found


def main(arguments: list[str]) -> None:
    """Carry out a plan and print figures."""
    port, key, plan = int(arguments[0]), arguments[1], json.loads(arguments[2])
    if plan["kind"] == "fill":
        for first in range(0, CARRIER_ACCOUNTS, 10_000):
            body = carrier_body(first, 10_000, time.time_ns() // 1000)
            post(port, key, "/v1/events", body, "application/x-ndjson")
        _say({"filled": CARRIER_ACCOUNTS})
        return
    tails = make_tails(plan["tails"], plan["seed"])
    if plan["kind"] == "events":
        _events(port, key, plan, tails)
        return
    load = Load(port, key, plan["connections"], tails, plan["run"])
    began, used = time.perf_counter(), time.process_time()
    if plan["kind"] == "closed":
        load.closed(plan["seconds"])
    else:
        load.open(plan["seconds"], plan["rate"], plan["seed"])
    wall, used = time.perf_counter() - began, time.process_time() - used
    load.close()
    seconds = np.array(load.figures.seconds)
    _say(
        {
            "count": len(seconds),
            "per_second": len(seconds) / wall,
            "errors": load.figures.errors,
            "statuses": load.figures.statuses,
            "generator_share": used / wall,
            **{f"p{q}_ms": float(np.percentile(seconds, q) * 1e3) for q in (50, 90, 99)},
            "p99_9_ms": float(np.percentile(seconds, 99.9) * 1e3),
            "max_ms": float(seconds.max() * 1e3),
        }
    )


def _events(port: int, key: str, plan: dict[str, Any], tails: list[bytes]) -> None:
    now = time.time_ns() // 1000
    bodies = [
        b"\n".join(
            b'{"id":"%s-%d","at":%d,%s' % (plan["run"].encode(), number, now, tails[number % len(tails)])
            for number in range(first, first + 10_000)
        )
        for first in range(0, plan["events"], 10_000)
    ]
    began, used = time.perf_counter(), time.process_time()
    accepted = sum(post(port, key, "/v1/events", body, "application/x-ndjson")["accepted"] for body in bodies)
    wall, used = time.perf_counter() - began, time.process_time() - used
    _say(
        {
            "count": accepted,
            "per_second": accepted / wall,
            "generator_share": used / wall,
            "errors": plan["events"] - accepted,
        }
    )


def _say(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document))


if __name__ == "__main__":
    main(sys.argv[1:])
