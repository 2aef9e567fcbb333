"""The client and its guards against a real server process: answered, slow, and killed while it is used."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
import uvicorn
from floorwalker_client import (
    AsyncClient,
    Background,
    Breaker,
    Client,
    DeadlineError,
    Decision,
    FailurePolicy,
    Figures,
    RefusedError,
    UnreachableError,
)
from floorwalker_client.web import Guard, ask_always
from floorwalker_client.web.asgi import ASGIGuard
from floorwalker_client.web.wsgi import WSGIGuard

from floorwalker.evaluation.benchmarks.decisions import serve
from floorwalker.testing.shop_server import create_key

RULE = """\
abuse_type: scraping
severity: {severity}
events: [page_view]
reason: "a browser called {name}"
condition: user_agent = '{name}'
cases:
  fires:
    - why: it says so
      given: {{user_agent: {name}}}
  does_not:
    - why: an honest browser
      given: {{user_agent: honest}}
  evades:
    - why: it says something else
      given: {{user_agent: other}}
"""
SEVERITIES = {"throttled": 0.55, "challenged": 0.8, "blocked": 0.95}
PATIENT = 20.0
"""Seconds for what must be answered on a busy machine."""


@contextlib.contextmanager
def _serve(folder: Path) -> Iterator[tuple[str, str, Any]]:
    rules = folder / "rules" / "tests"
    rules.mkdir(parents=True)
    for name, severity in SEVERITIES.items():
        (rules / f"{name}.yaml").write_text(RULE.format(name=name, severity=severity))
    key = create_key(folder)
    with serve(folder, core=None, options=["--mode", "enforce"]) as (port, process):
        yield f"http://127.0.0.1:{port}", key, process


@pytest.fixture(name="server", scope="module")
def make_server_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with _serve(tmp_path_factory.mktemp("guarded") / "data") as (url, key, _):
        yield url, key


@pytest.fixture(name="client")
def make_client(server: tuple[str, str]) -> Iterator[Client]:
    with Client(*server, timeout=PATIENT, patience=PATIENT) as client:
        yield client


def _checkout(**fields: Any) -> dict[str, Any]:
    return {"type": "checkout", "account": "a-1", "amount_minor": 4990, "currency": "EUR", **fields}


# --- the calls


def test_a_decision_is_made_looked_up_reported_and_labelled(client: Client) -> None:
    decision = client.decide(_checkout(account="a-told"))
    assert (decision.action, decision.answered, decision.duplicate) == ("allow", True, False)
    assert decision.private is not None
    assert decision.private.mode == "enforce"
    applied = client.applied(decision.id, "review", by="ann", reason="a friend")
    assert (applied.override, applied.late) == (True, False)
    found = client.decision(decision.id)
    assert found["event"]["account"] == "a-told"
    assert client.entity("account", "a-told")["timeline"][0]["event_id"] == decision.event_id
    label = client.label(
        "event", decision.event_id, source="analyst", abuse_type="payment_fraud", idempotency_key="l-1"
    )
    assert label.abuse_type == "payment_fraud"
    assert (
        client.label("event", decision.event_id, source="analyst", abuse_type="payment_fraud", idempotency_key="l-1")
        == label
    )
    assert client.label("order", "o-1", source="chargeback", scheme="visa", reason_code="13.1").label_id is None


def test_an_event_sent_again_gets_its_decision_again(client: Client) -> None:
    first = client.decide(_checkout(id="checkout-1"))
    second = client.decide(_checkout(id="checkout-1"))
    assert (second.id, second.duplicate) == (first.id, True)


def test_many_events_go_in_pieces_and_faults_keep_their_places(client: Client) -> None:
    events: list[dict[str, Any]] = [{"type": "page_view", "url": f"/{n}", "id": f"many-{n}"} for n in range(25)]
    events[17]["type"] = "page_veiw"
    receipt = client.send(events, piece=10)
    assert (receipt.accepted, receipt.duplicates, receipt.rejected) == (24, 0, 1)
    assert [(fault.position, fault.field) for fault in receipt.faults] == [(17, "type")]
    assert client.send(events[:10], piece=7).duplicates == 10


def test_the_first_reply_is_given_to_whoever_sends_a_piece_again(client: Client) -> None:
    events = [{"type": "page_view", "url": "/", "id": "twice", "at": time.time_ns() // 1000}]
    assert client.send(events).accepted == 1
    assert client.send(events).accepted == 1  # the reply that was kept; the event is counted once
    assert len(client.decision(client.decide(_checkout()).id)["decision"]["versions"]) == 3


def test_a_refusal_names_the_fault_and_does_not_open_the_breaker(server: tuple[str, str]) -> None:
    url, key = server
    with Client(url, key, timeout=PATIENT, breaker=Breaker(failures=1)) as client:
        decision = client.decide({"type": "checkout", "account": "a-1"})
        assert (decision.action, decision.answered) == ("allow", False)
        assert "amount_minor" in decision.failure
        assert client.decide(_checkout()).answered
        with pytest.raises(RefusedError, match="404"):
            client.decision("dc_0_0000000000000000")
    with Client(url, key[:-1] + "x", timeout=PATIENT, failing=FailurePolicy("raise")) as stranger:
        with pytest.raises(RefusedError) as refused:
            stranger.decide(_checkout())
        assert refused.value.problem.status == 401


def test_cards_and_passwords_never_leave_the_process(client: Client) -> None:
    event = _checkout(
        account="a-card", attributes={"note": "card 4111 1111 1111 1111", "password": "x"}, reason="cvv 123 checked"
    )
    decision = client.decide(event)
    assert decision.answered
    assert client.decision(decision.id)["event"]["attributes"] == {"note": "card [card number]"}
    assert event["attributes"]["password"] == "x"  # the shop's own object is left alone


def test_the_async_client_says_the_same(server: tuple[str, str]) -> None:
    async def use() -> None:
        async with AsyncClient(*server, timeout=PATIENT, patience=PATIENT) as client:
            decisions = await asyncio.gather(*(client.decide(_checkout(id=f"async-{n % 5}")) for n in range(20)))
            assert all(decision.answered for decision in decisions)
            assert len({decision.id for decision in decisions}) == 5
            assert (await client.applied(decisions[0].id, "allow")).override is False
            assert (await client.send([{"type": "page_view", "url": "/"}] * 3)).accepted == 3
            assert (await client.decision(decisions[0].id))["decision"]["event_id"] == "async-0"
            label = await client.label("event", "async-0", source="analyst", abuse_type="scraping")
            assert label.label_id
            with pytest.raises(RefusedError):
                await client.entity("account", "nobody")
            assert b"Floorwalker" in await client.collector_script()

    asyncio.run(use())


def test_connections_are_kept_and_one_that_the_server_closed_is_not_missed(server: tuple[str, str]) -> None:
    url, key = server
    proxy = _Listener(lambda connection: _relay(connection, url, exchanges=2))
    with proxy, Client(proxy.url, key, timeout=PATIENT) as client:
        assert all(client.decide(_checkout()).answered for _ in range(6))
    assert proxy.accepted == 3


# --- without an answer


class _Listener:
    """A server of raw sockets that does what it likes with each connection."""

    def __init__(self, act: Any) -> None:
        self._act = act
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.accepted = 0
        self._ended = threading.Event()

    def __enter__(self) -> _Listener:
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._socket.close()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self._act(connection)


def _relay(connection: socket.socket, url: str, exchanges: int) -> None:
    """Hands so many exchanges on to the real server, then closes without a word."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as onwards:
        for _ in range(exchanges):
            onwards.sendall(_read_message(connection))
            connection.sendall(_read_message(onwards))


def _read_message(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            raise OSError("gone")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    wanted = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < wanted:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def _drip(connection: socket.socket) -> None:
    """Sends a header that never ends: each read is answered at once, the answer never."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"a")
        time.sleep(0.02)


@pytest.mark.parametrize("act", [_drip, lambda connection: time.sleep(30)], ids=["drips", "silent"])
def test_the_deadline_holds_for_the_whole_call(act: Any) -> None:
    with _Listener(act) as slow, Client(slow.url, "fw_key", timeout=0.3) as client:
        started = time.monotonic()
        decision = client.decide(_checkout())
        taken = time.monotonic() - started
        assert (decision.action, decision.answered) == ("allow", False)
        assert 0.25 < taken < 5.0
        started = time.monotonic()
        with pytest.raises(DeadlineError):
            client.decision("dc_1_1", patience=0.3)
        assert time.monotonic() - started < 5.0

        async def use() -> None:
            async with AsyncClient(slow.url, "fw_key", timeout=0.3) as other:
                begun = time.monotonic()
                assert not (await other.decide(_checkout())).answered
                assert 0.25 < time.monotonic() - begun < 5.0

        asyncio.run(use())


def test_the_breaker_spares_the_pages_of_a_slow_server() -> None:
    with (
        _Listener(_drip) as slow,
        Client(slow.url, "fw_key", timeout=0.2, breaker=Breaker(failures=2, rest=600.0, longest_rest=600.0)) as client,
    ):
        for _ in range(50):
            assert client.decide(_checkout()).action == "allow"
        assert slow.accepted == 2
        assert client.core.deciding.refused == 48


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"action":"ruin"',
        b'HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{"action":"ruin"}',
        b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"a" * 65536,
        b"",
    ],
    ids=["not http", "an array", "not json", "half", "not ours", "500", "cut off", "closed"],
)
def test_whatever_answers_the_page_goes_on(answer: bytes) -> None:
    def act(connection: socket.socket) -> None:
        _read_message(connection)
        connection.sendall(answer)

    with _Listener(act) as odd, Client(odd.url, "fw_key", timeout=PATIENT) as client:
        decision = client.decide(_checkout())
        assert (decision.action, decision.answered) == ("allow", False)
        assert decision.failure


@pytest.mark.slow
def test_a_server_killed_while_it_is_used(tmp_path: Path) -> None:
    failing = FailurePolicy(by_type={"withdrawal": "block", "coupon_redeem": "review", "top_up": "raise"})
    with _serve(tmp_path / "data") as (url, key, process), Client(url, key, timeout=2.0, failing=failing) as client:
        background = Background(client, most=50, piece=10, every=0.05)
        assert client.decide(_checkout()).answered
        assert all(background.tell({"type": "page_view", "url": "/"}) for _ in range(20))
        assert background.flush(PATIENT)
        assert background.figures.sent == 20
        process.kill()
        process.wait()
        started = time.monotonic()
        assert client.decide(_checkout()).action == "allow"
        money = {"account": "a-1", "amount_minor": 1}
        closed = client.decide({"type": "withdrawal", **money})
        assert (closed.action, closed.answered) == ("block", False)
        assert "try again" in closed.public_reason
        assert client.decide({"type": "coupon_redeem", "account": "a-1", "coupons": ["c"]}).action == "review"
        with pytest.raises(UnreachableError):
            client.decide({"type": "top_up", **money})
        told = [background.tell({"type": "page_view", "url": "/"}) for _ in range(80)]
        assert time.monotonic() - started < 15.0
        assert 50 <= sum(told) <= 60  # what waits is bounded; the thread may hold one piece more
        background.close(0.2)
        deadline = time.monotonic() + PATIENT
        while background.figures.waiting and time.monotonic() < deadline:
            time.sleep(0.02)
        assert background.figures == Figures(taken=20 + sum(told), sent=20, rejected=0, dropped=80, waiting=0)


# --- the guards


async def _asgi_shop(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    decision: Decision | None = scope.get("floorwalker")
    body = json.dumps({"page": scope["path"], "action": decision.action if decision else None}).encode()
    await send({"type": "http.response.start", "status": 200 if scope["path"] != "/gone" else 404, "headers": []})
    await send({"type": "http.response.body", "body": body})


def _wsgi_shop(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    decision: Decision | None = environ.get("floorwalker.decision")
    body = json.dumps({"page": environ["PATH_INFO"], "action": decision.action if decision else None}).encode()
    start_response("200 OK" if environ["PATH_INFO"] != "/gone" else "404 Not Found", [("Content-Type", "text/plain")])
    return [body]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def _asgi(url: str, key: str, guard: Guard, background: Background, timeout: float = PATIENT) -> Iterator[str]:
    app = ASGIGuard(_asgi_shop, AsyncClient(url, key, timeout=timeout), background, guard)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="on", proxy_headers=False)
    shop = uvicorn.Server(config)
    thread = threading.Thread(target=shop.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        shop.should_exit = True
        thread.join()
        listener.close()


@contextlib.contextmanager
def _wsgi(url: str, key: str, guard: Guard, background: Background, timeout: float = PATIENT) -> Iterator[str]:
    client = Client(url, key, timeout=timeout)
    app = WSGIGuard(_wsgi_shop, client, background, guard)
    with client, make_server("127.0.0.1", 0, app, handler_class=_Quiet) as shop:
        thread = threading.Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{shop.server_port}"
        finally:
            shop.shutdown()
            thread.join()


KINDS = pytest.mark.parametrize("kind", [_asgi, _wsgi], ids=["asgi", "wsgi"])


def _guard(**settings: Any) -> Guard:
    return Guard(
        session=lambda visit: visit.cookie("sid"),
        account=lambda visit: visit.headers.get("x-user"),
        trusted_proxies=["127.0.0.1"],
        network_headers={"ja4": "x-ja4"},
        kept_parameters=["page", "password"],
        **settings,
    )


@KINDS
def test_a_guard_enforces_what_the_server_answers(kind: Any, server: tuple[str, str], client: Client) -> None:
    background = Background(client, every=0.05)
    with kind(*server, _guard(ask=ask_always), background) as shop, httpx.Client(base_url=shop, timeout=60) as web:
        pages = {name: web.get("/p", headers={"User-Agent": name}) for name in ("honest", *SEVERITIES)}
        assert {name: page.status_code for name, page in pages.items()} == {
            "honest": 200, "throttled": 429, "challenged": 200, "blocked": 403,
        }  # fmt: skip
        assert pages["throttled"].headers["retry-after"] == "10"
        assert pages["blocked"].text == "This is not possible."
        assert pages["blocked"].headers["cache-control"] == "no-store"
        assert pages["challenged"].json() == {"page": "/p", "action": "challenge"}  # nobody took the challenge up
        as_json = web.get("/p", headers={"User-Agent": "blocked", "Accept": "application/json"}).json()
        assert as_json == {"title": "This is not possible.", "status": 403}
        assert web.get("/style.css", headers={"User-Agent": "blocked"}).status_code == 200
        assert web.head("/p", headers={"User-Agent": "blocked"}).content == b""
    assert background.flush(PATIENT)
    # Every action that the guard took was reported: throttled, three times blocked, and one challenge let through.
    assert background.figures.sent == 5
    assert background.figures.rejected == 0


@KINDS
def test_hooks_answer_and_what_was_done_is_reported(kind: Any, server: tuple[str, str], client: Client) -> None:
    seen: list[str] = []

    async def asgi_hook(scope: Any, receive: Any, send: Any, decision: Decision) -> bool:
        seen.append(decision.id)
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b"prove it"})
        return True

    def wsgi_hook(environ: Any, start_response: Any, decision: Decision) -> Iterable[bytes]:
        seen.append(decision.id)
        start_response("401 Unauthorized", [])
        return [b"prove it"]

    async def broken_asgi_hook(*_: Any) -> bool:
        raise RuntimeError("broken")

    def broken_wsgi_hook(*_: Any) -> None:
        raise RuntimeError("broken")

    hooks = (
        {"challenge": asgi_hook, "block": broken_asgi_hook}
        if kind is _asgi
        else {"challenge": wsgi_hook, "block": broken_wsgi_hook}
    )
    background = Background(client, every=0.05)
    with kind(*server, _guard(ask=ask_always, hooks=hooks), background) as shop:
        answer = httpx.get(f"{shop}/p", headers={"User-Agent": "challenged"}, timeout=60)
        assert (answer.status_code, answer.text) == (401, "prove it")
        assert httpx.get(f"{shop}/p", headers={"User-Agent": "blocked"}, timeout=60).status_code == 403
    assert background.flush(PATIENT)
    assert client.decision(seen[0])["applied"]["action"] == "challenge"


@KINDS
def test_what_is_told_of_a_visit(kind: Any, server: tuple[str, str], client: Client) -> None:
    account = f"a-visit-{kind.__name__}"
    background = Background(client, every=0.05)
    with kind(*server, _guard(), background) as shop, httpx.Client(base_url=shop, timeout=60) as web:
        headers = {
            "X-User": account,
            "Cookie": "other=1; sid=s-77",
            "X-Forwarded-For": "198.51.100.1, 203.0.113.44",
            "X-JA4": "t13d1516h2_8daaf6152771_02713d6af862",
            "Referer": "https://ann:secret@www.example.org/search?q=red+shoes#x",
            "User-Agent": "agent 4111111111111111",
        }
        web.get("/gone", params={"q": "private", "page": "2", "password": "hunter2"}, headers=headers)
        posted = web.post("/pay", json={"card": "4111111111111111", "password": "hunter2"}, headers=headers)
        assert posted.json()["action"] == "allow"
    assert background.flush(PATIENT)
    found = client.entity("account", account)
    events = [client.decision(line["decision_id"])["event"] for line in found["timeline"] if line["decision_id"]]
    assert [event["method"] for event in events] == ["POST"]
    assert found["links"]["session"] == ["s-77"]
    assert found["links"]["ip_network"] == ["203.0.113.0/24"]
    assert len(found["timeline"]) == 2
    event = events[0]
    assert event["network"] == {"ja4": "t13d1516h2_8daaf6152771_02713d6af862"}
    assert event["referrer"] == "https://www.example.org/search?q="
    assert event["user_agent"] == "agent [card number]"
    assert "hunter2" not in json.dumps([found, events])
    assert "4111" not in json.dumps(events)
    history = [line for line in found["timeline"] if not line["decision_id"]]
    assert history[0]["type"] == "page_view"


def test_an_event_of_a_guard_keeps_listed_values_only() -> None:
    guard = _guard()
    visit = guard.make_visit("GET", "/gone", "q=private&page=2&password=hunter2", {}, "192.0.2.5", {})
    assert guard.make_event(visit, status=404) == {
        "channel": "web",
        "ip": "192.0.2.5",
        "type": "page_view",
        "method": "GET",
        "url": "/gone?q=&page=2&password=",
        "status": 404,
    }


@KINDS
def test_the_shop_goes_on_without_a_server(kind: Any) -> None:
    with Client("http://127.0.0.1:9", "fw_key", patience=0.2) as dead:
        background = Background(dead, most=3, every=0.05, farewell=0.1)
        with (
            kind("http://127.0.0.1:9", "fw_key", _guard(ask=ask_always), background, timeout=0.5) as shop,
            httpx.Client(base_url=shop, timeout=60) as web,
        ):
            assert [web.get("/p").status_code for _ in range(20)] == [200] * 20
        background.close(0.1)


@KINDS
def test_a_slow_server_costs_a_shop_five_pages_their_patience(kind: Any) -> None:
    with _Listener(_drip) as slow, Client("http://127.0.0.1:9", "fw_key", patience=0.2) as dead:
        background = Background(dead, farewell=0.1)
        with (
            kind(slow.url, "fw_key", _guard(ask=ask_always), background, timeout=0.2) as shop,
            httpx.Client(base_url=shop, timeout=60) as web,
        ):
            # Rests are two seconds: however slow this machine is, few trials fall between thirty pages.
            assert [web.get("/p").status_code for _ in range(30)] == [200] * 30
        background.close(0.1)
        assert 5 <= slow.accepted < 15


@KINDS
def test_a_shop_that_would_rather_be_closed_says_so_politely(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = AsyncClient if kind is _asgi else Client
    closed = FailurePolicy(by_type={"page_view": "block"})
    made = module.__init__

    def make(self: Any, *given: Any, **settings: Any) -> None:
        made(self, *given, **{"failing": closed, **settings})

    monkeypatch.setattr(module, "__init__", make)
    with Client("http://127.0.0.1:9", "fw_key") as dead:
        background = Background(dead, farewell=0.1)
        with kind("http://127.0.0.1:9", "fw_key", _guard(ask=ask_always), background, timeout=0.5) as shop:
            answer = httpx.get(f"{shop}/p", timeout=60)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
            assert "try again" in answer.text
        background.close(0.1)


@KINDS
def test_the_shops_own_mistakes_do_not_reach_its_pages(kind: Any, server: tuple[str, str], client: Client) -> None:
    def broken(visit: Any) -> Any:
        raise RuntimeError("broken")

    background = Background(client, every=0.05)
    for settings in ({"ask": broken}, {"skip": broken}, {"session": broken, "account": broken}, {"path": broken}):
        with kind(*server, Guard(**settings), background) as shop:
            assert httpx.get(f"{shop}/p?x=1", timeout=60).status_code == 200
            assert httpx.post(f"{shop}/p", timeout=60).status_code == 200
    assert background.flush(PATIENT)
    assert background.figures.rejected == 0
