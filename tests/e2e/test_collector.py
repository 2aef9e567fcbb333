"""The collector in a real browser, on pages of ours: what it sends, what becomes of it, and what nobody can forge."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
from floorwalker_client import Background, Client
from floorwalker_client.web import Collector, Guard
from floorwalker_client.web.collector import sign
from floorwalker_client.web.wsgi import WSGIGuard

from floorwalker.evaluation.screenshot import Page, find_browser, open_browser
from floorwalker.events.event import Event
from floorwalker.pipeline.records import EventRecord, decode_record
from floorwalker.store.journal import read_journal
from floorwalker.testing.shop_server import Shop

PAGE = """<!doctype html><html><head><title>Shop</title></head><body style="height: 3000px">
<form action="/own-done" method="get"><input id="name" name="name" autocomplete="name">
<input id="card" name="card" autocomplete="cc-number"><input id="secret" type="password" name="secret"
autocomplete="current-password">
<input id="trap" name="website" data-floorwalker-trap tabindex="-1" style="position: absolute; left: -9999px">
<button id="send">Send</button></form><script src="{script}" {settings} data-after="300"></script></body></html>"""
TYPED = "hunter2"
PATIENT = 20.0

needs_browser = pytest.mark.skipif(find_browser() is None, reason="no Chromium or Chrome is installed")


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class Site:
    """A shop's pages: below `/own` with the guard's collector, elsewhere with the server's."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.api = str(shop.client.base_url).rstrip("/")
        self.secret = b""
        self.url = ""

    def serve_page(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
        script, settings = f"{self.api}/v1/collector.js", ""
        if path.startswith("/own"):
            script, settings = "/_fw/collector.js", 'data-to="/_fw/collect"'
        elif path == "/signed":
            settings = f'data-session="s-mine" data-proof="{sign(self.secret, "session", "default", "s-mine")}"'
        elif path == "/forged":
            settings = 'data-session="s-victim" data-proof="AAAAAAAAAAAAAAAAAAAAAA"'
        if "canvas" in query:
            settings += ' data-canvas="on"'
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [PAGE.format(script=script, settings=settings).encode()]

    def events(self) -> list[Event]:
        """All `client_signals` that the server has journalled."""
        records = (decode_record(data) for _, data in read_journal(self.shop.folder / "journal"))
        return [
            record.event
            for record in records
            if isinstance(record, EventRecord) and record.event.type == "client_signals"
        ]

    def wait(self, is_it: Callable[[Event], bool], count: int = 1) -> list[Event]:
        """The events that are it, once there are so many."""
        deadline = time.monotonic() + PATIENT
        while True:
            found = [event for event in self.events() if is_it(event)]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, f"{len(found)} of {count} came: {self.events()}"
            time.sleep(0.1)


@pytest.fixture(name="site", scope="module")
def make_site(shop: Shop) -> Iterator[Site]:
    site = Site(shop)
    with Client(site.api, shop.key, timeout=PATIENT, patience=PATIENT) as client:
        background = Background(client, every=0.05)
        with make_server("127.0.0.1", 0, lambda *given: app(*given), handler_class=_Quiet) as server:
            site.url = f"http://localhost:{server.server_port}"
            (shop.folder / "collector.toml").write_text(
                f'origins = ["{site.url}"]\ntrusted_proxies = ["127.0.0.1"]\nper_client = 100\n'
            )
            # The first call makes the key that the shop signs sessions with.
            shop.client.post("/v1/collect", content=b"{}", headers={"Origin": site.url})
            site.secret = (shop.folder / "collector.key").read_bytes()
            guard = Guard(session=lambda visit: "s-own", collector=Collector(site.secret))
            app = WSGIGuard(site.serve_page, client, background, guard)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield site
            finally:
                server.shutdown()
                thread.join()
                background.close()


@pytest.fixture(name="page")
def make_page() -> Iterator[Page]:
    with open_browser() as page:
        yield page


def _open(page: Page, url: str) -> None:
    page.call("Page.navigate", url=url)
    loaded = f"location.href === {json.dumps(url)} && document.readyState === 'complete'"
    deadline = time.monotonic() + PATIENT
    while time.monotonic() < deadline:
        with contextlib.suppress(Exception):
            if page.evaluate(loaded):
                return
        time.sleep(0.05)
    raise AssertionError(f"{url} did not load: {page.logged}")


def _move(page: Page, *places: tuple[float, float]) -> None:
    for x, y in places:
        page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)


def _type(page: Page, field: str, text: str) -> None:
    page.evaluate(f"document.getElementById({field!r}).focus()")
    for character in text:
        code = ord(character.upper())
        page.call("Input.dispatchKeyEvent", type="keyDown", key=character, text=character, windowsVirtualKeyCode=code)
        page.call("Input.dispatchKeyEvent", type="keyUp", key=character, windowsVirtualKeyCode=code)


def _message(**fields: Any) -> dict[str, Any]:
    return {"v": 1, "view": "0123456789abcdef", "n": 0, "signals": {"webdriver": True}, **fields}


def _post(site: Site, message: Any, origin: str | None = "", **headers: str) -> httpx.Response:
    if origin is not None:
        headers["Origin"] = origin or site.url
    return site.shop.client.post("/v1/collect", content=json.dumps(message).encode(), headers=headers)


def test_the_script_is_small_ours_and_cached(site: Site) -> None:
    answer = site.shop.client.get("/v1/collector.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.content) < 8192
    assert "http" not in answer.text.replace('"https:"', "").lower()
    again = site.shop.client.get("/v1/collector.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@needs_browser
def test_what_a_browser_sends_to_the_shops_own_path(site: Site, page: Page) -> None:
    _open(page, f"{site.url}/own?order=private")
    _move(page, *((100 + 10 * n, 100 + 10 * n) for n in range(12)))
    time.sleep(0.4)
    _move(page, *((100 + 30 * n, 300 + 60 * (n % 2)) for n in range(12)))
    _type(page, "name", "ann")
    _type(page, "card", "4111")
    _type(page, "secret", TYPED)
    page.evaluate("document.getElementById('trap').value = 'https://spam.example.com'")
    page.evaluate("scrollTo(0, 500)")
    page.evaluate("document.getElementById('send').click()")
    mine = site.wait(lambda event: event.url == "/own" and bool(event.signals and event.signals.form_ms is not None))
    event = mine[-1]
    assert event.signals is not None
    assert event.device_facts is not None
    assert (event.session, event.channel) == ("s-own", "web")
    signals = event.signals
    assert signals.pointer_moves is not None
    assert 15 <= signals.pointer_moves <= 24
    assert signals.pointer_straightness is not None
    assert 0.3 < signals.pointer_straightness < 0.95
    assert signals.key_presses == 3
    assert signals.key_gap_ms is not None
    assert signals.trap_filled is True
    assert signals.headless is True
    assert signals.tampered is False
    assert signals.touches == 0
    assert signals.dwell_ms is not None
    assert event.device_facts.kind == "desktop"
    assert event.device_facts.fingerprint is not None
    assert event.device_facts.fingerprint_confidence is not None
    assert 0.5 < event.device_facts.fingerprint_confidence < 1.0
    parts = event.attributes["fingerprint_parts"]
    assert {"screen", "languages", "machine"} <= set(parts)
    assert "canvas" not in parts
    told = repr(site.events())
    for private in ("ann@", TYPED, "4111", "spam.example.com", "order=private"):
        assert private not in told
    assert page.evaluate("document.cookie") == ""  # the id is out of every script's reach
    assert {site.url, "data:"} >= {address.split("/")[0] + "//" + address.split("/")[2] for address in page.requested}


@needs_browser
def test_a_browser_keeps_its_id_from_page_to_page(site: Site, page: Page) -> None:
    _open(page, f"{site.url}/own?first")
    time.sleep(0.8)
    before = len(site.events())
    _open(page, f"{site.url}/own?second")
    page.evaluate("new Promise(done => setTimeout(done, 800))")
    _open(page, f"{site.url}/own?third")
    page.evaluate("new Promise(done => setTimeout(done, 800))")
    found = site.wait(lambda event: event.url == "/own" and event.session == "s-own", before + 2 - 1)
    assert found[-1].device is not None
    assert found[-1].device.startswith("fd1_")
    assert found[-1].device == found[-2].device
    with Client(site.api, site.shop.key, patience=PATIENT) as client:
        timeline = client.entity("device", found[-1].device)["timeline"]
    assert "page_view" in [line["type"] for line in timeline]


@needs_browser
def test_a_browser_sends_to_the_server_of_another_origin(site: Site, page: Page) -> None:
    _open(page, f"{site.url}/signed")
    first = site.wait(lambda event: event.url == "/signed")[0]
    assert first.session == "s-mine"
    deadline = time.monotonic() + PATIENT
    while not (cookie := page.evaluate("document.cookie")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert cookie.startswith(f"fw_id={first.device}.")
    _open(page, f"{site.url}/forged?canvas")
    second = site.wait(lambda event: event.url == "/forged")[0]
    assert second.device == first.device
    assert second.session is None  # a page can name any session; only the shop can sign one
    assert "canvas" in second.attributes["fingerprint_parts"]
    assert not [text for text in page.logged if "WebGL" not in text]


@needs_browser
@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("tampered", "Date.now = () => 1"),
        ("tampered", "Object.defineProperty(navigator, 'webdriver', { get: () => false })"),
        (
            "tampered",
            "Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false, configurable: true })",
        ),
        ("webdriver", "window.__webdriver_evaluate = () => 1"),
        ("webdriver", "document.$cdc_asdjflasutopfhvcZLmcfl_ = {}"),
    ],
    ids=["a native replaced", "an own property", "a getter replaced", "a tool's mark", "a driver's mark"],
)
def test_what_betrays_a_program(site: Site, page: Page, name: str, script: str) -> None:
    page.call("Page.addScriptToEvaluateOnNewDocument", source=script)
    known = {event.id for event in site.events()}
    _open(page, f"{site.url}/signed")
    event = site.wait(lambda event: event.id not in known)[0]
    assert getattr(event.signals, name) is True


def test_ids_are_the_servers_to_give(site: Site) -> None:
    given = _post(site, _message(view="00000000000000aa")).json()["id"]
    assert _post(site, _message(view="00000000000000ab", id=given)).json()["id"] == given
    for forged in (given[:-1] + ("A" if given[-1] != "A" else "B"), "fd1_" + "A" * 22 + "." + "A" * 22, "x", "é"):
        other = _post(site, _message(view="00000000000000ac", id=forged))
        assert other.status_code == 200
        assert other.json()["id"].partition(".")[0] not in (given.partition(".")[0], forged)
    device = given.partition(".")[0]
    assert len([event for event in site.events() if event.device == device]) == 2
    # The same message again is the same event.
    assert _post(site, _message(view="00000000000000ab", id=given)).status_code == 200
    assert len([event for event in site.events() if event.device == device]) == 2


def test_the_shops_key_and_the_servers_make_the_same_ids(site: Site) -> None:
    mine = Collector(site.secret).make_id("default")
    assert _post(site, _message(view="00000000000000ba", id=mine)).json()["id"] == mine
    theirs = _post(site, _message(view="00000000000000bb")).json()["id"]
    assert Collector(site.secret).read_id("default", theirs) == theirs.partition(".")[0]
    assert Collector(site.secret).read_id("another", theirs) is None


def test_origins_that_were_not_named_may_not_send(site: Site) -> None:
    for origin in ("https://evil.example.org", site.url + ".evil.example.org", "null", None):
        answer = _post(site, _message(), origin=origin)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    allowed = _post(site, _message(view="00000000000000ca"))
    assert allowed.headers["access-control-allow-origin"] == site.url
    assert allowed.headers["vary"] == "Origin"
    asked = site.shop.client.options("/v1/collect", headers={"Origin": site.url})
    assert asked.headers["access-control-allow-methods"] == "POST"
    assert site.shop.client.options("/v1/collect", headers={"Origin": "https://evil.example.org"}).status_code == 403


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ({}, 422),
        ([], 422),
        (_message(v=2), 422),
        (_message(view="../../etc"), 422),
        (_message(n=16), 422),
        (_message(account="a-1"), 422),
        (_message(signals={"risk": 0}), 422),
        (_message(signals={"key_presses": -1}), 422),
        (_message(device={"attestation": "passed"}), 422),
        (_message(device={"emulator": False}), 422),
        (_message(parts={"x": ["h", 2.0]}), 422),
        (_message(page="javascript:alert(1)"), 422),
        (_message(page="/pay/4111111111111111"), 422),
        (_message(parts={str(n): ["h" * 32, 0.5] for n in range(30)}), 422),
        (_message(page="/" + "a" * 5000), 413),
    ],
)
def test_only_what_the_collector_sends_is_taken(site: Site, message: Any, status: int) -> None:
    before = len(site.events())
    assert _post(site, message).status_code == status
    assert len(site.events()) == before


def test_one_address_cannot_flood(site: Site) -> None:
    for address, neighbour, other in (
        ("203.0.113.1", "203.0.113.1", "203.0.113.2"),
        ("2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1"),
    ):
        codes = [_post(site, {}, **{"X-Forwarded-For": f"198.51.100.1, {address}"}).status_code for _ in range(300)]
        assert set(codes) == {422, 429}
        # On a slow machine a request or two come in again meanwhile.
        answers = [_post(site, {}, **{"X-Forwarded-For": neighbour}) for _ in range(20)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
        assert _post(site, {}, **{"X-Forwarded-For": other}).status_code == 422


def test_the_address_is_what_a_trusted_proxy_says(site: Site) -> None:
    given = {"X-Forwarded-For": "198.51.100.1, 203.0.113.77"}
    signed = _post(site, _message(view="00000000000000da"), **given).json()["id"]
    found = site.wait(lambda event: event.device == signed.partition(".")[0])[0]
    assert found.identity is not None
    assert found.identity.ip_network == "203.0.113.0/24"


def test_a_crowd_is_taken_together(site: Site) -> None:
    with httpx.Client(base_url=site.api, timeout=60) as web:

        def send(number: int) -> int:
            headers = {"Origin": site.url, "X-Forwarded-For": f"203.0.113.{number}"}
            message = _message(view=f"{number:016x}")
            return web.post("/v1/collect", content=json.dumps(message).encode(), headers=headers).status_code

        with ThreadPoolExecutor(16) as pool:
            assert set(pool.map(send, range(1, 200))) == {200}
    assert len([event for event in site.events() if event.attributes["view"].startswith("00000000000000")]) >= 199
